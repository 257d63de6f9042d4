package route

import (
	"context"
	"errors"

	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
)

// pickUp lets the caller answer a call that rings at another telephone of his
// group: that of t.Number, or the one that has rung longest when that is "".
func (r *Router) pickUp(ctx context.Context, l *exchange.Line, t Task) error {
	me := t.Who.Extension
	if me == "" {
		return refuse(403, "to pick up a call, log in with the password of an extension")
	}
	if _, ok := r.c.Find(t.Number); t.Number != "" && !ok {
		return nobody(t.Number)
	}
	if t.Number != "" && !r.sameGroup(me, t.Number) {
		return refuse(403, "extension %s may not pick up calls of %s: they are not in one pickup_group", me, t.Number)
	}
	ringing := r.ringing(l, func(ext string) bool {
		return t.Number == ext || t.Number == "" && ext != me && r.sameGroup(me, ext)
	})
	if ringing == nil {
		return refuse(480, "there is no call that rings")
	}
	err := r.c.Exchange.PickUp(ctx, l, ringing)
	if a, ok := errors.AsType[*exchange.AskError](err); ok {
		return refuse(480, "the call cannot be picked up: %s", a.Reason)
	}
	return err
}

// ringing is the call that rings longest at an extension that fits, but for one.
func (r *Router) ringing(but *exchange.Line, fits func(ext string) bool) (found *exchange.Line) {
	var first exchange.Leg
	for _, l := range r.c.Exchange.Lines() {
		if l == but {
			continue
		}
		for _, leg := range l.Legs() {
			if leg.State == call.Ringing && leg.Party == call.Callee && leg.Extension != "" && fits(leg.Extension) &&
				(found == nil || leg.Started.Before(first.Started)) {
				found, first = l, leg
			}
		}
	}
	return found
}

// sameGroup tells whether a telephone may pick up the calls of another: both are
// in one pickup_group; those that are in none are in one together.
func (r *Router) sameGroup(a, b string) bool {
	x, ok1 := r.c.Find(a)
	y, ok2 := r.c.Find(b)
	return ok1 && ok2 && x.Type == extension.Phone && y.Type == extension.Phone && x.PickupGroup == y.PickupGroup
}
