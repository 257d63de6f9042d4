package switchtest

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/phone"
)

// TestReplaces: a telephone takes the place of another of the same extension in a
// call that is up, or of one of its group while it rings (RFC 3891); nobody else
// does.
func TestReplaces(t *testing.T) {
	for _, c := range []struct {
		name, who string
		refused   int
	}{{"another telephone of the same extension", "1002 desk", 0}, {"somebody else", "1003", 403}} {
		t.Run(c.name, func(t *testing.T) {
			company(t, func(w *World) {
				a, b, taker := w.Phone("1001"), w.Phone("1002"), w.Phone(c.who)
				taker.Reply = func() phone.Reply { return phone.Reply{Refuse: 486} }
				ac, bc := w.talk(a, b)
				w.Pass(time.Second)
				d, ok := bc.Dialog()
				if !ok {
					t.Fatal("no dialog")
				}
				tc := taker.Place("1001", phone.Options{Replaces: &d})
				err := tc.Answered(context.Background())
				if c.refused != 0 {
					if r, ok := errors.AsType[*phone.Refused](err); !ok || r.Code != c.refused {
						t.Errorf("%v, want %d", err, c.refused)
					}
					w.Pass(time.Second)
					if w.Up() != 1 {
						t.Errorf("%d calls are up, want one", w.Up())
					}
					ac.HangUp()
					bc.Over()
					return
				}
				if err != nil {
					t.Fatalf("%v\n%s", err, w.Transcript(""))
				}
				if r := bc.Over(); r.Cause != phone.TheyHungUp {
					t.Errorf("who was replaced: %v", r)
				}
				w.Pass(2 * time.Second)
				if w.Up() != 1 {
					t.Errorf("%d calls are up, want one\n%s", w.Up(), w.Transcript(""))
				}
				ac.HangUp()
				tc.Over()
			}, "1001", "1002", "1003")
		})
	}
}

// TestReplacesWhatRings: a telephone of the group takes a call that rings at
// another one, by the names of its dialog.
func TestReplacesWhatRings(t *testing.T) {
	company(t, func(w *World) {
		a, b, third := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		ac := a.Place("1002", phone.Options{})
		bc := b.Next()
		w.Pass(2 * time.Second)
		var place phone.Place
		for _, e := range w.Events(ac.ID()) {
			if strings.HasPrefix(e.Text, "SIP/2.0 180") && !strings.Contains(e.Text, "Server: ozswitch/") { // of the telephone that rings
				id := regexp.MustCompile(`(?m)^Call-ID: (.*)\r`).FindStringSubmatch(e.Text)
				from := regexp.MustCompile(`(?m)^From: .*;tag=(\w+)`).FindStringSubmatch(e.Text)
				to := regexp.MustCompile(`(?m)^To: .*;tag=(\w+)`).FindStringSubmatch(e.Text)
				place = phone.Place{CallID: id[1], RemoteTag: from[1], LocalTag: to[1], EarlyOnly: true}
			}
		}
		tc := third.Place("1002", phone.Options{Replaces: &place})
		if err := tc.Answered(context.Background()); err != nil {
			t.Fatalf("%v\n%s", err, w.Transcript(""))
		}
		if err := ac.Answered(context.Background()); err != nil {
			t.Fatal(err)
		}
		bc.Over()
		w.Until("one call is left", func() bool { return w.Up() == 1 })
		w.Pass(time.Second)
		ac.HangUp()
		tc.Over()
	}, "1001", "1002", "1003")
}
