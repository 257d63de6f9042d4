package server

import (
	"context"
	"errors"

	"ozswitch/switch/call"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/exchange"
	"ozswitch/switch/route"
	"ozswitch/switch/script"
)

// divert rings a number for a party of a call that is handed on (BlindTransfer).
// It is script.Config.Route.
func (s *Server) divert(ctx context.Context, l *exchange.Line, d script.Divert) error {
	err := s.router.Dial(ctx, l, diverter(l, d.Instead), d.To, route.Options{RingTime: d.RingTime, Instead: d.Instead, Placed: d.Placed})
	if h, ok := errors.AsType[*route.Handover](err); ok {
		return &script.Handover{Make: func() exchange.Script { return l.Lead(h.Number, h.Task) }}
	}
	return err
}

// diverter is on whose behalf a call is handed on: the telephone that leaves, if
// it has proven whose it is; else a script or web app does it.
func diverter(l *exchange.Line, leaves call.LegID) route.Caller {
	for _, g := range l.Legs() {
		if g.ID == leaves && leaves != "" && g.Extension != "" {
			return route.Caller{From: dialplan.FromExtension, Extension: g.Extension}
		}
	}
	return route.Caller{From: dialplan.FromScript, Extension: l.Info().Extension}
}
