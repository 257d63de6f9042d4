package switchtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ozswitch/media/codec"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// TestMenu: barge-in, a key that means nothing, a key that does.
func TestMenu(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", "testdata/menu.xml")
		c := w.Phone("1001").Dial("9000")
		c.Hears("Press one")
		c.Press("7") // no such key: it cuts the prompt short, and after 3 s the prompt comes again
		c.Hears("Press one for sales")
		c.Press("2")
		pressed := time.Now()
		c.Hears("Support")
		if late := time.Since(pressed) - Length("Support"); late > 200*time.Millisecond {
			t.Errorf("after the key it took %v to be heard, want 200 ms at most (decisions 5.2)", late)
		}
		c.Ends()
		if got := strings.Count(c.Text(), "press one for sales"); got != 1 {
			t.Errorf("the prompt was heard %d times in full, want once: %q", got, c.Text())
		}
		for _, want := range []string{"key 7", "UserInput <- 7", "key 2", `Speak "Support"`, "call ended: script"} {
			if !strings.Contains(w.Transcript(c.ID()), want) {
				t.Errorf("the transcript lacks %q:\n%s", want, w.Transcript(c.ID()))
			}
		}
	})
}

// TestExactLength: a call lasts as long as its commands, to the nanosecond, and
// prompts follow each other without a gap.
func TestExactLength(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Speak>one</Speak><Speak>two</Speak><Beep/><Delay>1.5</Delay><Speak>three</Speak></Response>`)
		c := w.Phone("1001").Dial("9000")
		c.EndsAfter(Length("one") + Length("two") + 500*time.Millisecond + 1500*time.Millisecond + Length("three"))
		if got, want := c.Text(), "onetwo tone 1000 three"; strings.TrimSpace(got) != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	})
}

func TestRefusals(t *testing.T) {
	Run(t, func(w *World) {
		w.Config.Extensions = append(w.Config.Extensions,
			server.Extension{Number: "9001", Type: "api", URL: "http://app/reject"},
			server.Extension{Number: "1002", Type: "phone", Contact: "sip:1002@" + PhoneHost(2)})
		w.Config.Dialplan = nil
		w.Web.Serve("/ivr", `<Response><Speak>hello</Speak></Response>`)
		w.Web.Serve("/reject", `<Response><Var ID="x">1</Var><Reject/></Response>`)
		ann := w.Phone("1001")
		for number, want := range map[string]int{"1234": 404, "9001": 603, "1002": 403} {
			if got := ann.Refused(number); got != want {
				t.Errorf("call to %s: %d, want %d", number, got, want)
			}
		}
		call := ann.Place("9000", phone.Options{Codecs: []*codec.Codec{{Name: "G726-32", PT: 100, Rate: 8000, ClockRate: 8000, Silence: make([]byte, 80)}}})
		err := call.Answered(context.Background())
		if r, ok := errors.AsType[*phone.Refused](err); !ok || r.Code != 488 {
			t.Errorf("no codec in common: %v, want 488", err)
		}
		if n := w.Up(); n != 0 {
			t.Errorf("%d calls up after all were refused", n)
		}
	})
}

// TestSlowApp: the caller hears ringing after a second, and may give up.
func TestSlowApp(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Handle("/ivr", func(Post) Answer {
			return Answer{Body: `<Response><Speak>At last</Speak></Response>`, After: 4 * time.Second}
		})
		ann := w.Phone("1001")
		var rang time.Duration
		c := ann.Place("9000", phone.Options{Events: func(e phone.Event) {
			if e.Kind == phone.Ringing && e.Code == 180 {
				rang = e.At
			}
		}})
		if err := c.Answered(context.Background()); err != nil {
			t.Fatal(err)
		}
		c.Hears("At last")
		c.Ends()
		if want := time.Second + 2*Link; rang != want {
			t.Errorf("rang after %v, want %v", rang, want)
		}
		c = ann.Place("9000", phone.Options{})
		w.Pass(2 * time.Second)
		c.Hangup()
		if r := c.Over(); r.Cause != phone.GaveUp || r.Code != 487 {
			t.Errorf("given up: %v, want 487", r)
		}
		w.Pass(10 * time.Second)
		if got := w.Transcript(c.ID()); !strings.Contains(got, "call ended: caller") || strings.Contains(got, "Speak") {
			t.Errorf("transcript of a call that was given up:\n%s", got)
		}
	})
}

// TestLengthLimit: a call that nobody ends ends after four hours.
func TestLengthLimit(t *testing.T) {
	Run(t, func(w *World) {
		w.Config.RTP.Timeout, w.Config.RTP.Silence = 0, "off" // four hours of packets take seconds
		w.Web.Serve("/ivr", `<Response><Delay>86400</Delay></Response>`)
		ann := w.Phone("1001")
		c := ann.Dial("9000")
		w.Pass(time.Second)
		w.Mute(ann)
		got := c.Ends()
		// Counted from the INVITE: the fetch takes no time here.
		if got != 4*time.Hour {
			t.Errorf("lasted %v, want 4 h", got)
		}
		if e := last(w.Events(c.ID()), trace.CallEnded); e.Reason != "time limit" {
			t.Errorf("ended by %q, want time limit", e.Reason)
		}
	})
}

// TestMediaTimeout: a caller from whom nothing comes any more is gone after a
// minute.
func TestMediaTimeout(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Record Format="wav"/><Delay>3600</Delay></Response>`)
		ann := w.Phone("1001")
		c := ann.Dial("9000")
		w.Pass(10 * time.Second)
		w.Mute(ann)
		lasted := c.Ends()
		if lasted < 69*time.Second || lasted > 71*time.Second {
			t.Errorf("lasted %v, want 70 s: a minute after the last packet", lasted)
		}
		if e := last(w.Events(c.ID()), trace.CallEnded); e.Reason != "media timeout" {
			t.Errorf("ended by %q, want media timeout", e.Reason)
		}
	})
}

