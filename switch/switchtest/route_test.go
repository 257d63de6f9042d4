package switchtest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// company is a world with telephones of these numbers, who must prove who they
// are.
func company(t *testing.T, f func(w *World), numbers ...string) {
	t.Helper()
	Run(t, func(w *World) {
		w.Config.SIP.Guests = "none"
		w.Config.Dialplan = nil
		for _, n := range numbers {
			w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: n, Type: "phone", Name: "Phone " + n, Password: server.Secret("pw-" + n)})
		}
		f(w)
	})
}

// TestPhoneToPhone: two telephones talk; either hangs up.
func TestPhoneToPhone(t *testing.T) {
	for _, hangs := range []string{"caller", "callee"} {
		t.Run(hangs, func(t *testing.T) {
			company(t, func(w *World) {
				a, b := w.Phone("1001"), w.Phone("1002")
				b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 3 * time.Second}} }
				ac := a.Place("1002", phone.Options{})
				bc := b.Next()
				if err := ac.Answered(context.Background()); err != nil {
					t.Fatalf("%v\n%s", err, w.Transcript(""))
				}
				if bc.From() != "1001" {
					t.Errorf("shown to the callee: %q, want 1001", bc.From())
				}
				ac.Says(2 * time.Second)
				bc.Says(2 * time.Second)
				w.Pass(3 * time.Second)
				first, second := ac, bc
				if hangs == "callee" {
					first, second = bc, ac
				}
				first.Call.Hangup()
				if r := second.Over(); r.Cause != phone.TheyHungUp {
					t.Errorf("the other's call ended: %v", r)
				}
				first.Over()
				w.Until("the call is over", func() bool { return w.Up() == 0 })
				if !strings.Contains(w.Transcript(ac.ID()), "call ended: "+hangs) {
					t.Errorf("want the call ended by the %s:\n%s", hangs, w.Transcript(ac.ID()))
				}
			}, "1001", "1002")
		})
	}
}

// TestNobodyComes: what a caller is told when nobody answers.
func TestNobodyComes(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Dialplan = []server.Rule{{Match: "9", To: server.Names{"1002", "1003"}, RingTime: server.Duration(4 * time.Second)}, {From: "extension", Match: "*", To: server.Names{"*"}}}
		a, b := w.Phone("1001"), w.Phone("1002")
		refuse := 0
		b.Reply = func() phone.Reply { return phone.Reply{Refuse: refuse, Options: phone.Options{RingFor: time.Hour}} }
		for _, c := range []struct{ says, want int }{{486, 486}, {600, 486}, {603, 603}, {404, 404}, {500, 503}} {
			refuse = c.says
			if got := a.Refused("1002"); got != c.want {
				t.Errorf("a callee that says %d: the caller gets %d, want %d\n%s", c.says, got, c.want, w.Transcript(""))
			}
		}
		if got := a.Refused("1003"); got != 480 {
			t.Errorf("one that is not registered: %d, want 480", got)
		}
		if got := a.Refused("777"); got != 404 {
			t.Errorf("a number that nobody has: %d, want 404", got)
		}
		refuse = 0
		begun := time.Now()
		if got := a.Refused("9"); got != 480 || time.Since(begun) < 4*time.Second || time.Since(begun) > 6*time.Second {
			t.Errorf("one that rings for ever: %d after %v, want 480 after 4 s", got, time.Since(begun))
		}
	}, "1001", "1002", "1003")
}

// TestAllTelephonesRing: an extension with two telephones rings at both; who
// answers stops the other, which is told so.
func TestAllTelephonesRing(t *testing.T) {
	company(t, func(w *World) {
		a, b, desk := w.Phone("1001"), w.Phone("1002"), w.Phone("1002 desk")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 2 * time.Second}} }
		desk.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		c := a.Dial("1002")
		first, second := b.Next(), desk.Next()
		if r := second.Over(); r.Cause != phone.TheyHungUp && r.Cause != phone.GaveUp {
			t.Errorf("the other telephone: %v", r)
		}
		w.Pass(time.Second)
		c.HangUp()
		first.Over()
		sent := ""
		for _, e := range w.Events(c.ID()) {
			if strings.HasPrefix(e.Text, "CANCEL ") {
				sent += e.Text
			}
		}
		if !strings.Contains(sent, "cause=200") {
			t.Errorf("want CANCEL with Reason: SIP;cause=200, sent:\n%s", sent)
		}
	}, "1001", "1002")
}

