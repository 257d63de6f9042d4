package voicemail

import (
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/syntax"
)

// The scripts in the program are without fault.
func TestScripts(t *testing.T) {
	table := command.Table()
	for name, text := range map[string][]byte{LeaveName: Leave, MenuName: Menu} {
		f, err := syntax.ParseWith(syntax.Options{Name: name, IsCommand: func(n string) bool { return table.Lookup(n) != nil }}, text)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range table.Check(f, ozml.Extension) {
			if d.Severity != ozml.Info {
				t.Errorf("%s:%v: %s %s", name, d.Span.From, d.Code, d.Msg)
			}
		}
	}
}
