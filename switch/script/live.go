package script

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/notify"
)

// live is ozml.Call on a real call. Its verbs belong to the script's goroutine;
// press and over come from others.
type live struct {
	r    *Runner
	line *exchange.Line
	task Task
	web  *notify.CallWeb

	keyed bool // OnKey is set; the script's

	gone   context.Context // ends with ErrGone when the call does
	leave  func()          // ends gone
	script *running        // that runs on the call; nil = none of ours
	hands  int             // scripts that had the call before
	before *live           // the call as the one before had it, for what is told at its end; nil = nobody had
	visits *turns          // of visitors
	over   *turns          // of their sounds
	nth    *atomic.Int32   // recordings that the call has had, whoever started them

	saving sync.WaitGroup // recordings whose file is not whole or not reported; Add is the script's

	mu     sync.Mutex // guards what follows
	router ozml.Router
	wake   chan struct{} // closed and renewed when a key waits
	inKey  int           // Key calls that wait now
	untils []*until      // innermost last
	rec    *recording    // the running one
	recs   int           // how many there were
	openN  int           // recordings that run or whose RecordCompleted is not settled
	idle   chan struct{} // closed while openN is 0
	ended  bool
	take   func(*ozml.Takeover) // set while a script runs that may be taken over
	alarm  *tones               // gets the keys instead of all others; nil = nobody does
	owed   []owed               // transfers whose end is to be told
}

// until is one context of UntilKey.
type until struct{ cancel context.CancelCauseFunc }

func newLive(r *Runner, l *exchange.Line, t Task) *live {
	c := &live{r: r, line: l, task: t, visits: &turns{}, over: &turns{}, nth: &atomic.Int32{}, wake: make(chan struct{}), idle: make(chan struct{})}
	close(c.idle)
	gone, leave := context.WithCancelCause(context.Background())
	c.gone, c.leave = gone, func() { leave(ozml.ErrGone) }
	c.web = r.web(infoOf(l), t, l.Sink())
	return c
}

// Info is what the predefined variables are made of.
func (c *live) Info() ozml.CallInfo { return infoOf(c.line) }

func infoOf(l *exchange.Line) ozml.CallInfo {
	i := l.Info()
	return ozml.CallInfo{
		ID: string(i.ID), Caller: i.From, CallerName: i.FromName, Dialed: i.Dialed,
		Extension: i.Extension, Direction: i.Direction.String(), Started: i.Started,
	}
}

// Now is the call's clock.
func (c *live) Now() time.Time { return time.Now() }

// failure turns what Ask gave into what a script is told.
func failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if a, ok := errors.AsType[*exchange.AskError](err); ok && (a.Code == 481 || a.Code == 487) {
		return ozml.ErrGone
	}
	return err
}

func (c *live) Answer(ctx context.Context) error {
	err := failure(ctx, c.line.Ask(ctx, func(t call.Ticket) call.Event { return call.AnswerWanted{Ticket: t} }))
	if err != nil {
		return err
	}
	return c.listen(ctx)
}

// listen takes the leg's keys from now on.
func (c *live) listen(ctx context.Context) error {
	if c.keyed {
		return nil
	}
	leg, err := c.leg(ctx)
	if err != nil {
		return err
	}
	leg.OnKey(func(k byte, inband bool, _ time.Time) {
		source := ozml.KeyEvent
		if inband {
			source = ozml.KeyInband
		}
		c.press(ozml.Key(k), source)
	})
	c.keyed = true
	return nil
}

func (c *live) leg(ctx context.Context) (*bridge.Leg, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	leg := c.r.c.Bridge.Leg(c.line.Talks())
	if leg == nil || errors.Is(leg.Usable(), bridge.ErrClosed) {
		return nil, ozml.ErrGone
	}
	return leg, nil
}

func (c *live) Reject(ctx context.Context, r ozml.Rejection) error {
	if r.Code == 0 {
		r.Code = 603
	}
	return c.end(ctx, func(t call.Ticket) call.Event {
		return call.RejectWanted{Ticket: t, Failure: call.Failure{Code: r.Code, Reason: r.Reason}}
	})
}

func (c *live) Hangup(ctx context.Context) error { return c.hangup(ctx, call.ByScript) }

