package server

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	_ "embed"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/syntax"
	"ozswitch/switch/api"
	"ozswitch/switch/call"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
	"ozswitch/switch/route"
	"ozswitch/switch/script"
)

// commandTable is the language's words, for who only looks.
var commandTable = command.Table()

// hello is the script of a script extension without a file.
//
//go:embed hello.xml
var hello []byte

// helloName is how the built-in script is called in events.
const helloName = "hello.xml"

// extensions makes those of the configuration.
func (c *Config) extensions() (*extension.Set, error) {
	var list []extension.Extension
	for _, e := range c.Extensions {
		x := extension.Extension{
			Number: e.Number, Type: extension.Type(e.Type), Name: e.Name, Password: e.Password.String(), Digest: e.Digest, Contact: e.Contact,
			URL: e.URL, FallbackURL: e.FallbackURL, FallbackScript: e.FallbackScript, ErrorURL: e.ErrorURL, FinishedURL: e.FinishedURL,
			SMSURL: e.SMSURL, Secret: string(e.Secret), RecordChannels: e.RecordChannels, SensitiveInput: e.SensitiveInput,
			File: e.File, Members: e.Members, Strategy: e.Strategy, Music: e.Music, Settings: e.settings(),
			RingTime: int(time.Duration(e.RingTime).Seconds()), Delay: time.Duration(e.Delay), PickupGroup: e.PickupGroup,
			Disabled: !e.enabled(),
		}
		if x.Disabled && x.Type == extension.Phone {
			x.Contact, x.Password = "", stars // nothing reaches it, no password lets it in
		}
		if x.Type == extension.Script && x.File == "" {
			x.File = helloName
		}
		list = append(list, x)
	}
	set, err := extension.NewSet(list)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return set, nil
}

// plan makes the dial plan of the configuration.
func (c *Config) plan(exts *extension.Set) (*dialplan.Plan, error) {
	var rules []dialplan.Rule
	for _, r := range c.Dialplan {
		rules = append(rules, dialplan.Rule{From: r.From, Match: r.Match, To: dialplan.Targets(r.To), Strip: r.Strip, Prepend: r.Prepend, Ring: r.Ring,
			RingTime: int(time.Duration(r.RingTime).Seconds()), CallerID: r.CallerID, When: r.When})
	}
	var times []dialplan.Profile
	for _, t := range c.Times {
		times = append(times, t.profile())
	}
	lines := func(name string) bool {
		return slices.ContainsFunc(c.Lines, func(l Line) bool { return l.Name == name })
	}
	p, err := dialplan.New(dialplan.Config{Rules: rules, Times: times, IsExtension: exts.Has, IsLine: lines})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return p, nil
}

func (t Times) profile() dialplan.Profile {
	return dialplan.Profile{Name: t.Name, Open: t.Open, Closed: t.Closed, Zone: t.Zone}
}

// Explain tells rule by rule where a call to a number would go at that time, and
// whether it goes anywhere; from is extension, script, the name of a line or the
// number of an extension.
func (c *Config) Explain(from, to string, now time.Time) (lines []string, ok bool, err error) {
	exts, err := c.extensions()
	if err != nil {
		return nil, false, err
	}
	p, err := c.plan(exts)
	if err != nil {
		return nil, false, err
	}
	user := ""
	if exts.Has(from) {
		user, from = from, dialplan.FromExtension
	}
	d, ok := p.Route(from, to, now)
	return append(p.Explain(from, to, now), c.explainLines(user, d)...), ok, nil
}

// guest tells whether a caller without credentials may reach applications; the
// others are asked for theirs.
func (s *Server) guest(at netip.AddrPort) bool {
	switch s.state.Load().cfg.SIP.Guests {
	case "all":
		return true
	case "loopback":
		return at.Addr().Unmap().IsLoopback()
	}
	return false
}

