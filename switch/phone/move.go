package phone

import (
	"context"
	"errors"
	"fmt"

	"ozswitch/media/codec"
	"ozswitch/switch/call"
)

var errOver = errors.New("phone: the call has ended")

// Hold puts the far end on hold, or takes it back; it returns when that was
// answered.
func (c *Call) Hold(ctx context.Context, on bool) error {
	return c.reinvite(ctx, func() call.Media {
		c.onHold = on
		m := c.local
		m.Dir = c.direction(call.SendRecv)
		return m
	})
}

// Reoffer offers the far end codecs anew, in this order; it returns when that was
// answered. What was agreed on goes on until then.
func (c *Call) Reoffer(ctx context.Context, codecs ...*codec.Codec) error {
	return c.reinvite(ctx, func() call.Media {
		c.o.Codecs = codecs
		m := c.offer()
		m.Addr, m.Web, m.Dir = c.local.Addr, c.local.Web, c.direction(call.SendRecv)
		return m
	})
}

// direction is which way sound may flow where the far end lets it flow so.
func (c *Call) direction(d call.MediaDir) call.MediaDir {
	switch {
	case c.onHold && d == call.SendRecv:
		return call.SendOnly
	case c.onHold && d == call.RecvOnly:
		return call.Inactive
	}
	return d
}

func (c *Call) reinvite(ctx context.Context, offer func() call.Media) error {
	outcome := make(chan error, 1)
	err := c.ask(func() error {
		switch {
		case c.answered.IsZero() || c.leg == nil:
			return errNoSound
		case c.change != nil:
			return errors.New("phone: another re-INVITE is under way")
		}
		m := offer()
		c.change, c.wanted = outcome, &m
		c.p.ua.Do(call.Reinvite{Leg: c.id, Media: &m})
		return nil
	})
	if err != nil {
		return err
	}
	select {
	case err := <-outcome:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reaccepted: the far end took our re-INVITE.
func (c *Call) reaccepted(theirs *call.Media) {
	if c.wanted != nil {
		c.local = *c.wanted
	}
	var err error
	if theirs != nil && c.leg != nil {
		if !c.connect(*theirs) {
			err = fmt.Errorf("phone: the call to %s: no codec in common any more", c.to)
		} else if c.wanted != nil {
			narrow(&c.local, theirs, c.format)
		}
	}
	c.changed(err)
}

// changed tells who waits for a re-INVITE.
func (c *Call) changed(err error) {
	if c.change != nil {
		c.change <- err
		c.change, c.wanted = nil, nil
	}
}

// Dialog names the call as its far end knows it, for Options.Replaces of another
// telephone; false before it is answered.
func (c *Call) Dialog() (call.Replaces, bool) { return c.p.ua.Dialog(c.id) }

// Replaces is the dialog whose place a call that came wants; nil = of none.
func (c *Call) Replaces() *call.Replaces { return c.replaces }

// Refer asks the far end to call somebody else in our place (RFC 3515): to is a
// SIP URI. It returns when the new call was answered (nil), or what became of it (a
// *Refused); events tell each step. Our own call stays until somebody hangs up.
func (c *Call) Refer(ctx context.Context, to string) error { return c.refer(ctx, to, nil) }

// ReferTo asks the far end to take the place of us in another call of ours (RFC
// 5589 7).
func (c *Call) ReferTo(ctx context.Context, other *Call, to string) error {
	d, ok := other.p.ua.Dialog(other.id)
	if !ok {
		return fmt.Errorf("phone: the call to %s is not up", other.to)
	}
	return c.refer(ctx, to, &d)
}

func (c *Call) refer(ctx context.Context, to string, replaces *call.Replaces) error {
	type step struct {
		code   int
		reason string
		last   bool
	}
	steps := make(chan step, 64)
	c.p.ua.Refer(c.id, to, replaces, func(code int, reason string, last bool) {
		select {
		case steps <- step{code, reason, last}:
		default: // nobody needs so many
		}
	})
	over := c.done
	for {
		select {
		case s := <-steps:
			_ = c.ask(func() error { c.event(Event{Kind: Moved, Code: s.code, Text: s.reason}); return nil })
			if !s.last {
				if over == nil && len(steps) == 0 {
					return errOver
				}
				continue
			}
			if s.code >= 300 || s.code < 200 {
				return &Refused{To: to, Code: s.code, Reason: s.reason}
			}
			return nil
		case <-over:
			if over = nil; len(steps) == 0 { // else the far end said how it went, and hung up
				return errOver
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
