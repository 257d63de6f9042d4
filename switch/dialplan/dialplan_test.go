package dialplan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
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
		{"[2-4]X", "35", true}, {"[2-4]X", "55", false}, {"[*#7]1", "#1", true}, {"0[1-3x-z]*", "0y99", true}, {`\[1`, "[1", true}, {"[a-]", "-", true},
		{"/^00/", "0036", true}, {"/^00/", "10036", false}, {"/36/", "0036", true}, {`/^(\+|00)36\d{8,9}$/`, "+36123456789", true},
	} {
		p, err := Compile(c.pattern)
		if err != nil {
			t.Errorf("Compile(%q): %v", c.pattern, err)
		} else if got := p.Match(c.number); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.number, got, c.want)
		}
	}
	for pattern, want := range map[string]string{
		"[12": `match "[12": the set that begins at character 1 has no ]`, "9[]": `match "9[]": the set at character 2 is empty`,
		"[9-1]": `match "[9-1]": the range 9-1 runs backwards`, "/(/": "match /(/: error parsing regexp: missing closing ): `(`",
	} {
		if _, err := Compile(pattern); err == nil || err.Error() != want {
			t.Errorf("Compile(%q) = %v, want %s", pattern, err, want)
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
		compiled, err := Compile(pattern)
		if err != nil || compiled.regex != nil || strings.Count(pattern, "-") > 1 {
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
			case p[0] == '[':
				re += "["
				for p = p[1:]; p[0] != ']'; p = p[1:] {
					if p[0] == '-' && (strings.HasSuffix(re, "[") || p[1] == ']') || strings.ContainsRune(`\^[&~`, p[0]) {
						re += `\`
					}
					re += string(p[0])
				}
				re += "]"
			default:
				re += regexp.QuoteMeta(string(p[0]))
			}
		}
		if got, want := compiled.Match(number), regexp.MustCompile(re+")$").MatchString(number); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, number, got, want)
		}
	})
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) // a Monday

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
		if d, ok := p.Route(c.from, c.number, noon); ok {
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
	if d, ok := dev.Route(FromExtension, "4711", noon); !ok || d.Targets[0] != (Target{Kind: Default, Number: "4711"}) {
		t.Errorf("dev: Route(4711) = %+v, %v, want the default", d, ok)
	}
	if d, ok := dev.Route(FromExtension, "9000", noon); !ok || d.Targets[0].Kind != Extension {
		t.Errorf("dev: Route(9000) = %+v, %v, want the extension", d, ok)
	}
	if d, ok := dev.Route("carrier", "4711", noon); ok {
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

func TestTimes(t *testing.T) {
	c := cfg(false,
		Rule{From: "carrier", Match: "*", To: Targets{"1001"}, When: "office", CallerID: "+3612345"},
		Rule{From: "carrier", Match: "1*", To: Targets{"1002"}, When: "!office"},
		Rule{From: "carrier", Match: "*", To: Targets{"9000"}, When: "night"})
	c.Times = []Profile{
		{Name: "office", Open: []string{"mon-thu 08:00-17:00", "fri 08:00-14:30"}, Closed: []string{"12-25", "2026-11-24"}, Zone: "Europe/Budapest"},
		{Name: "night", Open: []string{"fri,sat 22:00-06:00"}, Zone: "Europe/Budapest"},
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]int{ // rule by time in UTC; Budapest is one hour ahead in winter, two in summer
		"2026-11-23T06:59": 2, "2026-11-23T07:00": 1, "2026-11-23T15:59": 1, "2026-11-23T16:00": 2,
		"2026-11-27T13:29": 1, "2026-11-27T13:30": 2, // Friday
		"2026-11-24T12:00": 2, "2025-12-25T12:00": 2, // closed
		"2026-07-20T06:00": 1, "2026-07-20T15:00": 2, // summer
	} {
		now, _ := time.Parse("2006-01-02T15:04", at)
		if d, _ := p.Route("carrier", "100", now); d.Rule != want {
			t.Errorf("%s: rule %d, want %d", at, d.Rule, want)
		}
	}
	for at, want := range map[string]bool{"2026-11-27T20:59": false, "2026-11-27T21:00": true, "2026-11-28T04:59": true, "2026-11-28T05:00": false, "2026-11-29T04:59": true, "2026-11-29T21:30": false} {
		now, _ := time.Parse("2006-01-02T15:04", at)
		if _, got := p.Route("carrier", "5", now); got != want {
			t.Errorf("night at %s: %v, want %v", at, got, want)
		}
	}
	saturday := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	got := strings.Join(p.Explain("carrier", "100", saturday), "\n") + "\n" + strings.Join(p.Explain("carrier", "5", saturday), "\n") + "\n" +
		strings.Join(p.Explain("carrier", "5", noon), "\n") + "\n" + strings.Join(p.Explain("extension", "9000", noon)[3:], "\n")
	want := `rule 1 (*): no: it holds office, and it is Sat 13:00 CET
rule 2 (1*): fits: extension 1002
rule 1 (*): no: it holds office, and it is Sat 13:00 CET
rule 2 (1*): no: 5 does not fit 1*
rule 3 (*): no: it holds night, and it is Sat 13:00 CET
no rule fits: a call from a line goes nowhere without one (404)
rule 1 (*): fits: extension 1001, shown as +3612345
no rule fits; it is the number of an extension: extension 9000`
	if got != want {
		t.Errorf("Explain:\n%s\nwant\n%s", got, want)
	}
}

func TestTimesFaults(t *testing.T) {
	c := cfg(false, Rule{Match: "[", To: Targets{"1001"}, When: "!never"})
	c.Times = []Profile{{Name: "a", Open: []string{"mon-fri 8-17"}}, {Name: "b", Open: []string{"mon"}, Closed: []string{"02-30"}}, {Name: "c"}, {Name: "d", Zone: "Mars/Olympus"}, {Open: []string{"09:00-09:00"}}}
	_, err := New(c)
	want := `dialplan: time profile a: open "mon-fri 8-17": write mon-fri 08:00-17:00
dialplan: time profile b: closed "02-30" is no day: write 2026-12-25, or 12-25 for every year
dialplan: time profile c: open is missing
dialplan: time profile d: zone "Mars/Olympus" is not known here
dialplan: time profile : open "09:00-09:00" begins and ends at the same time
dialplan: time profile "": want a name of its own
dialplan: rule 1: match "[": the set that begins at character 1 has no ]
dialplan: rule 1: when: there is no time profile "never"`
	if err == nil || err.Error() != want {
		t.Errorf("New = %v\nwant %s", err, want)
	}
}

// TestLinesByName: what leads to a line is for callers from outside and for
// scripts only where a rule names them.
func TestLinesByName(t *testing.T) {
	p, err := New(Config{Rules: []Rule{
		{Match: "1*", To: Targets{"carrier"}}, {From: "script", Match: "2*", To: Targets{"carrier"}},
		{From: "carrier", Match: "3*", To: Targets{"100", "carrier"}}, {Match: "*", To: Targets{"100"}},
	}, IsExtension: func(n string) bool { return n == "100" }, IsLine: func(n string) bool { return n == "carrier" }})
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{FromExtension: "1444", FromScript: "4244", "carrier": "4434"} {
		got := ""
		for _, number := range []string{"1", "2", "3", "4"} {
			d, _ := p.Route(from, number, time.Now())
			got += fmt.Sprint(d.Rule)
		}
		if got != want {
			t.Errorf("from %s: rules %s, want %s", from, got, want)
		}
	}
	if why := p.Explain(FromScript, "1", time.Now())[0]; !strings.Contains(why, "only by a rule with from: script") {
		t.Errorf("Explain: %s", why)
	}
}
