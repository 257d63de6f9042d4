//go:build peers

package peers

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A snippet is a piece of code of the page docs/ozml/http-api.md.
type snippet struct{ command, lang, code string }

var fence = regexp.MustCompile("(?s)```(sh|php|python|js|go)\n(.*?)```")

// snippets reads the page: what comes before the commands has no command.
func snippets(t *testing.T) (all []snippet) {
	t.Helper()
	src, err := os.ReadFile("../../docs/ozml/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, section := range strings.Split(string(src), "\n### ") {
		name, _, _ := strings.Cut(section, "\n")
		if i == 0 {
			name = ""
		}
		for _, m := range fence.FindAllStringSubmatch(section, -1) {
			all = append(all, snippet{name, m[1], m[2]})
		}
	}
	return all
}

var answerCode = regexp.MustCompile(`<Code>(\d+)</Code>\s*<Message>([^<]*)`)

// A runner makes one program of all snippets of a language, each with a line
// "== name" before its output.
var snippetLanguages = []struct {
	lang, file, mark string
	run              []string
}{
	{"sh", "all.sh", "echo; echo '== %s'", []string{"bash"}},
	{"php", "all.php", "echo \"\\n== %s\\n\";", []string{"php"}},
	{"python", "all.py", "print('\\n== %s')", []string{"python3"}},
	{"js", "all.mjs", "console.log('\\n== %s');", []string{"node"}},
	{"go", "main.go", "fmt.Println(\"\\n== %s\")", nil},
}

// TestSnippets runs every snippet of the manual's page of the HTTP API, each
// language as one program, against a switch with calls that are up, and compares
// the code of each answer with what is wanted, the same in all languages.
func TestSnippets(t *testing.T) {
	need(t, "curl", "php", "python3", "node", "go", "aiosmtpd", "sipp")
	all := snippets(t)
	n, calls := apiSwitch(t, len(snippetLanguages))
	codes := map[string]map[string]string{} // by command and language
	for _, l := range snippetLanguages {
		var client, program strings.Builder
		for _, s := range all {
			switch {
			case s.lang != l.lang:
			case s.command == "":
				client.WriteString(s.code)
			default:
				code := strings.ReplaceAll(s.code, "Qz81x", calls.take(s.command))
				code = strings.ReplaceAll(code, "Rt92y", calls.take(s.command+".other"))
				fmt.Fprintf(&program, l.mark+"\n%s\n", s.command, code)
			}
		}
		local := strings.NewReplacer("127.0.0.1:9509", n.http, "change-me-1", "orange-lantern").Replace
		dir := t.TempDir()
		args := append(append([]string{}, l.run...), l.file)
		if l.lang == "go" {
			write(t, filepath.Join(dir, "go.mod"), "module snippets\n\ngo 1.22\n")
			write(t, filepath.Join(dir, "client.go"), local(client.String()))
			write(t, filepath.Join(dir, l.file), "package main\n\nimport (\n\"fmt\"\n\"net/url\"\n)\n\nvar _ url.Values\n\nfunc main() {\n"+local(program.String())+"}\n")
			args = []string{"go", "run", "."}
		} else {
			write(t, filepath.Join(dir, l.file), local(client.String()+program.String()))
		}
		p := start(t, dir, nil, args...)
		eventually(t, l.lang+" has run all", p.ended)
		if p.err != nil {
			t.Fatalf("%s: %v\n%s", l.lang, p.err, tail(p.out.String()))
		}
		for _, part := range strings.Split(p.out.String(), "\n== ")[1:] {
			name, answer, _ := strings.Cut(part, "\n")
			if codes[name] == nil {
				codes[name] = map[string]string{}
			}
			code := "no code:\n" + answer
			if m := answerCode.FindStringSubmatch(answer); m != nil {
				code = m[1]
				if m[1] != "200" {
					t.Logf("%s in %s: %s %s", name, l.lang, m[1], m[2])
				}
			}
			codes[name][l.lang] = code
		}
	}
	ran := 0
	for name, by := range codes {
		want := "200"
		if other := snippetCodes[name]; other != "" {
			want = other
		}
		for _, l := range snippetLanguages {
			ran++
			if by[l.lang] != want {
				t.Errorf("%s in %s: code %s, want %s", name, l.lang, by[l.lang], want)
			}
		}
	}
	for line := range strings.Lines(run(t, t.TempDir(), program(t), "manual", "--json")) {
		var page struct{ Name, Where string }
		if err := json.Unmarshal([]byte(line), &page); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(page.Where, "HTTP API") && len(codes[page.Name]) != len(snippetLanguages) {
			t.Errorf("%s was run in %d languages", page.Name, len(codes[page.Name]))
		}
	}
	t.Logf("%d snippets of %d commands", ran, len(codes))
}

