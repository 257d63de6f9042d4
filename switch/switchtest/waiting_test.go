package switchtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// agents is a queue 9500 with two agents, 1001 and 1002, and callers from 2000 on.
func agents(t *testing.T, e server.Extension, f func(w *World, agents []*Phone)) {
	t.Helper()
	company(t, func(w *World) {
		for i := range 10 {
			n := fmt.Sprint(2000 + i)
			w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: n, Type: "phone", Password: server.Secret("pw-" + n)})
		}
		e.Number, e.Type, e.Members = "9500", "queue", []string{"1001", "1002"}
		w.Config.Extensions = append(w.Config.Extensions, e, server.Extension{Number: "9900", Type: "echo"})
		f(w, []*Phone{w.Phone("1001"), w.Phone("1002")})
	}, "1001", "1002")
}

// told are the events of the queue: "2003 answered 1001".
func told(w *World, reasons ...string) (all []string) {
	from := map[string]string{}
	for _, e := range w.Events("") {
		if e.Type == trace.CallStarted {
			from[e.Call] = e.From
		}
		if e.Type == trace.Queue && slices.Contains(reasons, e.Reason) {
			all = append(all, strings.TrimSpace(from[e.Call]+" "+e.Reason+" "+e.To))
		}
	}
	return all
}

// works lets an agent ring for a while, answer and talk for a while.
func (p *Phone) works(ring, talk time.Duration) {
	p.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: ring, HangupAfter: talk}} }
}

// TestQueue: ten callers, two agents. Callers are answered in the order in which
// they came; an agent talks, rests for two seconds, and takes the next.
func TestQueue(t *testing.T) {
	for strategy, first := range map[string]string{"longest-idle": "1001", "round-robin": "1001", "all": "1001 1002"} {
		t.Run(strategy, func(t *testing.T) {
			agents(t, server.Extension{Strategy: strategy, WrapUp: server.Duration(2 * time.Second), Announce: server.Duration(6 * time.Second)}, func(w *World, at []*Phone) {
				t := w.T
				at[0].works(time.Second, 4*time.Second)
				at[1].works(1500*time.Millisecond, 4*time.Second)
				var callers []*Call
				for i := range 10 {
					callers = append(callers, w.Phone(fmt.Sprint(2000+i)).Dial("9500"))
				}
				s := w.Server.Queues()
				if len(s) != 1 || len(s[0].Waiting) != 10 || s[0].Agents[0].State != "ringing" {
					t.Errorf("the queue is %+v, want ten who wait and agents that ring", s)
				}
				if text := w.Get("/v1/queues"); !strings.Contains(text, `"number":"2009"`) || !strings.Contains(text, `"state":"ringing"`) {
					t.Errorf("/v1/queues: %s", text)
				}
				callers[7].Hears("you are number 6 in the queue")
				for i, c := range callers {
					if r := c.Over(); r.Cause != phone.TheyHungUp {
						t.Errorf("caller %d: %v, want the agent to hang up", i, r)
					}
				}
				w.Until("all is told", func() bool { return w.Up() == 0 })
				var want []string
				for i := range 10 {
					want = append(want, fmt.Sprintf("%d answered %d", 2000+i, 1001+i%2))
				}
				if got := told(w, "answered"); !slices.Equal(got, want) {
					t.Errorf("answered:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				if got := told(w, "offered"); got[0] != "2000 offered "+first || len(told(w, "missed", "overflow", "left")) > 0 {
					t.Errorf("offered %q; besides %q", got, told(w, "missed", "overflow", "left"))
				}
				free := map[string]time.Time{}
				for _, e := range w.Events("") {
					switch {
					case e.Type == trace.Queue && e.Reason == "answered":
						if e.T.Before(free[e.To]) {
							t.Errorf("agent %s answered at %v, before its rest ended", e.To, e.T)
						}
						free[e.To] = e.T.Add(6 * time.Second)
					}
				}
			})
		})
	}
}

// TestQueueMissed: an agent that does not answer rests, the other one is rung; a
// caller who gives up leaves no trace; who waits too long goes on.
func TestQueueMissed(t *testing.T) {
	agents(t, server.Extension{
		RingTime: server.Duration(4 * time.Second), WrapUp: server.Duration(30 * time.Second), WaitLimit: server.Duration(20 * time.Second), Overflow: "9900",
	}, func(w *World, at []*Phone) {
		t := w.T
		at[0].Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
		at[1].works(time.Second, time.Minute)
		one := w.Phone("2000").Dial("9500")
		w.Until("1002 has answered", func() bool { return slices.Equal(told(w, "answered"), []string{"2000 answered 1002"}) })
		if got := strings.Join(told(w, "offered", "missed"), ", "); got != "2000 offered 1001, 2000 missed 1001, 2000 offered 1002" {
			t.Errorf("told %s", got)
		}
		if s := w.Server.Queues()[0]; len(s.Waiting) != 0 || s.Agents[0].State != "resting" || s.Agents[1].State != "talking" {
			t.Errorf("the queue is %+v", s)
		}
		if err := one.Say(Noise(time.Second)); err != nil {
			t.Fatal(err)
		}
		two := w.Phone("2001").Dial("9500") // gives up
		three := w.Phone("2002").Dial("9500")
		w.Pass(2 * time.Second)
		two.HangUp()
		w.Until("2002 is third no more", func() bool { return len(w.Server.Queues()[0].Waiting) == 1 })
		w.Until("2002 goes to the echo", func() bool { return len(told(w, "overflow")) > 0 })
		w.Pass(2 * time.Second)
		if err := three.Say(media.Samples(8000, mediatest.Spell("is there an echo", 8000))); err != nil {
			t.Fatal(err)
		}
		three.Hears("is there an echo")
		three.HangUp()
		one.HangUp()
	})
}

// TestQueueEmpty: nobody waits where nobody answers; agents log out and in by
// *45 and the queue's number.
func TestQueueEmpty(t *testing.T) {
	agents(t, server.Extension{}, func(w *World, at []*Phone) {
		t := w.T
		at[0].works(time.Second, 5*time.Second)
		at[1].works(time.Second, 5*time.Second)
		for _, p := range at {
			c := p.Dial("*459500")
			c.Hears("you are logged out of the queue")
			c.Over()
		}
		c := w.Phone("2000").Dial("9500")
		c.Hears("nobody can take your call now")
		c.Ends()
		stranger := w.Phone("2001").Dial("*459500")
		stranger.Hears("you are not an agent")
		stranger.Over()
		c = at[1].Dial("*459500")
		c.Hears("you are logged in to the queue")
		c.Over()
		c = w.Phone("2000").Dial("9500")
		c.Over()
		if got := strings.Join(told(w, "answered"), ", "); got != "2000 answered 1002" {
			t.Errorf("answered: %s", got)
		}
	})
}
