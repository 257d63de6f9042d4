package switchtest

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

var (
	codeIn   = regexp.MustCompile(`<Code>(\d+)</Code>`)
	callIDIn = regexp.MustCompile(`<CallId>(\w+)</CallId>`)
)

func code(answer string) string {
	m := codeIn.FindStringSubmatch(answer)
	if m == nil {
		return "no code in " + answer
	}
	return m[1]
}

// withPhone gives a world in which 1002 can be called, with the contact that
// its phone has.
func withPhone(w *World) *Phone {
	w.Config.Extensions = append(w.Config.Extensions,
		server.Extension{Number: "1002", Type: "phone", Contact: "sip:1002@" + PhoneHost(1)},
		server.Extension{Number: "1003", Type: "phone", Contact: "sip:1003@10.9.9.9"})
	return w.Phone("1002")
}

// TestHangupByAPI ends a call that is up; a second time it is not found.
func TestHangupByAPI(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Delay>600</Delay><OnHangup><Var ID="x">1</Var></OnHangup></Response>`)
		c := w.Phone("1001").Dial("9000")
		w.Pass(3 * time.Second)
		if got := w.API("ListActiveCalls"); !strings.Contains(got, c.ID()) || !strings.Contains(got, "InCall") {
			t.Errorf("ListActiveCalls: %s", got)
		}
		if got := code(w.API("Hangup", "CallId", c.ID())); got != "200" {
			t.Errorf("Hangup: %s, want 200", got)
		}
		c.EndsAfter(3*time.Second + Link)
		w.Settle()
		if e := last(w.Events(c.ID()), trace.CallEnded); e.Reason != "api" {
			t.Errorf("ended by %q, want api", e.Reason)
		}
		if got := code(w.API("Hangup", "CallId", c.ID())); got != "601" {
			t.Errorf("Hangup of a call that is over: %s, want 601", got)
		}
	})
}

// TestCallByAPI: the phone rings, is answered, and the script runs.
func TestCallByAPI(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/connected", `<Response><Speak>This is the switch</Speak></Response>`)
		w.Web.Serve("/done", "")
		bob := withPhone(w)
		bob.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 3 * time.Second}} }
		begun := time.Now()
		answer := w.API("Call", "Dialed", "1002", "ApiExtension", "9000", "Url", "http://app/connected", "FinishedUrl", "http://app/done")
		if code(answer) != "200" || callIDIn.FindString(answer) == "" {
			t.Fatalf("Call: %s", answer)
		}
		if took := time.Since(begun); took > 100*time.Millisecond {
			t.Errorf("Call answered after %v, want it once the phone rings", took)
		}
		c := bob.Next()
		c.Hears("This is the switch")
		c.EndsAfter(Length("This is the switch") + 2*Link) // its answer goes there, the BYE comes back
		p := w.Web.Wait("CallCompleted", 1)
		if p.Fields.Get("State") != "Completed" || p.Fields.Get("Callee") != "1002" {
			t.Errorf("CallCompleted says %v", p.Fields)
		}
		if got := w.Web.Wait("CallConnected", 1).Fields.Get("CallID"); !strings.Contains(answer, got) {
			t.Errorf("CallConnected of %q, the API said %s", got, answer)
		}
	})
}

// TestCallByAPIFails: busy, refused, never rings, rings out, no such number.
func TestCallByAPIFails(t *testing.T) {
	for _, c := range []struct {
		name, to string
		reply    phone.Reply
		code     string // of the API
		word     string
		state    string // of CallCompleted; "" = none comes
		after    time.Duration
	}{
		{name: "busy", to: "1002", reply: phone.Reply{Refuse: 486}, code: "402", word: "Busy", state: "Busy"},
		{name: "not found", to: "1002", reply: phone.Reply{Refuse: 404}, code: "402", word: "NotFound", state: "NotFound"},
		{name: "never rings", to: "1003", code: "402", word: "NoAnswer", state: "NoAnswer", after: 10 * time.Second},
		{name: "rings out", to: "1002", reply: phone.Reply{Options: phone.Options{RingFor: time.Hour}}, code: "200", state: "NoAnswer"},
		{name: "unknown", to: "7777", code: "402", word: "NotFound"},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(w *World) {
				w.Web.Serve("/done", "")
				bob := withPhone(w)
				bob.Reply = func() phone.Reply { return c.reply }
				begun := time.Now()
				got := w.API("Call", "Dialed", c.to, "Url", "http://app/connected", "FinishedUrl", "http://app/done")
				if code(got) != c.code || !strings.Contains(got, c.word) {
					t.Errorf("Call: %s, want %s %s", got, c.code, c.word)
				}
				if took := time.Since(begun).Round(100 * time.Millisecond); took != c.after {
					t.Errorf("Call answered after %v, want %v", took, c.after)
				}
				if c.state != "" {
					w.Pass(61 * time.Second)
					if got := w.Web.Wait("CallCompleted", 1).Fields.Get("State"); got != c.state {
						t.Errorf("CallCompleted says %q, want %q", got, c.state)
					}
				}
				w.Pass(time.Minute)
				if w.Up() != 0 {
					t.Error("a call is still up")
				}
			})
		})
	}
}

// TestCallByScript: Call does not hold up the script; what becomes of the call
// is told by its own notifications.
func TestCallByScript(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/done", "")
		bob := withPhone(w)
		bob.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{RingFor: 5 * time.Second}} }
		w.Web.Serve("/ivr", `<Response><Call Dialed="1003" FinishedUrl="http://app/done" Url="http://app/x"/>
			<Call Dialed="1002" ResponseOzML="&lt;Response&gt;&lt;Speak&gt;News&lt;/Speak&gt;&lt;/Response&gt;"/><Speak>both called</Speak></Response>`)
		ann := w.Phone("1001").Dial("9000")
		ann.EndsAfter(Length("both called"))
		b := bob.Next()
		b.Hears("News")
		b.Ends()
		w.Pass(11 * time.Second)
		if got := w.Web.Wait("CallCompleted", 1).Fields; got.Get("State") != "NoAnswer" || got.Get("Callee") != "1003" {
			t.Errorf("CallCompleted says %v", got)
		}
	})
}

// TestShutdown: a switch that stops hangs up what is left, closes recordings,
// and leaves nothing behind. Run checks the goroutines.
func TestShutdown(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Record Format="wav" FinishedUrl="http://app/rec"/><Delay>3600</Delay></Response>`)
		c := w.Phone("1001").Dial("9000")
		w.Pass(3 * time.Second)
		begun := time.Now()
		stopped := make(chan struct{})
		go func() { defer close(stopped); w.Stop() }()
		r := c.Over()
		if took := time.Since(begun); r.Cause != phone.TheyHungUp || took > 6*time.Second {
			t.Errorf("the call ended %v after %v, want the switch to hang up within 6 s", r, took)
		}
		<-stopped
		if e := last(w.Events(c.ID()), trace.CallEnded); e.Reason != "shutdown" {
			t.Errorf("ended by %q, want shutdown", e.Reason)
		}
		w.File("recordings/" + strings.TrimPrefix(last(w.Events(c.ID()), trace.RecordSaved).File, "recordings/"))
	})
}