// snippetCodes are the answers that are not 200, and why.
var snippetCodes = map[string]string{
	"Forward": "303", // the call does not ring any more
}

// spare are calls that are up, for snippets that end theirs: menus are calls to
// a script, talks are between two telephones.
type spare struct {
	t            *testing.T
	menus, talks []string
}

// take gives a call for a command: one of its own where the command ends it.
func (s *spare) take(command string) (id string) {
	from := &s.menus
	switch command {
	case "Hangup":
	case "BlindTransfer", "AttendedTransfer", "AttendedTransfer.other":
		from = &s.talks
	default:
		return s.menus[0]
	}
	if len(*from) < 2 {
		s.t.Fatal("no call is left")
	}
	id, *from = (*from)[len(*from)-1], (*from)[:len(*from)-1]
	return id
}

// apiSwitch starts a switch on which everything can be asked for, with calls.
// sipp is the telephones that are called.
func apiSwitch(t *testing.T, languages int) (*node, *spare) {
	t.Helper()
	dir := t.TempDir()
	smtp, box := fmt.Sprintf("127.0.0.1:%d", freePort(t)), filepath.Join(dir, "mail")
	start(t, dir, nil, "aiosmtpd", "-n", "-l", smtp, "-c", "aiosmtpd.handlers.Mailbox", box)
	phones := freePort(t)
	start(t, dir, nil, "sipp", "-sn", "uas", "-i", "127.0.0.1", "-p", fmt.Sprint(phones), "-nostdin")
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // of text messages
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(service.Close)
	write(t, filepath.Join(dir, "wait.xml"), "<Response><Delay>600</Delay></Response>")
	var more strings.Builder
	for _, number := range []string{"1001", "1002", "9300"} {
		fmt.Fprintf(&more, "  - {number: %q, type: phone, password: %s, contact: \"sip:%s@127.0.0.1:%d\"}\n", number, deskPassword, number, phones)
	}
	n := serve(t, "http://127.0.0.1:9/", fmt.Sprintf(`  - {number: "9100", type: script, file: %q}
  - {number: "1003", type: phone, password: %s}
%susers: [{name: HTTP_User_1, password: orange-lantern, api: true, admin: true}]
mail: {server: "%s", from: pbx@example.org}
sms: {type: http, address: "%s/send", token: silver-birch}
`, filepath.Join(dir, "wait.xml"), deskPassword, more.String(), smtp, service.URL))
	tone(t, filepath.Join(n.data, "media", "hello.wav"), 440, 1)
	s := &spare{t: t}
	menus, talks := 2+languages, 1+3*languages
	calls := func(number string, many int) {
		start(t, dir, nil, program(t), "call", number, "--server", n.sip, "--user", "1003", "--password", deskPassword,
			"--calls", fmt.Sprint(many), "--rate", "20", "--hangup-after", "300s")
	}
	calls("9100", menus)
	calls("1001", talks)
	eventually(t, "the calls are up", func() bool {
		s.menus, s.talks = nil, nil
		for _, c := range regexp.MustCompile(`(?s)<CallId>(\w+)</CallId>.*?<CallerDialed>(\d+)<.*?<CallState>InCall<`).FindAllStringSubmatch(n.ask(t, "ListActiveCalls", nil), -1) {
			if c[2] == "9100" {
				s.menus = append(s.menus, c[1])
			} else {
				s.talks = append(s.talks, c[1])
			}
		}
		return len(s.menus) == menus && len(s.talks) == talks
	})
	n.ask(t, "Record", url.Values{"CallId": {s.menus[0]}}) // for PauseRecord, which comes first
	return n, s
}

// ask asks the HTTP API.
func (n *node) ask(t *testing.T, command string, parameters url.Values) string {
	t.Helper()
	form := url.Values{"command": {command}}
	for k, v := range parameters {
		form[k] = v
	}
	answer, err := http.PostForm("http://HTTP_User_1:orange-lantern@"+n.http+"/api", form)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
