package route

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/extension"
)

// phones are the telephones of an extension; none when it has none now.
func (w *walk) phones(e extension.Extension, callerID string) (all []call.Target) {
	places := w.r.c.Places(e.Number)
	for _, p := range places[:min(len(places), maxPlaces)] {
		uri := p.URI
		if !strings.Contains(uri, ":") {
			uri = "sip:" + uri
		}
		all = append(all, call.Target{
			Leg: w.leg(), URI: uri, Phone: p.Phone, Web: p.Web, Security: p.Security, Number: e.Number, Extension: e.Number,
			From: firstOf(w.o.CallerID, callerID), FromName: w.o.Name, Headers: w.headers(), Codecs: w.codecs(nil),
		})
	}
	return all
}

// lineTarget is a number dialled by a line.
func (w *walk) lineTarget(who Caller, d dialplan.Destination, t dialplan.Target) (one call.Target, err error) {
	if who.Guest {
		return one, refuse(403, "callers without credentials never reach a line")
	}
	l, ok := w.r.c.Line(t.Name)
	if !ok {
		return one, refuse(503, "there is no line %s", t.Name)
	}
	if w.r.c.Allow != nil {
		if err := w.r.c.Allow(w.line, who, t.Name, t.Number); err != nil {
			if no, ok := errors.AsType[*Refused](err); ok {
				return one, no
			}
			return one, refuse(403, "%v", err)
		}
	}
	uri := t.Number
	if l.URI != nil {
		uri = l.URI(t.Number)
	}
	return call.Target{
		Leg: w.leg(), URI: uri, Line: t.Name, Number: t.Number, From: firstOf(w.o.CallerID, d.CallerID, l.CallerID), FromName: w.o.Name,
		Headers: w.headers(), Codecs: w.codecs(l.Codecs), Security: l.Security,
	}, nil
}

// codecs are those that a target is offered: of those that a line speaks, nil = all,
// those that are wanted.
func (w *walk) codecs(line []string) []string {
	if w.o.Codecs == nil || line == nil {
		return firstList(w.o.Codecs, line)
	}
	var both []string
	for _, c := range line {
		if slices.ContainsFunc(w.o.Codecs, func(o string) bool { return strings.EqualFold(o, c) }) {
			both = append(both, c)
		}
	}
	return firstList(both, line)
}

func firstList(all ...[]string) []string {
	for _, l := range all {
		if l != nil {
			return l
		}
	}
	return nil
}

func firstOf(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// together gives what rings of a target at once with others; later says that it
// is an application, which must wait until nobody else answers.
func (w *walk) together(who Caller, d dialplan.Destination, t dialplan.Target) (all []call.Target, later bool, err error) {
	if t.Kind == dialplan.Line {
		one, err := w.lineTarget(who, d, t)
		if err != nil {
			return nil, false, err
		}
		return []call.Target{one}, false, nil
	}
	e, ok := w.r.c.Find(t.Number)
	if ok && e.Type != extension.Phone && e.Type != extension.RingGroup {
		return nil, true, nil
	}
	if who.Guest {
		return nil, false, refuse(403, "callers without credentials reach applications only")
	}
	return w.member(t.Number, d.CallerID, 0)
}

// diversion says who sent the call on (RFC 5806): the last one first.
func (w *walk) headers() []call.Header { return append(w.diversion(), w.o.Headers...) }

func (w *walk) diversion() (all []call.Header) {
	for i := len(w.diverted) - 1; i >= 0; i-- {
		d := w.diverted[i]
		all = append(all, call.Header{Name: "Diversion", Value: fmt.Sprintf("<sip:%s@%s>;reason=%s;counter=1", d.number, w.r.c.Domain, d.why)})
	}
	return all
}

// userPart is the number in a SIP or tel URI; "" when it is none that can be
// dialled.
func userPart(uri string) string {
	uri = strings.TrimSpace(uri)
	if i := strings.IndexByte(uri, '<'); i >= 0 {
		uri, _, _ = strings.Cut(uri[i+1:], ">")
	}
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok {
		return ""
	}
	user := rest
	switch strings.ToLower(scheme) {
	case "sip", "sips":
		at := strings.LastIndexByte(rest, '@')
		if at < 0 {
			return ""
		}
		user = rest[:at]
		user, _, _ = strings.Cut(user, ":") // a password
	case "tel":
	default:
		return ""
	}
	user, _, _ = strings.Cut(user, ";")
	if u, err := url.PathUnescape(user); err == nil {
		user = u
	}
	if !extension.Dialable(user) {
		return ""
	}
	return user
}

// A member of a group that can ring: its telephones, and when they begin.
func (w *walk) member(number, callerID string, after time.Duration) (all []call.Target, later bool, err error) {
	e, err := w.extension(number)
	if err != nil {
		return nil, false, err
	}
	switch e.Type {
	case extension.RingGroup:
		return w.members(e, callerID, after)
	case extension.Phone:
	default:
		return nil, false, refuse(480, "extension %s is an application and cannot ring", number)
	}
	s := w.r.c.Settings(number)
	switch {
	case s.DoNotDisturb:
		return nil, false, refuse(486, "extension %s does not want to be disturbed", number)
	case s.Forward.Always != "":
		return nil, false, refuse(480, "extension %s forwards its calls", number)
	case !s.CallWaiting && w.busy(number) > 0:
		return nil, false, refuse(486, "extension %s is in a call", number)
	}
	all = w.phones(e, callerID)
	if len(all) == 0 {
		return nil, false, refuse(480, "extension %s is not registered", number)
	}
	for i := range all {
		all[i].After = after
	}
	return all, false, nil
}
