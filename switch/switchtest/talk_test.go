package switchtest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/mediatest"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
)

// Tells spells a text to the far end.
func (c *Call) Tells(text string) {
	c.Phone.w.T.Helper()
	c.Play(media.Samples(rate, mediatest.Spell(text, rate)))
}

// hearEachOther lets two tell each other something, both at once.
func hearEachOther(a, b *Call, once string) {
	a.Phone.w.T.Helper()
	a.Tells("from the one " + once)
	b.Tells("from the other " + once)
	b.Hears("from the one " + once)
	a.Hears("from the other " + once)
}

// TestPhonesHearEachOther: two telephones of the same and of different codecs.
func TestPhonesHearEachOther(t *testing.T) {
	pcmu, pcma, g722 := codec.ByName("PCMU", 8000), codec.ByName("PCMA", 8000), codec.ByName("G722", 8000)
	for _, c := range []struct{ caller, callee *codec.Codec }{{pcmu, pcmu}, {pcma, pcmu}, {g722, g722}, {pcmu, g722}, {g722, pcma}} {
		t.Run(c.caller.Name+" "+c.callee.Name, func(t *testing.T) {
			company(t, func(w *World) {
				a, b := w.Phone("1001"), w.Phone("1002")
				b.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{Codecs: []*codec.Codec{c.callee}}} }
				ac := a.Place("1002", phone.Options{Codecs: []*codec.Codec{c.caller}})
				bc := b.Next()
				if err := ac.Answered(context.Background()); err != nil {
					t.Fatalf("%v\n%s", err, w.Transcript(""))
				}
				hearEachOther(ac, bc, "now")
				ac.HangUp()
				bc.Over()
				for _, e := range w.Events(ac.ID()) {
					if e.Type == trace.MediaQuality && (e.Lost > 0 || e.Received < 50) {
						t.Errorf("the sound was not whole: %d packets came, %d were lost", e.Received, e.Lost)
					}
				}
				if got := w.Transcript(ac.ID()); !strings.Contains(got, "1001 talks with 1002") {
					t.Errorf("the log does not say who talks:\n%s", got)
				}
			}, "1001", "1002")
		})
	}
}

// TestHold: either party holds the other, who hears music and none of it; then
// they talk on.
func TestHold(t *testing.T) {
	for _, holds := range []string{"caller", "callee"} {
		t.Run(holds, func(t *testing.T) {
			company(t, func(w *World) {
				ac, bc := w.talk(w.Phone("1001"), w.Phone("1002"))
				hearEachOther(ac, bc, "first")
				one, other := ac, bc
				if holds == "callee" {
					one, other = bc, ac
				}
				if err := one.Hold(context.Background(), true); err != nil {
					t.Fatal(err)
				}
				before := len(other.Text())
				one.Tells("secret")
				other.Tells("nobody listens")
				w.Pass(10 * time.Second)
				if heard := other.Text()[before:]; strings.TrimSpace(heard) == "" || strings.Contains(heard, "secret") {
					t.Errorf("on hold the other heard %q, want music", heard)
				}
				one.silent("nobody listens")
				if err := one.Hold(context.Background(), false); err != nil {
					t.Fatal(err)
				}
				w.Pass(time.Second)
				hearEachOther(ac, bc, "again")
				bc.HangUp()
				ac.Over()
				var said []trace.Type
				for _, e := range w.Events(ac.ID()) {
					if e.Type == trace.CallHeld || e.Type == trace.CallResumed || e.Type == trace.CallAnswered {
						said = append(said, e.Type)
					}
				}
				if want := []trace.Type{trace.CallAnswered, trace.CallHeld, trace.CallResumed}; !slices.Equal(said, want) {
					t.Errorf("the log says %v, want %v", said, want)
				}
			}, "1001", "1002")
		})
	}
}

