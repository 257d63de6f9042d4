package script

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/notify"
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
// returns once the new number is known to lead somewhere, with a Stated error if
// it does not; rings is false when nothing rings.
type Forwarder interface {
	Forward(to string) (rings bool, err error)
}

// Transfer rings a number by the dial plan and connects it with the party that
// stays.
func (c *live) Transfer(ctx context.Context, t ozml.Transfer) error { return c.transfer(ctx, t, false) }

func (c *live) transfer(ctx context.Context, t ozml.Transfer, operator bool) error {
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
		if d.Instead == "" && !c.scripted() {
			return &ozml.PartyError{Party: t.Leaves}
		}
	}
	if c.r.c.Route == nil {
		return &ozml.CallError{To: t.To, State: "NotFound"}
	}
	err := c.r.c.Route(ctx, c.line, d)
	if h, ok := errors.AsType[*Handover](err); ok && d.Instead == "" && c.scripted() {
		if c.hands >= maxHands {
			return &ozml.Fault{Code: ozml.CodeDial, Msg: fmt.Sprintf("the caller was handed on from script to script more than %d times", maxHands), Hint: "do the scripts transfer to each other?"}
		}
		if !c.script.hand(h.Make) {
			return ozml.ErrGone
		}
		err = nil
	}
	switch {
	case err == nil:
		c.transferred(t, operator)
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return unreached(t.To, err)
}

// maxHands is how often scripts may hand a caller on to each other.
const maxHands = 20

// A Handover is what Config.Route gives for the number of an application: Make
// makes it the script of the call (exchange.Line.Lead).
type Handover struct{ Make func() exchange.Script }

func (h *Handover) Error() string { return "the number is that of an application" }

// A Stated error knows the state that a call came to: NoAnswer, Busy, NotFound
// or Error.
type Stated interface {
	error
	CallState() string
}

// unreached turns why a number was not reached into what a script is told.
func unreached(to string, err error) error {
	if e, ok := errors.AsType[*ozml.CallError](err); ok {
		return e
	}
	if s, ok := errors.AsType[Stated](err); ok {
		return &ozml.CallError{To: to, State: s.CallState()}
	}
	if a, ok := errors.AsType[*exchange.AskError](err); ok {
		if a.Code == 481 {
			return ozml.ErrGone
		}
		return &ozml.CallError{To: to, State: stateOf(a.Code)}
	}
	return &ozml.CallError{To: to, State: "Error"}
}

// Merge joins the parties of two calls who have somebody in common, who leaves.
func (c *live) Merge(ctx context.Context, m ozml.Merge) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	with, ok := m.With.(interface{ self() *live })
	if !ok {
		return errors.New("script: the other call is not of this switch")
	}
	b := with.self()
	here, there, err := common(c, b, m.Leaves)
	if err != nil {
		return err
	}
	if err := c.refused(ctx, c.r.c.Exchange.Merge(ctx, c.line, here, b.line, there)); err != nil {
		return err
	}
	c.stopRecord("transferred")
	b.stopRecord("transferred")
	return nil
}

// self is the call; a visitor's has the same.
func (c *live) self() *live { return c }

// common finds who leaves in an attended transfer: whose telephone or script is
// in both calls. Where leaves says so, it is that party of a, and in b the one
// like it, else who made that call.
func common(a, b *live, leaves ozml.Party) (here, there call.LegID, err error) {
	for _, p := range []call.Party{call.Caller, call.Callee} {
		if leaves != "" && party(leaves) != p {
			continue
		}
		for _, q := range []call.Party{call.Caller, call.Callee} {
			if w := who(a, p); w != "" && w == who(b, q) {
				return a.line.Leg(p), b.line.Leg(q), nil
			}
		}
	}
	if leaves == "" {
		return "", "", ozml.ErrNoTransferor
	}
	if who(a, party(leaves)) == "" {
		return "", "", &ozml.PartyError{Party: leaves}
	}
	return a.line.Leg(party(leaves)), b.line.Leg(call.Caller), nil
}

// scripted tells whether a script of ours is a party of the call.
func (c *live) scripted() bool { return c.script != nil && !c.script.left.Load() }

// who names a party of a call, so that it is known again in another: "" when
// nobody is there.
func who(c *live, p call.Party) string {
	l, id := c.line, c.line.Leg(p)
	if id == "" {
		if c.scripted() && l.Leg(p.Other()) != "" {
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
	return c.refused(ctx, c.line.Ask(ctx, func(t call.Ticket) call.Event { return call.HoldWanted{Ticket: t, On: on} }))
}

// refused turns why a call that is up cannot do something into what a script is
// told: it cannot be used here, now.
func (c *live) refused(ctx context.Context, err error) error {
	a, ok := errors.AsType[*exchange.AskError](err)
	if !ok || ctx.Err() != nil || a.Code == 481 || c.line.Status().State == call.Completed {
		return failure(ctx, err)
	}
	return &ozml.Fault{Code: ozml.CodeNotHere, Msg: "it cannot be done now: " + a.Reason}
}

// Forward has whoever rings the telephones ring others.
func (c *live) Forward(ctx context.Context, to string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f, ok := c.line.Script().(Forwarder)
	if !ok {
		return ozml.ErrNotRinging
	}
	switch rings, err := f.Forward(to); {
	case !rings:
		return ozml.ErrNotRinging
	case err != nil:
		return unreached(to, err)
	}
	return nil
}

// transferred notes that a party was replaced: a recording of it ends, and who
// asked for it is told when the call is over.
func (c *live) transferred(t ozml.Transfer, operator bool) {
	c.stopRecord("transferred")
	if t.FinishedURL == "" {
		return
	}
	caller, callee := c.numbers()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = append(c.owed, owed{t, caller, callee, operator, time.Now()})
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
	operator       bool // the URL counts as the operator's
	since          time.Time
}

// tellTransfers reports that the call is over to those who transferred it.
func (c *live) tellTransfers(at time.Time) {
	c.mu.Lock()
	all := c.owed
	c.owed = nil
	c.mu.Unlock()
	for _, o := range all {
		c.webFor(o.operator, o.FinishedURL).Report(ozml.Notification{Name: "TransferCompleted", URL: o.FinishedURL, At: o.At, Fields: url.Values{
			"Caller": {o.caller}, "Callee": {o.callee}, "Duration": {ozml.Decimals(at.Sub(o.since))},
		}})
	}
}

// webFor is the web of the call, to which url is the operator's if it says so.
func (c *live) webFor(operator bool, url string) *notify.CallWeb {
	if !operator {
		return c.web
	}
	t := c.task
	t.Operator = append(t.Operator[:len(t.Operator):len(t.Operator)], url)
	return c.r.web(c.Info(), t, c.line.Sink())
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
