package exchange

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// mailbox is how many events may wait; more means that the call is broken
// (house 7.5).
const mailbox = 256

// A Line is one call that is up: its mailbox, its goroutine, its event log.
type Line struct {
	x      *Exchange
	info   Info
	sink   trace.Sink
	script Script

	box      box
	overflow atomic.Bool
	done     chan struct{} // closed when the call has left

	mu       sync.Mutex // guards what follows
	state    call.State
	resumed  bool // its state was Held before
	answered time.Time
	ended    time.Time
	tickets  call.Ticket
	settled  map[call.Ticket]chan call.Settle
	legs     []*Leg // all that there were, oldest first
	leads    *lead  // whose script starts next, see Serve; nil = the present one

	// Owned by loop.
	call   *call.Call
	timer  *time.Timer
	broken bool // a panic ended it
	turn   int  // grows with each event
}

// Info tells what was known of the call at its start, or has been told by Lead.
func (l *Line) Info() Info {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.info
}

// Sink is the call's event log.
func (l *Line) Sink() trace.Sink { return l.sink }

// Script is what runs on the call; Lead puts another in its place.
func (l *Line) Script() Script {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.script
}

// Done is closed when the call has left the switch.
func (l *Line) Done() <-chan struct{} { return l.done }

// Result tells how the call ended; it is for Config.Changed and Finished, which
// the call's own goroutine calls.
func (l *Line) Result() call.Result {
	if l.broken {
		return call.Failed
	}
	return l.call.Result()
}

// A Status is where a call stands.
type Status struct {
	State           call.State
	Resumed         bool      // it was on hold before
	Answered, Ended time.Time // zero when not yet
}

// Status tells where the call stands now.
func (l *Line) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Status{l.state, l.resumed, l.answered, l.ended}
}

// Post puts an event into the mailbox. It never blocks; false means that the
// call is gone or ends because its mailbox is full.
func (l *Line) Post(e call.Event) bool {
	select {
	case <-l.done:
		return false
	default:
	}
	if !l.box.put(e) {
		l.overflow.Store(true)
		return false
	}
	return true
}

// An AskError is what a request to a call came to when it was not done.
type AskError struct {
	call.Failure
	Contacts []string // of a dial that was sent elsewhere (3xx), best first
}

func (e *AskError) Error() string { return fmt.Sprintf("call: %s (%d)", e.Reason, e.Code) }

// Ask posts the event that f makes of a ticket and waits until it is settled:
// nil, an *AskError, or the cause of ctx.
func (l *Line) Ask(ctx context.Context, f func(call.Ticket) call.Event) error {
	answer := make(chan call.Settle, 1)
	l.mu.Lock()
	l.tickets++
	t := l.tickets
	l.settled[t] = answer
	l.mu.Unlock()
	gone := call.Settle{Failure: call.Failure{Code: 481, Reason: "the call is over"}}
	if !l.Post(f(t)) {
		return &AskError{Failure: gone.Failure}
	}
	var s call.Settle
	select {
	case s = <-answer:
	case <-l.done:
		select {
		case s = <-answer: // settled by the last event
		default:
			s = gone
		}
	case <-ctx.Done():
		select {
		case s = <-answer: // and what settled it ended ctx as well
		default:
			return context.Cause(ctx)
		}
	}
	if s.Code != 0 {
		return &AskError{s.Failure, s.Contacts}
	}
	return nil
}

// loop is the call's goroutine: one event after the other until Over.
func (l *Line) loop() {
	defer l.leave()
	l.timer = time.NewTimer(time.Hour)
	l.timer.Stop()
	defer l.timer.Stop()
	for over := false; !over; {
		e, ok := l.box.take()
		if !ok {
			select {
			case <-l.box.bell:
				continue
			case <-l.timer.C:
				e = call.Tick{}
			}
		}
		if l.overflow.CompareAndSwap(true, false) && l.call.State() != call.Completed {
			l.sink.Emit(trace.Event{Type: trace.Error, Code: trace.CodeOverload, Text: "the call's mailbox was full: too many events at once"})
			over = l.handle(call.HangupWanted{By: call.Overload, Reason: "overload"})
			continue
		}
		over = l.handle(e)
	}
}

