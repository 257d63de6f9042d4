package script

import (
	"context"
	"errors"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/exchange"
)

// Serve gives the script of a call that Go code owns, and no document: a
// conference, a queue. f runs once, in a goroutine of its own, on the call as a
// script has it; when it returns the call is over, unless it went elsewhere, or f
// has returned a *Then. ctx ends with ozml.ErrGone when the call is over. Another
// error of f is told in the call's event log, but for one that ctx caused.
func (r *Runner) Serve(l *exchange.Line, t Task, f func(ctx context.Context, c ozml.Call) error) exchange.Script {
	s := r.running(l, t)
	s.serves = f
	return s
}

// Then says that the call goes on with a script.
type Then struct{ Task Task }

func (t *Then) Error() string { return "the call goes on with " + t.Task.File }

func (s *running) serve(ctx context.Context, connected bool) {
	if connected && s.live.listen(ctx) != nil {
		return
	}
	err := s.serves(ctx, s.live)
	then, ok := errors.AsType[*Then](err)
	switch {
	case ok && ctx.Err() == nil:
		s.task, s.live.task, s.serves = then.Task, then.Task, nil
		s.run(connected)
	case err != nil && ctx.Err() == nil:
		s.line.Sink().Emit(trace.Event{Type: trace.Error, Code: trace.CodeSound, Text: err.Error()})
	}
}
