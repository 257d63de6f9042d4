package server

import (
	"fmt"
	"strings"

	"ozswitch/ozml"
	"ozswitch/switch/call"
)

// headerAllowed tells whether scripts may add a header of that name to an INVITE,
// and see it in one that comes (sip.headers).
func (s *Server) headerAllowed(name string) bool {
	for _, p := range s.state.Load().cfg.SIP.Headers {
		if prefix, star := strings.CutSuffix(p, "*"); star && len(name) > len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) || strings.EqualFold(name, p) {
			return true
		}
	}
	return false
}

func headersOf(all []ozml.SIPHeader) (hs []call.Header) {
	for _, h := range all {
		hs = append(hs, call.Header{Name: h.Name, Value: h.Value})
	}
	return hs
}

// sipHeaders checks sip.headers: a pattern that would let a script say who calls, or
// where to, is refused; switch/sip refuses to write such headers in any case.
func (v *validator) sipHeaders(all []string) {
	for i, p := range all {
		path := fmt.Sprintf("sip.headers[%d]", i)
		name, _ := strings.CutSuffix(p, "*")
		switch {
		case len(name) < 2 || strings.IndexFunc(name, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
		}) >= 0:
			v.err(path, "%q: want the name of a header, or its beginning with a *, such as X-*", p)
		case !strings.Contains(name, "-"):
			v.warn(path, "%q may be a header that SIP itself knows; those that are, are refused", p)
		}
	}
}
