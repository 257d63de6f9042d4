package ozmltest

import (
	"context"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// length is how much was recorded.
func (r *recording) length(now time.Time) time.Duration {
	if !r.paused.IsZero() {
		now = r.paused
	}
	return now.Sub(r.begun) - r.pauses
}

// at is the place in the recording of a moment of the call.
func (r *recording) at(t time.Time) time.Duration {
	d := t.Sub(r.begun)
	for _, g := range r.gaps {
		d -= max(0, min(g.to.Sub(g.from), t.Sub(g.from)))
	}
	return max(0, d)
}

// What a trimmed recording keeps, as the live one does.
const (
	margin  = 200 * time.Millisecond
	nothing = 500 * time.Millisecond
)

// trimmed is how long a recording is without the silence before the first sound and
// after the last: the caller's words and what the call sounded.
func (c *Call) trimmed(r *recording) time.Duration {
	all := r.heard
	for _, a := range c.sc.Acts {
		if a.Say > 0 {
			all = append(all, stretch{epoch.Add(a.At), epoch.Add(a.At + a.Say)})
		}
	}
	if !c.sounds.IsZero() {
		all = append(all, stretch{c.sounds, c.now})
	}
	length := r.length(c.now)
	from, to := length, time.Duration(0)
	for _, s := range all {
		begin, end := r.at(s.from), min(length, r.at(s.to))
		if begin < end {
			from, to = min(from, begin), max(to, end)
		}
	}
	if from >= to {
		return min(length, nothing)
	}
	return min(length, to+margin) - max(0, from-margin)
}

// PauseRecord interrupts the recording.
func (c *Call) PauseRecord(ctx context.Context, at ozml.Place) error {
	c.did("", "PauseRecord")
	return c.pause(ctx, at)
}

func (c *Call) pause(ctx context.Context, at ozml.Place) error {
	if err := c.stopped(ctx); err != nil {
		return err
	}
	switch {
	case c.rec == nil:
		return ozml.NoRecording(at.Command)
	case c.rec.paused.IsZero():
		c.rec.paused = c.now
		c.rec.turn++
		c.tell(trace.RecordPause, at)
	}
	return nil
}

// ResumeRecord goes on with it.
func (c *Call) ResumeRecord(ctx context.Context, at ozml.Place) error {
	c.did("", "ResumeRecord")
	return c.resume(ctx, at)
}

func (c *Call) resume(ctx context.Context, at ozml.Place) error {
	if err := c.stopped(ctx); err != nil {
		return err
	}
	switch r := c.rec; {
	case r == nil:
		return ozml.NoRecording(at.Command)
	case !r.paused.IsZero():
		r.gaps = append(r.gaps, stretch{r.paused, c.now})
		r.pauses += c.now.Sub(r.paused)
		r.paused = time.Time{}
		c.arm(r)
		c.tell(trace.RecordResume, at)
	}
	return nil
}

func (c *Call) tell(t trace.Type, at ozml.Place) {
	c.Emit(trace.Event{Type: t, Doc: at.Doc, Line: at.Pos.Line, Col: at.Pos.Column, Name: at.Command})
}

// PauseRecord interrupts the recording of this call.
func (o other) PauseRecord(ctx context.Context, at ozml.Place) error {
	o.did(o.id, "PauseRecord")
	return o.pause(ctx, at)
}

// ResumeRecord goes on with it.
func (o other) ResumeRecord(ctx context.Context, at ozml.Place) error {
	o.did(o.id, "ResumeRecord")
	return o.resume(ctx, at)
}

var _, _ ozml.Pauser = (*Call)(nil), other{}
