package recorder

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"ozswitch/media/wav"
)

// worker is what a recording needs while a goroutine works on it.
type worker struct {
	lanes  lanes
	a, b   []int16 // one frame of each direction
	pcm    []int16 // decoded and mixed, not yet written
	blocks []entry
	bytes  []byte
	voice  *detector
	trim   *trim   // nil: all is written
	mixed  []int16 // a frame for the trim
	n      int64   // samples taken, per channel
	most   int64
}

// enqueue gives a recording, which has set queued, to the workers.
func (r *Recorder) enqueue(rec *Recording) {
	r.mu.Lock()
	r.queue = append(r.queue, rec)
	r.mu.Unlock()
	select {
	case r.turns <- struct{}{}:
	default: // enough are awake: each goes on until the queue is empty
	}
}

// work is one worker.
func (r *Recorder) work(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-r.turns:
		}
		for {
			r.mu.Lock()
			if len(r.queue) == 0 {
				r.mu.Unlock()
				break
			}
			rec := r.queue[0]
			r.queue[0] = nil
			r.queue = r.queue[1:]
			r.mu.Unlock()
			rec.turn()
		}
	}
}

// turn does what waits for one recording.
func (rec *Recording) turn() {
	rec.mu.Lock()
	w := &rec.w
	rec.waiting, w.blocks = w.blocks[:0], rec.waiting
	rec.bytes, w.bytes = w.bytes[:0], rec.bytes
	stopped, err := rec.stopped, rec.err
	rec.mu.Unlock()
	if err == nil || errors.Is(err, ErrFull) {
		if e := rec.take(); err == nil {
			err = e
		}
	}
	if stopped || err != nil {
		rec.finish(err)
		return
	}
	rec.yield()
}

// yield ends a goroutine's hold on the recording, or queues it again when more came meanwhile.
func (rec *Recording) yield() {
	rec.mu.Lock()
	more := len(rec.waiting) > 0 || rec.stopped || rec.err != nil
	rec.queued = more
	rec.mu.Unlock()
	if more {
		rec.r.enqueue(rec)
	}
}

