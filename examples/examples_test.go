// Each folder's script is tested with its caller, on paper. The apps are tested
// in test/peers.
package examples_test // outside: the switch, which it needs, imports examples

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ozswitch/examples"
	"ozswitch/internal/golden"
	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
	"ozswitch/switch/server"
)

// TestScripts checks every script.xml, plays it against caller.txt and compares
// the transcript with want.txt (-update rewrites it).
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("*/script.xml")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	for _, name := range scripts {
		dir := filepath.Dir(name)
		t.Run(dir, func(t *testing.T) {
			src := read(t, name)
			f, err := syntax.Parse("script.xml", src)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range command.Table().Check(f, ozml.Extension) {
				if d.Severity != ozml.Info {
					t.Errorf("%s: %s", dir, d)
				}
			}
			caller := filepath.Join(dir, "caller.txt")
			scenario, err := ozmltest.Parse(caller, string(read(t, caller)), func(file string) (string, error) {
				return string(read(t, filepath.Join(dir, file))), nil
			})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			p := trace.NewPrinter(&out)
			result := ozmltest.Play(context.Background(), ozmltest.Config{Table: command.Table(), File: f, Scenario: scenario, Sink: p})
			if err := p.Flush(); err != nil {
				t.Fatal(err)
			}
			if result.Reason != "script" {
				t.Errorf("the call ended by %q, want by the script", result.Reason)
			}
			golden.File(t, filepath.Join(dir, "want.txt"), out.Bytes())
		})
	}
}

// TestConfiguration: the configuration that shows every key is a good one.
func TestConfiguration(t *testing.T) {
	_, problems := server.Load("full.yaml", func(string) (string, bool) { return "", false })
	for _, p := range problems {
		t.Error(p)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestReadme: the transcript in the README is that of the example it names.
func TestReadme(t *testing.T) {
	if !bytes.Contains(read(t, "../README.md"), append(append([]byte("```\n"), read(t, "record/want.txt")...), "```\n"...)) {
		t.Error("the README shows another transcript than examples/record/want.txt")
	}
}

// TestHelloApp: what is shown names its own file and the command that starts it.
func TestHelloApp(t *testing.T) {
	for _, s := range examples.HelloApp() {
		first, _, _ := strings.Cut(s.Text, "\n")
		if !strings.Contains(first, s.Run) || !strings.Contains(first, s.URL) {
			t.Errorf("%s begins with %q, want it to name %q and %q", s.File, first, s.Run, s.URL)
		}
		if !strings.Contains(s.Text, "in "+s.Language+".") {
			t.Errorf("%s does not say that it is in %s", s.File, s.Language)
		}
		if lines := strings.Count(s.Text, "\n"); lines > 35 {
			t.Errorf("%s has %d lines; what is shown is to be short", s.File, lines)
		}
	}
}
