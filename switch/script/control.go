package script

import (
	"context"
	"errors"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// Call control on a real call: transfers, hold, forward.

// A Divert is a number that a party of a call is to be connected with. Who
// stays is the other party; who dials, for the dial plan, is who leaves.
type Divert struct {
	To       string
	RingTime time.Duration // 0 = the dial plan's
	Instead  call.LegID    // who leaves when the number has answered; "" = the script
	Placed   func()        // to be called once the number is known to lead somewhere
}

// A Forwarder is an exchange.Script that rings telephones and can ring others
// instead: that of a call between two parties, as long as it rings. Forward
// returns once the new number is known to lead somewhere: nil, a
// *ozml.CallError, or ozml.ErrNotRinging.
type Forwarder interface{ Forward(to string) error }

// Transfer rings a number by the dial plan and connects it with the party that
// stays.
func (c *live) Transfer(ctx context.Context, t ozml.Transfer) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	d := Divert{To: t.To, RingTime: t.RingTime, Placed: t.Placed}
	if t.Leaves != "" {
		leaves := party(t.Leaves)
		if c.line.Leg(leaves.Other()) == "" {
			return &ozml.PartyError{Party: other(t.Leaves)}
		}
		d.Instead = c.line.Leg(leaves)
		if _, script := c.line.Script().(*running); d.Instead == "" && !script {
			return &ozml.PartyError{Party: t.Leaves}
		}
	}
	if c.r.c.Route == nil {
		return &ozml.CallError{To: t.To, State: "NotFound"}
	}
	err := c.r.c.Route(ctx, c.line, d)
	switch {
	case err == nil:
		c.transferred(t)
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if a, ok := errors.AsType[*exchange.AskError](err); ok {
		if a.Code == 481 {
			return ozml.ErrGone
		}
		return &ozml.CallError{To: t.To, State: stateOf(a.Code)}
	}
	return err
}

// Merge joins the parties of two calls who have somebody in common, who leaves.
func (c *live) Merge(ctx context.Context, m ozml.Merge) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	with, ok := m.With.(interface{ on() *live })
	if !ok {
		return errors.New("script: the other call is not of this switch")
	}
	b := with.on()
	here, there, err := common(c.line, b.line, m.Leaves)
	if err != nil {
		return err
	}
	if err := failure(ctx, c.r.c.Exchange.Merge(ctx, c.line, here, b.line, there)); err != nil {
		return err
	}
	c.stopRecord("transferred")
	b.stopRecord("transferred")
	return nil
}

// on is the call itself; a visitor's has the same.
func (c *live) on() *live { return c }

// common finds who leaves in an attended transfer: whose telephone or script is
// in both calls. Where leaves says so, it is that party of a, and in b the one
// like it, else who made that call.
func common(a, b *exchange.Line, leaves ozml.Party) (here, there call.LegID, err error) {
	for _, p := range []call.Party{call.Caller, call.Callee} {
		if leaves != "" && party(leaves) != p {
			continue
		}
		for _, q := range []call.Party{call.Caller, call.Callee} {
			if w := who(a, p); w != "" && w == who(b, q) {
				return a.Leg(p), b.Leg(q), nil
			}
		}
	}
	if leaves == "" {
		return "", "", ozml.ErrNoTransferor
	}
	if who(a, party(leaves)) == "" {
		return "", "", &ozml.PartyError{Party: leaves}
	}
	return a.Leg(party(leaves)), b.Leg(call.Caller), nil
}

// who names a party of a call, so that it is known again in another: "" when
// nobody is there.
func who(l *exchange.Line, p call.Party) string {
	id := l.Leg(p)
	if id == "" {
		if _, script := l.Script().(*running); script && l.Leg(p.Other()) != "" {
			return "script " + l.Info().Extension
		}
		return ""
	}
	for _, g := range l.Legs() {
		switch {
		case g.ID != id:
		case g.Extension != "":
			return "extension " + g.Extension
		default:
			return "number " + g.Line + " " + g.Number
		}
	}
	return ""
}

// Hold puts both parties on hold.
func (c *live) Hold(ctx context.Context) error { return c.hold(ctx, true) }

// Unhold takes them back.
func (c *live) Unhold(ctx context.Context) error { return c.hold(ctx, false) }

func (c *live) hold(ctx context.Context, on bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return failure(ctx, c.line.Ask(ctx, func(t call.Ticket) call.Event { return call.HoldWanted{Ticket: t, On: on} }))
}

// Forward has whoever rings the telephones ring others.
func (c *live) Forward(ctx context.Context, to string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f, ok := c.line.Script().(Forwarder)
	if s := c.line.Status().State; !ok || s != call.Setup && s != call.Ringing {
		return ozml.ErrNotRinging
	}
	return f.Forward(to)
}

// transferred notes that a party was replaced: a recording of it ends, and who
// asked for it is told when the call is over.
func (c *live) transferred(t ozml.Transfer) {
	c.stopRecord("transferred")
	if t.FinishedURL == "" {
		return
	}
	caller, callee := c.numbers()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = append(c.owed, owed{t, caller, callee, time.Now()})
}

// stopRecord ends the recording that runs, if any.
func (c *live) stopRecord(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rec != nil {
		c.rec.finish(time.Now(), reason, "")
	}
}

// owed is a transfer whose end is to be told.
type owed struct {
	ozml.Transfer
	caller, callee string
	since          time.Time
}

// numbers are those of the two parties now.
func (c *live) numbers() (caller, callee string) {
	i := c.line.Info()
	caller, callee = i.From, i.Dialed
	here := map[call.LegID]bool{c.line.Leg(call.Caller): true, c.line.Leg(call.Callee): true}
	for _, g := range c.line.Legs() {
		switch {
		case !here[g.ID]:
		case g.Party == call.Caller:
			caller = g.Number
		default:
			callee = g.Number
		}
	}
	return caller, callee
}

func party(p ozml.Party) call.Party {
	if p == ozml.Caller {
		return call.Caller
	}
	return call.Callee
}

func other(p ozml.Party) ozml.Party {
	if p == ozml.Caller {
		return ozml.Callee
	}
	return ozml.Caller
}
