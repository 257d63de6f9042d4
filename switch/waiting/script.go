package waiting

import (
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/exchange"
)

// A script that lets its caller wait: the same queue, but what becomes of a caller
// whom nobody answers is the script's to say.

var (
	errLeft = errors.New("waiting: left by a key")
	errLate = errors.New("nobody answered")
)

// Enqueue lets the caller of a script wait, and returns when the wait is over
// (ozml.Queuer). An agent that answers takes the place of the script; it is watched
// until the talk is over.
func (q *Queues) Enqueue(ctx context.Context, l *exchange.Line, call ozml.Call, c Config, exit ozml.Keys) (how string, err error) {
	v := q.visitor(l, call, c)
	v.passes, v.exit, v.since = true, exit, time.Now()
	place, err := v.q.enter(v)
	if err != nil {
		return v.gave(err)
	}
	defer v.q.leave(v)
	v.emit(trace.Event{Reason: "joined", Count: int64(place)})
	agent, why, err := v.wait(ctx)
	switch {
	case errors.Is(err, errLeft):
		return v.gave(errLeft)
	case err != nil:
		v.emit(trace.Event{Reason: "left", Seconds: time.Since(v.since).Seconds()})
		return "", err
	case agent == "":
		return v.gave(why)
	}
	q.wg.Go(func() { v.watch(agent) })
	return ozml.QueueAnswered, nil
}

// gave is the end of a wait that was no use.
func (v *visitor) gave(why error) (how string, err error) {
	switch {
	case errors.Is(why, ErrFull):
		how = ozml.QueueFull
	case errors.Is(why, ErrEmpty):
		how = ozml.QueueEmpty
	case errors.Is(why, errLate):
		how = ozml.QueueTimeout
	default:
		how = ozml.QueueLeft
	}
	v.emit(trace.Event{Reason: "left", Text: how})
	return how, nil
}

// watch frees the agent when the talk is over.
func (v *visitor) watch(agent string) {
	defer v.caught("talk")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	v.q.all.wg.Go(func() {
		defer cancel()
		select {
		case <-v.line.Done():
		case <-ctx.Done():
		}
	})
	v.talk(ctx, agent)
	v.q.each(func(s *State) { s.Ended(time.Now(), agent) })
}

// keys ends the wait by a key of exit.
func (v *visitor) keys(ctx context.Context, leave context.CancelCauseFunc) {
	defer v.caught("keys")
	defer v.call.Input(ctx)()
	for {
		k, err := v.call.Key(ctx, time.Hour)
		switch {
		case errors.Is(err, ozml.ErrNoKey):
		case err != nil:
			return
		case strings.IndexByte(string(v.exit), byte(k)) >= 0:
			leave(errLeft)
			return
		}
	}
}

// caught is the recover boundary of a queue's goroutine.
func (v *visitor) caught(where string) {
	p := recover()
	if p == nil {
		return
	}
	v.q.all.p.Slog.Error("panic in a queue's "+where, "queue", v.cfg.Number, "panic", p, "stack", string(debug.Stack()))
	if v.q.all.p.Panicked != nil {
		v.q.all.p.Panicked("queue")
	}
}
