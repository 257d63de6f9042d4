package script

import (
	"context"
	"time"

	"ozswitch/media/pace"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// A recording that is interrupted: each stretch between two pauses is a part, with
// a tap of its own, so that the file has what was said up to the very moment and
// nothing of what came then.

// A part is one stretch of a recording. Its fields are guarded by live.mu.
type part struct {
	stop    func()
	ending  bool // it was told to stop
	drained bool // its last block has come
}

// listen begins a part. It needs c.mu.
func (r *recording) listen() error {
	p := &part{}
	stop, err := r.leg.Record(func(b *pace.Block) { r.block(p, b) })
	if err != nil {
		return err
	}
	p.stop, r.part = stop, p
	return nil
}

// stopPart ends the part that runs; where its sound is in the file already, and the
// recording is over, so is the file. It needs c.mu.
func (r *recording) stopPart() {
	p := r.part
	if p == nil {
		return
	}
	if !p.ending {
		p.ending = true
		p.stop()
	}
	if p.drained && r.reason != "" {
		r.file.Stop(r.outcome())
	}
}

// drained is told that the last sound of a part is in the file: by its pause, by the
// end of the recording, or because the leg went first.
func (r *recording) drained(p *part) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	p.drained = true
	switch {
	case p != r.part || p.ending && r.reason == "": // a pause
	case r.reason == "":
		p.ending = true
		r.finish(time.Now(), "hangup", "")
	default:
		r.file.Stop(r.outcome())
	}
}

// recorded is how much was recorded. It needs c.mu.
func (r *recording) recorded(now time.Time) time.Duration {
	if !r.paused.IsZero() {
		now = r.paused
	}
	return now.Sub(r.started) - r.pauses
}

// long is the end by Duration.
func (r *recording) long() {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.paused.IsZero() { // else the pause was quicker than the timer
		r.finish(time.Now(), "duration", "")
	}
}

// voice arms the Inactivity timer anew; it is called by the recorder's worker.
func (r *recording) voice(on bool, at time.Duration) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.talks = on
	if r.quiet == nil || r.reason != "" || !r.paused.IsZero() {
		return
	}
	r.quiet.Stop()
	if on {
		return
	}
	since := r.started.Add(at + r.pauses)
	if since.Before(r.resumed) {
		since = r.resumed
	}
	r.quiet.Reset(time.Until(since.Add(r.spec.Inactivity)))
}

// silent is Inactivity's end, unless the disk stalls and the voice was not listened to yet.
func (r *recording) silent() {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if !r.paused.IsZero() {
		return // the pause was quicker than the timer
	}
	if r.reason == "" && r.file.Behind() > time.Second {
		r.quiet.Reset(time.Second)
		return
	}
	r.finish(time.Now(), "inactivity", "")
}

// running gives the recording that runs on the call. It needs c.mu.
func (c *live) running(ctx context.Context, command string) (*recording, error) {
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case c.ended:
		return nil, ozml.ErrGone
	case c.rec == nil:
		return nil, ozml.NoRecording(command)
	}
	return c.rec, nil
}

// PauseRecord implements ozml.Pauser.
func (c *live) PauseRecord(ctx context.Context, at ozml.Place) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.running(ctx, at.Command)
	if err != nil || !r.paused.IsZero() {
		return err
	}
	r.paused = time.Now()
	r.length.Stop()
	if r.quiet != nil {
		r.quiet.Stop()
	}
	r.stopPart()
	c.tell(r.paused, trace.RecordPause, at)
	return nil
}

// ResumeRecord implements ozml.Pauser.
func (c *live) ResumeRecord(ctx context.Context, at ozml.Place) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, err := c.running(ctx, at.Command)
	if err != nil || r.paused.IsZero() {
		return err
	}
	if err := r.listen(); err != nil { // the leg has gone
		r.finish(time.Now(), "hangup", "")
		return ozml.ErrGone
	}
	r.resumed = time.Now()
	r.pauses += r.resumed.Sub(r.paused)
	r.paused = time.Time{}
	r.length.Reset(r.limit - r.recorded(r.resumed))
	if r.quiet != nil && !r.talks {
		r.quiet.Reset(r.spec.Inactivity)
	}
	c.tell(r.resumed, trace.RecordResume, at)
	return nil
}

func (c *live) tell(now time.Time, t trace.Type, at ozml.Place) {
	c.line.Sink().Emit(trace.Event{T: now, Type: t, Doc: at.Doc, Line: at.Pos.Line, Col: at.Pos.Column, Name: at.Command})
}

var _ ozml.Pauser = (*live)(nil)
