//go:build peers

package peers

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const examples = "../../examples"

// languages say how each kind of app is started on a port.
var languages = []struct {
	peer, file string
	command    func(file, port string) []string
}{
	{"php", "app.php", func(f, port string) []string { return []string{"php", "-S", "127.0.0.1:" + port, f} }},
	{"python3", "app.py", func(f, port string) []string { return []string{"python3", f, port} }},
	{"php", "ivr.php", func(f, port string) []string { return []string{"php", "-S", "127.0.0.1:" + port, f} }},
	{"node", "app.mjs", func(f, port string) []string { return []string{"node", f, port} }},
	{"go", "main.go", func(f, port string) []string { return []string{f, "-listen", "127.0.0.1:" + port} }},
	{"node", "app.js", func(f, port string) []string { return []string{"node", f, port} }},
	{"go", "go", func(f, port string) []string { return []string{f, "-listen", "127.0.0.1:" + port} }},
}

// startApp starts an example's app in a language and waits for its port.
func startApp(t *testing.T, file string, command func(file, port string) []string, env ...string) (base string, p *proc) {
	t.Helper()
	return startAppAt(t, freePort(t), file, command, env...)
}

// startAppAt is startApp where the port is known beforehand.
func startAppAt(t *testing.T, at int, file string, command func(file, port string) []string, env ...string) (base string, p *proc) {
	t.Helper()
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	folder := file
	if filepath.Base(file) == "main.go" {
		folder = filepath.Dir(file)
	}
	if info, err := os.Stat(folder); err == nil && info.IsDir() { // a Go program: build it, so that ending it ends it
		program := filepath.Join(t.TempDir(), "app")
		run(t, folder, "go", "build", "-o", program, ".")
		file = program
	}
	port := fmt.Sprint(at)
	p = start(t, t.TempDir(), env, command(file, port)...)
	base = "http://127.0.0.1:" + port + "/"
	eventually(t, "the app listens", func() bool {
		if p.ended() {
			t.Fatalf("%s ended: %v\n%s", p.name, p.err, p.out.String())
		}
		answer, err := http.PostForm(base, url.Values{})
		if err != nil {
			return false
		}
		answer.Body.Close()
		return true
	})
	return base, p
}

// TestExampleApps asks every app of every example, in every language it is
// written in, with values that break what is not escaped.
func TestExampleApps(t *testing.T) {
	const nasty = `<R&D "x" 'y'> ` + "\u00e9 ]]>"
	for _, l := range languages {
		files, err := filepath.Glob(filepath.Join(examples, "*", l.file))
		if err != nil || len(files) == 0 {
			t.Fatalf("no examples in %s (%v)", l.peer, err)
		}
		for _, file := range files {
			name := filepath.Base(filepath.Dir(file))
			t.Run(name+"/"+l.peer, func(t *testing.T) {
				need(t, l.peer)
				base, p := startApp(t, file, l.command)
				common := func(notification string, more ...string) url.Values {
					v := url.Values{"NotificationName": {notification}, "CallID": {nasty}, "CallId": {nasty}, "CallerID": {nasty},
						"CallerDisplayName": {nasty}, "DialedNumber": {"9000"}, "ApiExtension": {"9000"}}
					for i := 0; i < len(more); i += 2 {
						v.Set(more[i], more[i+1])
					}
					return v
				}
				if words := wellFormed(t, ask(t, base, common("IncomingCall"))); len(words) < 2 {
					t.Errorf("IncomingCall was answered with the commands %q", words)
				}
				completed := common("RecordCompleted", "RecordURL", "http://127.0.0.1/"+nasty, "Duration", "5.020", "Reason", "digit", "Digit", "1", "Format", "wav", "Size", "80364")
				if answer := ask(t, base, completed); answer != "" {
					wellFormed(t, answer)
				}
				for _, digits := range []string{"4711", "9999", nasty} {
					if answer := ask(t, base+"?tries=1&from=pin", common("DtmfEntered", "DtmfDigits", digits)); answer != "" {
						wellFormed(t, answer)
					}
				}
				for _, word := range []string{"Warning", "Notice", "Traceback", "Error:"} {
					if strings.Contains(p.out.String(), word) {
						t.Errorf("the app complains:\n%s", p.out.String())
					}
				}
			})
		}
	}
}

