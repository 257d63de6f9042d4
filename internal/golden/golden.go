// Package golden compares what a test made with a file that says what it
// should be, and rewrites the file with -update. Read the diff; commit only
// what you understand.
// Only tests import it.
package golden

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files with what the tests made")

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
