package exchange

import (
	"context"
	"fmt"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// Merge makes one call of two, for an attended transfer: whoever talks with
// leavesA in a goes on with whoever talks with leavesB in b, and these two leave.
// An empty one of these is the script of that call. The call that ends is b,
// unless nobody but leavesB is there yet. It gives an *AskError when that cannot be.
func (x *Exchange) Merge(ctx context.Context, a *Line, leavesA call.LegID, b *Line, leavesB call.LegID) error {
	if a == b {
		return &AskError{Failure: call.Failure{Code: 482, Reason: "both are the same call"}}
	}
	if stays := b.but(leavesB); stays != "" {
		return b.give(ctx, stays, a, leavesA)
	}
	if stays := a.but(leavesA); stays != "" {
		return a.give(ctx, stays, b, leavesB)
	}
	return &AskError{Failure: call.Failure{Code: 481, Reason: "there is nobody to talk with"}}
}

// PickUp lets caller answer the call that rings: its leg takes the place of the
// telephones that ring, and its own call is over.
func (x *Exchange) PickUp(ctx context.Context, caller, ringing *Line) error {
	if caller == ringing {
		return &AskError{Failure: call.Failure{Code: 482, Reason: "both are the same call"}}
	}
	return caller.give(ctx, caller.Leg(call.Caller), ringing, "")
}

// but is the party that is not leg; "" when there is none.
func (l *Line) but(leg call.LegID) call.LegID {
	for _, p := range []call.Party{call.Caller, call.Callee} {
		if id := l.Leg(p); id != leg {
			return id
		}
	}
	return ""
}

func (l *Line) give(ctx context.Context, leg call.LegID, to *Line, instead call.LegID) error {
	return l.Ask(ctx, func(t call.Ticket) call.Event {
		return call.GiveWanted{Ticket: t, Leg: leg, To: to.info.ID, Instead: instead}
	})
}

// hand gives a leg to another call: what is known of it, its events, and the leg
// itself. Events of the leg that are in our mailbox still go there as well, after
// the leg.
func (l *Line) hand(f call.Give) {
	f.Given.From = l.info.ID
	g := l.known(f.Leg)
	e := trace.Event{Type: trace.CallTransferred, To: g.Number, Text: fmt.Sprintf("goes on in call %s", f.To)}
	l.sink.Emit(e)
	x := l.x
	x.mu.Lock()
	to := x.lines[f.To]
	taken := false
	if to != nil {
		to.mu.Lock()
		to.legs = append(to.legs, &g)
		to.mu.Unlock()
		x.legs[f.Leg] = to
		taken = to.Post(call.LegGiven{Given: f.Given, Instead: f.Instead})
	}
	x.mu.Unlock()
	if !taken {
		l.bereft(g)
		return
	}
	e.Text = fmt.Sprintf("comes from call %s", l.info.ID)
	to.sink.Emit(e)
}

// known is what we know of a leg, as it starts in another call.
func (l *Line) known(leg call.LegID) Leg {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range l.legs {
		if g.ID == leg {
			k := *g
			k.State, k.Ended, k.Failure = call.Setup, time.Time{}, call.Failure{}
			if !k.Answered.IsZero() {
				k.State = call.InCall
			}
			return k
		}
	}
	return Leg{ID: leg}
}

// bereft ends a leg that nobody takes.
func (l *Line) bereft(g Leg) {
	l.x.c.Signal.Do(farewell(g, "the other call is over"))
	l.x.c.Sound.Close(g.ID)
}

// untaken ends the legs that were given to a call that is over.
func (l *Line) untaken() {
	for e, ok := l.box.take(); ok; e, ok = l.box.take() {
		if given, ok := e.(call.LegGiven); ok {
			l.bereft(l.known(given.Given.Leg()))
		}
	}
}
