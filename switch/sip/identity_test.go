package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/call"
)

// TestMoreHeaders: a call adds headers to its INVITE, but none that are ours, and
// none that smuggle something in.
func TestMoreHeaders(t *testing.T) {
	good := []call.Header{{Name: "Alert-Info", Value: "<urn:alert:source:internal>"}, {Name: "X-Queue", Value: "sales, ü"}, {Name: "Diversion", Value: "<sip:1001@pbx>"}}
	if got, err := more(good); err != nil || got != "Alert-Info: <urn:alert:source:internal>\r\nX-Queue: sales, ü\r\nDiversion: <sip:1001@pbx>\r\n" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []call.Header{
		{Name: "Via", Value: "x"}, {Name: "via", Value: "x"}, {Name: "v", Value: "x"}, {Name: "P-Asserted-Identity", Value: "<sip:boss@pbx>"}, {Name: "Max-Forwards", Value: "70"},
		{Name: "Replaces", Value: "x"}, {Name: "REFER-TO", Value: "x"}, {Name: "Content-Length", Value: "0"}, {Name: "", Value: "x"}, {Name: "X Y", Value: "x"}, {Name: "X:", Value: "x"},
		{Name: "X-Ü", Value: "x"}, {Name: "X\r\nVia", Value: "x"}, {Name: "X-A", Value: "x\r\nVia: y"}, {Name: "X-A", Value: "x\ny"}, {Name: "X-A", Value: "\x00"}, {Name: "X-A", Value: "\xff"},
		{Name: "X-A", Value: strings.Repeat("x", longestValue+1)},
	} {
		if got, err := more([]call.Header{good[0], bad}); err == nil || got != "" {
			t.Errorf("%q was taken: %q", bad, got)
		}
	}
	if _, err := more(make([]call.Header, mostHeaders+1)); err == nil {
		t.Error("too many were taken")
	}
}