// TestTwoCallers: what one does does not touch the other.
func TestTwoCallers(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", "testdata/menu.xml")
		ann, bob := w.Phone("1001").Dial("9000"), w.Phone("1002").Dial("9000")
		ann.Hears("Press one")
		ann.Press("1")
		bob.Hears("Press one for sales")
		ann.Hears("Sales")
		ann.Ends()
		bob.Hears("Press one for sales")
		bob.Press("2")
		bob.Hears("Support")
		bob.Ends()
		if strings.Contains(bob.Text(), "?") || strings.Contains(ann.Text(), "support") {
			t.Errorf("ann heard %q, bob %q", ann.Text(), bob.Text())
		}
	})
}

// TestHangupMeanwhile: whatever runs ends at once when the caller leaves.
func TestHangupMeanwhile(t *testing.T) {
	for name, script := range map[string]string{
		"speak": `<Speak>a very long sentence that goes on and on and on and on</Speak>`,
		"delay": `<Delay>3600</Delay>`,
		"input": `<UserInput Timeout="3600"><Inputs><Input Key="1"/></Inputs></UserInput>`,
		"goto":  `<GoTo>http://app/never</GoTo>`,
		"play":  `<Play Repeat="true">x.wav</Play>`,
		"send":  `<Record/><Exit/>`,
	} {
		t.Run(name, func(t *testing.T) {
			Run(t, func(w *World) {
				soundFile(w, "x.wav", time.Second)
				w.Web.Serve("/ivr", `<Response>`+script+`<Speak>never</Speak></Response>`)
				w.Web.Handle("/never", func(Post) Answer { return Answer{After: time.Hour} })
				c := w.Phone("1001").Dial("9000")
				w.Pass(1500 * time.Millisecond)
				c.HangUp()
				ended := last(w.Events(c.ID()), trace.CallEnded)
				script := last(w.Events(c.ID()), trace.ScriptEnded)
				if ended.Reason != "caller" || script.Reason != "gone" || script.T.Sub(ended.T) > 0 {
					t.Errorf("ended %q, script ended %q %v later:\n%s", ended.Reason, script.Reason, script.T.Sub(ended.T), w.Transcript(c.ID()))
				}
				if w.Up() != 0 {
					t.Error("the call is still up")
				}
			})
		})
	}
}