// handle carries out the effects of one event; a panic ends this call and no
// other.
func (l *Line) handle(e call.Event) (over bool) {
	defer func() {
		if v := recover(); v != nil {
			l.panicked(v)
			over = true
		}
	}()
	inject("exchange.handle", l.info.Dialed)
	l.turn++
	if leg := call.LegOf(e); leg != "" {
		if now := l.x.ByLeg(leg); now != nil && now != l {
			now.Post(e) // the leg went to another call
			return false
		}
	}
	for _, effect := range l.call.Handle(time.Now(), e) {
		if _, last := effect.(call.Over); last {
			return true
		}
		l.carryOut(effect)
	}
	return false
}

func (l *Line) carryOut(effect call.Effect) {
	switch f := effect.(type) {
	case call.Respond, call.Cancel, call.Bye, call.Info, call.Reinvite:
		l.x.c.Signal.Do(f)
	case call.Invite:
		l.x.c.Signal.Dial(f, l.x.poster(f.Leg))
	case call.OpenMedia:
		m, err := l.x.c.Sound.Open(f, l.x.poster(f.Leg), follow{l.x, f.Leg, l.sink})
		if err != nil {
			l.Post(call.MediaFailed{Leg: f.Leg, Failure: failureOf(err)})
			return
		}
		l.Post(call.MediaOpened{Leg: f.Leg, Media: m})
	case call.AgreeMedia:
		m, err := l.x.c.Sound.Agree(f.Leg, &f.Remote)
		if err != nil {
			l.Post(call.MediaDisagreed{Leg: f.Leg, Failure: failureOf(err)})
			return
		}
		l.Post(call.MediaAgreed{Leg: f.Leg, Media: m})
	case call.ConnectMedia:
		if err := l.x.c.Sound.Connect(f.Leg, f.Remote); err != nil {
			l.Post(call.MediaFailed{Leg: f.Leg, Failure: failureOf(err)})
		}
	case call.Join:
		l.x.c.Sound.Join(f.A, f.B)
	case call.Part:
		l.x.c.Sound.Part(f.A, f.B)
	case call.Ringback:
		l.x.c.Sound.Ringback(f.Leg, f.On)
	case call.Music:
		l.x.c.Sound.Music(f.Leg, f.On)
	case call.SendKey:
		l.x.c.Sound.SendKey(f.Leg, f.Key)
	case call.Give:
		l.hand(f)
	case call.CloseMedia:
		l.x.c.Sound.Close(f.Leg)
	case call.StartScript:
		l.startScript(f.Connected)
	case call.StopScript:
		l.Script().Stop(f.Result)
	case call.PressKey:
		l.Script().Key(f.Key)
	case call.Changed:
		l.changed(f.State)
	case call.LegChanged:
		l.legChanged(f)
	case call.ReferProgress:
		l.x.c.Signal.Do(f)
	case call.TransferAsked:
		if l.x.c.Transfer == nil {
			l.Post(call.TransferRefused{Leg: f.Leg, Failure: call.Failure{Code: 603, Reason: "calls are not transferred here"}})
			return
		}
		l.x.c.Transfer(l, f)
	case call.Settle:
		l.settle(f)
	case call.Arm:
		l.timer.Stop()
		if !f.At.IsZero() {
			l.timer.Reset(time.Until(f.At))
		}
	default:
		panic(fmt.Sprintf("exchange: no way to carry out %T", effect))
	}
}

// A MediaError lets Sound choose the SIP status of a failure.
type MediaError struct {
	Code int
	Msg  string
}

func (e *MediaError) Error() string { return e.Msg }

