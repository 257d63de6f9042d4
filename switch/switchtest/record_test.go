package switchtest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/media/wav"
	"ozswitch/ozml/trace"
)

// A recorded is what RecordCompleted told, and the file.
type recorded struct {
	Post
	length time.Duration // of the sound in the file
	text   string        // what is heard in it
}

// recording waits for the n-th RecordCompleted and checks what is true of all.
func recording(w *World, n int) recorded {
	t := w.T
	t.Helper()
	r := recorded{Post: w.Web.Wait("RecordCompleted", n)}
	f := r.Fields
	name := f.Get("RecordPath")
	b := w.File(name)
	if f.Get("Format") != "wav" || f.Get("Size") != strconv.Itoa(len(b)) || f.Get("Error") != "" {
		t.Errorf("RecordCompleted says %v of a file of %d bytes", f, len(b))
	}
	src, err := wav.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	pcm, err := media.ReadAll(src)
	if err != nil {
		t.Fatal(err)
	}
	r.length, r.text = src.Rate().D(len(pcm)), mediatest.Text(pcm, src.Rate())
	if got, want := f.Get("Duration"), strconv.FormatFloat(r.length.Seconds(), 'f', 3, 64); got != want {
		t.Errorf("Duration = %s, the file has %s s", got, want)
	}
	path := f.Get("RecordURL")
	if i := strings.Index(path, "/recordings/"); i < 0 {
		t.Errorf("RecordURL = %q", path)
	} else if got := w.Get(path[i:]); got != string(b) {
		t.Errorf("RecordURL gave %d bytes, the file has %d", len(got), len(b))
	}
	if _, err := os.Stat(filepath.Join(w.Config.Data, name+".part")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the .part file is still there: %v", err)
	}
	for _, field := range []string{"CallID", "CallId", "CallerID", "CallerId", "Timestamp", "Direction", "NotificationName"} {
		if f.Get(field) == "" {
			t.Errorf("RecordCompleted lacks %s: %v", field, f)
		}
	}
	return r
}

func (r recorded) want(t *testing.T, reason, digit string, length time.Duration) {
	t.Helper()
	if got := r.Fields.Get("Reason"); got != reason || r.Fields.Get("Digit") != digit {
		t.Errorf("ended by %q %q, want %q %q", got, r.Fields.Get("Digit"), reason, digit)
	}
	if off := r.length - length; off < -40*time.Millisecond || off > 40*time.Millisecond {
		t.Errorf("the file is %v long, want %v", r.length, length)
	}
}

const rec = `<Record Format="wav" FinishedUrl="http://app/rec" `

// TestRecordEnds: each way in which a recording ends, told once.
func TestRecordEnds(t *testing.T) {
	for _, c := range []struct {
		name, script string
		caller       func(c *Call)
		reason       string
		digit        string
		length       time.Duration
	}{
		{"digit", rec + `FinishDigits="1#"/><Delay>20</Delay>`, func(c *Call) {
			c.Phone.w.Pass(3 * time.Second)
			c.Press("#")
		}, "digit", "#", 3*time.Second + 38700*time.Microsecond},
		{"duration", rec + `Duration="4"/><Delay>20</Delay>`, func(*Call) {}, "duration", "", 4 * time.Second},
		{"caller hangs up", rec + `/><Delay>20</Delay>`, func(c *Call) {
			c.Phone.w.Pass(2 * time.Second)
			c.HangUp()
		}, "hangup", "", 2 * time.Second},
		{"script hangs up", rec + `/><Delay>2</Delay><Hangup/>`, func(*Call) {}, "hangup", "", 2 * time.Second},
		{"end of the script waits", rec + `Duration="3"/>`, func(*Call) {}, "duration", "", 3 * time.Second},
		{"replaced", rec + `/><Delay>2</Delay><Record Format="wav"/><Delay>2</Delay><Hangup/>`, func(*Call) {}, "replaced", "", 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(w *World) {
				w.Web.Serve("/ivr", `<Response>`+c.script+`</Response>`)
				w.Web.Serve("/rec", "")
				call := w.Phone("1001").Dial("9000")
				c.caller(call)
				call.Over()
				recording(w, 1).want(t, c.reason, c.digit, c.length)
				w.Pass(time.Minute)
				if n := len(w.Web.Posted("RecordCompleted")); n != 1 {
					t.Errorf("RecordCompleted was posted %d times", n)
				}
				e := w.Events(call.ID())
				if s, x := count(e, trace.RecordStart), count(e, trace.RecordEnd); s != x || s != count(e, trace.RecordSaved) {
					t.Errorf("%d began, %d ended, %d were saved", s, x, count(e, trace.RecordSaved))
				}
			})
		})
	}
}

