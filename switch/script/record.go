package script

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"ozswitch/media/pace"
	"ozswitch/media/recorder"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
)

// A recording is one Record that runs: state of the call, not of the script.
// Its fields are guarded by live.mu; it ends once, by finish.
type recording struct {
	c       *live
	by      *guest // who started it from beside the script; nil: the script
	spec    ozml.RecordSpec
	name    string // below recordings/
	started time.Time
	file    *recorder.Recording
	leg     *bridge.Leg
	part    *part         // the one that runs, or ran last
	limit   time.Duration // of what is recorded
	length  *time.Timer   // Duration
	quiet   *time.Timer   // Inactivity; nil without
	noMP3   error         // why it is a wav file, though an mp3 was wanted

	paused  time.Time     // since when; zero while it takes sound
	resumed time.Time     // the last time
	pauses  time.Duration // those that are over
	talks   bool          // the caller, as far as is known

	ended  time.Time
	reason string // duration, inactivity, digit, hangup, replaced ...; "" while it runs
	digit  string
}

// StartRecord begins to record both directions of the caller's leg: where two
// are joined, what he hears is what the other says. A failure is the command's;
// a recording that already ran ends with reason replaced.
func (c *live) StartRecord(ctx context.Context, spec ozml.RecordSpec) error {
	return c.record(ctx, spec, nil)
}

