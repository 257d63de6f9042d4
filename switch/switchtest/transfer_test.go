package switchtest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// talk lets two phones talk: from calls to.
func (w *World) talk(from, to *Phone) (caller, callee *Call) {
	w.T.Helper()
	number, _, _ := strings.Cut(to.Number, " ")
	caller = from.Dial(number)
	return caller, to.Next()
}

// at is the SIP URI of a number of the switch.
func at(number string) string { return "sip:" + number + "@" + sipAddr }

// TestTransfer: a telephone hands its call on, to another telephone, to one that
// forwards, to an application, to where it may not call, to nobody.
func TestTransfer(t *testing.T) {
	for _, c := range []struct {
		name   string
		leaves string // caller or callee
		to     string
		fails  int // status that who transfers is told
	}{
		{"caller to a phone", "caller", "1003", 0}, {"callee to a phone", "callee", "1003", 0}, {"to one that forwards", "callee", "1004", 0},
		{"to one that is busy", "callee", "1005", 486}, {"to nobody", "callee", "777", 404}, {"to a line that he may not call", "callee", "00361", 404},
		{"to an application", "callee", "9000", 0}, {"caller to an application", "caller", "9000", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			company(t, func(w *World) {
				w.Web.Serve("/ivr", `<Response><Speak>Welcome to the menu of the company</Speak><Delay>30</Delay></Response>`)
				w.Config.Lines = []server.Line{{Name: "carrier", Address: server.Names{"10.9.9.9"}}}
				w.Config.Dialplan = []server.Rule{{From: "carrier", Match: "*", To: server.Names{"1001"}}, {From: "extension", Match: "[19]*", To: server.Names{"*"}}}
				for i := range w.Config.Extensions {
					if e := &w.Config.Extensions[i]; e.Number == "1004" {
						e.Forward.Always = "1003"
					}
				}
				a, b, third, busy := w.Phone("1001"), w.Phone("1002"), w.Phone("1003"), w.Phone("1005")
				busy.Reply = func() phone.Reply { return phone.Reply{Refuse: 486} }
				third.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Second}} }
				ac, bc := w.talk(a, b)
				w.Pass(time.Second)
				leaves, stays := ac, bc
				if c.leaves == "callee" {
					leaves, stays = bc, ac
				}
				err := leaves.Refer(context.Background(), at(c.to))
				if c.fails != 0 {
					if r, ok := errors.AsType[*phone.Refused](err); !ok || r.Code != c.fails {
						t.Fatalf("transfer to %s: %v, want %d", c.to, err, c.fails)
					}
					w.Pass(time.Second)
					if w.Up() != 1 {
						t.Fatal("the two do not talk on")
					}
					ac.HangUp()
					bc.Over()
					return
				}
				if err != nil {
					t.Fatalf("transfer to %s: %v\n%s", c.to, err, w.Transcript(ac.ID()))
				}
				leaves.Over()
				if c.to == "9000" {
					stays.Hears("Welcome to the menu of the company")
					if p := w.Web.Posted("IncomingCall"); len(p) != 1 {
						t.Errorf("IncomingCall was posted %d times, want once", len(p))
					}
				} else {
					third.Next()
					w.Pass(time.Second)
				}
				if w.Up() != 1 {
					t.Errorf("%d calls are up, want one\n%s", w.Up(), w.Transcript(""))
				}
				stays.HangUp()
				w.Until("all is over", func() bool { return w.Up() == 0 })
			}, "1001", "1002", "1003", "1004", "1005")
		})
	}
}

// TestAttendedTransfer: 1002 asks 1003 first and then connects 1001 with him.
func TestAttendedTransfer(t *testing.T) {
	company(t, func(w *World) {
		a, b, third := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
		ac, bc := w.talk(a, b)
		ask, there := w.talk(b, third)
		w.Pass(time.Second)
		if err := bc.ReferTo(context.Background(), ask.Call, at("1003")); err != nil {
			t.Fatalf("%v\n%s", err, w.Transcript(""))
		}
		bc.Over()
		ask.Over()
		w.Until("one call is left", func() bool { return w.Up() == 1 })
		w.Pass(time.Second)
		ac.HangUp()
		if r := there.Over(); r.Cause != phone.TheyHungUp {
			t.Errorf("1003's call ended: %v", r)
		}
	}, "1001", "1002", "1003")
}

// TestPickup: a call that rings is answered at another telephone.
func TestPickup(t *testing.T) {
	for _, c := range []struct {
		name, dials string
		group       string // of 1003
		refused     int
	}{
		{"by number", "*81002", "", 0}, {"of the group", "**", "", 0}, {"another group", "*81002", "elsewhere", 403}, {"nothing in the group", "**", "elsewhere", 480},
		{"nothing there", "*81001", "", 480},
	} {
		t.Run(c.name, func(t *testing.T) {
			company(t, func(w *World) {
				w.Config.Extensions[len(w.Config.Extensions)-1].PickupGroup = c.group
				a, b, third := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
				b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
				ac := a.Place("1002", phone.Options{})
				bc := b.Next()
				w.Pass(2 * time.Second)
				if c.refused != 0 {
					if got := third.Refused(c.dials); got != c.refused {
						t.Errorf("refused with %d, want %d", got, c.refused)
					}
					ac.Hangup()
					bc.Over()
					return
				}
				tc := third.Dial(c.dials)
				if err := ac.Answered(context.Background()); err != nil {
					t.Fatalf("%v\n%s", err, w.Transcript(""))
				}
				bc.Over()
				w.Until("one call is left", func() bool { return w.Up() == 1 })
				w.Pass(time.Second)
				ac.HangUp()
				tc.Over()
			}, "1001", "1002", "1003")
		})
	}
}
