package server

import (
	"ozswitch/switch/conference"
	"ozswitch/switch/exchange"
)

// conferenceTask is exchange.Info.Task of a call to a conference: its number.
type conferenceTask string

// newConferences makes the rooms.
func (s *Server) newConferences() {
	s.services.conferences = conference.New(conference.Parts{
		Scripts: s.scripts, Bridge: s.bridge, Recorder: s.rec, Events: s.events, Room: s.room, Panicked: s.panicked, Slog: s.log,
	})
}

// conference gives the script of a call to a room.
func (s *Server) conference(l *exchange.Line, number conferenceTask) exchange.Script {
	c := conference.Config{Number: string(number)}
	if e := s.state.Load().cfg.find(c.Number); e != nil {
		c.PIN, c.AdminPIN, c.Max, c.Record, c.Music = string(e.PIN), string(e.AdminPIN), e.Max, e.Record, e.Music
		c.Quiet = e.Tone != nil && !*e.Tone
	}
	return s.services.conferences.Script(l, c)
}

// Conferences lists the rooms that somebody is in.
func (s *Server) Conferences() []conference.State { return s.services.conferences.List() }
