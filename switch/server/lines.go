package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/api"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/line"
	"ozswitch/switch/route"
	"ozswitch/switch/sip"
	"ozswitch/switch/store"
)

// newLines makes what looks after the outside lines.
func (s *Server) newLines() {
	s.lines = line.New(line.SetConfig{Signal: s.sip, Rand: rand.NewPCG(s.rand.Uint64(), s.rand.Uint64()), Changed: s.lineChanged, Panicked: s.panicked, Slog: s.log})
	s.setLines(s.state.Load().cfg)
}

// setLines takes the lines of a configuration.
func (s *Server) setLines(c *Config) {
	var all []line.Config
	for _, l := range c.Lines {
		all = append(all, l.config(s.data.key))
	}
	s.lines.SetLines(all)
}

// config is what switch/line knows of a line. key makes the token by which the
// carrier's calls are recognised, the same after a restart.
func (l Line) config(key []byte) line.Config {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "line\n%s\n%s\n%s", l.Name, l.User, strings.Join(l.Address, "\n"))
	token := strings.ToLower(base32.StdEncoding.EncodeToString(mac.Sum(nil)))[:20]
	c := line.Config{Name: l.Name, Addresses: l.Address, Transport: l.Transport, Host: l.Domain, User: l.User, Password: string(l.Password), AuthUser: l.AuthUser,
		Realm: l.Realm, Register: l.Register, Expires: time.Duration(l.Expires), CallerID: l.CallerID, Asserted: l.Asserted, Trust: l.Trust,
		Codecs: l.Codecs, Keys: l.DTMF, MaxCalls: l.MaxCalls, Token: token}
	c.Security = map[string]call.Security{"optional": call.Optional, "mandatory": call.Mandatory}[l.SRTP]
	if l.Ping != off {
		c.Ping = time.Duration(l.Ping)
	}
	for _, h := range l.Headers {
		name, value, _ := strings.Cut(h, ":")
		c.Headers = append(c.Headers, call.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return c
}

// account is sip.Config.Line.
func (s *Server) account(name string) (sip.Account, bool) { return s.lines.Account(name) }

// whose is sip.Config.Whose.
func (s *Server) whose(source netip.AddrPort, transport, to string) string {
	return s.lines.Whose(source, transport, to)
}

// lineOf is what leading a call must know of a line.
func (s *Server) lineOf(name string) (l route.Line, ok bool) {
	c, ok := s.lines.Config(name)
	if !ok {
		return l, false
	}
	return route.Line{CallerID: c.Shown("", ""), URI: c.URI, Codecs: c.Codecs, Security: c.Security}, true
}

// callsBy counts the calls that a line has now, both ways.
func (s *Server) callsBy(name string) (n int) {
	for _, l := range s.calls.Lines() {
		for _, g := range l.Legs() {
			if g.Line == name && g.Ended.IsZero() {
				n++
			}
		}
	}
	return n
}

// full says that a line has as many calls as it may have; nil = it has not.
func (s *Server) full(name string) error {
	c, ok := s.lines.Config(name)
	if !ok || c.MaxCalls <= 0 || s.callsBy(name) < c.MaxCalls {
		return nil
	}
	return &route.Refused{Failure: call.Failure{Code: 503, Reason: fmt.Sprintf("line %s may have %d calls at once, and has them", name, c.MaxCalls)}, State: "Error"}
}

// lineStates is api.V1.Lines.
func (s *Server) lineStates() (all []api.Line) {
	for _, l := range s.lines.Status() {
		c, _ := s.lines.Config(l.Name)
		one := api.Line{Name: l.Name, Address: l.Address, State: l.State.String(), Register: l.Register, Registered: l.Registered, LastError: l.Why,
			Calls: s.callsBy(l.Name), MaxCalls: c.MaxCalls, CallerID: c.Shown("", ""), Places: []api.LinePlace{}}
		if l.Registered {
			one.Expires = &l.Until
		}
		for _, p := range l.Places {
			one.Places = append(one.Places, api.LinePlace{Transport: p.Transport, Address: p.Addr.String(), State: p.State.String()})
		}
		all = append(all, one)
	}
	return all
}

// mayCall is route.Config.Allow: a line that is full and a user who has used up
// what he may are told so.
func (s *Server) mayCall(l *exchange.Line, who route.Caller, name, number string) error {
	if err := s.full(name); err != nil && !s.quota.Emergency(number) {
		return err
	}
	return s.takeQuota(l, who.Extension, number)
}

// overLine gives a row what is known of lines only once a call is over: the one it
// came by, and that it went by one, whatever the dial plan expected when it began
// (pbx-concepts.md C7). Where somebody answered, those who only rang do not count.
func overLine(l *exchange.Line, row *store.Call) {
	i := l.Info()
	if i.Line != "" && !i.Outgoing {
		row.Source = i.Line
	}
	out, answered := false, false
	for _, g := range l.Legs() {
		if g.ID == i.Leg && !i.Outgoing || answered && g.Answered.IsZero() {
			continue
		}
		if !g.Answered.IsZero() && !answered {
			out, answered = false, true
		}
		out = out || g.Line != ""
	}
	switch {
	case !out:
	case i.Line != "" && !i.Outgoing:
		row.Direction = call.External.String()
	default:
		row.Direction = call.Outbound.String()
	}
}

// lineChanged tells the log and the event log how a line is now. It is an event of
// no call, as that of a telephone's registration.
func (s *Server) lineChanged(c line.Change) {
	level := s.log.Info
	if c.Why != "" {
		level = s.log.Warn
	}
	level("line "+c.What, "line", c.Name, "state", c.State, "registered", c.Registered, "why", c.Why)
	s.events.Emit(trace.Event{Type: trace.Registration, From: c.Name, Reason: "line " + c.What, URL: c.Address, Text: c.Why})
}