// TestOnHangup: what follows the call needs no call.
func TestOnHangup(t *testing.T) {
	Run(t, func(w *World) {
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "1002", Type: "phone", Contact: "sip:1002@" + PhoneHost(2)})
		w.Web.Serve("/ivr", `<Response><OnHangup><Speak>nobody hears it</Speak>
			<Call Dialed="1002" ResponseOzML="&lt;Response&gt;&lt;Speak&gt;Ann called&lt;/Speak&gt;&lt;/Response&gt;"/></OnHangup><Delay>100</Delay></Response>`)
		c := w.Phone("1001").Dial("9000")
		bob := w.Phone("1002")
		w.Pass(time.Second)
		c.HangUp()
		b := bob.Next()
		b.Hears("Ann called")
		b.Ends()
		if got := w.Transcript(c.ID()); !strings.Contains(got, "OZ1205") {
			t.Errorf("Speak without a call was not told:\n%s", got)
		}
	})
}

// TestSensitive: keys that are secret stand nowhere in the log or on disk.
func TestSensitive(t *testing.T) {
	Run(t, func(w *World) {
		w.Config.Extensions[0].SensitiveInput = true
		w.Web.Serve("/ivr", `<Response><UserInput Digits="4" Timeout="5" ForwardToUrl="http://app/pin"><InitialCommands><Speak>PIN</Speak></InitialCommands></UserInput></Response>`)
		w.Web.Serve("/pin", `<Response><Speak>Thanks</Speak></Response>`)
		c := w.Phone("1001").Dial("9000")
		c.Hears("PIN")
		c.Press("4711")
		c.Hears("Thanks")
		c.Ends()
		w.Pass(time.Second)
		if got := w.Web.Wait("DtmfEntered", 1).Fields.Get("DtmfDigits"); got != "4711" {
			t.Errorf("the app was told %q, want 4711", got)
		}
		for _, e := range w.Events(c.ID()) {
			if s := fmt.Sprintf("%+v", e); strings.Contains(s, "4711") || e.Type == trace.Key && e.Key != "•" {
				t.Errorf("the event log tells the PIN: %s", s)
			}
		}
	})
}

// TestManyCalls: two hundred at once, each hears its own.
func TestManyCalls(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Handle("/ivr", func(p Post) Answer {
			return Answer{Body: `<Response><Speak>You are ` + p.Fields.Get("CallerID") + `</Speak><UserInput Timeout="5"><Inputs><Input Key="#"><Speak>bye</Speak></Input></Inputs></UserInput></Response>`}
		})
		ann := w.Phone("1001")
		var calls []*Call
		for i := range 200 {
			calls = append(calls, ann.Place("9000", phone.Options{From: fmt.Sprint(3000 + i), Keys: []phone.Press{{At: 2 * time.Second, Keys: "#"}}}))
			w.Pass(7 * time.Millisecond)
		}
		want := Length("You are 3000")
		for i, c := range calls {
			r := c.Over()
			if text := fmt.Sprintf("you are %d bye", 3000+i); r.Cause != phone.TheyHungUp || strings.TrimSpace(c.Text()) != text {
				t.Errorf("call %d: %v, heard %q, want %q", i, r, c.Text(), text)
			}
			if r.Length < want || r.Stats.Lost > 0 {
				t.Errorf("call %d: %v long, %d packets lost", i, r.Length, r.Stats.Lost)
			}
		}
	})
}

// TestScriptOfFile: an extension of its own script, the built-in one.
func TestScriptOfFile(t *testing.T) {
	Run(t, func(w *World) {
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9002", Type: "script"})
		w.Config.Dialplan = nil
		c := w.Phone("1001").Dial("9002")
		c.Hears("Welcome to ozswitch")
		c.HangUp()
	})
}

func last(events []trace.Event, t trace.Type) (e trace.Event) {
	for _, x := range events {
		if x.Type == t {
			e = x
		}
	}
	return e
}

func count(events []trace.Event, t trace.Type) (n int) {
	for _, x := range events {
		if x.Type == t {
			n++
		}
	}
	return n
}
