package server

import (
	"time"

	"ozswitch/switch/api"
	"ozswitch/switch/call"
)

// newV1 wires the JSON API and the pages' way in.
func (s *Server) newV1(access *api.Access) *api.V1 {
	return &api.V1{
		Access: access, Sessions: &s.sessions, Log: s.events, Slog: s.log, Describe: s.describe,
		Calls:  &api.Calls{Live: s.scripts.Calls(call.ByAPI, false).Active, History: s.store},
		Events: &api.Events{Log: s.events},
	}
}

// mainNumber is the number of `dev` that runs the script being written.
const mainNumber = "9000"

// describe tells a page about its user and the switch. The phone's password goes
// to nobody but its user.
func (s *Server) describe(u api.User) api.Session {
	st := s.state.Load()
	d := api.Session{Name: u.Name, Admin: u.Admin, API: u.API, Version: s.opt.Version, Dev: st.cfg.dev, Domain: st.cfg.SIP.Domain}
	if e, ok := st.exts.Find(u.Phone); ok && u.Phone != "" {
		d.Phone = &api.Phone{
			URI: "sip:" + e.Number + "@" + st.cfg.SIP.Domain, User: e.Number, Password: st.phones[e.Number], Name: e.Name, WS: "/sip",
		}
	}
	for _, e := range st.exts.All() {
		if !e.RunsScript() {
			continue
		}
		if d.Number == "" || e.Number == mainNumber {
			d.Number = e.Number
		}
		if st.cfg.dev && e.Number == mainNumber {
			d.Script = e.Number
		}
	}
	return d
}

// LoginLink gives the path of a one-time link that signs a user in.
func (s *Server) LoginLink(user string) string {
	return "/?login=" + s.sessions.Link(user, time.Now())
}

// Runs says in a few words what a number runs.
func (s *Server) Runs(number string) string {
	e, ok := s.state.Load().exts.Find(number)
	switch {
	case !ok:
		return "nothing"
	case e.URL != "":
		return e.URL
	}
	return e.File
}