// hangup ends the call; that it was about to end by itself comes to the same.
func (c *live) hangup(ctx context.Context, by call.Result) error {
	err := c.end(ctx, func(t call.Ticket) call.Event { return call.HangupWanted{Ticket: t, By: by} })
	if err == ozml.ErrGone && ctx.Err() == nil {
		return nil
	}
	return err
}

// end asks for the end of the call. That ends ctx too, just before it is settled,
// so the answer is waited for without it; it comes at once.
func (c *live) end(ctx context.Context, f func(call.Ticket) call.Event) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return failure(context.WithoutCancel(ctx), c.line.Ask(context.WithoutCancel(ctx), f))
}

func (c *live) Wait(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// sounded turns the end of a leg into the end of the call.
func (c *live) sounded(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, bridge.ErrClosed) {
		return ozml.ErrGone
	}
	return err
}

// press is a key that arrived, from whatever source.
func (c *live) press(k ozml.Key, src ozml.KeySource) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ended, c.alarm != nil && src == ozml.KeyInband: // a panel's tones are heard as such
		return
	case !c.router.Fresh(now, k, src):
		return
	case c.alarm != nil:
		c.alarm.key(byte(k))
		return
	}
	if c.script != nil && !c.scripted() && c.rec == nil && c.inKey == 0 && len(c.untils) == 0 {
		return // the script is over, and what the two press is for each other
	}
	shown := string(rune(k))
	c.line.Sink().Emit(trace.Event{T: now, Type: trace.Key, Key: shown, Source: src.String()})
	taken := c.rec != nil && c.rec.finishes(k)
	if taken {
		c.rec.finish(now, "digit", shown)
	}
	if c.router.Press(k, taken) {
		c.rouse()
	}
}

// rouse wakes who waits for a key: a Key call, else the innermost UntilKey. It
// needs mu.
func (c *live) rouse() {
	if c.inKey > 0 {
		close(c.wake)
		c.wake = make(chan struct{})
		return
	}
	if n := len(c.untils); n > 0 {
		c.untils[n-1].cancel(ozml.ErrKey)
	}
}

func (c *live) Input(context.Context) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.router.Open(time.Now())
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.router.Close(time.Now())
	}
}

func (c *live) UntilKey(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	u := &until{cancel}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.router.Waiting() {
		cancel(ozml.ErrKey)
		return ctx, func() {}
	}
	c.untils = append(c.untils, u)
	return ctx, func() {
		c.mu.Lock()
		for i, o := range c.untils {
			if o == u {
				c.untils = append(c.untils[:i], c.untils[i+1:]...)
				break
			}
		}
		c.mu.Unlock()
		cancel(nil)
	}
}

func (c *live) Key(ctx context.Context, d time.Duration) (ozml.Key, error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	c.mu.Lock()
	c.inKey++
	defer func() {
		c.inKey--
		c.mu.Unlock()
	}()
	for {
		if ctx.Err() != nil {
			return 0, context.Cause(ctx)
		}
		if k, ok := c.router.Next(); ok {
			return k, nil
		}
		wake, late := c.wake, false
		c.mu.Unlock()
		select {
		case <-wake:
		case <-timer.C:
			late = true
		case <-ctx.Done():
		}
		c.mu.Lock()
		if late && !c.router.Waiting() {
			return 0, ozml.ErrNoKey
		}
	}
}

// closed is told once when the call has ended: verbs end by their context, a
// running recording is closed.
func (c *live) closed(now time.Time) {
	defer c.leave()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.rec != nil {
		c.rec.finish(now, "hangup", "")
	}
}

// Recording waits until no recording runs and every RecordCompleted is settled.
// A file that nobody is told of may become whole later.
func (c *live) Recording(ctx context.Context) error {
	c.mu.Lock()
	idle := c.idle
	c.mu.Unlock()
	select {
	case <-idle:
		c.mu.Lock()
		ended := c.ended
		c.mu.Unlock()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if ended { // the recording was closed by the call's end, which ctx is about to tell
			return ozml.ErrGone
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var _ ozml.Call = (*live)(nil)

// takeover names who takes an answer of RecordCompleted that has commands; nil
// when no script runs that could be taken over.
func (c *live) takeover(f func(*ozml.Takeover)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.take = f
}
