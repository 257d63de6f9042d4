package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/call"
)

// TestReplaces: who has proven who he is may take a place, in a dialog that is
// there (RFC 3891 3).
func TestReplaces(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *call.Replaces)
		want   string // what the caller saw
		taken  bool
	}{
		{"right", func(*call.Replaces) {}, "Accepted", true},
		{"another call", func(r *call.Replaces) { r.CallID = "x" }, "Refused 481", false},
		{"tags the wrong way", func(r *call.Replaces) { r.LocalTag, r.RemoteTag = r.RemoteTag, r.LocalTag }, "Refused 481", false},
		{"only while it rings", func(r *call.Replaces) { r.EarlyOnly = true }, "Refused 486", false},
		{"no token", func(r *call.Replaces) { r.LocalTag = "a;b" }, "Refused 400", false},
	} {
		inPair(t, "right", nil, func(p *pair) {
			p.dial(t, "a", nil)
			d, _ := p.e.Dialog("a")
			c.change(&d)
			code := 0
			m := testMedia
			p.e.Dial(call.Invite{Leg: "b", Target: "sip:9000@" + ourAddr, From: "1001", Offer: &m, Replaces: &d}, func(ev call.Event) bool {
				if r, ok := ev.(call.Refused); ok {
					code = r.Code
				}
				return p.post("b")(ev)
			})
			later(2 * time.Second)
			got := p.of("b")
			if code != 0 {
				got += fmt.Sprint(" ", code)
			}
			if got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
			last := p.sw.calls[len(p.sw.calls)-1]
			if taken := last.Replaces != nil; taken != c.taken || taken && *last.Replaces != d {
				t.Errorf("%s: the switch was told %v", c.name, last.Replaces)
			}
		})
	}
	inPair(t, "right", func(c *Config) { c.Guest = func(netip.AddrPort) bool { return true } }, func(p *pair) {
		p.dial(t, "a", nil)
		d, _ := p.e.Dialog("a")
		m := testMedia
		p.e.Dial(call.Invite{Leg: "b", Target: "sip:9000@" + ourAddr, From: "visitor", Offer: &m, Replaces: &d}, p.post("b"))
		later(time.Second)
		if got := p.of("b"); got != "Refused" || len(p.sw.calls) != 1 {
			t.Errorf("a guest: %s, %d calls", got, len(p.sw.calls))
		}
	})
}

// FuzzReplaces: what is read can be written and reads the same again.
func FuzzReplaces(f *testing.F) {
	f.Add("a@b;to-tag=x;from-tag=y")
	f.Add(" 1 ; from-tag = y ;TO-TAG=x;early-only;other")
	f.Fuzz(func(t *testing.T, v string) {
		r := readReplaces(v)
		if r == nil {
			return
		}
		written := replacesValue(r)
		if again := readReplaces(written); again == nil || *again != *r {
			t.Errorf("%q is %+v, written %q and read %+v", v, r, written, again)
		}
		if strings.ContainsAny(r.LocalTag+r.RemoteTag, "\r\n\x00 ;") {
			t.Errorf("%q has the tags %q and %q", v, r.LocalTag, r.RemoteTag)
		}
	})
}

// TestReplaceWhatRings: a telephone that we ring can be replaced, one that calls
// us and was not answered cannot.
func TestReplaceWhatRings(t *testing.T) {
	inPair(t, "right", nil, func(p *pair) {
		p.sw.ring = true
		theirs := p.dial(t, "a", nil) // calls us, and is not answered
		var rings, waits call.Replaces
		p.sw.e.with(theirs, func(_ *shard, _ time.Time, l *leg) {
			waits = call.Replaces{CallID: l.callID, LocalTag: l.dlg.RemoteTag, RemoteTag: l.dlg.LocalTag}
		})
		m := testMedia
		p.sw.e.Dial(call.Invite{Leg: "ringing", Target: "sip:1001@10.0.0.66", From: "9000", Offer: &m}, p.sw.post("ringing"))
		p.sw.e.with("ringing", func(_ *shard, _ time.Time, l *leg) {
			rings = call.Replaces{CallID: l.callID, LocalTag: "their", RemoteTag: l.dlg.LocalTag}
			l.out.early = map[string]*early{"their": {}}
		})
		for want, r := range map[string]call.Replaces{"": rings, "Refused": waits} {
			p.e.Dial(call.Invite{Leg: call.LegID("b" + want), Target: "sip:9000@" + ourAddr, From: "1001", Offer: &m, Replaces: &r}, p.post(call.LegID("b"+want)))
			later(500 * time.Millisecond)
			if got := p.of(call.LegID("b" + want)); got != want {
				t.Errorf("%+v: %q, want %q", r, got, want)
			}
		}
		if len(p.sw.calls) != 2 || p.sw.calls[1].Replaces == nil {
			t.Errorf("the switch saw %v", p.sw.calls)
		}
	})
}
