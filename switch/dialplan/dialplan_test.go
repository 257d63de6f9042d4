package dialplan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, number string
		want            bool
	}{
		{"*", "", true}, {"*", "9000", true}, {"00*", "0036", true}, {"00*", "036", false}, {"9000", "9000", true}, {"9000", "90001", false},
		{"9?", "90", true}, {"9?", "9", false}, {"XX", "12", true}, {"XX", "1a", false}, {"+36X*", "+3612", true},
		{`\*97`, "*97", true}, {`\*97`, "197", false}, {`*97`, "197", true}, {`\`, `\`, true}, {"*1*2*3", "a1b2c3", true}, {"*1*2*3", "a1b2c3d", false},
		{"", "", true}, {"", "1", false}, {"**", "1", true}, {"?ü", "aü", true},
	} {
		if got := Match(c.pattern, c.number); got != c.want {
			t.Errorf("Match(%q, %q) = %v, want %v", c.pattern, c.number, got, c.want)
		}
	}
}

// FuzzMatch compares with the same pattern as a regular expression.
func FuzzMatch(f *testing.F) {
	f.Add("00*X?", "0036X")
	f.Add(`\*\\*`, `*\`)
	f.Fuzz(func(t *testing.T, pattern, number string) {
		if len(pattern) > 30 || len(number) > 60 || strings.ToValidUTF8(pattern+number, "") != pattern+number {
			return
		}
		re := "^(?s:"
		for p := []rune(pattern); len(p) > 0; p = p[1:] {
			switch {
			case p[0] == '*':
				re += ".*"
			case p[0] == '?':
				re += "."
			case p[0] == 'X':
				re += "[0-9]"
			case p[0] == '\\' && len(p) > 1:
				p = p[1:]
				re += regexp.QuoteMeta(string(p[0]))
			default:
				re += regexp.QuoteMeta(string(p[0]))
			}
		}
		if got, want := Match(pattern, number), regexp.MustCompile(re+")$").MatchString(number); got != want {
			t.Errorf("Match(%q, %q) = %v, want %v", pattern, number, got, want)
		}
	})
}

func cfg(dev bool, rules ...Rule) Config {
	return Config{Rules: rules, Default: dev,
		IsExtension: func(n string) bool { return slices.Contains([]string{"1001", "1002", "9000"}, n) },
		IsLine:      func(n string) bool { return n == "carrier" }}
}

func TestRoute(t *testing.T) {
	p, err := New(cfg(false,
		Rule{From: "extension", Match: "00*", To: Targets{"carrier"}, Strip: 2, Prepend: "+", RingTime: 60},
		Rule{From: "carrier", Match: "+3610?0", To: Targets{"*"}, Strip: 3, Prepend: ""},
		Rule{From: "carrier", Match: "*", To: Targets{"1001", "1002"}, Ring: "all"},
		Rule{Match: "7", To: Targets{"1001"}},
	))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, number, want string }{
		{"extension", "9000", "rule 0: extension 9000"},
		{"script", "1002", "rule 0: extension 1002"},
		{"extension", "003612", "rule 1: line carrier +3612 for 60 s"},
		{"script", "003612", "nowhere"},
		{"extension", "5555", "nowhere"},
		{"extension", "", "nowhere"},
		{"carrier", "+361000", "nowhere"}, // rule 2 fits, but nobody has 1000
		{"carrier", "9000", "rule 3: extension 1001, extension 1002 at once"},
		{"script", "7", "rule 4: extension 1001"},
		{"extension", "00", "rule 1: line carrier + for 60 s"},
	} {
		got := "nowhere"
		if d, ok := p.Route(c.from, c.number); ok {
			got = fmt.Sprintf("rule %d: ", d.Rule)
			for i, to := range d.Targets {
				if i > 0 {
					got += ", "
				}
				got += strings.Join(strings.Fields(fmt.Sprint(to.Kind, " ", to.Name, " ", to.Number)), " ")
			}
			if d.All {
				got += " at once"
			}
			if d.RingTime > 0 {
				got += fmt.Sprintf(" for %d s", d.RingTime)
			}
		}
		if got != c.want {
			t.Errorf("Route(%q, %q) = %s, want %s", c.from, c.number, got, c.want)
		}
	}

	dev, err := New(cfg(true))
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := dev.Route(FromExtension, "4711"); !ok || d.Targets[0] != (Target{Kind: Default, Number: "4711"}) {
		t.Errorf("dev: Route(4711) = %+v, %v, want the default", d, ok)
	}
	if d, ok := dev.Route(FromExtension, "9000"); !ok || d.Targets[0].Kind != Extension {
		t.Errorf("dev: Route(9000) = %+v, %v, want the extension", d, ok)
	}
	if d, ok := dev.Route("carrier", "4711"); ok {
		t.Errorf("dev: Route from a line = %+v, want nowhere", d)
	}
}

func TestFaults(t *testing.T) {
	_, err := New(cfg(false, Rule{From: "nobody", Match: "*", To: Targets{"5"}}, Rule{Ring: "both", Strip: -1}))
	want := `dialplan: rule 1: from "nobody": want extension, script, any or the name of a line
dialplan: rule 1: to "5" is neither a line nor an extension nor "*"
dialplan: rule 2: match is missing; "*" is every number
dialplan: rule 2: to is missing
dialplan: rule 2: ring "both": want all or order
dialplan: rule 2: strip and ring_time are not negative`
	if err == nil || err.Error() != want {
		t.Errorf("New = %v\nwant %s", err, want)
	}
}
