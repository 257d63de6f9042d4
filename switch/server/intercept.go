package server

import (
	"context"
	"net/url"

	"ozswitch/ozml"
	"ozswitch/switch/exchange"
	"ozswitch/switch/notify"
	"ozswitch/switch/route"
)

// intercepted tells whether a routing application is asked about each call.
func (s *Server) intercepted() bool { return s.state.Load().cfg.RoutingURL != "" }

// askRouting asks the routing application where a call goes (RoutingInterception).
// ok is false when the dial plan decides: it has not answered, or said nothing.
func (s *Server) askRouting(ctx context.Context, l *exchange.Line, q route.Question) (a route.Answer, ok bool) {
	to := s.state.Load().cfg.RoutingURL
	i := l.Info()
	info := ozml.CallInfo{
		ID: string(i.ID), Caller: i.From, CallerName: i.FromName, Dialed: i.Dialed, Extension: i.Extension, Direction: i.Direction.String(), Started: i.Started,
	}
	web := s.web.ForCall(notify.CallContext{Info: info, Operator: []string{to}, Sink: l.Sink()})
	f, err := web.Fetch(ctx, ozml.Notification{Name: "RoutingInterception", URL: to, Fields: url.Values{
		"CallerID": {q.Caller}, "CallerId": {q.Caller}, "OriginalDialedNumber": {q.Dialed}, "LastDialedNumber": {q.LastDial},
		"LastCalledExtension": {q.LastExt}, "LastCallState": {q.LastState}, "CallerExtension": {q.Extension},
	}})
	if err != nil {
		return a, false // the log has why
	}
	w := ozml.World{Web: web, Trace: l.Sink(), Limits: s.scriptLimits()}
	r, ok := ozml.Route(ctx, w, s.opt.Commands, f, ozml.Options{Info: info})
	if !ok || r.Destination == "" && !r.Reject {
		return a, false
	}
	return route.Answer{Destination: r.Destination, RingTime: r.RingTime, CallerID: r.CallerID, Dialed: r.DialedNumber}, true
}
