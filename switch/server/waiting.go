package server

import (
	"context"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
	"ozswitch/switch/script"
	"ozswitch/switch/waiting"
)

// queueTask is exchange.Info.Task of a call to a queue: its number.
type queueTask string

// newQueues makes the call queues.
func (s *Server) newQueues() {
	s.services.queues = waiting.New(waiting.Parts{
		Scripts: s.scripts, There: s.there, Free: s.free, Targets: s.telephones, Music: s.bridge.Music, Panicked: s.panicked, Slog: s.log,
	})
}

// queue gives what is configured of one.
func (s *Server) queue(number string) (c waiting.Config, ok bool) {
	e := s.state.Load().cfg.find(number)
	if e == nil || e.Type != string(extension.Queue) {
		return c, false
	}
	c = waiting.Config{
		Number: number, RingTime: time.Duration(e.RingTime), WaitLimit: time.Duration(e.WaitLimit), Announce: time.Duration(e.Announce),
		Music: e.Music, Overflow: e.Overflow,
	}
	c.Rules = waiting.Rules{Agents: e.Members, Strategy: waiting.Strategy(e.Strategy), WrapUp: time.Duration(e.WrapUp), Max: e.Max, JoinEmpty: e.JoinEmpty}
	if c.WrapUp == 0 {
		c.WrapUp = 10 * time.Second
	}
	if c.Max == 0 {
		c.Max = 50
	}
	return c, true
}

// enqueue puts the caller of a script into a call queue. It is
// script.Config.Enqueue.
func (s *Server) enqueue(ctx context.Context, l *exchange.Line, call ozml.Call, o ozml.Queueing) (string, error) {
	c, ok := s.queue(o.Queue)
	if !ok {
		return "", &ozml.Fault{Code: ozml.CodeQueue, Msg: "no such queue: " + o.Queue, Hint: "name an extension of type queue"}
	}
	if o.Music != "" {
		c.Music = o.Music
	}
	if o.Timeout > 0 {
		c.WaitLimit = o.Timeout
	}
	if o.Announce > 0 {
		c.Announce = o.Announce
	}
	return s.services.queues.Enqueue(ctx, l, call, c, o.Leave)
}

// there tells whether a telephone of an extension can be reached.
func (s *Server) there(number string) bool {
	return len(s.places(number)) > 0 && !s.settings(number).DoNotDisturb
}

// free tells whether an extension takes a call now: a queue does not knock.
func (s *Server) free(number string) bool {
	if !s.there(number) {
		return false
	}
	for _, l := range s.calls.Lines() {
		for _, g := range l.Legs() {
			if g.Extension == number && g.State != call.Completed {
				return false
			}
		}
	}
	return true
}

// telephones are those of an extension, to be rung for a call.
func (s *Server) telephones(number string, l *exchange.Line) (all []call.Target) {
	i := l.Info()
	for _, p := range s.places(number) {
		uri := p.URI
		if !strings.Contains(uri, ":") {
			uri = "sip:" + uri
		}
		all = append(all, call.Target{
			Leg: s.calls.NewLeg(), URI: uri, Phone: p.Phone, Web: p.Web, Security: p.Security, Number: number, Extension: number,
			From: i.From, FromName: i.FromName,
		})
	}
	return all
}

// agentCode logs an agent out of a queue, or in; says is the answer.
func (s *Server) agentCode(in call.Invited) (says script.Task, ok bool) {
	number, ok := s.state.Load().cfg.FeatureCodes.codes().Agents(in.To)
	if !ok {
		return says, false
	}
	c, ok := s.queue(number)
	if !ok {
		return says, false
	}
	out := s.services.queues.Out(c, in.User)
	said := "You are not an agent of this queue."
	if in.User != "" && s.services.queues.Log(c, in.User, out) {
		said = map[bool]string{true: "You are logged in to the queue.", false: "You are logged out of the queue."}[out]
	}
	return script.Task{Text: "<Response><Delay Time=\"0.3\"/><Speak>" + said + "</Speak><Hangup/></Response>"}, true
}

// Queues tells how each call queue is now.
func (s *Server) Queues() (all []waiting.Status) {
	for _, e := range s.state.Load().exts.All() {
		if c, ok := s.queue(e.Number); ok {
			all = append(all, s.services.queues.Status(c))
		}
	}
	return all
}
