// Package golden compares what a test made with a file that says what it
// should be, and rewrites the file with -update. Read the diff; commit only
// what you understand.
//
// It also reads and writes txtar, the format of those files that hold several:
// a comment, then "-- name --" lines, each with the content below it. Only
// tests import it.
package golden

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files with what the tests made")

// Update tells whether the golden files are to be rewritten.
func Update() bool { return *update }

// File checks that got is what the file name holds.
func File(t testing.TB, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; run the test with -update to make it", err)
	}
	compare(t, name, string(got), string(want))
}

// Section checks that got is the section of the txtar file name.
func Section(t testing.TB, name, section, got string) {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	a := Parse(src)
	want, ok := a.Get(section)
	switch {
	case *update:
		a.Set(section, got)
		if err := os.WriteFile(name, a.Format(), 0o644); err != nil {
			t.Fatal(err)
		}
	case !ok:
		t.Errorf("%s has no section %q; run the test with -update to make it", name, section)
	default:
		compare(t, name+" "+section, got, want)
	}
}

// compare fails with the first line that differs.
func compare(t testing.TB, name, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	n := 0
	for n < len(g) && n < len(w) && g[n] == w[n] {
		n++
	}
	line := func(s []string) string {
		if n < len(s) {
			return s[n]
		}
		return "(the end)"
	}
	t.Errorf("%s differs in line %d\n got %s\nwant %s\nall of what was got:\n%s", name, n+1, line(g), line(w), got)
}

// An Archive is a parsed txtar file.
type Archive struct {
	Comment string
	Files   []Entry
}

// An Entry is one section of an Archive. Data ends with a line feed, or is empty.
type Entry struct{ Name, Data string }

// Parse reads a txtar file; there is no wrong one.
func Parse(src []byte) *Archive {
	a := &Archive{}
	data := &a.Comment
	for line := range strings.Lines(string(src)) {
		if name, ok := header(line); ok {
			a.Files = append(a.Files, Entry{Name: name})
			data = &a.Files[len(a.Files)-1].Data
			continue
		}
		*data += line
	}
	if n := len(a.Files); n > 0 {
		*data = whole(*data)
	}
	return a
}

func header(line string) (name string, ok bool) {
	line, ok = strings.CutPrefix(strings.TrimRight(line, "\r\n"), "-- ")
	if ok {
		line, ok = strings.CutSuffix(line, " --")
	}
	name = strings.TrimSpace(line)
	return name, ok && name != ""
}

// Get gives a section's content.
func (a *Archive) Get(name string) (data string, ok bool) {
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data, true
		}
	}
	return "", false
}

// Set replaces a section, or adds it at the end.
func (a *Archive) Set(name, data string) {
	data = whole(data)
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = data
			return
		}
	}
	a.Files = append(a.Files, Entry{name, data})
}

// Format writes the file; Parse reads the same from it.
func (a *Archive) Format() []byte {
	var b bytes.Buffer
	b.WriteString(whole(a.Comment))
	for _, f := range a.Files {
		b.WriteString("-- " + f.Name + " --\n" + whole(f.Data))
	}
	return b.Bytes()
}

// whole ends s with a line feed, unless it is empty.
func whole(s string) string {
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}
