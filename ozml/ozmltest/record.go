package ozmltest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// A recording runs.
type recording struct {
	ozml.RecordSpec
	file   string
	begun  time.Time
	turn   int           // of what will end it: a pause makes it void
	paused time.Time     // since when; zero while it takes sound
	pauses time.Duration // those that are over
	gaps   []stretch     // the same, on the call's clock
	heard  []stretch     // when the call's parties heard something
}

// A stretch is a piece of the call's time.
type stretch struct{ from, to time.Time }

// gone is an answer to RecordCompleted that came when the call was over, or one to
// SMSDeliveryReport.
type gone struct{ file *syntax.File }

// StartRecord starts a recording; one that runs ends with reason replaced.
func (c *Call) StartRecord(ctx context.Context, r ozml.RecordSpec) error {
	c.did("", "Record", r)
	return c.startRecord(ctx, r)
}

func (c *Call) startRecord(ctx context.Context, r ozml.RecordSpec) error {
	if err := c.stopped(ctx); err != nil {
		return err
	}
	c.endRecord("replaced", 0)
	c.records++
	folder := "recordings"
	if r.Path != "" {
		folder = path.Join(folder, r.Path)
	}
	rec := &recording{RecordSpec: r, begun: c.now, file: fmt.Sprintf("%s/%s_%s_%d.%s", folder, c.now.Format("20060102T150405"), c.info.ID, c.records, r.Format)}
	c.rec = rec
	c.Emit(trace.Event{Type: trace.RecordStart, Doc: r.At.Doc, Line: r.At.Pos.Line, Col: r.At.Pos.Column, Name: "Record", File: rec.file})
	c.arm(rec)
	return nil
}

// arm says when the recording will end by itself, from now on.
func (c *Call) arm(rec *recording) {
	rec.turn++
	turn := rec.turn
	stop := func(reason string) func() {
		return func() {
			if c.rec == rec && rec.turn == turn {
				c.endRecord(reason, 0)
			}
		}
	}
	if rec.Duration > 0 {
		c.after(rec.Duration-rec.length(c.now), stop("duration"))
	}
	if rec.Inactivity > 0 {
		if at, ends := c.silentAt(rec.Inactivity); ends {
			c.after(at, stop("inactivity"))
		}
	}
}

// silentAt tells after how long the caller will have been silent for d. ends is
// false when it is known that something else ended this recording.
func (c *Call) silentAt(d time.Duration) (at time.Duration, ends bool) {
	if n := c.records; n > 0 && n <= len(c.sc.Recorded) {
		at = c.sc.Recorded[n-1].Silent
		if c.rec != nil {
			at -= c.rec.length(c.now)
		}
		return at, at > 0
	}
	said := []Act{}
	for _, a := range c.sc.Acts {
		if a.Say > 0 {
			said = append(said, a)
		}
	}
	sort.SliceStable(said, func(i, j int) bool { return said[i].At < said[j].At })
	begun := c.now.Sub(epoch)
	quiet := begun
	for _, a := range said {
		if a.At-quiet >= d {
			break
		}
		quiet = max(quiet, a.At+a.Say)
	}
	return quiet + d - begun, true
}

// recordKey ends the recording if k is one of its keys.
func (c *Call) recordKey(k ozml.Key) (taken bool) {
	if c.rec == nil || strings.IndexByte(c.rec.FinishDigits, byte(k)) < 0 {
		return false
	}
	c.endRecord("digit", k)
	return true
}

// endRecord ends the recording that runs, if any, and reports it.
func (c *Call) endRecord(reason string, k ozml.Key) {
	r := c.rec
	if r == nil {
		return
	}
	c.rec = nil
	d := r.length(c.now)
	key := ""
	if k != 0 {
		key = string(rune(k))
	}
	ev := trace.Event{Type: trace.RecordEnd, Doc: r.At.Doc, Line: r.At.Pos.Line, Col: r.At.Pos.Column, Name: "Record", File: r.file, Reason: reason, Key: key, Seconds: d.Seconds()}
	if c.sc.Sensitive {
		ev.Key = ""
	}
	c.Emit(ev)
	if r.Trim {
		d = c.trimmed(r)
	}
	rate := int64(4000) // bytes a second: mp3 of 32 kbit/s
	if r.Format == "wav" {
		rate = 16000
	}
	rate *= int64(max(1, r.Channels))
	size := int64(d.Seconds() * float64(rate))
	c.Emit(trace.Event{Type: trace.RecordSaved, Doc: r.At.Doc, Line: r.At.Pos.Line, Col: r.At.Pos.Column, Name: "Record", File: r.file, Size: size, Seconds: d.Seconds()})
	if r.FinishedURL == "" {
		return
	}
	done := ozml.Recorded{URL: "http://paper.example/" + r.file, Path: r.file, Duration: d, Format: r.Format, Size: size, Reason: reason, Digit: key}
	n := ozml.Notification{Name: "RecordCompleted", URL: r.FinishedURL, Fields: done.Fields(), At: r.At}
	c.pending++
	switch w := c.cfg.Web.(type) {
	case nil: // the paper's own, which answers by completed
		c.theWeb().Report(n)
	case answering: // a real one, which takes no time on paper
		f, _ := w.ReportWait(context.Background(), n) // it tells itself what went wrong
		c.completed(f)
	default:
		w.Report(n)
		c.pending--
	}
}

// An answering Web tells what a report was answered.
type answering interface {
	ozml.Web
	ReportWait(ctx context.Context, n ozml.Notification) (*syntax.File, error)
}

// completed takes the answer to RecordCompleted.
func (c *Call) completed(f *syntax.File) {
	c.pending--
	switch {
	case f == nil || !ozml.HasCommands(f):
	case c.over:
		c.gone = append(c.gone, gone{f})
	case c.sc.Setting == 0 || c.sc.Setting == ozml.Extension:
		c.cancel(&ozml.Takeover{File: f})
	}
}

// Recording waits until no recording runs and its report was answered.
func (c *Call) Recording(ctx context.Context) error {
	for {
		if err := c.stopped(ctx); err != nil {
			return err
		}
		if c.rec == nil && c.pending == 0 {
			return nil
		}
		if len(c.acts) == 0 {
			return errors.New("ozmltest: a recording that never ends")
		}
		c.step()
	}
}
