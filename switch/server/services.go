package server

import (
	"ozswitch/switch/conference"
	"ozswitch/switch/exchange"
)

// services are what runs in Go on extensions that are neither telephones nor
// scripts.
type services struct {
	conferences *conference.Rooms
}

func (s *Server) newServices() {
	s.newConferences()
}

// wait returns when all of them have ended; the calls end before that.
func (v *services) wait() {
	v.conferences.Wait()
}

// serve makes the script of a call to a service.
func (s *Server) serve(l *exchange.Line) (exchange.Script, bool) {
	switch t := l.Info().Task.(type) {
	case conferenceTask:
		return s.conference(l, t), true
	}
	return nil, false
}

// secretKeys tells whether what callers of an extension press is never written
// down: where it says so, and where it asks for a PIN.
func (s *Server) secretKeys(number string) bool {
	e := s.state.Load().cfg.find(number)
	return e != nil && (e.SensitiveInput || e.PIN != "" || e.AdminPIN != "" || e.Type == "voicemail")
}
