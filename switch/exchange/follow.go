package exchange

import (
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// follow is the event log of a leg: that of whichever call it belongs to.
type follow struct {
	x    *Exchange
	leg  call.LegID
	from trace.Sink // of the call that it began in
}

// Emit implements trace.Sink.
func (f follow) Emit(e trace.Event) {
	if l := f.x.ByLeg(f.leg); l != nil {
		l.sink.Emit(e)
		return
	}
	f.from.Emit(e)
}

// Unwrap is the event log of the call that the leg began in.
func (f follow) Unwrap() trace.Sink { return f.from }
