package server

import (
	"context"

	"ozswitch/ozml"
	"ozswitch/switch/conference"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
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
	c, _ := s.meeting(string(number))
	return s.services.conferences.Script(l, c)
}

// meeting gives what is configured of a room; known is false for one that is not.
func (s *Server) meeting(number string) (c conference.Config, known bool) {
	c.Number = number
	e := s.state.Load().cfg.find(number)
	if e == nil || e.Type != string(extension.Conference) {
		return c, false
	}
	c.PIN, c.AdminPIN, c.Max, c.Record, c.Music = string(e.PIN), string(e.AdminPIN), e.Max, e.Record, e.Music
	c.Quiet = e.Tone != nil && !*e.Tone
	return c, true
}

// confer puts the caller of a script into a room, one of the configuration or any
// other. It is script.Config.Confer.
func (s *Server) confer(ctx context.Context, l *exchange.Line, call ozml.Call, o ozml.Conference) (string, error) {
	c, known := s.meeting(o.Room)
	if !known {
		c.Max, c.Record, c.Quiet = o.Max, o.Record, o.Quiet
	}
	if o.Music != "" {
		c.Music = o.Music
	}
	return s.services.conferences.Confer(ctx, l, call, c, o)
}

// Conferences lists the rooms that somebody is in.
func (s *Server) Conferences() []conference.State { return s.services.conferences.List() }
