package switchtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/media/mediatest"
	"ozswitch/media/wav"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// TestConferenceByScript: two callers of a script hear each other in a room that no
// configuration knows; a key leads out, and the script goes on. A muted one is not
// heard until he changes that.
func TestConferenceByScript(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Record Format="wav" FinishedUrl="http://app/rec"/>
			<If Var="$caller" Equals="1001"><Conference Room="team" Tone="false"/><Else><Conference Muted="true" LeaveKey="0">team</Conference></Else></If>
			<Speak>you $conferenceresult</Speak><Hangup/></Response>`)
		w.Web.Serve("/rec", "")
		ann, bob := w.Phone("1001").Dial("9000"), w.Phone("1002").Dial("9000")
		w.Until("both are in the room", func() bool {
			s := w.Server.Conferences()
			return len(s) == 1 && s[0].Number == "team" && len(s[0].Members) == 2
		})
		if m := w.Server.Conferences()[0].Members; m[0].Muted || !m[1].Muted {
			t.Errorf("muted are %v and %v, want the second", m[0].Muted, m[1].Muted)
		}
		ann.says("hello bob")
		bob.Hears("hello bob")
		bob.says("nobody hears this")
		w.Pass(4 * time.Second)
		bob.Press("*1")
		bob.Hears("you can be heard again")
		bob.says("hello ann")
		ann.Hears("hello ann")
		if got := ann.Text(); strings.Contains(got, "nobody") {
			t.Errorf("ann heard %q of one who was muted", got)
		}
		bob.Press("#") // not his key
		w.Pass(time.Second)
		bob.Press("0")
		bob.Hears("you left")
		bob.Ends()
		ann.Press("#")
		ann.Hears("you left")
		ann.Ends()
		w.Until("the room is closed", func() bool { return len(w.Server.Conferences()) == 0 })
		for n := 1; n <= 2; n++ { // a recording of the call has the room in it
			if r := recording(w, n); !strings.Contains(r.text, "hello") || !strings.Contains(r.text, "you left") {
				t.Errorf("recording %d has %q", n, r.text)
			}
		}
	})
}

// TestConferenceConfigured: a script's room of the configuration is that of those
// who dial it; nobody is asked for its PIN, and it may be full, or locked.
func TestConferenceConfigured(t *testing.T) {
	Run(t, func(w *World) {
		off := false
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9400", Type: "conference", PIN: "2468", Max: 2, Tone: &off})
		w.Config.Dialplan = nil
		w.Web.Serve("/ivr", `<Response><Conference Max="9">9400</Conference><Speak>it is $conferenceresult</Speak></Response>`)
		ann := w.Phone("1001").Dial("9400")
		ann.Hears("please enter the pin")
		ann.Press("2468#")
		w.Until("ann is in", func() bool { return len(w.Server.Conferences()) == 1 })
		bob := w.Phone("1002").Dial("9000")
		w.Until("bob is in", func() bool { return len(w.Server.Conferences()[0].Members) == 2 })
		bob.says("hello ann")
		ann.Hears("hello ann")
		carl := w.Phone("1003").Dial("9000")
		carl.Hears("it is full")
		carl.Ends()
		bob.HangUp()
		w.Until("bob has left", func() bool { return len(w.Server.Conferences()[0].Members) == 1 })
		ann.Press("*2")
		ann.Hears("the conference is locked")
		dora := w.Phone("1004").Dial("9000")
		dora.Hears("it is locked")
		dora.Ends()
		ann.HangUp()
		w.Until("bob's call is over", func() bool { return count(w.Events(bob.ID()), trace.CallEnded) == 1 })
		if text := w.Transcript(bob.ID()); !strings.Contains(text, "conference 9400 left") {
			t.Errorf("bob's transcript:\n%s", text)
		}
	})
}

// TestConferenceOptions: the music of one who is alone, and the recording of a room
// that no configuration knows.
func TestConferenceOptions(t *testing.T) {
	Run(t, func(w *World) {
		w.media("alone.wav", mediatest.Spell("you are alone", rate))
		w.Web.Serve("/ivr", `<Response><Conference Music="alone.wav" Record="true" Max="1">a.b-c</Conference><Speak>it is $conferenceresult</Speak></Response>`)
		ann := w.Phone("1001").Dial("9000")
		ann.Hears("you are alone")
		bob := w.Phone("1002").Dial("9000")
		bob.Hears("it is full")
		bob.Ends()
		id := ann.ID()
		ann.HangUp()
		var saved trace.Event
		w.Until("the room's recording is saved", func() bool {
			saved = last(w.Events(id), trace.RecordSaved)
			return saved.File != ""
		})
		if !strings.HasPrefix(saved.File, "recordings/conference/a.b-c/") || len(w.File(saved.File)) < 1000 {
			t.Errorf("the recording is %s", saved.File)
		}
	})
}

// TestEnqueue: the agent who answers takes the place of the script, which ends as
// after a transfer; the agent is busy until the talk is over.
func TestEnqueue(t *testing.T) {
	agents(t, server.Extension{WrapUp: server.Duration(2 * time.Second)}, func(w *World, at []*Phone) {
		t := w.T
		w.Web.Serve("/ivr", `<Response><OnHangup><Call Url="http://app/x">7777</Call></OnHangup><Record Format="wav" FinishedUrl="http://app/rec"/>
			<Speak>one moment</Speak><Enqueue Announce="3">9500</Enqueue><Speak>never</Speak></Response>`)
		w.Web.Serve("/rec", "")
		at[0].works(8*time.Second, 5*time.Second)
		at[1].works(8*time.Second, 5*time.Second)
		c := w.Phone("2000").Dial("9000")
		c.Hears("one moment")
		c.Hears("you are next")
		agent := at[0].Next()
		w.Until("the agent has answered", func() bool { return slices.Equal(told(w, "answered"), []string{"2000 answered 1001"}) })
		if s := w.Server.Queues()[0]; len(s.Waiting) != 0 || s.Agents[0].State != "talking" {
			t.Errorf("the queue is %+v", s)
		}
		c.says("is there anybody")
		agent.Hears("is there anybody")
		if r := c.Over(); r.Cause != phone.TheyHungUp {
			t.Errorf("the call ended by %v, want the agent", r.Cause)
		}
		if got := recording(w, 1).Fields.Get("Reason"); got != "transferred" {
			t.Errorf("the recording ended by %q", got)
		}
		w.Until("the agent is free", func() bool { return w.Server.Queues()[0].Agents[0].State == "free" })
		e := last(w.Events(c.ID()), trace.ScriptEnded)
		if e.Reason != "transferred" || strings.Contains(w.Transcript(c.ID()), "never") {
			t.Errorf("the script ended by %q:\n%s", e.Reason, w.Transcript(c.ID()))
		}
		if !strings.Contains(w.Transcript(c.ID()), "Call 7777") {
			t.Errorf("OnHangup did not run:\n%s", w.Transcript(c.ID()))
		}
	})
}

// TestEnqueueGoesOn: by a key, at once, also while an agent's telephone rings; at the
// time-out; without agents; in no such queue. The script hears why.
func TestEnqueueGoesOn(t *testing.T) {
	for _, c := range []struct {
		name, command string
		do            func(c *Call)
		alone         bool // no agent is there
		hears         string
		rings         bool
	}{
		{name: "key", command: `<Enqueue LeaveKey="*">9500</Enqueue>`, do: func(c *Call) {
			c.Press("1")
			c.Phone.w.Pass(3 * time.Second)
			c.Press("*")
		}, hears: "you left", rings: true},
		{name: "timeout", command: `<Enqueue Timeout="25">9500</Enqueue>`, do: func(*Call) {}, hears: "you timeout", rings: true},
		{name: "empty", command: `<Enqueue>9500</Enqueue>`, do: func(*Call) {}, alone: true, hears: "you empty"},
		{name: "unknown", command: `<Enqueue>9501</Enqueue>`, do: func(*Call) {}, hears: "you queueresult"},
	} {
		t.Run(c.name, func(t *testing.T) {
			agents(t, server.Extension{RingTime: server.Duration(10 * time.Second), WrapUp: server.Duration(time.Second)}, func(w *World, at []*Phone) {
				t := w.T
				w.Web.Serve("/ivr", `<Response>`+c.command+`<Speak>you $queueresult</Speak></Response>`)
				for _, p := range at {
					p.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: time.Hour}} }
					if c.alone {
						out := p.Dial("*459500")
						out.Hears("logged out")
						out.Over()
					}
				}
				begun := time.Now()
				call := w.Phone("2000").Dial("9000")
				w.Pass(2 * time.Second)
				c.do(call)
				w.Until("the script goes on", func() bool { return strings.Contains(w.Transcript(call.ID()), `Speak "you`) })
				if took := time.Since(begun); c.name == "key" && took > 5500*time.Millisecond {
					t.Errorf("the key was acted on after %v, want 5 s", took)
				}
				call.Hears(c.hears)
				call.Ends()
				if got := len(told(w, "offered")) > 0; got != c.rings {
					t.Errorf("an agent's telephone rang: %v, want %v", got, c.rings)
				}
				w.Until("nobody waits", func() bool {
					s := w.Server.Queues()[0]
					return len(s.Waiting) == 0 && s.Agents[0].State != "ringing" && s.Agents[1].State != "ringing"
				})
				if got := told(w, "overflow"); len(got) > 0 {
					t.Errorf("told %v", got)
				}
			})
		})
	}
}

// media puts a sound below media/.
func (w *World) media(name string, pcm []int16) {
	w.T.Helper()
	dir := filepath.Join(w.Config.Data, "media")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		w.T.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		w.T.Fatal(err)
	}
	defer f.Close()
	to, err := wav.NewWriter(f, rate, 1)
	if err == nil {
		err = to.Write(pcm)
	}
	if err == nil {
		err = to.Close()
	}
	if err != nil {
		w.T.Fatal(err)
	}
}
