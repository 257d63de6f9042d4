//go:build peers

package peers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReplay makes a real call again from its event log: keys, a GoTo, a
// recording that silence ended, a transfer that failed and one that did not.
// The same script does the same; a changed one is found at its first other step.
func TestReplay(t *testing.T) {
	need(t, "espeak-ng")
	const recorded = `<Response><Speak>One moment</Speak><Record Inactivity="2"/><Delay>10</Delay><BlindTransfer>7777</BlindTransfer>
<Speak>Nobody</Speak><BlindTransfer RingTime="5">9100</BlindTransfer></Response>`
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		self := "http://" + r.Host
		switch r.PostFormValue("NotificationName") {
		case "IncomingCall":
			fmt.Fprintf(w, `<Response><Speak>Hello</Speak><UserInput Digits="2" Timeout="5" ForwardToUrl="%s/digits"/><Hangup/></Response>`, self)
		case "DtmfEntered":
			fmt.Fprintf(w, `<Response><Var ID="entered">%s</Var><GoTo>%s/next</GoTo></Response>`, r.PostFormValue("DtmfDigits"), self)
		case "GoTo":
			fmt.Fprint(w, recorded)
		}
	}))
	defer app.Close()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "end.xml"), "<Response><Speak>The end</Speak></Response>")
	n := serve(t, app.URL, fmt.Sprintf("  - {number: \"9100\", type: script, file: %q}\n", filepath.Join(dir, "end.xml")))
	say := filepath.Join(dir, "say.wav")
	run(t, dir, "espeak-ng", "-w", say, "I would like to order two large pizzas and a bottle of water, please")
	n.call(t, "9000", "--press", "4@2.5s,2@3s", "--say", say+"@4.5s", "--hangup-after", "60s")
	n.close(t)
	logs, err := filepath.Glob(filepath.Join(n.data, "calls", "*", "*", "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range logs {
		src, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(src), `"GoTo"`) {
			continue // of the second call, or of no call
		}
		for _, want := range []string{`"inactivity"`, `"transferred"`, `OZ1325`} {
			if !strings.Contains(string(src), want) {
				t.Errorf("no %s in the log:\n%s", want, src)
			}
		}
		if out := run(t, dir, program(t), "run", "--from-log", log); !strings.Contains(out, "the same as in the log: ") {
			t.Errorf("made again:\n%s", out)
		}
		// The web app of the log says something else now.
		write(t, log, strings.Replace(string(src), "Nobody", "No one", 1))
		p := start(t, dir, nil, program(t), "run", "--from-log", log)
		eventually(t, "the replay is over", p.ended)
		if out := p.out.String(); p.err == nil || !strings.Contains(out, "first difference: step ") || !strings.Contains(out, "+ paper ") || !strings.Contains(out, "Speak No one") {
			t.Errorf("a changed answer was not found (%v):\n%s", p.err, out)
		}
		return
	}
	t.Errorf("no call with a GoTo in %q", logs)
}

// TestSchema: every script of the examples and of the manual is valid for
// docs/ozml/ozml.xsd, as another program reads it, and a misspelt one is not.
func TestSchema(t *testing.T) {
	need(t, "xmllint")
	dir := t.TempDir()
	schema, err := filepath.Abs("../../docs/ozml/ozml.xsd")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(examples + "/*/*.xml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d scripts (%v)", len(files), err)
	}
	for i := range files {
		if files[i], err = filepath.Abs(files[i]); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(run(t, dir, program(t), "manual", "--json")) {
		var page struct{ Name, Example string }
		if err := json.Unmarshal([]byte(line), &page); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(page.Example, "<") {
			continue // of a command that only the HTTP API has
		}
		if !strings.HasPrefix(page.Example, "<Response") && !strings.HasPrefix(page.Example, "<OzML") && !strings.HasPrefix(page.Example, "<?") {
			page.Example = "<Response>" + page.Example + "</Response>"
		}
		files = append(files, filepath.Join(dir, page.Name+".xml"))
		write(t, files[len(files)-1], page.Example)
	}
	if len(files) < 30 {
		t.Errorf("%d scripts, want those of all commands", len(files))
	}
	run(t, dir, append([]string{"xmllint", "--noout", "--schema", schema}, files...)...)
	write(t, filepath.Join(dir, "bad.xml"), `<Response><Speak Langage="en">Hello</Speak></Response>`)
	p := start(t, dir, nil, "xmllint", "--noout", "--schema", schema, "bad.xml")
	eventually(t, "xmllint ended", p.ended)
	if p.err == nil || !strings.Contains(p.out.String(), "Langage") {
		t.Errorf("a misspelt attribute is valid (%v):\n%s", p.err, p.out.String())
	}
}