// TestEarlySound: a caller hears what a gateway says before the answer, and the
// answer itself costs nothing of it.
func TestEarlySound(t *testing.T) {
	company(t, func(w *World) {
		a, b := w.Phone("1001"), w.Phone("1002")
		b.Reply = func() phone.Reply {
			return phone.Reply{Options: phone.Options{RingFor: 8 * time.Second, Early: []phone.Say{{At: time.Second, Source: media.Samples(rate, mediatest.Spell("early words", rate))}}}}
		}
		ac := a.Place("1002", phone.Options{})
		bc := b.Next()
		ac.Hears("early words")
		if got := w.Transcript(ac.ID()); strings.Contains(got, "talks with") {
			t.Errorf("it was answered already:\n%s", got)
		}
		if err := ac.Answered(context.Background()); err != nil {
			t.Fatal(err)
		}
		hearEachOther(ac, bc, "later")
		ac.HangUp()
		bc.Over()
	}, "1001", "1002")
}

// TestCallerGivesUp: the caller hangs up while telephones ring; all of them stop.
func TestCallerGivesUp(t *testing.T) {
	company(t, func(w *World) {
		a, b, desk := w.Phone("1001"), w.Phone("1002"), w.Phone("1002 desk")
		for _, p := range []*Phone{b, desk} {
			p.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		}
		ac := a.Place("1002", phone.Options{})
		one, two := b.Next(), desk.Next()
		w.Pass(3 * time.Second)
		ac.HangUp()
		for _, c := range []*Call{one, two} {
			if r := c.Over(); r.Cause != phone.TheyHungUp || r.Length != 0 {
				t.Errorf("phone %s: %v", c.Phone.Number, r)
			}
		}
		w.Until("the call is over", func() bool { return w.Up() == 0 })
		if e := last(w.Events(ac.ID()), trace.CallEnded); e.Reason != "caller" {
			t.Errorf("ended by %q, want the caller", e.Reason)
		}
	}, "1001", "1002")
}

// TestTransferIsHeard: after a transfer those who are left hear each other; who
// is handed on hears that it rings.
func TestTransferIsHeard(t *testing.T) {
	for _, kind := range []string{"blind", "attended"} {
		t.Run(kind, func(t *testing.T) {
			company(t, func(w *World) {
				a, b, third := w.Phone("1001"), w.Phone("1002"), w.Phone("1003")
				third.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 6 * time.Second}} }
				ac, bc := w.talk(a, b)
				hearEachOther(ac, bc, "first")
				var tc *Call
				var err error
				before := 0
				if kind == "blind" {
					before = len(ac.Text())
					err = bc.Refer(context.Background(), at("1003"))
					tc = third.Next()
					if heard := ac.Text()[before:]; !strings.Contains(heard, "tone 425") {
						t.Errorf("while it rang the caller heard %q, want the ringing tone", heard)
					}
				} else {
					if err := bc.Hold(context.Background(), true); err != nil {
						t.Fatal(err)
					}
					var ask *Call
					ask, tc = w.talk(b, third)
					hearEachOther(ask, tc, "aside")
					err = bc.ReferTo(context.Background(), ask.Call, at("1003"))
				}
				if err != nil {
					t.Fatalf("%v\n%s", err, w.Transcript(""))
				}
				bc.Over()
				w.Pass(time.Second)
				hearEachOther(ac, tc, "afterwards")
				ac.silent("aside")
				tc.HangUp()
				ac.Over()
				w.Until("all is over", func() bool { return w.Up() == 0 })
				if n := count(w.Events(ac.ID()), trace.MediaQuality); n != 3 {
					t.Errorf("the log tells the quality of %d legs, want 3\n%s", n, w.Transcript(ac.ID()))
				}
			}, "1001", "1002", "1003")
		})
	}
}

