package route

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ozswitch/switch/call"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
)

// an office has telephones 1001 to 1005, of which 1004 has two and 1005 none,
// a fixed one 1006, groups, applications and two lines.
type office struct {
	rules    []dialplan.Rule
	settings map[string]extension.Settings
	busy     map[string]int
	answers  map[string]string // number or line: "ok", "486", "302 sip:..."; "" = 480
	groups   []extension.Extension
	ask      func(q Question) (Answer, bool)
	allow    func(l *exchange.Line, who Caller, line, number string) error
}

func (o *office) walk(t *testing.T, who Caller) (*walk, *[]string) {
	t.Helper()
	var list []extension.Extension
	for _, n := range []string{"1001", "1002", "1003", "1004", "1005"} {
		list = append(list, extension.Extension{Number: n, Type: extension.Phone, Password: "p"})
	}
	list = append(list, extension.Extension{Number: "1006", Type: extension.Phone, Contact: "door@10.9.9.9"},
		extension.Extension{Number: "9000", Type: extension.API, URL: "http://app/"},
		extension.Extension{Number: "9300", Type: extension.Script, File: "mailbox.xml"})
	set, err := extension.NewSet(append(list, o.groups...))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := dialplan.New(dialplan.Config{Rules: o.rules, IsExtension: set.Has, IsLine: func(n string) bool { return n == "carrier" || n == "backup" }})
	if err != nil {
		t.Fatal(err)
	}
	r := New(Config{
		Domain: "example.net", Plan: func() *dialplan.Plan { return plan }, Find: set.Find, Allow: o.allow,
		Settings: func(n string) extension.Settings {
			if s, ok := o.settings[n]; ok {
				return s
			}
			return extension.Settings{CallWaiting: true}
		},
		Places: func(n string) []Place {
			switch n {
			case "1004":
				return []Place{{URI: "sip:1004@b", Phone: n, Web: true}, {URI: "sip:1004@a", Phone: n}}
			case "1005":
				return nil
			case "1006":
				return []Place{{URI: "door@10.9.9.9"}}
			}
			return []Place{{URI: "sip:" + n + "@a", Phone: n}}
		},
		Line: func(n string) (Line, bool) {
			return Line{CallerID: map[string]string{"carrier": "+361"}[n]}, n == "carrier" || n == "backup"
		},
		Service: func(e extension.Extension) (any, error) { return "task of " + e.Number, nil },
		Shuffle: func(n int, swap func(i, j int)) { swap(0, n-1) },
	})
	if o.ask != nil {
		r.c.Asks = func() bool { return true }
		r.c.Ask = func(_ context.Context, _ *exchange.Line, q Question) (Answer, bool) { return o.ask(q) }
	}
	var said []string
	legs := 0
	return &walk{
		r: r, ctx: t.Context(), who: who, from: "1001",
		leg:  func() call.LegID { legs++; return call.LegID(fmt.Sprint("leg", legs)) },
		busy: func(n string) int { return o.busy[n] },
		ring: func(_ context.Context, d call.DialWanted) error {
			var all []string
			best := &exchange.AskError{Failure: call.Failure{Code: 480, Reason: "nobody answered"}}
			joined := false
			for _, g := range d.Targets {
				s := g.URI
				if g.Line != "" {
					s = g.Line + ":" + g.Number
				}
				if g.Web {
					s += " web"
				}
				if g.After > 0 {
					s += fmt.Sprintf(" after %v", g.After)
				}
				if g.From != "" {
					s += " as " + g.From
				}
				for _, h := range g.Headers {
					s += " " + h.Name + ": " + h.Value
				}
				all = append(all, s)
				code, rest, _ := strings.Cut(o.answers[g.Extension+g.Line], " ")
				switch {
				case code == "ok":
					joined = true
				case code != "":
					n := 0
					fmt.Sscan(code, &n)
					if best.Code == 480 || n == 486 {
						best = &exchange.AskError{Failure: call.Failure{Code: n, Reason: "said " + code}}
						if rest != "" {
							best.Contacts = strings.Fields(rest)
						}
					}
				}
			}
			said = append(said, fmt.Sprintf("%v: %s", d.RingTime, strings.Join(all, ", ")))
			if joined {
				return nil
			}
			return best
		},
	}, &said
}

func inside(n string) Caller { return Caller{From: dialplan.FromExtension, Extension: n} }

