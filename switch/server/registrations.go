package server

import (
	"ozswitch/ozml/trace"
	"ozswitch/switch/sip"
)

// registration is sip.Config.Registration: it becomes an event of no call.
func (s *Server) registration(r sip.Registration) {
	e := trace.Event{Type: trace.Registration, From: r.User, Reason: r.What, Source: r.Transport, Peer: r.Source.String(), URL: r.Contact, Text: r.Why}
	if e.Text == "" {
		e.Text = r.UserAgent
	}
	s.figures.registration(r.User, r.What, r.Why)
	s.events.Emit(e)
}

// countPhones sets the metric of registrations.
func (s *Server) countPhones() {
	n := map[string]int{"udp": 0, "tcp": 0, "tls": 0, "ws": 0, "wss": 0}
	for _, b := range s.sip.Registrations() {
		n[b.Transport]++
	}
	for transport, n := range n {
		s.metrics.Registered(transport, n)
	}
}
