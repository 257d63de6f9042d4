package exchange

import (
	"cmp"
	"slices"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// legEvent is what the event log says of a change of a leg; the state of the call
// tells the rest. It needs l.mu.
func (l *Line) legEvent(f call.LegChanged, g Leg, was call.State) (e trace.Event) {
	e.Leg, e.Name, e.To, e.Extension, e.Via = string(g.ID), g.Party.String(), g.Number, g.Extension, g.Line
	switch {
	case f.State == call.InCall && f.Instead != "":
		e.Type, e.From = trace.CallTransferred, l.numberOf(f.Instead)
	case f.State == call.InCall && g.ID != l.info.Leg && was != call.Held:
		e.Type, e.From = trace.CallBridged, l.partner(g.Party)
	case f.Target == nil: // the call's own events tell of the first leg
		return trace.Event{}
	case f.State == call.Ringing:
		e.Type = trace.LegRinging
	case f.State == call.Completed && f.Failure.Code != 0:
		e.Type, e.Status, e.Reason = trace.LegFailed, f.Failure.Code, f.Failure.Reason
	}
	return e
}

func (l *Line) numberOf(id call.LegID) string {
	if i := slices.IndexFunc(l.legs, func(g *Leg) bool { return g.ID == id }); i >= 0 {
		return cmp.Or(l.legs[i].Number, "anonymous")
	}
	return ""
}

// partner is the number of who talks with a party.
func (l *Line) partner(p call.Party) string {
	for _, g := range slices.Backward(l.legs) {
		if g.Party == p.Other() && g.State != call.Completed {
			return cmp.Or(g.Number, "anonymous")
		}
	}
	return ""
}
