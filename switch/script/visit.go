package script

import (
	"context"
	"sync"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// Visitors: commands of the web app that act on a call from beside it, whatever
// runs on it (decisions 7.4a).

// A turns is a first-in-first-out line.
type turns struct {
	mu   sync.Mutex
	last chan struct{} // closed when the last one in the line has left
}

// A turn is a place in the line; exactly one of wait's leave and drop ends it.
type turn struct{ before, mine chan struct{} }

// join takes the place at the end.
func (q *turns) join() turn {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := turn{q.last, make(chan struct{})}
	q.last = t.mine
	return t
}

// wait returns when all before have left; then leave must be called. It gives
// the cause of ctx when that ends first, and the place is given up.
func (t turn) wait(ctx context.Context) (leave func(), err error) {
	if t.before != nil {
		select {
		case <-t.before:
		default:
			select {
			case <-t.before:
			case <-ctx.Done():
				go func() { // those behind still wait for those before
					<-t.before
					close(t.mine)
				}()
				return nil, context.Cause(ctx)
			}
		}
	}
	return sync.OnceFunc(func() { close(t.mine) }), nil
}

// A visitor is a call as somebody beside its script has it: his sounds wait for
// those of other visitors and lie over the script's, and what he does counts as
// his.
type visitor struct {
	*live
	by       call.Result
	operator bool // URLs given here count as the operator's (decisions 9)
	line     bool // each command takes its own place in the line of visits
}

var _ ozml.Call = (*visitor)(nil)

// sounds does something that is heard, in turn.
func (v *visitor) sounds(ctx context.Context, f func(ctx context.Context) error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(v.gone, func() { end(ozml.ErrGone) })()
	if v.line {
		leave, err := v.visits.join().wait(ctx)
		if err != nil {
			return err
		}
		defer leave()
	}
	leave, err := v.over.join().wait(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return f(ctx)
}

// Speak is heard by a party, over what the script says.
func (v *visitor) Speak(ctx context.Context, u ozml.Utterance) error {
	return v.sounds(ctx, func(ctx context.Context) error { return v.speak(ctx, u, true) })
}

// Play is heard by a party, over what the script says.
func (v *visitor) Play(ctx context.Context, p ozml.Prompt) error {
	return v.sounds(ctx, func(ctx context.Context) error { return v.play(ctx, p, true) })
}

// Beep is heard by all, over what the script says.
func (v *visitor) Beep(ctx context.Context) error {
	return v.sounds(ctx, func(ctx context.Context) error { return v.beep(ctx, true) })
}

// SendKeys sends keys in turn.
func (v *visitor) SendKeys(ctx context.Context, to ozml.Party, keys string) error {
	return v.sounds(ctx, func(ctx context.Context) error { return v.live.SendKeys(ctx, to, keys) })
}

// Hangup ends the call at once.
func (v *visitor) Hangup(ctx context.Context) error { return v.hangup(ctx, v.by) }

// StartRecord records the call; commands in the answer to its RecordCompleted
// are those of a visitor.
func (v *visitor) StartRecord(ctx context.Context, spec ozml.RecordSpec) error {
	return v.record(ctx, spec, &guest{v.operator})
}

// Transfer does what it says; the end is told as the visitor wants it.
func (v *visitor) Transfer(ctx context.Context, t ozml.Transfer) error {
	return v.transfer(ctx, t, v.operator)
}

// A guest is who started a recording from beside the script.
type guest struct{ operator bool }

// on gives a call to one who acts on it from beside its script.
func (r *Runner) on(l *exchange.Line) *live {
	id := l.Info().ID
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.lives[id]
	if c == nil {
		t, _ := l.Info().Task.(Task)
		c = newLive(r, l, t)
		select {
		case <-l.Done(): // too late to act on it
			c.leave()
		default:
			r.lives[id] = c
		}
	}
	return c
}

// own makes a script's call the one that all act on. Those who came before it
// did, while telephones rang, keep their places in the line.
func (r *Runner) own(c *live) {
	id := c.line.Info().ID
	r.mu.Lock()
	defer r.mu.Unlock()
	if old := r.lives[id]; old != nil {
		c.visits, c.over, c.nth, c.before = old.visits, old.over, old.nth, old
		if old.script != nil {
			c.hands = old.hands + 1
		}
		context.AfterFunc(c.gone, old.leave)
	}
	r.lives[id] = c
}

// forget gives what is known of a call that has left the switch, for the last
// time.
func (r *Runner) forget(l *exchange.Line) *live {
	c := r.on(l)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lives, l.Info().ID)
	return c
}

// Visit runs the commands of a web app beside whatever runs on a call, or on a
// call of two joined telephones: those of an answer to CallChanged, and to the
// RecordCompleted of a recording that such commands started. It returns at once;
// visits of one call run one after another, in the order of Visit (decisions
// 7.4a). Nothing happens to the call at their end; its end interrupts them.
func (r *Runner) Visit(l *exchange.Line, f *syntax.File, o ozml.Options) {
	c := r.on(l)
	if c.gone.Err() != nil {
		return
	}
	place := c.visits.join()
	r.wg.Go(func() {
		sink := l.Sink()
		leave, err := place.wait(c.gone)
		if err != nil {
			return
		}
		defer leave()
		defer r.guard(sink, "visit")
		o.Setting, o.ErrorURL, o.Sensitive = ozml.ThirdParty, c.task.ErrorURL, c.task.Sensitive
		ozml.Run(c.gone, r.world(&visitor{live: c, by: call.ByScript}, r.web(c.Info(), c.task, sink), besideOwner(sink)), r.c.Table, f, o)
	})
}

// besideOwner leaves out the end of a visit, which is not that of the call's
// script.
func besideOwner(to trace.Sink) trace.Sink {
	return trace.SinkFunc(func(e trace.Event) {
		if e.Type != trace.ScriptEnded {
			to.Emit(e)
		}
	})
}
