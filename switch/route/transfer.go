package route

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/exchange"
)

// Transfer is exchange.Config.Transfer: the far end of a leg wants to be replaced
// (REFER). It dials as the extension that it belongs to, so that nobody is
// transferred to where that one may not call; lines may not transfer at all. It
// returns at once.
func (r *Router) Transfer(l *exchange.Line, t call.TransferAsked) {
	r.wg.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				r.panicked(l, v)
				l.Post(call.TransferRefused{Leg: t.Leg, Failure: call.Failure{Code: 500, Reason: "a fault of the switch"}})
			}
		}()
		ctx, stop := context.WithCancelCause(context.Background())
		defer stop(nil)
		go func() { // nobody is left to transfer
			select {
			case <-l.Done():
				stop(errOver)
			case <-ctx.Done():
			}
		}()
		err := r.transfer(ctx, l, t)
		if no, ok := errors.AsType[*Refused](err); ok {
			l.Sink().Emit(trace.Event{T: time.Now(), Type: trace.CallRouted, Status: no.Code, Text: "not transferred: " + no.Reason})
			l.Post(call.TransferRefused{Leg: t.Leg, Failure: no.Failure}) // that Dial has said so before does no harm
		}
	})
}

func (r *Router) transfer(ctx context.Context, l *exchange.Line, t call.TransferAsked) error {
	who := legOf(l, t.Leg).Extension
	if who == "" {
		return refuse(403, "only telephones of extensions may transfer calls")
	}
	if t.Replaces == nil {
		tell(l, "extension %s transfers the call to %s", who, t.To)
		return r.Dial(ctx, l, Caller{From: dialplan.FromExtension, Extension: who}, t.To, Options{Instead: t.Leg})
	}
	id, ok := r.c.FindLeg(*t.Replaces)
	other := r.c.Exchange.ByLeg(id)
	switch {
	case !ok || other == nil:
		return refuse(481, "the call that is to be replaced is not here")
	case other == l:
		return refuse(400, "the call cannot replace itself")
	case legOf(other, id).Extension != who:
		return refuse(403, "extension %s may not replace a leg of somebody else", who)
	}
	tell(l, "extension %s joins the call with call %s", who, other.Info().ID)
	err := r.c.Exchange.Merge(ctx, l, t.Leg, other, id)
	if a, ok := errors.AsType[*exchange.AskError](err); ok {
		return refuse(max(a.Code, 400), "the calls cannot be joined: %s", a.Reason)
	}
	return err
}

// legOf is a leg of a call; the zero Leg when it has none of that name.
func legOf(l *exchange.Line, id call.LegID) (leg exchange.Leg) {
	for _, g := range l.Legs() {
		if g.ID == id {
			return g
		}
	}
	return leg
}

// tell writes into a call's log why it went where it went.
func tell(l *exchange.Line, format string, args ...any) {
	l.Sink().Emit(trace.Event{T: time.Now(), Type: trace.CallRouted, Text: fmt.Sprintf(format, args...)})
}
