package server

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
	"ozswitch/switch/route"
)

// newRouter makes what leads calls by the dial plan.
func (s *Server) newRouter() {
	s.router = route.New(route.Config{
		Exchange: s.calls, Domain: s.state.Load().cfg.SIP.Domain,
		Plan:     func() *dialplan.Plan { return s.state.Load().plan },
		Find:     s.callable,
		Settings: s.settings, Places: s.places, Line: s.lineOf, Service: s.service,
		Asks: s.intercepted, Ask: s.askRouting,
		FindLeg: func(r call.Replaces) (call.LegID, bool) { return s.sip.FindLeg(r) },
		Allow:   s.mayCall, Shuffle: rand.Shuffle, Panicked: s.panicked, Slog: s.log,
	})
}

// callable finds an extension that may be called. A telephone that is disabled is
// one that is not registered, so that its user's forwarding counts.
func (s *Server) callable(number string) (extension.Extension, bool) {
	e, ok := s.state.Load().exts.Find(number)
	return e, ok && (!e.Disabled || e.Type == extension.Phone)
}

// proves tells whether a telephone must prove who it is to call a number though
// guests may come: where it leads to anything but an application, which they may
// reach too.
func (s *Server) proves(to string) bool {
	if s.intercepted() {
		return true
	}
	e, _, refused := s.router.Lead(route.Caller{From: dialplan.FromExtension}, to, time.Now())
	return refused != nil || e.Number == "" || e.Type == extension.Phone || e.Type == extension.RingGroup
}

// callerOf says on whose behalf an INVITE calls.
func callerOf(in call.Invited) route.Caller {
	switch {
	case in.Line != "":
		return route.Caller{From: in.Line}
	case in.User != "":
		return route.Caller{From: dialplan.FromExtension, Extension: in.User}
	}
	return route.Caller{From: dialplan.FromExtension, Guest: true}
}

// places are where the telephones of an extension are, the latest first: of one
// that has several flows to us (RFC 5626) the latest.
func (s *Server) places(number string) (all []route.Place) {
	seen := map[string]bool{}
	for _, b := range s.sip.Bindings(number) {
		if b.Instance != "" && seen[b.Instance] {
			continue
		}
		seen[b.Instance] = true
		all = append(all, route.Place{URI: b.Contact, Phone: number, Security: s.srtp(number), Web: strings.HasPrefix(strings.ToLower(b.Transport), "ws")})
	}
	if e, _ := s.state.Load().exts.Find(number); len(all) == 0 && e.Contact != "" {
		all = append(all, route.Place{URI: e.Contact, Security: s.srtp(number)})
	}
	return all
}

// service gives the task of a call to an extension that is an application.
func (s *Server) service(e extension.Extension) (task any, err error) {
	switch {
	case e.Type == extension.Echo:
		return echoTask{}, nil
	case e.RunsScript():
		return taskOf(e), nil
	case e.Type == extension.Conference:
		return conferenceTask(e.Number), nil
	case e.Type == extension.Queue:
		return queueTask(e.Number), nil
	case e.Type == extension.Voicemail:
		return voicemailTask(e.Number), nil
	}
	return nil, fmt.Errorf("type %s runs no application", e.Type)
}

// blank keeps the keys of a call out of its log when the extension that has it
// now says so; a call may be led to one only after its log was opened.
func (s *Server) blank(l *exchange.Line) {
	e, _ := s.state.Load().exts.Find(l.Info().Extension)
	if c, ok := l.Sink().(*counted); ok && e.SensitiveInput {
		c.Sensitive()
	}
}

// lead makes the script of a call that the dial plan leads.
func (s *Server) lead(l *exchange.Line) (exchange.Script, bool) {
	t, ok := l.Info().Task.(route.Task)
	if !ok {
		return nil, false
	}
	return s.router.For(l, t), true
}
