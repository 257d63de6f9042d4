package switchtest

import (
	"context"
	"errors"
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