// TestWalk: who is called, in which order, and what the caller is told.
func TestWalk(t *testing.T) {
	forward := func(f extension.Forward) extension.Settings { return extension.Settings{Forward: f, CallWaiting: true} }
	out := dialplan.Rule{From: "extension", Match: "00*", To: dialplan.Targets{"carrier"}, Strip: 2, Prepend: "+"}
	diverted := func(n, why string) string {
		return " Diversion: <sip:" + n + "@example.net>;reason=" + why + ";counter=1"
	}
	for _, c := range []struct {
		name   string
		o      office
		who    Caller
		number string
		rung   []string
		want   string // "" = joined
	}{
		{name: "a phone", o: office{answers: map[string]string{"1002": "ok"}}, number: "1002", rung: []string{"1m0s: sip:1002@a"}},
		{name: "all its telephones", o: office{answers: map[string]string{"1004": "ok"}}, number: "1004", rung: []string{"1m0s: sip:1004@b web, sip:1004@a"}},
		{name: "a fixed contact", o: office{answers: map[string]string{"1006": "ok"}}, number: "1006", rung: []string{"1m0s: sip:door@10.9.9.9"}},
		{name: "nobody answers", number: "1002", rung: []string{"1m0s: sip:1002@a"}, want: "480 extension 1002: nobody answered"},
		{name: "not registered", number: "1005", want: "480 extension 1005 is not registered: no telephone of it can be called"},
		{name: "busy", o: office{answers: map[string]string{"1002": "600"}}, number: "1002", rung: []string{"1m0s: sip:1002@a"}, want: "486 extension 1002: said 600"},
		{name: "broken", o: office{answers: map[string]string{"1002": "500"}}, number: "1002", rung: []string{"1m0s: sip:1002@a"}, want: "503 extension 1002: said 500"},
		{name: "declined", o: office{answers: map[string]string{"1002": "603"}}, number: "1002", rung: []string{"1m0s: sip:1002@a"}, want: "603 extension 1002: said 603"},
		{name: "no such number", number: "777", want: "404 nobody has the number 777"},
		{name: "an application", number: "9000", want: "handed to 9000: task of 9000"},
		{name: "a guest, an application", who: Caller{From: dialplan.FromExtension, Guest: true}, number: "9000", want: "handed to 9000: task of 9000"},
		{name: "a guest, a phone", who: Caller{From: dialplan.FromExtension, Guest: true}, number: "1002", want: "403 callers without credentials reach applications only"},
		{name: "a guest, a line", o: office{rules: []dialplan.Rule{out}}, who: Caller{From: dialplan.FromExtension, Guest: true}, number: "0044", want: "403 callers without credentials never reach a line"},
		{name: "a guest, several", o: office{rules: []dialplan.Rule{{Match: "5", To: dialplan.Targets{"1002", "carrier", "9000"}, Ring: "all"}}},
			who: Caller{From: dialplan.FromExtension, Guest: true}, number: "5", want: "handed to 9000: task of 9000"},

		{name: "a line", o: office{rules: []dialplan.Rule{out}, answers: map[string]string{"carrier": "ok"}}, number: "0044", rung: []string{"1m0s: carrier:+44 as +361"}},
		{name: "a line that may not be used now", o: office{rules: []dialplan.Rule{out}, allow: func(_ *exchange.Line, who Caller, _, n string) error {
			return errors.New(who.Extension + " has called " + n + " too often")
		}},
			number: "0044", want: "403 1001 has called +44 too often"},
		{name: "line after line", o: office{rules: []dialplan.Rule{{Match: "0*", To: dialplan.Targets{"carrier", "backup"}, Ring: "order", CallerID: "+362", RingTime: 9}},
			answers: map[string]string{"carrier": "503", "backup": "ok"}}, number: "01", rung: []string{"9s: carrier:01 as +362", "9s: backup:01 as +362"}},
		{name: "from outside without a rule", o: office{rules: []dialplan.Rule{out}}, who: Caller{From: "carrier"}, number: "1002", want: "404 nobody has the number 1002"},
		{name: "any does not mean outside", o: office{rules: []dialplan.Rule{{From: "any", Match: "0*", To: dialplan.Targets{"backup"}}}}, who: Caller{From: "carrier"}, number: "01", want: "404 nobody has the number 01"},
		{name: "nor a script", o: office{rules: []dialplan.Rule{{Match: "0*", To: dialplan.Targets{"backup"}}}}, who: Caller{From: dialplan.FromScript}, number: "01", want: "404 nobody has the number 01"},
		{name: "a script with a rule", o: office{rules: []dialplan.Rule{{From: "script", Match: "0*", To: dialplan.Targets{"backup"}}}, answers: map[string]string{"backup": "ok"}},
			who: Caller{From: dialplan.FromScript}, number: "01", rung: []string{"1m0s: backup:01"}},

		{name: "all at once, then an application", o: office{rules: []dialplan.Rule{{Match: "5", To: dialplan.Targets{"9300", "1002", "1004"}, Ring: "all", RingTime: 15}}},
			number: "5", rung: []string{"15s: sip:1002@a, sip:1004@b web, sip:1004@a"}, want: "handed to 9300: task of 9300"},
		{name: "one after the other", o: office{rules: []dialplan.Rule{{Match: "5", To: dialplan.Targets{"1002", "1003", "9300"}, Ring: "order"}}, answers: map[string]string{"1002": "486"}},
			number: "5", rung: []string{"1m0s: sip:1002@a", "1m0s: sip:1003@a"}, want: "handed to 9300: task of 9300"},
		{name: "the best reason", o: office{rules: []dialplan.Rule{{Match: "5", To: dialplan.Targets{"1005", "1003", "1002"}, Ring: "order"}}, answers: map[string]string{"1003": "486"}},
			number: "5", rung: []string{"1m0s: sip:1003@a", "1m0s: sip:1002@a"}, want: "486 extension 1003: said 486"},
		{name: "among several nobody's forwarding counts", o: office{rules: []dialplan.Rule{{Match: "5", To: dialplan.Targets{"1002", "1003"}, Ring: "order"}},
			settings: map[string]extension.Settings{"1002": forward(extension.Forward{NoAnswer: "1001"})}, answers: map[string]string{"1003": "ok"}},
			number: "5", rung: []string{"1m0s: sip:1002@a", "1m0s: sip:1003@a"}},

		{name: "forward always", o: office{settings: map[string]extension.Settings{"1002": forward(extension.Forward{Always: "1003"})}, answers: map[string]string{"1003": "ok"}},
			number: "1002", rung: []string{"1m0s: sip:1003@a" + diverted("1002", "unconditional")}},
		{name: "forward when busy", o: office{settings: map[string]extension.Settings{"1002": forward(extension.Forward{Busy: "1003", NoAnswer: "1004"})}, answers: map[string]string{"1002": "486", "1003": "ok"}},
			number: "1002", rung: []string{"20s: sip:1002@a", "1m0s: sip:1003@a" + diverted("1002", "user-busy")}},
		{name: "forward when nobody answers", o: office{settings: map[string]extension.Settings{"1002": forward(extension.Forward{NoAnswer: "9300"})}},
			number: "1002", rung: []string{"20s: sip:1002@a"}, want: "handed to 9300: task of 9300"},
		{name: "forward when away", o: office{settings: map[string]extension.Settings{"1005": forward(extension.Forward{Unavailable: "1003", NoAnswer: "1002"})}, answers: map[string]string{"1003": "ok"}},
			number: "1005", rung: []string{"1m0s: sip:1003@a" + diverted("1005", "unavailable")}},
		{name: "forward when unreachable", o: office{settings: map[string]extension.Settings{"1002": forward(extension.Forward{Unavailable: "1003"})}, answers: map[string]string{"1002": "408", "1003": "ok"}},
			number: "1002", rung: []string{"1m0s: sip:1002@a", "1m0s: sip:1003@a" + diverted("1002", "unavailable")}},
		{name: "forward outside, as who forwards", o: office{rules: []dialplan.Rule{out, {From: "backup", Match: "*", To: dialplan.Targets{"1002"}}},
			settings: map[string]extension.Settings{"1002": forward(extension.Forward{Always: "00361"})}, answers: map[string]string{"carrier": "ok"}},
			who: Caller{From: "backup"}, number: "55", rung: []string{"1m0s: carrier:+361 as +361" + diverted("1002", "unconditional")}},
		{name: "forward where he may not", o: office{settings: map[string]extension.Settings{"1002": forward(extension.Forward{Always: "00361"})}}, number: "1002", want: "404 nobody has the number 00361"},
		{name: "in circles", o: office{settings: map[string]extension.Settings{"1002": forward(extension.Forward{Always: "1003"}), "1003": forward(extension.Forward{Always: "1002"})}},
			number: "1002", want: "483 extension 1002 was called already: the call goes round in circles"},
		{name: "twice", o: office{settings: map[string]extension.Settings{"1002": forward(extension.Forward{Always: "1003"}), "1003": forward(extension.Forward{Busy: "1004"})}, answers: map[string]string{"1003": "486", "1004": "ok"}},
			number: "1002", rung: []string{"1m0s: sip:1003@a" + diverted("1002", "unconditional"),
				"1m0s: sip:1004@b web" + diverted("1003", "user-busy") + diverted("1002", "unconditional") + ", sip:1004@a" + diverted("1003", "user-busy") + diverted("1002", "unconditional")}},

		{name: "do not disturb", o: office{settings: map[string]extension.Settings{"1002": {DoNotDisturb: true, CallWaiting: true}}}, number: "1002", want: "486 extension 1002 does not want to be disturbed"},
		{name: "do not disturb, forwards", o: office{settings: map[string]extension.Settings{"1002": {DoNotDisturb: true, Forward: extension.Forward{Busy: "9300"}}}}, number: "1002", want: "handed to 9300: task of 9300"},
		{name: "no call waiting, free", o: office{settings: map[string]extension.Settings{"1002": {}}, answers: map[string]string{"1002": "ok"}}, number: "1002", rung: []string{"1m0s: sip:1002@a"}},
		{name: "no call waiting, talks", o: office{settings: map[string]extension.Settings{"1002": {}}, busy: map[string]int{"1002": 1}}, number: "1002", want: "486 extension 1002 is in a call"},

		{name: "sent elsewhere", o: office{answers: map[string]string{"1002": "302 <sip:1005@x>;q=1 <tel:1003>", "1003": "ok"}},
			number: "1002", rung: []string{"1m0s: sip:1002@a", "1m0s: sip:1003@a" + diverted("1002", "deflection") + diverted("1002", "deflection")}},
		{name: "sent abroad", o: office{answers: map[string]string{"1002": "302 sip:0900111@pay.example"}}, number: "1002", rung: []string{"1m0s: sip:1002@a"}, want: "480 extension 1002: said 302"},
		{name: "sent by a line", o: office{rules: []dialplan.Rule{out}, answers: map[string]string{"carrier": "302 sip:1003@carrier.example", "1003": "ok"}}, number: "001",
			rung: []string{"1m0s: carrier:+1 as +361", "1m0s: sip:1003@a"}},

		{name: "a group", o: office{groups: []extension.Extension{{Number: "9200", Type: extension.RingGroup, Members: []string{"1002", "1005", "1004"}, RingTime: 10}}, answers: map[string]string{"1004": "ok"}},
			number: "9200", rung: []string{"10s: sip:1002@a, sip:1004@b web, sip:1004@a"}},
		{name: "a staggered group", o: office{groups: []extension.Extension{{Number: "9200", Type: extension.RingGroup, Members: []string{"1002", "1005", "1003", "1004"}, Delay: 4e9}}},
			number: "9200", rung: []string{"28s: sip:1002@a, sip:1003@a after 4s, sip:1004@b web after 8s, sip:1004@a after 8s"}, want: "480 nobody answered: nobody answered"},
		{name: "in order", o: office{groups: []extension.Extension{{Number: "9200", Type: extension.RingGroup, Strategy: "order", Members: []string{"1002", "1005", "1003"}}}, answers: map[string]string{"1003": "ok"}},
			number: "9200", rung: []string{"20s: sip:1002@a", "20s: sip:1003@a"}},
		{name: "at random", o: office{groups: []extension.Extension{{Number: "9200", Type: extension.RingGroup, Strategy: "random", Members: []string{"1002", "1003"}}}},
			number: "9200", rung: []string{"20s: sip:1003@a", "20s: sip:1002@a"}, want: "480 extension 1003: nobody answered"},
		{name: "groups in a group", o: office{groups: []extension.Extension{
			{Number: "9200", Type: extension.RingGroup, Members: []string{"1001", "9201", "1002"}},
			{Number: "9201", Type: extension.RingGroup, Strategy: "order", RingTime: 5, Members: []string{"1002", "1003"}}}},
			number: "9200", rung: []string{"25s: sip:1001@a, sip:1002@a, sip:1003@a after 5s"}, want: "480 nobody answered: nobody answered"},
		{name: "a group whose members are all out", o: office{groups: []extension.Extension{{Number: "9200", Type: extension.RingGroup, Members: []string{"1002", "1003", "1005"}}},
			settings: map[string]extension.Settings{"1002": {DoNotDisturb: true}, "1003": forward(extension.Forward{Always: "00361"})}},
			number: "9200", want: "486 nobody of group 9200 can be called: extension 1002 does not want to be disturbed"},
	} {
		if c.who == (Caller{}) {
			c.who = inside("1001")
		}
		w, rung := c.o.walk(t, c.who)
		if got := told(w.lead(c.number)); got != c.want || !slices.Equal(*rung, c.rung) {
			t.Errorf("%s: %q after\n\t%q\nwant %q after\n\t%q", c.name, got, *rung, c.want, c.rung)
		}
	}
}

