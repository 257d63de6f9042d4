package route

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// errOver is why a call is led no more.
var errOver = errors.New("route: the call is over")

// For gives the script of a call whose Info.Task is t: it leads the call, and is
// then whatever application the number belongs to, if it is one.
func (r *Router) For(l *exchange.Line, t Task) exchange.Script {
	s := &leading{r: r, line: l, task: t}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

// leading is the script of a call that is led.
type leading struct {
	r      *Router
	line   *exchange.Line
	task   Task
	ctx    context.Context // ends with the call, and when the parties are joined
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	over   bool                    // the call has ended, and we have been told
	detour context.CancelCauseFunc // lets another number ring; nil: nothing rings
}

// Start implements exchange.Script.
func (s *leading) Start(connected bool) {
	s.r.wg.Go(func() {
		ours := true // to post ScriptEnded
		defer func() {
			if v := recover(); v != nil {
				s.r.panicked(s.line, v)
			}
			if ours {
				s.line.Post(call.ScriptEnded{})
			}
		}()
		err := s.lead()
		if h, ok := errors.AsType[*Handover](err); ok {
			if next := s.hand(h); next != nil {
				ours = false
				next.Start(connected)
			}
			return
		}
		if no, ok := errors.AsType[*Refused](err); ok {
			s.refuse(no)
		}
	})
}

func (s *leading) lead() error {
	switch {
	case s.task.PickUp:
		return s.r.pickUp(s.ctx, s.line, s.task)
	case s.task.Replaces != nil:
		return s.r.replace(s.ctx, s.line, s.task)
	}
	return s.leadOn()
}

// hand makes an application the script of the call; nil when the call was over
// before that.
func (s *leading) hand(h *Handover) exchange.Script {
	next := s.line.Lead(h.Number, h.Task)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.ctx.Err() != nil {
		return nil
	}
	return next
}

// refuse tells the caller that nobody came.
func (s *leading) refuse(no *Refused) {
	s.line.Sink().Emit(trace.Event{T: time.Now(), Type: trace.CallRouted, Status: no.Code, Text: no.Reason})
	_ = s.line.Ask(s.ctx, func(t call.Ticket) call.Event {
		return call.RejectWanted{Ticket: t, Failure: no.Failure}
	})
}

// Over implements exchange.Script.
func (s *leading) Over(time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}

// Stop implements exchange.Script.
func (s *leading) Stop(call.Result) { s.cancel(errOver) }

// Key implements exchange.Script: nobody waits for keys while it rings.
func (s *leading) Key(byte) {}

// panicked tells of a bug; the call that it befell ends with its script.
func (r *Router) panicked(l *exchange.Line, v any) {
	r.c.Slog.Error("panic in leading a call", "call", l.Info().ID, "panic", v, "stack", string(debug.Stack()))
	l.Sink().Emit(trace.Event{Type: trace.Error, Code: trace.CodeBug, Text: fmt.Sprintf("a fault of the switch: %v", v)})
	if r.c.Panicked != nil {
		r.c.Panicked("route")
	}
}
