package route

import (
	"context"
	"errors"
	"time"

	"ozswitch/ozml/trace"
)

// A detour is the cause by which telephones fall silent when another number is
// to ring in their stead.
type detour struct{ to string }

func (d *detour) Error() string { return "route: forwarded to " + d.to }

// errJoined is why a lead cannot be sent elsewhere any more.
var errJoined = errors.New("route: somebody has answered")

// leadOn leads the call, and starts again whenever Forward names another number.
func (s *leading) leadOn() error {
	number := s.task.Number
	for {
		ctx, end := context.WithCancelCause(s.ctx)
		s.mu.Lock()
		s.detour = end
		s.mu.Unlock()
		err := s.r.Dial(ctx, s.line, s.task.Who, number, Options{})
		s.mu.Lock()
		s.detour = nil
		s.mu.Unlock()
		d, ok := errors.AsType[*detour](context.Cause(ctx))
		end(errJoined)
		if !ok || err == nil {
			return err
		}
		number = d.to
	}
}

// Forward lets another number ring instead of those that ring now, on behalf of
// the caller. rings is false when none does; the error is a *Refused.
func (s *leading) Forward(to string) (rings bool, err error) {
	if _, _, no := s.r.Lead(s.task.Who, to, time.Now()); no != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.detour != nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.detour == nil {
		return false, nil
	}
	s.line.Sink().Emit(trace.Event{T: time.Now(), Type: trace.CallRouted, Text: "the call is forwarded to " + to})
	s.detour(&detour{to})
	return true, nil
}

// CallState is the state that the call came to (ozml.CallError).
func (e *Refused) CallState() string { return e.State }