func told(err error) string {
	if err == nil {
		return ""
	}
	if h, ok := errors.AsType[*Handover](err); ok {
		return fmt.Sprintf("handed to %s: %v", h.Number, h.Task)
	}
	if no, ok := errors.AsType[*Refused](err); ok {
		return fmt.Sprintf("%d %s", no.Code, no.Reason)
	}
	return err.Error()
}

// TestHops: a chain of forwarding has an end, however many numbers it has.
func TestHops(t *testing.T) {
	o := office{settings: map[string]extension.Settings{}}
	for i := range maxHops + 5 {
		n := fmt.Sprint(2000 + i)
		o.groups = append(o.groups, extension.Extension{Number: n, Type: extension.Phone, Password: "p"})
		o.settings[n] = extension.Settings{Forward: extension.Forward{Always: fmt.Sprint(2001 + i)}}
	}
	w, _ := o.walk(t, inside("1001"))
	if got := told(w.lead("2000")); got != "483 the call was sent on more than 20 times" {
		t.Errorf("lead = %q", got)
	}
}

// TestIntercepted: the routing application is asked first, and again after each
// failure; the dial plan decides where it does not.
func TestIntercepted(t *testing.T) {
	var asked []string
	next := []Answer{}
	o := office{answers: map[string]string{"1002": "486", "carrier": "404", "1004": "ok"}, ask: func(q Question) (Answer, bool) {
		asked = append(asked, strings.Join([]string{q.Caller, q.Extension, q.Dialed, q.LastDial, q.LastExt, q.LastState}, " "))
		if len(next) == 0 {
			return Answer{}, false
		}
		a := next[0]
		next = next[1:]
		return a, true
	}}
	run := func(who Caller, number string, answers ...Answer) (string, []string) {
		asked, next = nil, answers
		w, rung := o.walk(t, who)
		return told(w.lead(number)), *rung
	}
	got, rung := run(inside("1001"), "555", Answer{Destination: "1003", RingTime: 5e9}, Answer{Destination: "1002"}, Answer{Destination: "carrier", Dialed: "+44", CallerID: "77"},
		Answer{Destination: "4711"}, Answer{Destination: "1003"}, Answer{Destination: "1004"})
	want := []string{"1001 1001 555 555  Calling", "1001 1001 555 1003 1003 NoAnswer", "1001 1001 555 1002 1002 Busy",
		"1001 1001 555 +44 carrier NotFound", "1001 1001 555 4711 4711 NotFound", "1001 1001 555 1003 1003 NoAnswer"}
	wantRung := []string{"5s: sip:1003@a", "1m30s: sip:1002@a", "1m30s: carrier:+44 as 77", "1m30s: sip:1003@a", "1m30s: sip:1004@b web, sip:1004@a"}
	if got != "" || !slices.Equal(asked, want) || !slices.Equal(rung, wantRung) {
		t.Errorf("%q\nasked %q\nwant  %q\nrung %q\nwant %q", got, asked, want, rung, wantRung)
	}
	if got, rung = run(inside("1001"), "1002"); got != "486 extension 1002: said 486" || len(asked) != 2 || len(rung) != 1 {
		t.Errorf("no Route: %q, asked %q, rung %q; want the dial plan, once", got, asked, rung)
	}
	if got, _ = run(inside("1001"), "1002", Answer{}); got != "603 the routing application refused the call" {
		t.Errorf("an empty destination: %q", got)
	}
	if got, _ = run(inside("1001"), "1002", Answer{Destination: "9000"}); got != "handed to 9000: task of 9000" {
		t.Errorf("an application: %q", got)
	}
	if got, _ = run(Caller{From: dialplan.FromExtension, Guest: true}, "1002", Answer{Destination: "carrier"}); !strings.HasPrefix(got, "403 ") {
		t.Errorf("a guest to a line: %q", got)
	}
	if got, _ = run(inside("1001"), "1002", slices.Repeat([]Answer{{Destination: "1002"}}, 99)...); got != "486 extension 1002: said 486" || len(asked) != maxRounds {
		t.Errorf("for ever: %q, asked %d times", got, len(asked))
	}
}

func TestUserPart(t *testing.T) {
	for uri, want := range map[string]string{
		"sip:1003@host": "1003", "<sip:1003:pw@host;user=phone>;q=0.5": "1003", "tel:+3612": "+3612", "tel:+3612;phone-context=x": "+3612",
		"sips:%2B36@h": "+36", "sip:1003;x=y@h": "1003", "sip:host": "", "http://1003@h": "", "sip:a%20b@h": "", "1003": "", "": "",
	} {
		if got := userPart(uri); got != want {
			t.Errorf("userPart(%q) = %q, want %q", uri, got, want)
		}
	}
}
