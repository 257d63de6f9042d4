package recorder

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"ozswitch/media/mp3"
	"ozswitch/media/wav"
)

// task is a recording whose sound is whole in NAME.part and that becomes an mp3.
type task struct {
	done    Done // as if it were a wav file
	samples int64
	tell    func(Done)
}

// fresh is the suffix of an mp3 that is being made.
const fresh = ".new"

// toEncode queues a task: who waits for a short message does not wait for somebody's hour.
func (r *Recorder) toEncode(t *task) {
	r.mu.Lock()
	if r.postponed {
		r.mu.Unlock()
		t.postpone()
		return
	}
	i, _ := slices.BinarySearchFunc(r.tasks, t.samples+1, func(t *task, n int64) int { return int(min(1, max(-1, t.samples-n))) })
	r.tasks = slices.Insert(r.tasks, i, t)
	r.mu.Unlock()
	select {
	case r.encodes <- struct{}{}:
	default: // enough are awake: each goes on until none is left
	}
}

// Postpone leaves all mp3 files that are not made to the next start: those that wait and those that are being made are
// told as Postponed at once. It is for the end of the switch.
func (r *Recorder) Postpone() {
	r.mu.Lock()
	first := !r.postponed
	r.postponed = true
	tasks := r.tasks
	r.tasks = nil
	r.mu.Unlock()
	if first {
		close(r.halt)
	}
	for _, t := range tasks {
		t.postpone()
	}
}

func (t *task) postpone() {
	t.done.Postponed = true
	t.tell(t.done)
}

// encodeAll encodes one after another until ctx ends.
func (r *Recorder) encodeAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.encodes:
		}
		for {
			r.mu.Lock()
			if len(r.tasks) == 0 {
				r.mu.Unlock()
				break
			}
			t := r.tasks[0]
			r.tasks = slices.Delete(r.tasks, 0, 1)
			r.mu.Unlock()
			r.encode(ctx, t)
		}
	}
}

// encode makes the mp3 and gives it its name; a recording that cannot become one stays the wav file it is.
func (r *Recorder) encode(ctx context.Context, t *task) {
	dir, name := r.cfg.Dir, t.done.Name
	size, err := r.engine(ctx, mp3.Sound{
		Dir: dir.Name(), In: name + part, Offset: wav.HeaderSize, Samples: t.samples, Rate: t.done.Rate, Channels: t.done.Channels, Out: name + fresh,
	})
	if err == nil {
		err = dir.Rename(name+fresh, name)
	}
	if err != nil {
		_ = dir.Remove(name + fresh) // it may not be there
	}
	switch {
	case err == nil:
		t.done.Size = size
		if err := dir.Remove(name + part); err != nil {
			r.cfg.Log.Warn("the sound of an encoded recording is left behind", "file", name+part, "err", err)
		}
	case ctx.Err() != nil:
		t.postpone()
		return
	default:
		r.keepWAV(t, err)
	}
	t.tell(t.done)
}

// engine is the recover boundary around the encoder.
func (r *Recorder) engine(ctx context.Context, s mp3.Sound) (size int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.cfg.Log.Error("panic in the encoder", "file", s.In, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("recorder: panic: %v", p)
		}
	}()
	return r.cfg.Encoder.Encode(ctx, s)
}

// keepWAV gives the sound of a recording that cannot be encoded the name of a wav file.
func (r *Recorder) keepWAV(t *task, why error) {
	name := t.done.Name
	r.cfg.Log.Warn("a recording could not be encoded and stays a wav file", "file", name, "err", why)
	to := asWAV(name)
	if err := r.cfg.Dir.Rename(name+part, to); err != nil {
		t.done.Size = 0
		if t.done.Err == nil {
			t.done.Err = fmt.Errorf("recorder: finish %q: %w (and no mp3: %w)", name, err, why)
		}
		return
	}
	t.done.Name, t.done.Note = to, why.Error()
}

// asWAV is what a recording is called that should have become an mp3. The long ending cannot be another recording's.
func asWAV(name string) string { return strings.TrimSuffix(name, ".mp3") + ".mp3.wav" }
