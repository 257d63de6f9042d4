package server

import (
	"strings"

	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
	"ozswitch/switch/call"
)

// capture is bridge.Config.Capture: who keeps the packets of a leg (log.sound). Of a
// call those of its first leg are kept: what its party said and heard, which is what
// the others said. On a disk that is nearly full nobody keeps any.
func (s *Server) capture(leg call.LegID, sink trace.Sink) bridge.Capture {
	if l := s.calls.ByLeg(leg); l == nil || l.Info().Leg != leg {
		return nil
	}
	if leg, ok := sink.(interface{ Unwrap() trace.Sink }); ok {
		sink = leg.Unwrap()
	}
	c, ok := sink.(*counted)
	if !ok || s.state.Load().cfg.Log.Sound != "all" || s.room() != nil {
		return nil
	}
	return c.CallLog
}

// localSIP is our address for a transport; that of ws is HTTP's, of wss HTTPS's,
// or HTTP's behind a proxy.
func (s *Server) localSIP(transport string) string {
	switch transport {
	case "wss":
		if at := s.HTTPSAddr(); at != "" {
			return at
		}
		return s.HTTPAddr()
	case "ws":
		return s.HTTPAddr()
	}
	for _, a := range s.sip.Addrs() {
		if t, addr, ok := strings.Cut(a, "://"); ok && strings.EqualFold(t, transport) {
			return addr
		}
	}
	return ""
}
