package switchtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// TestUnknownCaller: who asks for it is not named to the callee, and may call what
// it may call otherwise.
func TestUnknownCaller(t *testing.T) {
	company(t, func(w *World) {
		a, b := w.Phone("1001"), w.Phone("1002")
		ac := a.Place("1002", phone.Options{Private: true, FromName: "Ann"})
		bc := b.Next()
		if err := ac.Answered(context.Background()); err != nil {
			t.Fatalf("%v\n%s", err, w.Transcript(""))
		}
		if bc.From() != "" {
			t.Errorf("the callee sees %q, want nothing", bc.From())
		}
		for _, e := range w.Events(ac.ID()) {
			if strings.HasPrefix(e.Text, "INVITE ") && strings.Contains(e.Text, "sip:1002@"+PhoneHost(2)) && (strings.Contains(e.Text, "Ann") || !strings.Contains(e.Text, "Privacy: id")) {
				t.Errorf("the callee was sent\n%s", e.Text)
			}
		}
		ac.HangUp()
		bc.Over()
	}, "1001", "1002")
}

// TestSmuggledHeaders: what a telephone adds to its INVITE does not reach the other
// one, nor make it somebody else.
func TestSmuggledHeaders(t *testing.T) {
	company(t, func(w *World) {
		a, b := w.Phone("1001"), w.Phone("1002")
		ac := a.Place("1002", phone.Options{FromName: "Ann", Headers: []phone.Header{{Name: "Diversion", Value: "<sip:boss@pbx>"}, {Name: "Alert-Info", Value: "<urn:smuggled>"}, {Name: "History-Info", Value: "<sip:boss@pbx>;index=1"}}})
		bc := b.Next()
		if err := ac.Answered(context.Background()); err != nil {
			t.Fatal(err)
		}
		if bc.From() != "1001" {
			t.Errorf("the callee sees %q, want 1001", bc.From())
		}
		arrived, passed := 0, 0
		for _, e := range w.Events(ac.ID()) {
			if strings.HasPrefix(e.Text, "INVITE ") {
				if strings.Contains(e.Text, "urn:smuggled") {
					arrived++
				} else if strings.Contains(e.Text, "boss") {
					passed++
				}
			}
		}
		if arrived == 0 || arrived > 2 || passed != 0 {
			t.Errorf("%d INVITEs with the header, want the caller's own, one before and one after the challenge; %d with a diversion", arrived, passed)
		}
		ac.HangUp()
		bc.Over()
	}, "1001", "1002")
}

// TestRoundTrip: a line that leads back to the switch itself ends a call with 483.
func TestRoundTrip(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Lines = []server.Line{{Name: "mirror", Address: server.Names{sipAddr}, CallerID: "+431"}}
		w.Config.Dialplan = []server.Rule{{From: "mirror", Match: "*", To: server.Names{"mirror"}}, {From: "extension", Match: "0*", To: server.Names{"mirror"}}}
		a := w.Phone("1001")
		c := a.Place("0123", phone.Options{})
		err := c.Answered(context.Background())
		if r, ok := errors.AsType[*phone.Refused](err); !ok || r.Code != 483 {
			t.Errorf("%v, want 483\n%s", err, w.Transcript(""))
		}
		if rounds := strings.Count(w.Transcript(""), "call +431 -> 0123"); rounds < 2 || rounds > 10 {
			t.Errorf("after %d rounds, want ten at most", rounds)
		}
		w.Until("all is over", func() bool { return w.Up() == 0 })
	}, "1001")
}
