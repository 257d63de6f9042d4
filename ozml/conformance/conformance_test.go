// Package conformance holds scenarios that say what OzML means: data, for other
// implementations too. README.md has the format, rules.txt which rule is shown
// where.
package conformance

import (
	"bufio"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
)

var _ = flag.Bool("update", false, "rewrite what the scenarios want")

// TestScenarios plays all scenarios on paper. switch/switchtest plays those that
// are marked live through real calls.
func TestScenarios(t *testing.T) { ozmltest.Run(t, ".", command.Table()) }

// A rule is one of rules.txt.
type rule struct {
	number    string
	scenarios []string
	tests     []string // path.Test
}

func rules(t *testing.T) (all []rule) {
	f, err := os.Open("rules.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		l := s.Text()
		switch {
		case l == "" || l[0] == '#':
		case l[0] != ' ':
			number, _, _ := strings.Cut(l, " ")
			all = append(all, rule{number: number})
		case len(all) == 0:
			t.Fatalf("rules.txt: %q before the first rule", l)
		default:
			r := &all[len(all)-1]
			for _, w := range strings.Fields(l) {
				if test, ok := strings.CutPrefix(w, "go:"); ok {
					r.tests = append(r.tests, test)
				} else {
					r.scenarios = append(r.scenarios, w)
				}
			}
		}
	}
	return all
}

// TestRules: every rule is shown, by scenarios and tests that exist; every
// scenario shows a rule.
func TestRules(t *testing.T) {
	shown := map[string]bool{}
	var numbers []string
	for _, r := range rules(t) {
		if slices.Contains(numbers, r.number) {
			t.Errorf("rule %s stands twice in rules.txt", r.number)
		}
		numbers = append(numbers, r.number)
		if len(r.scenarios)+len(r.tests) == 0 {
			t.Errorf("nothing shows rule %s", r.number)
		}
		for _, s := range r.scenarios {
			shown[s] = true
			if _, err := os.Stat(s + ".txtar"); err != nil {
				t.Errorf("rule %s: %v", r.number, err)
			}
		}
		for _, name := range r.tests {
			if !exists(t, name) {
				t.Errorf("rule %s: there is no Go test %s", r.number, name)
			}
		}
	}
	files, _ := filepath.Glob("*.txtar")
	for _, f := range files {
		if !shown[strings.TrimSuffix(f, ".txtar")] {
			t.Errorf("%s shows no rule of rules.txt", f)
		}
	}
	for _, n := range wanted {
		if !slices.Contains(numbers, n) && !slices.ContainsFunc(numbers, func(have string) bool { return strings.HasPrefix(have, n+".") }) {
			t.Errorf("rules.txt has no rule %s", n)
		}
	}
}

// wanted are the rules that there are, by the numbers of the decisions; one
// without a part may be split into parts here.
var wanted = strings.Fields(`1.1 1.2 1.3 1.4 1.5 1.6 1.7 1.8 2 3.1 3.2 3.3 3.4 3.5 3.6 3.7 3.8 4.1 4.2 4.3 4.4 4.5 4.6
	5.1 5.2 5.3 5.4 5.5 5.6 5.7 5.8 6 7.1 7.2 7.3 7.4 7.4a 7.4b 7.5 8 9 10 11`)

// exists tells whether a package has that test.
func exists(t *testing.T, name string) bool {
	dir, test, _ := strings.Cut(name, ".")
	files, _ := filepath.Glob(filepath.Join("../..", filepath.FromSlash(dir), "*_test.go"))
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(src), "\nfunc "+test+"(") {
			return true
		}
	}
	return false
}

// TestEveryCommand: each command of OzML is in a scenario.
func TestEveryCommand(t *testing.T) {
	var all strings.Builder
	files, _ := filepath.Glob("*.txtar")
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(src)
	}
	for _, c := range command.Table().Commands() {
		if !c.Ours && !regexp.MustCompile(`<`+c.Name+`\b`).MatchString(all.String()) {
			t.Errorf("no scenario uses %s", c.Name)
		}
	}
}
