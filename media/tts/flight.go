package tts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime/debug"
)

// recipe is part of every cache key: raise it when the same text is to sound different.
const recipe = "1"

// flight is one piece being made, for everybody who wants it at the same time.
type flight struct {
	key    string
	done   chan struct{}
	sound  sound // after done
	err    error
	cancel context.CancelCauseFunc

	waiting int // guarded by Voice.mu
}

func (v *Voice) key(voice string, p part) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d\x00%s", recipe, v.engine.name(), voice, p.pause, p.text))
	return hex.EncodeToString(h[:16])
}

// fly joins the flight of a piece, or starts one. Each is ended by land or drop.
func (v *Voice) fly(voice string, p part, first bool) *flight {
	key := v.key(voice, p)
	if s, ok := v.memory.get(key); ok {
		f := &flight{key: key, done: make(chan struct{}), sound: s, waiting: 1, cancel: func(error) {}}
		close(f.done)
		return f
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if f := v.flights[key]; f != nil {
		f.waiting++
		return f
	}
	ctx, cancel := context.WithCancelCause(context.Background()) // not one caller's: others may join
	f := &flight{key: key, done: make(chan struct{}), waiting: 1, cancel: cancel}
	if v.ended {
		f.err = ErrEnded
		close(f.done)
		return f
	}
	v.flights[key] = f
	v.wg.Go(func() {
		defer cancel(nil)
		f.sound, f.err = v.make(ctx, key, voice, p, first)
		v.mu.Lock()
		if v.flights[key] == f {
			delete(v.flights, key)
		}
		v.mu.Unlock()
		close(f.done)
	})
	return f
}

// land waits for a flight.
func (v *Voice) land(ctx context.Context, f *flight) (sound, error) {
	defer v.drop(f)
	select {
	case <-f.done:
		return f.sound, f.err
	case <-ctx.Done():
		return sound{}, context.Cause(ctx)
	}
}

// drop leaves a flight. When the last has left, a piece that is still in a queue is not made.
func (v *Voice) drop(f *flight) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.waiting--; f.waiting > 0 {
		return
	}
	f.cancel(context.Canceled)
	if v.flights[f.key] == f {
		delete(v.flights, f.key) // who comes now must not join a cancelled one
	}
}

// make finds a piece on disk or has the engine make it. The recover boundary for engines and texts is here.
func (v *Voice) make(ctx context.Context, key, voice string, p part, first bool) (s sound, err error) {
	defer func() {
		if r := recover(); r != nil {
			v.cfg.Log.Error("panic in speech", "panic", r, "stack", string(debug.Stack()))
			s, err = sound{}, fmt.Errorf("tts: panic: %v", r)
		}
	}()
	if v.disk != nil {
		if s, ok := v.disk.get(key); ok {
			v.memory.put(key, s)
			return s, nil
		}
	}
	s, err = v.engine.say(ctx, voice, p.text, first)
	if err != nil {
		return sound{}, err
	}
	if s.pcm = trim(s.pcm, s.rate, p.pause); len(s.pcm) == 0 {
		return sound{}, fmt.Errorf("%w: %q", ErrSilent, p.text)
	}
	v.memory.put(key, s)
	if v.disk != nil {
		v.disk.put(key, s)
	}
	return s, nil
}