// TestReadmeInPHP runs the page that the README shows.
func TestReadmeInPHP(t *testing.T) {
	need(t, "php")
	src, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(src), "```php\n")
	code, _, ok := strings.Cut(code, "```")
	if !ok {
		t.Fatal("the README has no PHP")
	}
	file := filepath.Join(t.TempDir(), "app.php")
	write(t, file, code)
	base, p := startApp(t, file, languages[0].command)
	words := wellFormed(t, ask(t, base, url.Values{"NotificationName": {"IncomingCall"}}))
	if got, want := strings.Join(words, " "), "Response Speak Beep Record Delay Hangup"; got != want {
		t.Errorf("answered %s, want %s", got, want)
	}
	ask(t, base, url.Values{"NotificationName": {"RecordCompleted"}, "CallerID": {"1001"}, "Duration": {"1.000"}, "RecordURL": {"http://x/"}})
	eventually(t, "PHP logs the recording", func() bool { return strings.Contains(p.out.String(), "1001 talked for 1.000 s: http://x/") })
	if strings.Contains(p.out.String(), "Warning") {
		t.Error("PHP warns")
	}
}

// ask posts a notification and gives the body of the answer.
func ask(t *testing.T, to string, form url.Values) string {
	t.Helper()
	answer, err := http.PostForm(to, form)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v\n%s", form.Get("NotificationName"), answer.Status, err, body)
	}
	return strings.TrimSpace(string(body))
}

// wellFormed reads an answer as XML and gives the names of its elements.
func wellFormed(t *testing.T, answer string) (words []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(answer))
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, answer)
		}
		if e, ok := token.(xml.StartElement); ok {
			words = append(words, e.Name.Local)
		}
	}
	if len(words) == 0 || words[0] != "Response" {
		t.Fatalf("no <Response> in\n%s", answer)
	}
	return words
}

// TestRecordInPHP is the seed of the project from outside: the PHP page under
// php -S answers a real call, a key ends the recording, and the requests that
// PHP got have exactly the fields that the example documents.
func TestRecordInPHP(t *testing.T) {
	need(t, "php", "sox")
	requests := filepath.Join(t.TempDir(), "requests.txt")
	base, _ := startApp(t, examples+"/record/app.php", languages[0].command, "REQUEST_LOG="+requests)
	n := serve(t, base, "")
	n.call(t, "9000", "--press", "1@12s", "--hangup-after", "13s")

	got := map[string]url.Values{}
	eventually(t, "PHP got RecordCompleted", func() bool {
		src, err := os.ReadFile(requests)
		if err != nil {
			return false
		}
		for line := range strings.Lines(string(src)) {
			form, err := url.ParseQuery(strings.TrimSpace(line))
			if err != nil {
				t.Fatalf("PHP got %q: %v", line, err)
			}
			if name := form.Get("NotificationName"); name != "" {
				got[name] = form
			}
		}
		return got["RecordCompleted"] != nil
	})
	wantFields(t, got)
	if r := got["RecordCompleted"]; r.Get("Reason") != "digit" || r.Get("Digit") != "1" {
		t.Errorf("RecordCompleted %v, want it ended by key 1", r)
	}

	answer, err := http.Get(got["RecordCompleted"].Get("RecordURL"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	sound, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("RecordURL: %s, %v", answer.Status, err)
	}
	n.close(t)
	files := n.recordings(t)
	if len(files) != 1 {
		t.Fatalf("recordings %q, want one", files)
	}
	if disk, err := os.ReadFile(files[0]); err != nil || string(disk) != string(sound) {
		t.Errorf("RecordURL gave %d bytes, the file has %d (%v)", len(sound), len(disk), err)
	}
	if fmt.Sprint(len(sound)) != got["RecordCompleted"].Get("Size") {
		t.Errorf("Size says %s, the file has %d bytes", got["RecordCompleted"].Get("Size"), len(sound))
	}
}

// wantFields compares the names of fields with the list in the example.
func wantFields(t *testing.T, got map[string]url.Values) {
	t.Helper()
	src, err := os.ReadFile(examples + "/record/fields.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(src)) {
		want := strings.Fields(line)
		names := []string{want[0]}
		for name := range got[want[0]] {
			names = append(names, name)
		}
		slices.Sort(names[1:])
		if !slices.Equal(names, want) {
			t.Errorf("fields of a request\n got %s\nwant %s", strings.Join(names, " "), strings.Join(want, " "))
		}
	}
}
