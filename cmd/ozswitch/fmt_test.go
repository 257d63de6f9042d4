package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
)

// TestFmtChangesNothing formats every script of the examples and of the
// commands' own manual: the result is a fixed point, what the checker says of
// it is the same, and it runs alike.
func TestFmtChangesNothing(t *testing.T) {
	table := command.Table()
	docs := map[string][]byte{}
	for _, c := range table.Commands() {
		docs[c.Name] = []byte(c.Example)
	}
	files, err := filepath.Glob("../../examples/*/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, name := range files {
		if docs[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	format := func(name string, src []byte) []byte {
		f, err := document{name: name, src: src}.parse(table)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, src)
		}
		canonical(table, f.Root)
		return f.Format()
	}
	for name, src := range docs {
		if f, err := (document{name: name, src: src}).parse(table); err != nil || f == nil {
			continue // an example that is no script: a request of the HTTP API
		}
		once := format(name, src)
		if twice := format(name, once); !bytes.Equal(once, twice) {
			t.Errorf("%s: formatted twice\n%s\nwant\n%s", name, twice, once)
		}
		if before, after := faults(table, name, src), faults(table, name, once); before != after {
			t.Errorf("%s: the checker says %q, want %q as before", name, after, before)
		}
		if before, after := outcome(t, table, name, src), outcome(t, table, name, once); before != after {
			t.Errorf("%s: runs differently: %q, want %q", name, after, before)
		}
	}
}

// faults are the codes of the checker's errors and warnings.
func faults(table ozml.Table, name string, src []byte) (codes string) {
	_, remarks, _ := check(document{name: name, src: src}, table, ozml.Extension)
	for _, r := range remarks {
		if r.Severity != ozml.Info && r.Code != "OZ1060" && r.Code != "OZ1053" { // those formatting cures
			codes += r.Code + " "
		}
	}
	return codes
}

// outcome is how a call with the script ends.
func outcome(t *testing.T, table ozml.Table, name string, src []byte) string {
	f, err := document{name: name, src: src}.parse(table)
	if err != nil {
		t.Fatal(err)
	}
	r := ozmltest.Play(t.Context(), ozmltest.Config{Table: table, File: f})
	return r.Reason + " " + r.Length.String()
}
