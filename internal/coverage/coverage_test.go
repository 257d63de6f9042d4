package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
)

// TestGranted: the table of commands has what the specification grants.
func TestGranted(t *testing.T) {
	grants, err := readGrants(grantedText)
	if err != nil {
		t.Fatal(err)
	}
	if len(grants) < 40 {
		t.Errorf("granted.txt has %d commands, want all", len(grants))
	}
	for _, d := range differences(grants, command.Table()) {
		t.Error(d)
	}
}

// TestCoverage: no cell that the specification grants is empty, and the page says
// what is so.
func TestCoverage(t *testing.T) {
	const root = "../.."
	r, err := measure(root, command.Table())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.empty() {
		t.Errorf("no test notices: %s", c)
	}
	want := r.markdown()
	got, err := os.ReadFile(filepath.Join(root, page))
	if err != nil || string(got) != want {
		t.Errorf("%s is stale (%v): go run ./internal/coverage writes it", page, err)
	}
}

// TestMutants: a mutant is noticed where a test looks, and not where none does.
func TestMutants(t *testing.T) {
	f := file{a: archive(`<Response><Speak Language="en-GB">Hi</Speak><UserInput Timeout="5"><Inputs><Input Key="7"><Beep/></Input></Inputs></UserInput></Response>`)}
	if err := f.passes(command.Table()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		command, param string
		noticed        bool
	}{
		{"Speak", "", true}, {"Speak", "Text", true}, {"Speak", "Voice", false}, {"Speak", "Party", false}, {"Speak", "Language", false},
		{"UserInput", "Input.Key", true}, {"UserInput", "Input.commands", true}, {"UserInput", "Inputs", true}, {"UserInput", "InitialCommands", false},
		{"Play", "", false},
	} {
		err := f.passes(mutant(command.Table(), c.command, c.param))
		if (err != nil) != c.noticed {
			t.Errorf("%s without %q: %v, want noticed %v", c.command, c.param, err, c.noticed)
		}
	}
}

func archive(script string) *ozmltest.Archive {
	a := ozmltest.ParseArchive("-- script.xml --\n" + script + "\n-- caller --\nat 1s press 7\n-- want --\n")
	got, err := ozmltest.Try(a, command.Table())
	if err != nil {
		panic(err)
	}
	a.Set("want", got.Transcript)
	return a
}

func TestReadGrants(t *testing.T) {
	for _, bad := range []string{"Speak: nowhere\n", "  Text\n", "Speak:\n"} {
		if _, err := readGrants(bad); err == nil || !strings.Contains(err.Error(), ":1:") {
			t.Errorf("readGrants(%q) = %v, want an error with the line", bad, err)
		}
	}
}
