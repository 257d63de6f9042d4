package server

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestLines: what is read of a line, and what is said of a bad one.
func TestLines(t *testing.T) {
	c, ps := Parse("x.yaml", []byte(`
lines:
  - {name: a, address: [one.test, "two.test:5070"], user: u, password: p12345678, register: true, options_ping: off, expires: 10m, headers: ["X-A: 1"]}
  - {name: b, address: 10.0.0.1}
extensions:
  - {number: "1001", password: secret-of-ann, limits: {calls: 2, seconds_per_day: -1}}
limits: {user: {calls: 4, calls_per_minute: 9}}
emergency: ["112"]
`), nil)
	if c == nil || len(ps) != 0 {
		t.Fatalf("problems %v", ps)
	}
	for _, x := range []struct{ got, want any }{
		{c.Lines[0].Address, Names{"one.test", "two.test:5070"}},
		{c.Lines[0].Ping, off},
		{c.Lines[0].Expires, Duration(10 * time.Minute)},
		{c.Lines[0].Headers, []string{"X-A: 1"}},
		{c.Lines[1].Address, Names{"10.0.0.1"}},
		{c.Lines[1].Ping, Every(30 * time.Second)},
		{c.Lines[1].Expires, Duration(time.Hour)},
		{c.Lines[1].DTMF, "auto"},
		{c.Extensions[0].Limits, UserLimits{Calls: 2, SecondsPerDay: -1}},
		{c.Limits.User, UserLimits{Calls: 4, PerMinute: 9}},
		{c.Emergency, []string{"112"}},
	} {
		if !reflect.DeepEqual(x.got, x.want) {
			t.Errorf("got %+v, want %+v", x.got, x.want)
		}
	}
	for line, want := range map[string]string{
		`{name: a}`:                                                          "needs an address",
		`{name: "1001", address: x.test}`:                                    "1001 is the number of an extension too",
		`{name: any, address: x.test}`:                                       "has a meaning of its own",
		`{name: a, address: "sip:x.test"}`:                                   "write the host alone",
		`{name: a, address: [x.test, "y.test:a"]}`:                           "x.yaml:4:33",
		`{name: a, address: "x.test:0"}`:                                     "port 0 is nobody's",
		`{name: a, address: x.test, register: true}`:                         "needs a user",
		`{name: a, address: x.test, password: p}`:                            "a password needs a user",
		`{name: a, address: x.test, user: u, password: p}`:                   "say whose challenges are answered",
		`{name: a, address: x.test, expires: 5}`:                             "between 60 seconds and a day",
		`{name: a, address: x.test, options_ping: never}`:                    "write 30s, or off",
		`{name: a, address: x.test, options_ping: 10ms}`:                     "write 30s, or off",
		`{name: a, address: x.test, max_calls: -1}`:                          "want 0 or more",
		`{name: a, address: x.test, headers: [X-A]}`:                         "is no header",
		`{name: a, address: x.test, dtmf: rfc4733}`:                          `did you mean "rfc2833"?`,
		`{name: a, address: x.test, srtp: must}`:                             "is not one of off, optional, mandatory",
		`{name: a, address: x.test, srtp: mandatory}`:                        "use transport: tls",
		`{name: a, address: x.test, domain: "sip:x"}`:                        "no name of a host",
		`{name: a, address: x.test, adress: y}`:                              "adress",
		"{name: a, address: x.test}\n  - {name: a, address: y}":              "stands here twice",
		"{name: a, address: x, user: u}\n  - {name: b, address: x, user: u}": "has the same account, u at x",
	} {
		_, ps := Parse("x.yaml", []byte("extensions:\n  - {number: \"1001\", password: secret-of-ann}\nlines:\n  - "+line+"\n"), nil)
		var all []string
		for _, p := range ps {
			all = append(all, p.Error())
		}
		if got := strings.Join(all, "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: said %q, want %q", line, got, want)
		}
	}
}

// TestLinesManual: what docs/lines.md shows is a good configuration, and it tells
// of every key of a line.
func TestLinesManual(t *testing.T) {
	src, err := os.ReadFile("../../docs/lines.md")
	if err != nil {
		t.Fatal(err)
	}
	var yaml strings.Builder
	yaml.WriteString("extensions:\n  - {number: \"1001\", password: secret-of-ann}\n")
	for i, block := range strings.Split(string(src), "```") {
		if text, ok := strings.CutPrefix(block, "yaml\n"); ok && i%2 == 1 {
			for line := range strings.Lines(text) {
				yaml.WriteString(strings.TrimPrefix(line, "   "))
			}
		}
	}
	c, ps := Parse("lines.md", []byte(yaml.String()), func(string) (string, bool) { return "a password", true })
	if c == nil || len(ps) != 0 || len(c.Lines) != 1 || len(c.Dialplan) != 3 || len(c.Emergency) != 2 || c.Limits.User.SecondsPerDay != 7200 {
		t.Errorf("%v, from\n%s", ps, yaml.String())
	}
	for f := range reflect.TypeFor[Line]().Fields() {
		if key := f.Tag.Get("yaml"); !strings.Contains(string(src), "`"+key+"`") {
			t.Errorf("docs/lines.md does not tell of %s", key)
		}
	}
}