// route is exchange.Config.Route: whose script answers a call, or who leads it to
// somebody. Who the caller is has been proven, or it is a guest.
func (s *Server) route(in call.Invited) (string, call.Direction, any, *call.Respond) {
	no := func(code int, why string) (string, call.Direction, any, *call.Respond) {
		s.log.Info("call refused", "from", in.From, "to", in.To, "source", in.Source, "code", code, "why", why)
		return "", 0, nil, &call.Respond{Code: code, Warning: why}
	}
	who := callerOf(in)
	if err := s.full(in.Line); err != nil {
		return no(503, err.Error())
	}
	if s.security(in) == call.Mandatory && in.Offer != nil && in.Offer.Web == nil && len(in.Offer.Crypto) == 0 {
		return no(488, "this caller's sound must go by SRTP (a=crypto), and it offers none")
	}
	if in.Replaces != nil {
		return in.To, call.Internal, route.Task{Who: who, Number: in.To, Replaces: in.Replaces}, nil
	}
	st := s.state.Load()
	if !st.exts.Has(in.To) {
		if says, ok := s.featureCode(in); ok {
			return in.To, call.Internal, says, nil
		}
		if says, ok := s.agentCode(in); ok {
			return in.To, call.Internal, says, nil
		}
		if number, ok := st.cfg.FeatureCodes.codes().PicksUp(in.To); ok && !who.IsLine() {
			return number, call.Internal, route.Task{Who: who, Number: number, PickUp: true}, nil
		}
	}
	task := route.Task{Who: who, Number: in.To}
	if s.intercepted() { // the application is asked before anybody else
		return in.To, route.Direction(who, false), task, nil
	}
	e, dir, refused := s.router.Lead(who, in.To, time.Now())
	switch {
	case refused != nil:
		return no(refused.Code, refused.Reason)
	case e.Number == "": // several, or a line
		return "", dir, task, nil
	case e.Type == extension.Phone || e.Type == extension.RingGroup:
		return e.Number, dir, task, nil
	}
	run, err := s.service(e)
	if err != nil {
		return no(480, "extension "+e.Number+": "+err.Error())
	}
	return e.Number, dir, run, nil
}

// taskOf is what a script extension gives its calls.
func taskOf(e extension.Extension) script.Task {
	t := script.Task{
		URL: e.URL, File: e.File, FallbackURL: e.FallbackURL, FallbackScript: e.FallbackScript, ErrorURL: e.ErrorURL,
		FinishedURL: e.FinishedURL, RecordChannels: e.RecordChannels, Sensitive: e.SensitiveInput, Operator: e.URLs(),
	}
	return t
}

// taskFor is what an extension gives to scripts without a call.
func (s *Server) taskFor(number string) script.Task {
	e, _ := s.state.Load().exts.Find(number)
	return taskOf(e)
}

// target says who calls a number for a script or a web app, and how it is rung.
func (s *Server) target(to, from string) (t script.Target, err error) {
	exts := s.state.Load().exts
	x, ok := exts.Find(from)
	if from == "" { // the first that there is (http-api.md, Call)
		for _, e := range exts.All() {
			if e.RunsScript() && !e.Disabled {
				x, ok = e, true
				break
			}
		}
	}
	if !ok || !x.RunsScript() || x.Disabled {
		return t, &api.Unavailable{Extension: from}
	}
	who := route.Caller{From: dialplan.FromScript, Extension: x.Number}
	e, dir, refused := s.router.Lead(who, to, time.Now())
	if refused != nil || e.Number != "" && e.Type != extension.Phone && e.Type != extension.RingGroup {
		return t, &ozml.CallError{To: to, State: "NotFound"} // nobody, or an application, which cannot be called
	}
	ring := func(ctx context.Context, l *exchange.Line, o ozml.Dial) error {
		err := s.router.Dial(ctx, l, who, to, route.Options{RingTime: o.RingTime, CallerID: o.From, Name: o.FromName, Headers: headersOf(o.Headers), Codecs: s.offered(o.Tones)})
		if _, app := errors.AsType[*route.Handover](err); app { // somebody forwards to one
			err = &ozml.CallError{To: to, State: "NoAnswer"}
		}
		return err
	}
	return script.Target{Extension: x.Number, Name: x.Name, Direction: dir, Task: taskOf(x), Ring: ring}, nil
}

// offered are the codecs of a call, nil = all; of one for tones those that do not
// model speech, if the switch has any.
func (s *Server) offered(tones bool) (all []string) {
	for _, c := range s.state.Load().cfg.Codecs {
		if tones && (strings.EqualFold(c, "PCMU") || strings.EqualFold(c, "PCMA")) {
			all = append(all, c)
		}
	}
	return all
}

func (s *Server) scriptLimits() ozml.Limits {
	l := s.state.Load().cfg.Limits
	return ozml.Limits{Steps: l.Steps, Jumps: l.Jumps, FetchesPerSecond: l.FetchesPerSecond, Value: int(l.Value)}
}

func (c *Config) callLimits() call.Limits { return call.Limits{Length: time.Duration(c.Limits.Call)} }

// documentLimits bound what is read of a web app.
func (c *Config) documentLimits() syntax.Limits {
	l := c.Limits
	return syntax.Limits{Body: int(l.Body), Depth: l.Depth, Elements: l.Elements, Attributes: l.Attributes, Value: int(l.Value)}
}
