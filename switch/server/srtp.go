package server

import "ozswitch/switch/call"

// securityOf reads `srtp:`.
func securityOf(word string) call.Security {
	switch word {
	case "optional":
		return call.Optional
	case "mandatory":
		return call.Mandatory
	}
	return call.Plain
}

// srtp is what an extension has agreed to.
func (s *Server) srtp(number string) call.Security {
	if e := s.state.Load().cfg.find(number); e != nil {
		return securityOf(e.SRTP)
	}
	return call.Plain
}

// security is exchange.Config.Security: by the line that a call came by, by the
// extension that the caller proved to be. Guests may have it as they like.
func (s *Server) security(in call.Invited) call.Security {
	switch {
	case in.Line != "":
		for _, l := range s.state.Load().cfg.Lines {
			if l.Name == in.Line {
				return securityOf(l.SRTP)
			}
		}
	case in.User != "":
		return s.srtp(in.User)
	}
	return call.Optional
}
