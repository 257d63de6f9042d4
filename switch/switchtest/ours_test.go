package switchtest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/ozml/trace"
)

// Extensions of ozswitch, on real calls: what they do to the sound is heard in it.

// says sends words.
func (c *Call) says(text string) {
	c.Phone.w.T.Helper()
	if err := c.Say(media.Samples(rate, mediatest.Spell(text, rate))); err != nil {
		c.Phone.w.T.Fatal(err)
	}
}

// TestRecordChannels: the parameter wins over the extension's record_channels.
func TestRecordChannels(t *testing.T) {
	for _, channels := range []int{1, 2} {
		Run(t, func(w *World) {
			w.Config.Extensions[0].RecordChannels = 3 - channels
			w.Web.Serve("/ivr", fmt.Sprintf(`<Response>%sChannels="%d"/><Speak>Speak now</Speak><Delay>3</Delay><Hangup/></Response>`, rec, channels))
			w.Web.Serve("/rec", "")
			c := w.Phone("1001").Dial("9000")
			c.Hears("Speak now")
			c.Play(media.Samples(rate, mediatest.Spell("my name is ann", rate)))
			c.Ends()
			left, right := sides(t, strings.NewReader(string(w.File(w.Web.Wait("RecordCompleted", 1).Fields.Get("RecordPath")))), channels)
			if got := mediatest.Text(left, rate); !strings.Contains(got, "ann") {
				t.Errorf("%d channels: the caller's side has %q", channels, got)
			}
			if got := mediatest.Text(right, rate); !strings.Contains(got, "speak now") || strings.Contains(got, "ann") != (channels == 1) {
				t.Errorf("%d channels: our side has %q", channels, got)
			}
		})
	}
}

// TestRecordBeep: the caller hears half a second of 1000 Hz, and then the recording
// begins, which has nothing of it.
func TestRecordBeep(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Delay>1</Delay>`+rec+`Beep="true" Duration="2"/></Response>`)
		w.Web.Serve("/rec", "")
		call := w.Phone("1001").Dial("9000")
		call.Over()
		r := recording(w, 1)
		r.want(t, "duration", "", 2*time.Second)
		e := first(w.Events(call.ID()), trace.RecordStart)
		answered := first(w.Events(call.ID()), trace.CallAnswered)
		if after := e.T.Sub(answered.T); after < 1500*time.Millisecond || after > 1540*time.Millisecond {
			t.Errorf("the recording began %v after the answer, want 1.5 s", after)
		}
		left, _ := sides(t, strings.NewReader(string(w.File(r.Fields.Get("RecordPath")))), 1)
		if l := mediatest.Level(left, rate, 1000); l > -70 {
			t.Errorf("the tone is in the recording, at %.1f dB", l)
		}
	})
}

func first(all []trace.Event, t trace.Type) trace.Event {
	for _, e := range all {
		if e.Type == t {
			return e
		}
	}
	return trace.Event{}
}

// TestRecordTrim: the file begins 0.2 s before the first sound and ends 0.2 s after
// the last; Duration and Size are the file's.
func TestRecordTrim(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response>`+rec+`TrimSilence="true" Duration="12"/><Delay>2</Delay><Speak>Go on</Speak></Response>`)
		w.Web.Serve("/rec", "")
		c := w.Phone("1001").Dial("9000")
		c.Hears("Go on")
		w.Pass(2 * time.Second)
		begun := time.Now()
		c.says("my name is ann")
		c.Ends()
		r := recording(w, 1) // compares Duration and Size with the file
		if r.Fields.Get("Reason") != "duration" || !strings.Contains(r.text, "go on my name is ann") {
			t.Errorf("ended by %s, has %q", r.Fields.Get("Reason"), r.text)
		}
		e := first(w.Events(c.ID()), trace.RecordStart)
		want := begun.Add(Length("my name is ann")).Sub(e.T) - 2*time.Second + 400*time.Millisecond // from the prompt to the last word
		if off := r.length - want; off < -200*time.Millisecond || off > 200*time.Millisecond {
			t.Errorf("the file is %v long, want %v", r.length, want)
		}
		if ended := last(w.Events(c.ID()), trace.RecordEnd); ended.Seconds != 12 {
			t.Errorf("the recording ran for %v s, want 12", ended.Seconds)
		}
	})
}