// TestKeysOfTwo: a key that one presses reaches the other, whether it comes by
// telephone-event or by INFO.
func TestKeysOfTwo(t *testing.T) {
	company(t, func(w *World) {
		var mu sync.Mutex
		heard := ""
		a, b := w.Phone("1001"), w.Phone("1002")
		b.Reply = func() phone.Reply {
			return phone.Reply{Options: phone.Options{Events: func(e phone.Event) {
				if e.Kind == phone.KeyHeard {
					mu.Lock()
					heard += string(rune(e.Key))
					mu.Unlock()
				}
			}}}
		}
		ac, bc := w.talk(a, b)
		w.Pass(time.Second)
		ac.Press("42#")
		w.Pass(2 * time.Second)
		if status, body := w.v1("POST", "/v1/calls/"+ac.ID()+"/keys", `{"keys":"7"}`); status != 204 { // as if by INFO of the caller
			t.Errorf("keys: %d %s", status, body)
		}
		w.Pass(2 * time.Second)
		mu.Lock()
		if heard != "42#7" {
			t.Errorf("the callee heard the keys %q, want 42#7", heard)
		}
		mu.Unlock()
		hearEachOther(ac, bc, "afterwards")
		ac.HangUp()
		bc.Over()
	}, "1001", "1002")
}

// TestKeysAfterAScript: what two press after a script has joined them is theirs:
// the other hears it, and the log does not have it.
func TestKeysAfterAScript(t *testing.T) {
	company(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Speak>Hello</Speak><UserInput Timeout="2"/><BlindTransfer>1002</BlindTransfer></Response>`)
		heard := make(chan byte, 16)
		w.Phone("1002").Reply = func() phone.Reply {
			return phone.Reply{Options: phone.Options{RingFor: time.Second, Events: func(e phone.Event) {
				if e.Kind == phone.KeyHeard {
					heard <- e.Key
				}
			}}}
		}
		ac := w.Phone("1001").Dial("9000")
		ac.Hears("Hello")
		ac.Press("1")
		bc := w.Phone("1002").Next()
		w.Pass(2 * time.Second)
		ac.Press("42")
		w.Pass(2 * time.Second)
		if len(heard) != 2 {
			t.Errorf("the callee heard %d keys, want 2", len(heard))
		}
		logged := ""
		for _, e := range w.Events(ac.ID()) {
			if e.Type == trace.Key {
				logged += e.Key
			}
		}
		if logged != "1" {
			t.Errorf("the log has the keys %q, want only what the script got: 1", logged)
		}
		ac.HangUp()
		bc.Over()
	}, "1001", "1002")
}

// TestOneChangesItsCodec: a re-INVITE of one party leaves the other as it was.
func TestOneChangesItsCodec(t *testing.T) {
	company(t, func(w *World) {
		pcmu, pcma := codec.ByName("PCMU", 8000), codec.ByName("PCMA", 8000)
		a, b := w.Phone("1001"), w.Phone("1002")
		b.Reply = func() phone.Reply {
			return phone.Reply{Options: phone.Options{Codecs: []*codec.Codec{pcmu}, Record: true}}
		}
		ac := a.Place("1002", phone.Options{Codecs: []*codec.Codec{pcmu}, Record: true})
		bc := b.Next()
		if err := ac.Answered(context.Background()); err != nil {
			t.Fatal(err)
		}
		hearEachOther(ac, bc, "first")
		if err := ac.Reoffer(context.Background(), pcma); err != nil {
			t.Fatalf("%v\n%s", err, w.Transcript(ac.ID()))
		}
		w.Pass(time.Second)
		ac.Tells("in another codec")
		bc.Tells("in the old one")
		bc.Hears("in another codec")
		w.Pass(3 * time.Second)
		ac.HangUp()
		if h := ac.Over().Heard; !mediatest.Hears(h.PCM, h.Rate, "in the old one") {
			t.Errorf("the caller heard %q, want \"in the old one\"", mediatest.Text(h.PCM, h.Rate))
		}
		for i, c := range []*Call{ac, bc} {
			kinds := map[uint8]bool{}
			for _, p := range c.Over().Heard.Packets {
				kinds[p.PT] = true
			}
			if kinds[pcma.PT] != (i == 0) {
				t.Errorf("phone %s got packets of types %v", c.Phone.Number, kinds)
			}
		}
	}, "1001", "1002")
}
