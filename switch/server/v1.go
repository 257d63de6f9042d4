package server

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/api"
	"ozswitch/switch/call"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/exchange"
	"ozswitch/switch/store"
)

// newV1 wires the JSON API and the pages' way in.
func (s *Server) newV1(c *Config, access *api.Access, commands *api.Commands) *api.V1 {
	return &api.V1{
		Access: access, Sessions: &s.sessions, Log: s.events, Slog: s.log, Describe: s.describe,
		Calls:  &api.Calls{Live: s.scripts.Calls(call.ByAPI, false).Active, History: s.store, Doing: s.doing},
		Events: &api.Events{Log: s.events},
		Line:   s.liveRow, Press: s.press, Console: s.byConsole, Tokens: s.tokens, Root: s.data.recordings, Commands: commands,
		Sensitive: func(ext string) bool {
			e, _ := s.state.Load().exts.Find(ext)
			return e.SensitiveInput
		},
		Table: commandTable, Document: c.documentLimits(), Limits: s.scriptLimits(),
		Scripts: s.files, Fetch: s.fetchSample, Numbers: s.numbers, Queues: s.v1Queues, Rooms: s.v1Rooms, SetNumber: s.setNumber, ChangeSettings: s.changeSettings,
		Status: s.status, Checks: s.checks(), Once: s.once,
	}
}

// line gives a call that is up and its event log.
func (s *Server) line(id string) (*exchange.Line, *counted) {
	l := s.calls.Find(call.ID(id))
	if l == nil {
		return nil, nil
	}
	c, _ := l.Sink().(*counted)
	return l, c
}

// doing is api.Calls.Doing.
func (s *Server) doing(id string) (d api.Doing) {
	if _, c := s.line(id); c != nil {
		d.Script, d.At, _ = c.doing.now()
		c.mu.Lock()
		d.Recordings = len(c.files)
		c.mu.Unlock()
	}
	return d
}

// liveRow is api.V1.Line: the row that a call would have now.
func (s *Server) liveRow(id string) (store.Call, bool) {
	l, c := s.line(id)
	if l == nil || c == nil {
		return store.Call{}, false
	}
	i, st := l.Info(), l.Status()
	row := callRow(i)
	row.State, row.Answered, row.Ended = st.State.String(), st.Answered, st.Ended
	row.Script, _, row.Quality.Codec = c.doing.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	row.Recordings = c.files
	if q := c.quality[string(i.Leg)]; q.Codec != "" {
		row.Quality = q
	}
	row.Legs = legRows(l.Legs(), call.None, st.Ended, c.quality)
	return row, true
}

// press presses keys on a call as if they had come from its caller by SIP INFO.
func (s *Server) press(_ context.Context, id, keys string) error {
	l, _ := s.line(id)
	if l == nil {
		return ozml.ErrNoCall
	}
	for i := range len(keys) {
		if !l.Post(call.KeyInfo{Leg: l.Talks(), Key: keys[i]}) {
			return ozml.ErrNoCall
		}
	}
	return nil
}

// byConsole is api.V1.Console: who looks at the call reads who ended it.
func (s *Server) byConsole(id string) {
	if _, c := s.line(id); c != nil {
		c.doing.byConsole()
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
			URI: "sip:" + e.Number + "@" + st.cfg.SIP.Domain, User: e.Number, Password: cmp.Or(u.Token, st.phones[e.Number]), Name: e.Name, WS: "/sip",
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

// Voice says in a few words who speaks.
func (s *Server) Voice() string {
	if s.voice == nil {
		return ""
	}
	said := s.voice.Engine()
	if more := len(s.voice.Voices()) - 1; more > 0 {
		said += fmt.Sprintf(", %d more installed", more)
	}
	return said
}

// Runs says in a few words what a number runs.
func (s *Server) Runs(number string) string {
	e, ok := s.state.Load().exts.Find(number)
	switch {
	case !ok:
		return "nothing"
	case e.URL != "":
		return eventlog.BlankText(e.URL, false)
	}
	if b, err := s.readScript(e.File); err == nil && bytes.Equal(b, hello) {
		return e.File + "  the demo: speaks, listens for a key, records"
	}
	return e.File
}

// HashPassword gives what may stand in users[].password in place of a password.
func HashPassword(password string) string { return api.HashPassword(password) }