func failureOf(err error) call.Failure {
	if m, ok := err.(*MediaError); ok {
		return call.Failure{Code: m.Code, Reason: m.Msg}
	}
	return call.Failure{Code: 500, Reason: err.Error()}
}

func (l *Line) settle(s call.Settle) {
	l.mu.Lock()
	answer := l.settled[s.Ticket]
	delete(l.settled, s.Ticket)
	l.mu.Unlock()
	if answer != nil {
		answer <- s
	}
}

func (l *Line) changed(s call.State) {
	e := trace.Event{T: time.Now()}
	if s == call.Completed {
		l.Script().Over(e.T)
	}
	l.mu.Lock()
	l.resumed = l.state == call.Held
	l.state = s
	switch s {
	case call.Setup:
		e.Type, e.From, e.To = trace.CallStarted, l.info.From, l.info.Dialed
		e.Direction, e.Peer = l.info.Direction.String(), l.info.RemoteAddr
		e.Leg, e.Extension, e.Via = string(l.info.Leg), l.info.User, l.info.Line
	case call.Ringing:
		e.Type = trace.CallRinging
	case call.InCall:
		if e.Type = trace.CallResumed; !l.resumed {
			e.Type, l.answered = trace.CallAnswered, e.T
		}
	case call.Held:
		e.Type = trace.CallHeld
	case call.Completed:
		l.ended = e.T
		for _, g := range l.legs {
			g.Last = g.turn == l.turn
		}
		e = l.endEvent()
	}
	l.mu.Unlock()
	if e.Type != "" {
		l.sink.Emit(e)
	}
	if l.x.c.Changed != nil {
		l.x.c.Changed(l, s)
	}
}

// endEvent tells how the call ended; what its script still does comes after it.
func (l *Line) endEvent() trace.Event {
	return trace.Event{T: l.ended, Type: trace.CallEnded, Reason: l.Result().String(), Seconds: l.ended.Sub(l.info.Started).Seconds()}
}

// leave is the end of a call's goroutine: the world is told.
func (l *Line) leave() {
	l.mu.Lock()
	r := Record{Info: l.info, Answered: l.answered, Ended: l.ended, Result: l.Result()}
	l.mu.Unlock()
	l.x.forget(l)
	close(l.done)
	l.untaken()
	if l.x.c.Finished != nil {
		l.x.c.Finished(l, r)
	}
}

// panicked ends the call after a fault of ours, as far as that can be done
// without its state.
func (l *Line) panicked(v any) {
	l.x.c.Slog.Error("panic in a call", "call", l.info.ID, "panic", v, "stack", string(debug.Stack()))
	l.sink.Emit(trace.Event{Type: trace.Error, Code: trace.CodeBug, Text: fmt.Sprintf("a fault of the switch ended this call: %v", v)})
	if l.x.c.Panicked != nil {
		l.x.c.Panicked("call")
	}
	var last []func()
	legs := l.Legs()
	if l.Status().State != call.Completed {
		l.broken = true
		for _, g := range legs {
			if g.State != call.Completed {
				last = append(last, func() { l.x.c.Signal.Do(farewell(g, "fault of the switch")) })
			}
		}
		last = append(last, func() { l.changed(call.Completed) })
	}
	last = append(last, func() { l.Script().Stop(call.Failed) })
	for _, g := range legs {
		if l.x.ByLeg(g.ID) == l {
			last = append(last, func() { l.x.c.Sound.Close(g.ID) })
		}
	}
	for _, f := range last {
		func() {
			defer func() { _ = recover() }()
			f()
		}()
	}
}

// farewell is the message that ends the dialog of a broken call.
func farewell(g Leg, why string) call.Effect {
	switch {
	case g.State == call.InCall || g.State == call.Held:
		return call.Bye{Leg: g.ID, Reason: why}
	case g.called:
		return call.Cancel{Leg: g.ID, Reason: why}
	}
	return call.Respond{Leg: g.ID, Code: 500, Warning: why}
}
