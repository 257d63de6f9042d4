package route

import (
	"context"
	"errors"

	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// replace lets the caller take the place of a telephone in another call (INVITE
// with Replaces, RFC 3891): of one of his own, or while it rings, of one of his
// group.
func (r *Router) replace(ctx context.Context, l *exchange.Line, t Task) error {
	me := t.Who.Extension
	if me == "" {
		return refuse(403, "to take the place of a telephone, log in with the password of an extension")
	}
	id, ok := r.c.FindLeg(*t.Replaces)
	other := r.c.Exchange.ByLeg(id)
	switch {
	case !ok || other == nil:
		return refuse(481, "the call that is to be replaced is not here")
	case other == l:
		return refuse(482, "the call cannot replace itself")
	}
	leg := legOf(other, id)
	rings := leg.Answered.IsZero()
	if leg.Extension != me && !(rings && leg.Extension != "" && r.sameGroup(me, leg.Extension)) {
		return refuse(403, "extension %s may not take the place of extension %q", me, leg.Extension)
	}
	tell(l, "extension %s takes the place of %s in call %s", me, leg.Number, other.Info().ID)
	var err error
	if rings {
		err = r.c.Exchange.PickUp(ctx, l, other)
	} else if err = l.Ask(ctx, func(k call.Ticket) call.Event { return call.AnswerWanted{Ticket: k} }); err == nil {
		err = r.c.Exchange.Merge(ctx, other, id, l, "")
	}
	if a, ok := errors.AsType[*exchange.AskError](err); ok {
		return refuse(max(a.Code, 400), "the place cannot be taken: %s", a.Reason)
	}
	return err
}