// take decodes, mixes and writes the worker's blocks. The recover boundary for decoders is here.
func (rec *Recording) take() (err error) {
	defer func() {
		if p := recover(); p != nil {
			rec.r.cfg.Log.Error("panic in a recording", "file", rec.spec.Name, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("recorder: panic: %v", p)
		}
	}()
	inject(rec.spec.Name)
	w := &rec.w
	w.pcm = w.pcm[:0]
	rest := w.bytes
	for _, e := range w.blocks {
		if e.codec != w.lanes.codec {
			w.lanes.begin(e.codec, rec.spec.Codec.Rate)
		}
		for i := range e.frames {
			n, m := int(e.out[i]), int(e.out[i])+int(e.in[i])
			rec.frame(rest[n:m], rest[:n])
			rest = rest[m:]
		}
		if len(w.pcm) >= 1<<15 {
			if err := rec.flush(); err != nil {
				return err
			}
		}
	}
	return rec.flush()
}

// frame decodes a frame of both directions and appends it to the sound to be written.
func (rec *Recording) frame(in, out []byte) {
	w := &rec.w
	left := w.most - w.n
	if left <= 0 {
		return
	}
	heard := w.lanes.frame(w.a, w.b, in, out)
	a, b := w.a, w.b
	if int64(len(a)) > left {
		a, b = a[:left], b[:left]
	}
	switch {
	case w.trim == nil:
		w.pcm = join(w.pcm, a, b, rec.spec.Channels)
	case len(a) < len(w.a): // the last piece
		w.pcm = w.trim.take(len(a), -1, join(w.mixed[:0], a, b, rec.spec.Channels), w.pcm)
	default:
		w.mixed = join(w.mixed[:0], a, b, rec.spec.Channels)
		w.pcm = w.trim.frame(a, b, heard, len(out) > 0, w.mixed, w.pcm)
	}
	began := rec.duration(w.n)
	w.n += int64(len(a))
	if rec.spec.OnVoice == nil || len(a) < len(w.a) {
		return
	}
	switch change, ago := w.voice.frame(w.a, heard); change {
	case voiceBegan:
		rec.spec.OnVoice(true, max(0, began-ago))
	case voiceEnded:
		rec.spec.OnVoice(false, max(0, rec.duration(w.n)-ago))
	}
}

// join appends a frame of both directions as the file has them: mixed, or left and
// right.
func join(dst, a, b []int16, channels int) []int16 {
	if channels == 2 {
		for i, s := range a {
			dst = append(dst, s, b[i])
		}
		return dst
	}
	for i, s := range a {
		dst = append(dst, int16(max(-32768, min(32767, int(s)+int(b[i])))))
	}
	return dst
}

// cut leaves out the silence at the end of a trimmed recording.
func (rec *Recording) cut() error {
	if rec.w.trim == nil {
		return nil
	}
	pcm, samples := rec.w.trim.rest()
	rec.w.trim = nil
	rec.w.pcm = append(rec.w.pcm[:0], pcm...)
	if err := rec.flush(); err != nil {
		return err
	}
	return rec.wav.Cut(samples)
}

// flush writes what is decoded, in one write.
func (rec *Recording) flush() error {
	w := &rec.w
	if len(w.pcm) == 0 {
		return nil
	}
	err := rec.wav.Write(w.pcm)
	w.pcm = w.pcm[:0]
	rec.dirty.Store(true)
	if err != nil {
		return fmt.Errorf("recorder: %q: %w", rec.spec.Name, err)
	}
	return nil
}

// finish makes the header exact. A wav file then gets its name and the owner is told; an mp3 is made first.
func (rec *Recording) finish(err error) {
	r, name := rec.r, rec.spec.Name
	if e := rec.cut(); e != nil && err == nil {
		err = e
	}
	n := rec.wav.Samples()
	d := Done{
		Name: name, Channels: rec.spec.Channels, Rate: rec.spec.Codec.Rate, Data: rec.spec.Data,
		Duration: rec.duration(n), Size: wav.HeaderSize + n*int64(2*rec.spec.Channels), Err: err,
	}
	rec.mu.Lock()
	rec.stopped = true
	d.Reason = rec.reason
	rec.mu.Unlock()
	closed := rec.wav.Close()
	rec.dirty.Store(true)
	if e := r.journal.whole(d); e != nil {
		r.cfg.Log.Warn("journal of recordings", "err", e)
	}
	if isMP3(name) {
		if closed != nil && d.Err == nil {
			d.Err = closed
		}
		r.toEncode(&task{done: d, samples: n, tell: rec.complete})
		return
	}
	if e := errors.Join(closed, r.cfg.Dir.Rename(name+part, name)); e != nil {
		if d.Err == nil {
			d.Err = fmt.Errorf("recorder: finish %q: %w", name, e)
		}
		if _, e := r.cfg.Dir.Lstat(name); e != nil {
			d.Size = 0
		}
	}
	rec.complete(d)
}

// complete is the end of a recording: the owner is told, and a round of sync closes the file.
func (rec *Recording) complete(d Done) {
	r := rec.r
	r.mu.Lock()
	r.named = append(r.named, named{rec.spec.Name, rec.file, isMP3(d.Name) && !d.Postponed, d.Postponed})
	r.mu.Unlock()
	rec.tell(d)
	r.forget(rec)
}

// tell calls OnDone; a panic of the owner's must not take the worker with it.
func (rec *Recording) tell(d Done) { rec.r.tell(rec.spec.OnDone, rec.spec.Name, d) }

func (r *Recorder) tell(f func(Done), name string, d Done) {
	if !d.Postponed {
		d.settle = func() {
			if err := r.journal.told(name); err != nil {
				r.cfg.Log.Warn("journal of recordings", "err", err)
			}
		}
	}
	if f == nil {
		d.Told()
		return
	}
	defer func() {
		if p := recover(); p != nil {
			r.cfg.Log.Error("panic in OnDone", "file", name, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f(d)
}

// duration is what n samples last.
func (rec *Recording) duration(n int64) time.Duration { return rec.spec.Codec.Rate.D(int(n)) }