// TestRecordInactivity: silence from the start, or after the last word.
func TestRecordInactivity(t *testing.T) {
	for name, c := range map[string]struct{ say, want time.Duration }{
		"never said a word": {0, 3 * time.Second},
		"said something":    {4 * time.Second, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			Run(t, func(w *World) {
				w.Web.Serve("/ivr", `<Response>`+rec+`Inactivity="3"/></Response>`)
				w.Web.Serve("/rec", "")
				call := w.Phone("1001").Dial("9000")
				if c.say > 0 {
					call.Says(c.say)
				}
				call.Ends()
				r := recording(w, 1)
				if got := r.Fields.Get("Reason"); got != "inactivity" {
					t.Errorf("ended by %q, want inactivity", got)
				}
				if off := r.length - c.want; off < -150*time.Millisecond || off > 150*time.Millisecond {
					t.Errorf("the file is %v long, want %v", r.length, c.want)
				}
			})
		})
	}
}

// TestRecordBothSides: what the caller says and hears is in the file, mixed or
// left and right.
func TestRecordBothSides(t *testing.T) {
	for _, channels := range []int{1, 2} {
		Run(t, func(w *World) {
			w.Config.Extensions[0].RecordChannels = channels
			w.Web.Serve("/ivr", `<Response>`+rec+`/><Speak>Speak now</Speak><Delay>3</Delay><Hangup/></Response>`)
			w.Web.Serve("/rec", "")
			c := w.Phone("1001").Dial("9000")
			c.Hears("Speak now")
			c.Play(media.Samples(rate, mediatest.Spell("my name is ann", rate)))
			c.Ends()
			f, err := os.Open(filepath.Join(w.Config.Data, w.Web.Wait("RecordCompleted", 1).Fields.Get("RecordPath")))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			left, right := sides(t, f, channels)
			if got := mediatest.Text(left, rate); !strings.Contains(got, "my name is ann") || channels == 1 && !strings.Contains(got, "speak now") {
				t.Errorf("%d channels: the caller's side has %q", channels, got)
			}
			if got := mediatest.Text(right, rate); !strings.Contains(got, "speak now") || channels == 2 && strings.Contains(got, "ann") {
				t.Errorf("%d channels: our side has %q", channels, got)
			}
		})
	}
}

// sides are the channels of a file of 16-bit samples; one channel is both.
func sides(t *testing.T, f io.Reader, channels int) (left, right []int16) {
	t.Helper()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	if got := int(b[22]); got != channels {
		t.Fatalf("the file has %d channels, want %d", got, channels)
	}
	for i := 44; i+2*channels <= len(b); i += 2 * channels {
		left = append(left, int16(b[i])|int16(b[i+1])<<8)
		k := i + 2*(channels-1)
		right = append(right, int16(b[k])|int16(b[k+1])<<8)
	}
	return left, right
}

// TestTakeover: the answer to RecordCompleted takes the call over, with the
// script's variables, in the middle of a command.
func TestTakeover(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Var ID="name">Ann</Var>`+rec+`FinishDigits="#"/><Delay>600</Delay><Speak>never</Speak></Response>`)
		w.Web.Serve("/rec", `<Response><Speak>Thank you $name</Speak><Hangup/></Response>`)
		c := w.Phone("1001").Dial("9000")
		w.Pass(5 * time.Second)
		c.Press("#")
		c.Hears("Thank you Ann")
		c.Ends()
		recording(w, 1).want(t, "digit", "#", 5*time.Second+38700*time.Microsecond)
		if strings.Contains(c.Text(), "never") {
			t.Errorf("heard %q", c.Text())
		}
	})
}

// TestTakeoverLate: an app that answers when the call is gone has its call-less
// commands run, and no others.
func TestTakeoverLate(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response>`+rec+`/><Delay>600</Delay></Response>`)
		w.Web.Handle("/rec", func(Post) Answer {
			return Answer{Body: `<Response><Speak>hello</Speak><Var ID="x">1</Var></Response>`, After: 3 * time.Second}
		})
		c := w.Phone("1001").Dial("9000")
		w.Pass(2 * time.Second)
		c.HangUp()
		w.Pass(5 * time.Second)
		if got := w.Transcript(c.ID()); !strings.Contains(got, "OZ1205") {
			t.Errorf("Speak without a call was not told:\n%s", got)
		}
		if w.Up() != 0 {
			t.Error("the call is still up")
		}
	})
}

// TestRecordReportIsTriedAgain: an app that is down gets RecordCompleted later,
// the same one.
func TestRecordReportIsTriedAgain(t *testing.T) {
	Run(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response>`+rec+`Duration="1"/><Delay>3</Delay></Response>`)
		n := 0
		w.Web.Handle("/rec", func(Post) Answer {
			if n++; n < 4 {
				return Answer{Status: 503}
			}
			return Answer{Body: `<Response><Speak>too late</Speak></Response>`}
		})
		c := w.Phone("1001").Dial("9000")
		c.Ends()
		w.Pass(time.Hour)
		all := w.Web.Posted("RecordCompleted")
		if len(all) != 4 {
			t.Fatalf("posted %d times, want 4", len(all))
		}
		for i, p := range all {
			if p.Header.Get("Ozswitch-Event-Id") != all[0].Header.Get("Ozswitch-Event-Id") {
				t.Errorf("attempt %d has another event id", i)
			}
			if want := []time.Duration{0, 1, 3, 7}[i] * time.Second; p.At.Sub(all[0].At).Round(time.Second) != want {
				t.Errorf("attempt %d after %v, want %v", i, p.At.Sub(all[0].At), want)
			}
		}
	})
}