// TestGroupStaggered: the members of a group begin to ring one after the other,
// and the last answers.
func TestGroupStaggered(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9200", Type: "ringgroup", Members: []string{"1002", "1003", "1004"}, Delay: server.Duration(4 * time.Second)})
		a := w.Phone("1001")
		var rang []string
		begun := time.Time{}
		for _, n := range []string{"1002", "1003", "1004"} {
			p := w.Phone(n)
			p.Reply = func() phone.Reply {
				rang = append(rang, n+" "+time.Since(begun).Truncate(time.Second).String())
				d := time.Hour
				if n == "1004" {
					d = 3 * time.Second
				}
				return phone.Reply{Options: phone.Options{RingFor: d}}
			}
		}
		begun = time.Now()
		c := a.Dial("9200")
		if want := []string{"1002 0s", "1003 4s", "1004 8s"}; !slices.Equal(rang, want) {
			t.Errorf("rang %q, want %q", rang, want)
		}
		for _, n := range []string{"1002", "1003"} {
			w.Phone(n).Next().Over()
		}
		c.HangUp()
		w.Phone("1004").Next().Over()
	}, "1001", "1002", "1003", "1004")
}

// TestGuests: where guests may come they reach applications and nobody else,
// whatever number they claim; a telephone of ours must prove who it is there too.
func TestGuests(t *testing.T) {
	company(t, func(w *World) {
		w.Config.SIP.Guests = "all"
		w.Config.Lines = []server.Line{{Name: "carrier", Address: server.Names{"10.9.9.9"}}}
		w.Config.Dialplan = []server.Rule{{From: "any", Match: "00*", To: server.Names{"carrier"}}, {From: "extension", Match: "*", To: server.Names{"*"}}}
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9200", Type: "ringgroup", Members: []string{"1002"}})
		w.Web.Serve("/ivr", `<Response><Speak>Welcome</Speak></Response>`)
		a, b, guest := w.Phone("1001"), w.Phone("1002"), w.Phone("5551")
		for _, n := range []string{"1002", "9200", "0044"} {
			if got := guest.Refused(n); got != 403 {
				t.Errorf("a guest calls %s: %d, want 403", n, got)
			}
		}
		c := guest.Dial("9000")
		c.Hears("Welcome")
		c.Ends()
		ac, bc := w.talk(a, b)
		ac.HangUp()
		bc.Over()
		liar := w.Phone("1001 liar") // has no password
		if got := liar.Refused("1002"); got != 401 {
			t.Errorf("a guest who claims to be 1001 calls 1002: %d, want 401", got)
		}
		c = liar.Dial("9000")
		c.Hears("Welcome")
		c.Ends()
	}, "1001", "1002")
}

// TestCallRingsAll: a call that a web app places rings all telephones of an
// extension, follows forwarding, and reaches a line only by a rule for scripts.
func TestCallRingsAll(t *testing.T) {
	company(t, func(w *World) {
		w.Config.Lines = []server.Line{{Name: "carrier", Address: server.Names{"10.9.9.9"}}}
		w.Config.Dialplan = []server.Rule{{From: "extension", Match: "00*", To: server.Names{"carrier"}}, {From: "carrier", Match: "*", To: server.Names{"1001"}}}
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9200", Type: "ringgroup", Members: []string{"1001", "1002"}})
		w.Config.Extensions[1].Forward.Always = "1002"
		w.Web.Serve("/connected", `<Response><Speak>Good news for you</Speak></Response>`)
		a, b, desk := w.Phone("1001"), w.Phone("1002"), w.Phone("1002 desk")
		b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		desk.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 2 * time.Second}} }
		for _, number := range []string{"1002", "9200", "1001"} {
			if got := w.API("Call", "Dialed", number, "Url", "http://app/connected"); code(got) != "200" {
				t.Fatalf("Call %s: %s\n%s", number, got, w.Transcript(""))
			}
			c, other := desk.Next(), b.Next()
			c.Hears("Good news for you")
			c.Ends()
			other.Over()
		}
		select {
		case <-a.calls:
			t.Error("1001 rang, which forwards always")
		default:
		}
		if got := w.API("Call", "Dialed", "0044", "Url", "http://app/connected"); code(got) != "402" {
			t.Errorf("Call by a line without a rule for scripts: %s", got)
		}
		w.Until("all are over", func() bool { return w.Up() == 0 })
	}, "1001", "1002")
}
