package switchtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/mp3"
	"ozswitch/ozml/trace"
	"ozswitch/switch/api"
	"ozswitch/switch/server"
)

// A slowEncoder makes real, silent mp3 files of the right length, each after a
// while. (LAME itself runs in processes, which no bubble holds: media/mp3,
// test/peers.)
type slowEncoder struct{ takes time.Duration }

func (slowEncoder) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (slowEncoder) Ready() error                  { return nil }

func (e slowEncoder) Encode(ctx context.Context, s mp3.Sound) (int64, error) {
	select {
	case <-time.After(e.takes):
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if s.Rate != 8000 || s.Channels != 1 {
		return 0, fmt.Errorf("asked to encode %d channels at %d Hz", s.Channels, s.Rate)
	}
	frame := make([]byte, 144) // MPEG-2 layer III, 32 kbit/s, 16 kHz, one channel: 36 ms
	copy(frame, "\xff\xf3\x48\xc4")
	n := (int(s.Samples)*2 + 575) / 576
	b := make([]byte, 0, n*len(frame))
	for range n {
		b = append(b, frame...)
	}
	return int64(len(b)), os.WriteFile(filepath.Join(s.Dir, s.Out), b, 0o600)
}

// TestRecordMP3: RecordCompleted follows the mp3, and the history names it: also
// one that is made long after the call's end.
func TestRecordMP3(t *testing.T) {
	for _, takes := range []time.Duration{time.Second, 20 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			Run(t, func(w *World) {
				w.Options = func(o *server.Options) { o.Encoder = slowEncoder{takes} }
				w.Web.Serve("/ivr", `<Response><Record Format="mp3" FinishedUrl="http://app/rec"/><Delay>3</Delay><Hangup/></Response>`)
				w.Web.Serve("/rec", "")
				call := w.Phone("1001").Dial("9000")
				call.Over()
				history := func() []api.Recording {
					t.Helper()
					w.Pass(100 * time.Millisecond) // until the store has written it
					var rows struct {
						Past []struct{ Recordings int }
					}
					if err := json.Unmarshal([]byte(w.Get("/v1/calls")), &rows); err != nil || len(rows.Past) != 1 {
						t.Fatalf("%d calls in the history: %v", len(rows.Past), err)
					}
					var one struct{ Recordings []api.Recording }
					if err := json.Unmarshal([]byte(w.Get("/v1/calls/"+call.ID())), &one); err != nil {
						t.Fatal(err)
					}
					if n := rows.Past[0].Recordings; n != len(one.Recordings) {
						t.Errorf("the history counts %d recordings, the call has %+v", n, one.Recordings)
					}
					return one.Recordings
				}
				ended := time.Now()
				if takes > 10*time.Second {
					w.Pass(8 * time.Second)
					if r := history(); len(r) != 0 || len(w.Web.Posted("RecordCompleted")) != 0 {
						t.Errorf("before it is made: %+v, %d told", r, len(w.Web.Posted("RecordCompleted")))
					}
				}
				f := w.Web.Wait("RecordCompleted", 1).Fields
				if took := time.Since(ended); took < takes-100*time.Millisecond {
					t.Errorf("told %v after the end, before it was made", took)
				}
				name := f.Get("RecordPath")
				b := w.File(name)
				if f.Get("Format") != "mp3" || !strings.HasSuffix(name, ".mp3") || f.Get("Size") != strconv.Itoa(len(b)) || f.Get("Reason") != "hangup" || f.Get("Error") != "" {
					t.Errorf("RecordCompleted says %v of a file of %d bytes", f, len(b))
				}
				src, err := mp3.NewReader(strings.NewReader(string(b)))
				if err != nil {
					t.Fatal(err)
				}
				pcm, err := media.ReadAll(src)
				if got := src.Rate().D(len(pcm)); err != nil || got < 2900*time.Millisecond || got > 3100*time.Millisecond {
					t.Errorf("the file lasts %v (%v), want 3 s", got, err)
				}
				r := history()
				if len(r) != 1 {
					t.Fatalf("the history names %+v", r)
				}
				if got := r[0]; "recordings/"+got.File != name || got.Format != "mp3" || got.Size != int64(len(b)) || got.Reason != "hangup" || got.Seconds < 2.9 {
					t.Errorf("the history names %+v, want %s", got, name)
				}
				if n := count(w.Events(call.ID()), trace.RecordSaved); n != 1 {
					t.Errorf("%d recording.saved", n)
				}
				w.Pass(time.Minute)
				if n := len(w.Web.Posted("RecordCompleted")); n != 1 {
					t.Errorf("RecordCompleted was posted %d times", n)
				}
			})
		})
	}
}

// TestRecordMP3Restart: the switch stops while the mp3 is made. The next run makes
// it, tells once, and the history's row of that call names the file.
func TestRecordMP3Restart(t *testing.T) {
	Run(t, func(w *World) {
		takes := time.Hour
		w.Options = func(o *server.Options) { o.Encoder = slowEncoder{takes} }
		w.Web.Serve("/ivr", `<Response><Record Format="mp3" FinishedUrl="http://app/rec"/><Delay>3</Delay><Hangup/></Response>`)
		w.Web.Serve("/rec", "")
		call := w.Phone("1001").Dial("9000")
		call.Over()
		id := call.ID()
		history := func() []api.Recording {
			t.Helper()
			w.Pass(100 * time.Millisecond) // until the store has written it
			var one struct {
				ID         string
				Live       bool
				Recordings []api.Recording
			}
			if err := json.Unmarshal([]byte(w.Get("/v1/calls/"+id)), &one); err != nil || one.ID != id || one.Live {
				t.Fatalf("the history has %+v, %v, want the call %s", one, err, id)
			}
			return one.Recordings
		}
		w.Pass(10 * time.Second)
		if r := history(); len(r) != 0 {
			t.Errorf("before it is made the history names %+v", r)
		}
		w.Stop()
		if n := len(w.Web.Posted("RecordCompleted")); n != 0 {
			t.Errorf("RecordCompleted was posted %d times by the run that made no mp3", n)
		}

		takes = time.Second
		for range 2 { // the third run has nothing left to tell
			w.Restart()
			w.Pass(time.Minute)
			told := w.Web.Posted("RecordCompleted")
			if len(told) != 1 {
				t.Fatalf("RecordCompleted was posted %d times, want once", len(told))
			}
			f := told[0].Fields
			b := w.File(f.Get("RecordPath"))
			if f.Get("Format") != "mp3" || f.Get("Size") != strconv.Itoa(len(b)) || f.Get("Reason") != "hangup" {
				t.Errorf("RecordCompleted says %v of a file of %d bytes", f, len(b))
			}
			r := history()
			if len(r) != 1 || "recordings/"+r[0].File != f.Get("RecordPath") || r[0].Size != int64(len(b)) || r[0].Seconds < 2.9 {
				t.Errorf("the history names %+v, want %s once", r, f.Get("RecordPath"))
			}
			w.Stop()
		}
		w.Restart() // for the end of the test
	})
}