// TestPauseRecord: what is said in a pause is not in the file, which has no gap.
func TestPauseRecord(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response>`+rec+`Duration="16"/><Delay>5</Delay><PauseRecord/><Delay>20</Delay><ResumeRecord/></Response>`)
		w.Web.Serve("/rec", "")
		c := w.Phone("1001").Dial("9000")
		begun := time.Now()
		c.says("first")
		w.Pass(6*time.Second - time.Since(begun))
		c.says("secret")
		w.Pass(26*time.Second - time.Since(begun))
		c.says("third")
		c.Over()
		if took := time.Since(begun).Round(100 * time.Millisecond); took != 36*time.Second {
			t.Errorf("the call took %v, want 16 s and the pause of 20 s", took)
		}
		r := recording(w, 1)
		r.want(t, "duration", "", 16*time.Second)
		if r.text != "first third" {
			t.Errorf("the recording has %q", r.text)
		}
	})
}

// TestPauseRecordEnds: the end of the call, and a key, end a paused recording.
func TestPauseRecordEnds(t *testing.T) {
	for _, c := range []struct {
		name          string
		do            func(c *Call)
		reason, digit string
		script        string
	}{
		{"hangup", func(c *Call) { c.HangUp() }, "hangup", "", ""},
		{"digit", func(c *Call) { c.Press("#"); c.Phone.w.Pass(time.Second); c.HangUp() }, "digit", "#", ""},
		{"replaced", func(*Call) {}, "replaced", "", `<Record Format="wav"/><Delay>1</Delay><Hangup/>`},
		{"at once", func(c *Call) { c.HangUp() }, "hangup", "", `<ResumeRecord/><PauseRecord/><ResumeRecord/><PauseRecord/><Delay>60</Delay>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(w *World) {
				w.Web.Serve("/ivr", `<Response>`+rec+`FinishDigits="#"/><Delay>3</Delay><PauseRecord/><Delay>2</Delay>`+c.script+`<Delay>60</Delay></Response>`)
				w.Web.Serve("/rec", "")
				call := w.Phone("1001").Dial("9000")
				w.Pass(6 * time.Second)
				c.do(call)
				call.Over()
				recording(w, 1).want(t, c.reason, c.digit, 3*time.Second)
			})
		})
	}
}

// TestPauseRecordInactivity: silence does not count in a pause; a voice that goes on
// over it does.
func TestPauseRecordInactivity(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response>`+rec+`Inactivity="3"/><Delay>2</Delay><PauseRecord/><Delay>10</Delay><ResumeRecord/></Response>`)
		w.Web.Serve("/rec", "")
		c := w.Phone("1001").Dial("9000")
		begun := time.Now()
		c.Says(14 * time.Second) // over the pause, and two seconds more
		c.Over()
		if took := time.Since(begun); took < 16800*time.Millisecond || took > 17300*time.Millisecond {
			t.Errorf("the call took %v, want 14 s and 3 s of silence", took)
		}
		r := recording(w, 1)
		if off := r.length - 7*time.Second; r.Fields.Get("Reason") != "inactivity" || off < -200*time.Millisecond || off > 300*time.Millisecond {
			t.Errorf("ended by %s, %v long, want 7 s", r.Fields.Get("Reason"), r.length)
		}
	})
}

// TestPauseRecordByAPI: the recording that a script started is interrupted over
// HTTP; 303 without one, 601 without a call.
func TestPauseRecordByAPI(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Delay>1</Delay>`+rec+`/><Delay>9</Delay><Hangup/></Response>`)
		w.Web.Serve("/rec", "")
		c := w.Phone("1001").Dial("9000")
		for _, s := range []struct {
			after         time.Duration
			command, want string
		}{
			{0, "PauseRecord", "303"},
			{2 * time.Second, "PauseRecord", "200"},
			{time.Second, "PauseRecord", "200"},
			{3 * time.Second, "ResumeRecord", "200"},
			{time.Second, "ResumeRecord", "200"},
		} {
			w.Pass(s.after)
			if got := w.API(s.command, "CallId", c.ID()); code(got) != s.want {
				t.Errorf("%s: %s, want %s", s.command, got, s.want)
			}
		}
		if got := w.API("ResumeRecord", "CallId", c.ID()+"x"); code(got) != "601" {
			t.Errorf("ResumeRecord of no call: %s", got)
		}
		c.Over()
		recording(w, 1).want(t, "hangup", "", 5*time.Second)
		e := w.Events(c.ID())
		if count(e, trace.RecordPause) != 1 || count(e, trace.RecordResume) != 1 {
			t.Errorf("%d pauses and %d resumes are told", count(e, trace.RecordPause), count(e, trace.RecordResume))
		}
	})
}

// TestRecordBeepByAPI: a recording of the API with its tone, which lies over what the
// script has the caller hear.
func TestRecordBeepByAPI(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Delay>8</Delay><Hangup/></Response>`)
		w.Web.Serve("/rec", "")
		c := w.Phone("1001").Dial("9000")
		w.Pass(time.Second)
		begun := time.Now()
		got := w.API("Record", "CallId", c.ID(), "Format", "wav", "Beep", "true", "Channels", "2", "FinishedUrl", "http://app/rec")
		if took := time.Since(begun).Round(20 * time.Millisecond); code(got) != "200" || took < 500*time.Millisecond || took > 560*time.Millisecond {
			t.Errorf("Record: %s after %v, want 200 once the tone was heard", got, took)
		}
		c.says("hello")
		c.Over()
		left, right := sides(t, strings.NewReader(string(w.File(w.Web.Wait("RecordCompleted", 1).Fields.Get("RecordPath")))), 2)
		if got := mediatest.Text(left, rate); got != "hello" {
			t.Errorf("the caller's side has %q", got)
		}
		if l := mediatest.Level(right, rate, 1000); l > -70 {
			t.Errorf("the tone is in the recording, at %.1f dB", l)
		}
	})
}