// TestReasons: the header that tells why (RFC 3326), and what is read of it.
func TestReasons(t *testing.T) {
	for want, r := range map[string]reason{
		"":                                     {},
		"Reason: SIP;text=\"a \\\"b\\\"\"\r\n": {text: `a "b"`},
		"Reason: Q.850;cause=17\r\n":           {q850: 17},
		"Reason: Q.850;cause=16, SIP;text=\"bye\"\r\n":          {q850: 16, text: "bye"},
		"Reason: SIP;cause=200;text=\"answered elsewhere\"\r\n": elsewhere,
		"Reason: SIP;text=\"not a cause\"\r\n":                  {q850: 128, text: "not a cause"},
	} {
		if got := r.header(); got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
}

// smuggled are headers by which a caller would be somebody else.
const smuggled = "P-Asserted-Identity: \"Boss\" <sip:boss@pbx>\r\nP-Preferred-Identity: <sip:boss@pbx>\r\nRemote-Party-ID: <sip:boss@pbx>;party=calling\r\n" +
	"Diversion: <sip:secret@pbx>;reason=unconditional\r\nHistory-Info: <sip:secret@pbx>;index=1, <sip:9000@pbx>;index=1.1\r\nX-User: 1002\r\nReferred-By: <sip:boss@pbx>\r\n"

// TestWhoCalls: an extension is who it has proven to be, whatever else it says; a
// line's identities count where it is trusted, and nowhere else.
func TestWhoCalls(t *testing.T) {
	carrying := func(trust bool) func(*Config) {
		return func(c *Config) {
			c.Whose = func(source netip.AddrPort, transport, to string) string {
				if source.String() == peerAddr && transport == "udp" {
					return "carrier"
				}
				return ""
			}
			c.Line = func(name string) (Account, bool) { return Account{Trust: trust, Contact: "token"}, name == "carrier" }
		}
	}
	guests := func(c *Config) { c.Guest = func(netip.AddrPort) bool { return true } }
	for _, c := range []struct {
		name, from, extra string
		change            func(*Config)
		login             bool
		want              string
	}{
		{"an extension", "1001", "", nil, true, `user "1001" from "1001" line "" asserted "" diverted "" private false`},
		{"an extension that smuggles", "1001", smuggled, nil, true, `user "1001" from "1001" line "" asserted "" diverted "" private false`},
		{"an extension that hides", "anonymous", "Privacy: id\r\n" + smuggled, nil, true, `user "1001" from "1001" line "" asserted "" diverted "" private true`},
		{"an extension that wants to", "1001", "Privacy: user;id\r\n", nil, true, `user "1001" from "1001" line "" asserted "" diverted "" private true`},
		{"a guest that smuggles", "boss", smuggled, guests, false, `user "" from "boss" line "" asserted "" diverted "" private false`},
		{"a guest that hides", "anonymous", smuggled, guests, false, `user "" from "" line "" asserted "" diverted "" private true`},
		{"a line", "+431", "", carrying(false), false, `user "" from "+431" line "carrier" asserted "" diverted "" private false`},
		{"a line that smuggles", "+431", smuggled, carrying(false), false, `user "" from "+431" line "carrier" asserted "" diverted "" private false`},
		{"a trusted line", "+431", smuggled, carrying(true), false, `user "" from "+431" line "carrier" asserted "boss" diverted "secret" private false`},
		{"a trusted line, other headers", "anonymous", "Privacy: id\r\nRemote-Party-ID: <tel:+432;x=y>\r\nHistory-Info: <sip:1@a>;index=1, <sip:+433;npi=1@a>;index=1.1,<sip:9@b>;index=1.2\r\n", carrying(true), false,
			`user "" from "" line "carrier" asserted "+432" diverted "+433" private true`},
		{"a trusted line, broken headers", "+431", "P-Asserted-Identity: <\r\nDiversion: \"x\r\nHistory-Info: <sip:1@a>\r\n", carrying(true), false,
			`user "" from "+431" line "carrier" asserted "" diverted "" private false`},
	} {
		inPair(t, "right", c.change, func(p *pair) {
			m := testMedia
			i := call.Invite{Leg: "a", Target: "sip:9000@" + ourAddr, From: c.from, Offer: &m}
			p.e.Dial(i, p.post("a"))
			later(time.Second)
			p.sw.calls = nil
			p.e.Do(call.Bye{Leg: "a"})
			later(time.Second)
			// The same again with the headers, which our own calls may not have.
			l, _, _, _, err := p.e.outgoing(call.Invite{Leg: "b", Target: "sip:9000@" + ourAddr, From: c.from, Offer: &m}, false)
			if err != nil {
				t.Fatal(err)
			}
			l.post, l.out.extra = p.post("b"), c.extra
			s := p.e.shardOf([]byte(l.dlg.CallID))
			s.guard(l.dlg.CallID, func(time.Time) { s.add(l) })
			p.e.place(l, hop{transport: "udp", addr: netip.MustParseAddrPort(ourAddr)})
			later(time.Second)
			if len(p.sw.calls) != 1 {
				t.Fatalf("%s: %d calls", c.name, len(p.sw.calls))
			}
			in := p.sw.calls[0]
			if got := fmt.Sprintf("user %q from %q line %q asserted %q diverted %q private %v", in.User, in.From, in.Line, in.Asserted, in.Diversion, in.Private); got != c.want {
				t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
			}
		})
	}
	inPair(t, "right", nil, func(p *pair) { // somebody else's number, with our own password
		p.dialAs("1002")
		if got := p.of("a"); got != "Refused" || len(p.sw.calls) != 0 {
			t.Errorf("1001 as 1002: %s, %d calls", got, len(p.sw.calls))
		}
	})
	inPair(t, "", carrying(false), func(p *pair) { // the token of a line in the Request-URI: To says who is called
		m := testMedia
		l, _, _, _, err := p.e.outgoing(call.Invite{Leg: "a", Target: "sip:token@" + ourAddr, From: "+431", Offer: &m}, false)
		if err != nil {
			t.Fatal(err)
		}
		l.post, l.dlg.Remote = p.post("a"), "<sip:+43900@carrier.example>"
		s := p.e.shardOf([]byte(l.dlg.CallID))
		s.guard(l.dlg.CallID, func(time.Time) { s.add(l) })
		p.e.place(l, hop{transport: "udp", addr: netip.MustParseAddrPort(ourAddr)})
		later(time.Second)
		if len(p.sw.calls) != 1 || p.sw.calls[0].To != "+43900" || p.sw.calls[0].Line != "carrier" {
			t.Errorf("calls %v", p.sw.calls)
		}
	})
}

func (p *pair) dialAs(from string) {
	m := testMedia
	p.e.Dial(call.Invite{Leg: "a", Target: "sip:9000@" + ourAddr, From: from, Offer: &m}, p.post("a"))
	later(time.Second)
}

// TestByLine: a call by an outside line goes where the line's account says, says
// there who calls, and proves itself to its realm only.
func TestByLine(t *testing.T) {
	account := Account{User: "1001", Password: "right", Realm: "pbx", From: "carrier.example", Contact: "token", Assert: true,
		Places: []Place{{Transport: "udp", Addr: netip.MustParseAddrPort(ourAddr)}}}
	for _, c := range []struct {
		name    string
		change  func(a *Account, i *call.Invite)
		from    string // of the last INVITE
		headers string // P-Asserted-Identity, Privacy, Contact, Route
		invites int
		want    string
	}{
		{"plain", func(*Account, *call.Invite) {}, `"Ann" <sip:1001@carrier.example>`, `"Ann" <sip:1001@carrier.example>//<sip:token@10.0.0.2:5070>/`, 2, "Accepted"},
		{"private", func(_ *Account, i *call.Invite) { i.Private = true }, `"Anonymous" <sip:anonymous@anonymous.invalid>`, `"Ann" <sip:1001@carrier.example>/id/<sip:token@10.0.0.2:5070>/`, 2, "Accepted"},
		{"nothing asserted", func(a *Account, i *call.Invite) { a.Assert, i.Private = false, true }, `"Anonymous" <sip:anonymous@anonymous.invalid>`, `/id/<sip:token@10.0.0.2:5070>/`, 2, "Accepted"},
		{"by a proxy", func(a *Account, i *call.Invite) { a.Places, a.Proxy = nil, "sip:"+ourAddr }, `"Ann" <sip:1001@carrier.example>`, `"Ann" <sip:1001@carrier.example>//<sip:token@10.0.0.2:5070>/<sip:10.0.0.1:5060;lr>`, 2, "Accepted"},
		{"another realm asks", func(a *Account, _ *call.Invite) { a.Realm = "carrier" }, `"Ann" <sip:1001@carrier.example>`, `"Ann" <sip:1001@carrier.example>//<sip:token@10.0.0.2:5070>/`, 1, "Refused"},
		{"a wrong password", func(a *Account, _ *call.Invite) { a.Password = "x" }, `"Ann" <sip:1001@carrier.example>`, `"Ann" <sip:1001@carrier.example>//<sip:token@10.0.0.2:5070>/`, 2, "Refused"},
		{"no such line", func(_ *Account, i *call.Invite) { i.Line = "other" }, "", "///", 0, "Refused"},
		{"a broken proxy", func(a *Account, _ *call.Invite) { a.Places, a.Proxy = nil, "no uri" }, "", "///", 0, "Refused"},
	} {
		var lastInvite string
		invites := 0
		inPair(t, "", nil, func(p *pair) {
			m := testMedia
			a, i := account, call.Invite{Leg: "a", Target: "sip:+43123@carrier.example", From: "1001", FromName: "Ann", Offer: &m, Line: "carrier"}
			c.change(&a, &i)
			p.e.c.Line = func(name string) (Account, bool) { return a, name == "carrier" }
			p.sw.e.c.Trace = func(_ call.LegID, sent bool, _ string, _ netip.AddrPort, b []byte) {
				if s := string(b); !sent && strings.HasPrefix(s, "INVITE") {
					lastInvite = s
					invites++
				}
			}
			p.e.Dial(i, p.post("a"))
			later(time.Second)
			from, _, _ := strings.Cut(headers(lastInvite, "From"), ";tag")
			got := strings.Join([]string{headers(lastInvite, "P-Asserted-Identity"), headers(lastInvite, "Privacy"), headers(lastInvite, "Contact"), headers(lastInvite, "Route")}, "/")
			if from != c.from || got != c.headers || invites != c.invites || p.of("a") != c.want {
				t.Errorf("%s: From %s, %s, %d INVITEs, %s\nwant %s, %s, %d, %s", c.name, from, got, invites, p.of("a"), c.from, c.headers, c.invites, c.want)
			}
		})
	}
}

// TestBackByAProxy: a leg of ours that comes back to us is known, also where
// somebody on the way makes Max-Forwards 70 again.
func TestBackByAProxy(t *testing.T) {
	inPair(t, "", func(c *Config) { c.Guest = func(netip.AddrPort) bool { return true } }, func(p *pair) {
		p.sw.ring = true
		m := testMedia
		p.sw.e.Dial(call.Invite{Leg: "out", Target: "sip:x@10.0.0.66", Offer: &m, Hops: 3}, p.sw.post("out"))
		p.mu.Lock()
		invite := p.wire[len(p.wire)-1]
		p.mu.Unlock()
		_, rest, _ := strings.Cut(invite, "\r\n")
		back := "INVITE sip:9000@" + ourAddr + " SIP/2.0\r\nVia: SIP/2.0/UDP " + peerAddr + ";branch=z9hG4bKproxy\r\n" + strings.Replace(rest, "Max-Forwards: 3", "Max-Forwards: 70", 1)
		f := p.e.flowTo(hop{transport: "udp", addr: netip.MustParseAddrPort(ourAddr)})
		if err := f.Send([]byte(back)); err != nil {
			t.Fatal(err)
		}
		later(time.Second)
		if len(p.sw.calls) != 1 || p.sw.calls[0].Hops != 1 {
			t.Errorf("calls %+v, want one with 1 hop", p.sw.calls)
		}
	})
}

// TestRoundAndRound: a call that is sent on to ourselves ends with 483 within ten
// rounds.
func TestRoundAndRound(t *testing.T) {
	inPair(t, "right", func(c *Config) { c.Guest = func(netip.AddrPort) bool { return true } }, func(p *pair) {
		p.sw.ring = true
		rounds, last := 0, 0
		var on func(in call.Invited)
		p.sw.on = func(in call.Invited) { on(in) }
		on = func(in call.Invited) {
			rounds++
			id := call.LegID(fmt.Sprint("round", rounds))
			m := testMedia
			go p.sw.e.Dial(call.Invite{Leg: id, Target: "sip:9000@" + ourAddr, Offer: &m, Hops: in.Hops}, func(ev call.Event) bool {
				if r, ok := ev.(call.Refused); ok {
					if last == 0 {
						last = r.Code
					}
					go p.sw.e.Do(call.Respond{Leg: in.Leg, Code: r.Code})
				}
				return true
			})
		}
		p.dialAs("1001")
		if got := p.of("a"); got != "Refused" || last != 483 || rounds > 11 || rounds < 5 {
			t.Errorf("%q with %d after %d rounds", got, last, rounds)
		}
		later(time.Minute)
		if got := p.sw.e.Legs(); got != 0 {
			t.Errorf("%d legs left", got)
		}
	})
}