func (c *live) record(ctx context.Context, spec ozml.RecordSpec, by *guest) error {
	legs, err := c.legs(ctx, ozml.All)
	if err != nil {
		return err
	}
	leg := legs[0].Leg
	now := time.Now()
	r := c.newRecording(now, spec)
	if r == nil {
		return ozml.ErrGone
	}
	r.by, r.leg = by, leg
	if err := leg.Usable(); err != nil {
		return c.failed(r, err)
	}
	co := leg.Codec()
	if c.r.c.Room != nil {
		if err := c.r.c.Room(); err != nil {
			return c.failed(r, err)
		}
	}
	if r.limit = spec.Duration; r.limit == 0 {
		r.limit = recordCap
	}
	channels := spec.Channels
	if channels == 0 {
		channels = max(1, c.task.RecordChannels)
	}
	file, err := c.r.c.Recorder.Start(recorder.Spec{ // may take a moment: c.mu is free
		Name: r.name, Channels: channels, Codec: co, Max: r.limit, Trim: spec.Trim,
		OnVoice: r.voice, OnDone: r.done, Data: r.owner(),
	})
	if err != nil {
		return c.failed(r, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.file = file
	c.r.recording(+1)
	c.line.Sink().Emit(c.at(spec, trace.Event{T: now, Type: trace.RecordStart, File: path.Join("recordings", r.name)}))
	if r.noMP3 != nil {
		c.savedAsWAV(spec, r.noMP3.Error())
	}
	gone := c.ended
	if !gone && r.reason == "" { // else the file could not be made after all
		gone = r.listen() != nil
	}
	if gone {
		r.finish(now, "hangup", "")
		file.Stop(r.outcome())
		return ozml.ErrGone
	}
	if r.reason != "" {
		return nil
	}
	c.rec = r
	r.length = time.AfterFunc(r.limit, r.long)
	if spec.Inactivity > 0 {
		r.quiet = time.AfterFunc(spec.Inactivity, r.silent)
	}
	return nil
}

// newRecording makes a recording that is owed its end; nil when the call is over. One that already ran ends.
func (c *live) newRecording(now time.Time, spec ozml.RecordSpec) *recording {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil
	}
	if c.rec != nil {
		c.rec.finish(now, "replaced", "")
	}
	c.recs++
	c.opened()
	r := &recording{c: c, spec: spec, started: now}
	format := "mp3"
	if strings.EqualFold(spec.Format, "wav") {
		format = "wav"
	} else if r.noMP3 = c.r.c.Recorder.MP3(); r.noMP3 != nil {
		format = "wav"
	}
	r.name = c.recordName(now, spec, format)
	return r
}

// savedAsWAV warns that a recording is no mp3 file.
func (c *live) savedAsWAV(spec ozml.RecordSpec, why string) {
	c.line.Sink().Emit(c.at(spec, trace.Event{Type: trace.ScriptWarning, Code: trace.CodeMP3, Text: "the recording is saved as wav: " + why}))
}

// recordCap is the longest recording (decisions 3.8).
const recordCap = 4 * time.Hour

// recordName is the file's path below recordings/ (decisions 4.4).
func (c *live) recordName(now time.Time, spec ozml.RecordSpec, format string) string {
	dir, err := recorder.CleanPath(spec.Path)
	if err != nil {
		c.line.Sink().Emit(c.at(spec, trace.Event{Type: trace.Error, Code: trace.CodeFolder, Text: err.Error(), Hint: "the recording goes to the default folder"}))
		dir = ""
	}
	name := fmt.Sprintf("%s_%s_%d.%s", now.UTC().Format("20060102T150405"), c.line.Info().ID, c.nth.Add(1), format)
	return path.Join(dir, name)
}

// at puts the place of the Record command into an event.
func (c *live) at(spec ozml.RecordSpec, e trace.Event) trace.Event {
	e.Doc, e.Line, e.Col, e.Name = spec.At.Doc, spec.At.Pos.Line, spec.At.Pos.Column, "Record"
	return e
}

// finishes tells whether a key is one of FinishDigits.
func (r *recording) finishes(k ozml.Key) bool {
	return strings.ContainsRune(r.spec.FinishDigits, rune(k))
}

func (c *live) finish(r *recording, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.finish(time.Now(), reason, "")
}

// finish ends a recording for the reason given, once; the rest comes by block
// and done. It needs c.mu.
func (r *recording) finish(now time.Time, reason, digit string) {
	if r.reason != "" {
		return
	}
	r.reason, r.digit, r.ended = reason, digit, now
	if r.length != nil {
		r.length.Stop()
	}
	if r.quiet != nil {
		r.quiet.Stop()
	}
	if r.c.rec == r {
		r.c.rec = nil
	}
	if r.spec.FinishedURL == "" {
		r.c.settle()
	}
	r.stopPart()
	r.c.line.Sink().Emit(r.c.at(r.spec, trace.Event{
		T: now, Type: trace.RecordEnd, Reason: reason, Key: digit,
		File: path.Join("recordings", r.name), Seconds: r.recorded(now).Seconds(),
	}))
}

// block hands sound of a part to the file; it is called in the leg's goroutine.
func (r *recording) block(p *part, b *pace.Block) {
	for range b.Dropped { // sound that was lost is silence, so that times stay true
		r.file.Write(recorder.Block{Frames: 1})
	}
	if b.N > 0 {
		w := recorder.Block{Frames: b.N, Codec: bridge.CodecOf(b)}
		for i := range b.N {
			w.In[i], w.Out[i] = b.In(i), b.Out(i)
		}
		r.file.Write(w)
	}
	if b.Last {
		r.drained(p)
	}
}

// outcome is reason and key in one word or two, for the recorder's journal; see Recovered.
func (r *recording) outcome() string { return strings.TrimSpace(r.reason + " " + r.digit) }

// owner is what must be known to report this recording after a crash.
func (r *recording) owner() string {
	i := r.c.Info()
	return url.Values{
		"call": {i.ID}, "from": {i.Caller}, "dialed": {i.Dialed}, "ext": {i.Extension}, "dir": {i.Direction},
		"url": {r.spec.FinishedURL},
	}.Encode()
}

// done is told by the recorder that the file is whole, or why not.
func (r *recording) done(d recorder.Done) {
	c := r.c
	file := path.Join("recordings", d.Name)
	if d.Err != nil {
		c.finish(r, "error") // if it ran: nothing more is written
	}
	switch {
	case d.Postponed: // the next start makes the mp3, and tells
	case d.Err != nil:
		c.line.Sink().Emit(c.at(r.spec, trace.Event{Type: trace.RecordFail, File: file, Size: d.Size, Text: d.Err.Error()}))
	default:
		c.line.Sink().Emit(c.at(r.spec, trace.Event{Type: trace.RecordSaved, File: file, Size: d.Size, Seconds: d.Duration.Seconds(), Reason: r.reason}))
	}
	if d.Note != "" {
		c.savedAsWAV(r.spec, d.Note)
	}
	c.r.recording(-1)
	if c.r.c.Recorded != nil {
		c.r.c.Recorded(d.Size)
	}
	c.r.wg.Go(func() {
		defer c.saving.Done()
		c.completed(r, d)
	})
}

// hold is how long the end of a call waits for its recordings' files, so that the history names them. An mp3 that
// takes longer is told of when it is there.
const hold = 5 * time.Second

// saved waits until all of the call's recordings are told of, or hold is over.
func (c *live) saved() {
	c.mu.Lock()
	n := c.recs
	c.mu.Unlock()
	if n == 0 {
		return
	}
	all := make(chan struct{})
	c.r.wg.Go(func() {
		c.saving.Wait()
		close(all)
	})
	late := time.NewTimer(hold)
	defer late.Stop()
	select {
	case <-all:
	case <-late.C:
	}
}

func (r *Runner) recording(delta int) {
	if r.c.Recording != nil {
		r.c.Recording(delta)
	}
}

// opened counts a recording that is owed its end, and if it has a FinishedUrl
// the answer to its RecordCompleted; it needs c.mu.
func (c *live) opened() {
	c.saving.Add(1)
	if c.openN == 0 {
		c.idle = make(chan struct{})
	}
	c.openN++
}

// settle counts a recording to which nothing is owed any more; it needs c.mu.
func (c *live) settle() {
	if c.openN--; c.openN == 0 {
		close(c.idle)
	}
}

// failed reports a recording that never began.
func (c *live) failed(r *recording, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.reason = "error"
	c.line.Sink().Emit(c.at(r.spec, trace.Event{Type: trace.RecordFail, File: path.Join("recordings", r.name), Text: err.Error()}))
	if r.spec.FinishedURL == "" {
		c.settle()
	}
	c.r.wg.Go(func() {
		defer c.saving.Done()
		c.completed(r, recorder.Done{Name: r.name, Err: err})
	})
	return err
}

// completed posts RecordCompleted; an answer with commands takes the call over,
// or has its call-less commands run when the call is gone (decisions 4.6).
func (c *live) completed(r *recording, d recorder.Done) {
	if r.spec.FinishedURL == "" {
		d.Told()
		return
	}
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.settle()
	}()
	if d.Postponed {
		return
	}
	defer c.r.guard(c.line.Sink(), "record completed")
	web := c.web
	if r.by != nil {
		web = c.webFor(r.by.operator, r.spec.FinishedURL)
	}
	f, err := web.ReportWait(context.Background(), c.r.recorded(d, r.reason, r.digit, r.spec))
	c.r.told(d, err)
	if err != nil || f == nil || !ozml.HasCommands(f) {
		return // a failure is told, and tried again, by switch/notify
	}
	c.mu.Lock()
	take, ended := c.take, c.ended
	c.mu.Unlock()
	switch {
	case r.by != nil && !ended && c.gone.Err() == nil:
		c.r.Visit(c.line, f, ozml.Options{})
		return
	case take != nil && r.by == nil:
		take(&ozml.Takeover{File: f})
		return
	}
	c.r.callless(c.Info(), c.task, c.web, c.line.Sink(), f)
}

// recorded is RecordCompleted. Its id is the file's name, so that one that is told again after a crash is known.
func (r *Runner) recorded(d recorder.Done, reason, digit string, spec ozml.RecordSpec) ozml.Notification {
	done := ozml.Recorded{
		URL: r.c.RecordURL(d.Name), Path: path.Join("recordings", d.Name), Duration: d.Duration,
		Format: strings.TrimPrefix(path.Ext(d.Name), "."), Size: d.Size, Reason: reason, Digit: digit,
	}
	if d.Err != nil {
		done.Reason, done.Error = "error", d.Err.Error()
	}
	id := path.Base(d.Name)
	return ozml.Notification{
		ID: strings.TrimSuffix(id, path.Ext(id)), Name: "RecordCompleted", URL: spec.FinishedURL, At: spec.At, Fields: done.Fields(),
	}
}

// told says that the report is delivered, or safe in the store: it is written there a moment after it failed.
func (r *Runner) told(d recorder.Done, failed error) {
	if failed == nil {
		d.Told()
		return
	}
	time.AfterFunc(time.Second, d.Told)
}
