package tts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"time"
)

// recipe is part of every cache key: raise it when the same text is to sound different.
const recipe = "2"

// patience is how long somebody may wait in silence before the quick voice speaks.
const patience = time.Second

// maker is an engine and the queue before it.
type maker struct {
	engine engine
	turns  *turns
}

func newMaker(e engine) *maker { return &maker{e, newTurns(e.places())} }

// flight is one piece being made, for everybody who wants it at the same time.
type flight struct {
	key    string
	maker  *maker
	turn   *turn
	done   chan struct{}
	sound  sound // after done
	err    error
	cancel context.CancelCauseFunc

	waiting int // guarded by Voice.mu
}

func (m *maker) key(voice string, p part) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d\x00%s", recipe, m.engine.name(), voice, p.pause, p.text))
	return hex.EncodeToString(h[:16])
}

// fly joins the flight of a piece, or starts one; l is how urgent it is to who asks. Each is ended by land or drop.
func (v *Voice) fly(m *maker, voice string, p part, l lane) *flight {
	key := m.key(voice, p)
	f := &flight{key: key, maker: m, turn: newTurn(l), done: make(chan struct{}), waiting: 1, cancel: func(error) {}}
	if s, ok := v.memory.get(key); ok {
		f.sound = s
		close(f.done)
		return f
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if f := v.flights[key]; f != nil {
		f.waiting++
		m.turns.raise(f.turn, l)
		return f
	}
	if v.ended {
		f.err = ErrEnded
		close(f.done)
		return f
	}
	ctx, cancel := context.WithCancelCause(context.Background()) // not one caller's: others may join
	f.cancel = cancel
	v.flights[key] = f
	v.wg.Go(func() {
		defer cancel(nil)
		f.sound, f.err = v.make(ctx, f, voice, p)
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

// landFirst waits for the first piece of a text: for at most patience, then also for the quick voice. quick tells that
// it was that one which came.
func (v *Voice) landFirst(ctx context.Context, f *flight, r Request, voice string, p part) (s sound, quick bool, err error) {
	m, fast, q := v.quickly(r, voice, p)
	if m == nil {
		s, err = v.land(ctx, f)
		return s, false, err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-f.done:
	case <-ctx.Done():
	case <-timer.C:
		g := v.fly(m, fast, q, urgent)
		select {
		case <-g.done:
			if g.err == nil {
				v.drop(f)
				s, err = v.land(ctx, g)
				return s, true, err
			}
		case <-f.done:
		case <-ctx.Done():
		}
		v.drop(g)
	}
	s, err = v.land(ctx, f)
	return s, false, err
}

// quickly says how the quick voice speaks a piece; m is nil when there is none, or it would not be understood: it
// speaks English.
func (v *Voice) quickly(r Request, voice string, p part) (m *maker, fast string, q part) {
	switch {
	case !v.main.engine.english(r, voice):
		return nil, "", part{}
	case v.main.engine.quick() != "":
		if fast = v.main.engine.quick(); fast == voice {
			return nil, "", part{}
		}
		return v.main, fast, p
	case v.spare == nil:
		return nil, "", part{}
	}
	q = part{v.spare.engine.prepare(Request{Text: p.text, Language: r.Language}), p.pause}
	if !speakable(q.text) {
		return nil, "", part{}
	}
	return v.spare, v.spare.engine.quick(), q
}

// drop leaves a flight. When the last has left, a piece that is still in a queue is not made; one that is being made
// already is finished and kept for the next who wants it.
func (v *Voice) drop(f *flight) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.waiting--; f.waiting > 0 || !f.maker.turns.giveUp(f.turn) {
		return
	}
	f.cancel(context.Canceled)
	if v.flights[f.key] == f {
		delete(v.flights, f.key) // who comes now must not join a cancelled one
	}
}

// make finds a piece on disk or has the engine make it. The recover boundary for engines and texts is here.
func (v *Voice) make(ctx context.Context, f *flight, voice string, p part) (s sound, err error) {
	defer func() {
		if r := recover(); r != nil {
			v.cfg.Log.Error("panic in speech", "panic", r, "stack", string(debug.Stack()))
			s, err = sound{}, fmt.Errorf("tts: panic: %v", r)
		}
	}()
	if v.disk != nil {
		if s, ok := v.disk.get(f.key); ok {
			v.memory.put(f.key, s)
			return s, nil
		}
	}
	if err := f.maker.turns.wait(ctx, f.turn); err != nil {
		return sound{}, err
	}
	defer f.maker.turns.done(f.turn)
	s, err = f.maker.engine.say(ctx, voice, p.text)
	if err != nil {
		return sound{}, err
	}
	if s.pcm = trim(s.pcm, s.rate, p.pause); len(s.pcm) == 0 {
		return sound{}, fmt.Errorf("%w: %q", ErrSilent, p.text)
	}
	level(s.pcm, s.rate)
	v.memory.put(f.key, s)
	if v.disk != nil {
		v.disk.put(f.key, s)
	}
	return s, nil
}
