package command_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// TestTableOrder: table.go lists the commands in alphabetical order, each once.
func TestTableOrder(t *testing.T) {
	src, err := os.ReadFile("table.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^\t\t(\w+)\(\),$`).FindAllStringSubmatch(string(src), -1) {
		names = append(names, m[1])
	}
	if len(names) != len(command.Table().Commands()) || !slices.IsSorted(names) {
		t.Errorf("table.go lists %v, want all %d commands in alphabetical order", names, len(command.Table().Commands()))
	}
}

// TestEveryCommand: each command has its words, an example that checks clean
// and runs on paper, and at least one script that tests it.
func TestEveryCommand(t *testing.T) {
	table := command.Table()
	for _, c := range table.Commands() {
		t.Run(c.Name, func(t *testing.T) {
			if c.Title == "" || strings.HasSuffix(c.Title, ".") || c.Doc == "" || c.Example == "" || c.In == 0 {
				t.Errorf("Title %q, Doc %d bytes, Example %q, In %v: want all, and a title without full stop", c.Title, len(c.Doc), c.Example, c.In)
			}
			tests, _ := filepath.Glob("testdata/" + strings.ToLower(c.Name) + "_*.txtar")
			if c.Name == "ForEach" {
				more, _ := filepath.Glob("testdata/array_foreach*.txtar")
				tests = append(tests, more...)
			}
			if len(tests) == 0 {
				t.Errorf("no testdata/%s_*.txtar", strings.ToLower(c.Name))
			}
			for _, p := range c.Params() {
				if p.Usage == "" {
					t.Errorf("parameter %q has no usage", p.Name)
				}
			}
			if c.In&^ozml.API == 0 {
				return // its example is a request
			}
			if !strings.Contains(c.Example, "<"+c.Name) {
				t.Errorf("the example does not use %s", c.Name)
			}
			f, err := syntax.Parse(c.Name, []byte(c.Example))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range table.Check(f, c.In&-c.In) {
				if d.Severity != ozml.Info {
					t.Errorf("the example has a remark: %v", d)
				}
			}
			started := false
			sc := &ozmltest.Scenario{Setting: c.In & -c.In, Others: []string{"Qz81x", "k7Lm2"}, Rings: c.Name == "Forward",
				Messages: []ozmltest.Arrival{{Connection: "1001", Text: "Yes"}}}
			r := ozmltest.Play(t.Context(), ozmltest.Config{Table: table, File: f, Scenario: sc, Sink: trace.SinkFunc(func(e trace.Event) {
				started = started || e.Type == trace.CommandStart && e.Name == c.Name
				if e.Type == trace.Error || e.Type == trace.ScriptWarning && e.Reason != "note" {
					t.Errorf("the example says %s: %s", e.Code, e.Text)
				}
			})})
			if !started || r.Reason == "" {
				t.Errorf("the example did not run %s (call ended: %q)", c.Name, r.Reason)
			}
		})
	}
}

// TestRequest: a request of the HTTP API is a script of one command.
func TestRequest(t *testing.T) {
	table := command.Table()
	for _, c := range []struct {
		name   string
		params []ozml.Value
		want   string // codes and parameters of the remarks
	}{
		{"speak", params("callid", "x", "TEXT", "Costs $5 $caller"), ""},
		{"Speak", params("CallId", "x", "Text", ""), "OZ1103 Text"},
		{"Speak", params("Text", "x"), "OZ1103 CallId"},
		{"Speak", params("CallId", "x", "Text", "x", "Langage", "x"), "OZ1102 Langage"},
		{"Delay", params("Time", "1"), "OZ1108 "},
		{"Spaek", nil, "OZ1101 "},
		{"Call", params("dialed", "1"), "OZ1103 Url"},
		{"ListActiveCalls", params("Username", "u", "Password", "p"), ""},
	} {
		var got []string
		for _, d := range table.Check(ozml.OneCommand(c.name, c.params), ozml.API) {
			got = append(got, d.Code+" "+d.Param)
		}
		if g := strings.Join(got, ","); g != c.want {
			t.Errorf("%s %v: remarks %q, want %q", c.name, c.params, g, c.want)
		}
	}
}

func params(nv ...string) (ps []ozml.Value) {
	for i := 0; i < len(nv); i += 2 {
		ps = append(ps, ozml.Value{Name: nv[i], Value: nv[i+1]})
	}
	return ps
}
