package script

import (
	"context"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// Serve gives the script of a call that Go code owns, and no document: a
// conference, a queue. f runs once, in a goroutine of its own, on the call as a
// script has it; when it returns the call is over, unless it went elsewhere. ctx
// ends with ozml.ErrGone when the call is over. An error of f is told in the call's
// event log, but for one that ctx caused.
func (r *Runner) Serve(l *exchange.Line, t Task, f func(ctx context.Context, c ozml.Call) error) exchange.Script {
	s := &served{running{r: r, line: l, task: t, live: newLive(r, l, t)}, f}
	s.scope.begin()
	return s
}

// served is running with Go code in place of a document.
type served struct {
	running
	f func(context.Context, ozml.Call) error
}

// Start implements exchange.Script.
func (s *served) Start(connected bool) {
	s.r.wg.Go(func() {
		defer s.line.Post(call.ScriptEnded{})
		defer s.r.guard(s.line.Sink(), "service")
		ctx := s.scope.now()
		if connected && s.live.listen(ctx) != nil {
			return
		}
		if err := s.f(ctx, s.live); err != nil && ctx.Err() == nil {
			s.line.Sink().Emit(trace.Event{Type: trace.Error, Code: trace.CodeSound, Text: err.Error()})
		}
		s.live.saved() // all of a recording is told before the call is over
	})
}

var _ exchange.Script = (*served)(nil)
