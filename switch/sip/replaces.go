package sip

import (
	"net/url"
	"strings"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
)

// readReplaces reads the value of a Replaces header (RFC 3891 6.1); nil = it is
// broken. Its tags are meant for whoever gets the INVITE: to-tag is the tag of
// the dialog's end there, from-tag that of the end which is to be replaced.
func readReplaces(v string) *call.Replaces {
	id, params, _ := strings.Cut(v, ";")
	r := &call.Replaces{CallID: strings.TrimSpace(id)}
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "to-tag":
			if r.RemoteTag != "" {
				return nil
			}
			r.RemoteTag = value
		case "from-tag":
			if r.LocalTag != "" {
				return nil
			}
			r.LocalTag = value
		case "early-only":
			r.EarlyOnly = true
		}
	}
	if r.CallID == "" || len(v) > 512 || strings.ContainsAny(r.CallID, " \t,<>\"") || !token(r.LocalTag) || !token(r.RemoteTag) {
		return nil
	}
	return r
}

// replacesValue writes one.
func replacesValue(r *call.Replaces) string {
	v := r.CallID + ";to-tag=" + r.RemoteTag + ";from-tag=" + r.LocalTag
	if r.EarlyOnly {
		v += ";early-only"
	}
	return v
}

// FindLeg gives the leg whose dialog that is: r.RemoteTag is our tag in it,
// r.LocalTag that of its far end.
func (e *Endpoint) FindLeg(r call.Replaces) (id call.LegID, ok bool) {
	l, _ := e.dialogOf(r)
	if l == nil {
		return "", false
	}
	return l.id, true
}

// dialogOf finds a leg by its dialog, with its state; nil = there is none.
func (e *Endpoint) dialogOf(r call.Replaces) (found *leg, at state) {
	s := e.shardOf([]byte(r.CallID))
	s.guard(r.CallID, func(time.Time) {
		l := s.legs[r.RemoteTag]
		if l == nil || l.callID != r.CallID || l.state == gone {
			return
		}
		known := l.dlg.RemoteTag == r.LocalTag
		if l.state == calling {
			known = l.out.early[r.LocalTag] != nil
		}
		if known {
			found, at = l, l.state
		}
	})
	return found, at
}

// Dialog names the dialog of a leg for one whom its far end shall send a REFER or
// an INVITE with Replaces to: the tags are as we see them. ok is false before it
// stands.
func (e *Endpoint) Dialog(id call.LegID) (r call.Replaces, ok bool) {
	e.with(id, func(_ *shard, _ time.Time, l *leg) {
		if l.state == up || l.state == answered {
			r, ok = call.Replaces{CallID: l.callID, LocalTag: l.dlg.LocalTag, RemoteTag: l.dlg.RemoteTag}, true
		}
	})
	return r, ok
}

// replaced reads whose place an INVITE wants (RFC 3891 3) and says when it cannot
// have it. It takes the locks of other calls, so nobody may hold one.
func (e *Endpoint) replaced(m *message) (r *call.Replaces, code int, why string) {
	headers := m.req.GetHeaders("replaces")
	switch {
	case len(headers) == 0:
		return nil, 0, ""
	case len(headers) > 1 || len(flow.Split(headers[0].Value())) > 1:
		return nil, 400, "Bad Request (more than one Replaces)"
	case m.user == "":
		return nil, 403, "" // RFC 3891 8: who has not proven who he is takes nobody's place
	}
	if r = readReplaces(headers[0].Value()); r == nil {
		return nil, 400, "Bad Request (broken Replaces)"
	}
	l, at := e.dialogOf(*r)
	switch {
	case l == nil, at == invited:
		return nil, 481, "" // also an early dialog that we did not begin
	case at == leaving:
		return nil, 603, ""
	case r.EarlyOnly && at != calling:
		return nil, 486, ""
	}
	return r, 0, ""
}

// A referee is who a REFER asks us to call.
type referee struct {
	user, host string
	replaces   *call.Replaces
}

// readReferTo reads Refer-To (RFC 3515 2.1): one address, INVITE meant, and of the
// headers in it only Replaces (RFC 5589 7).
func readReferTo(req *msg.Request) (t referee, code int, why string) {
	all := append(req.GetHeaders("refer-to"), req.GetHeaders("r")...)
	bad := func(what string) (referee, int, string) { return referee{}, 400, "Bad Request (" + what + ")" }
	if len(all) != 1 || len(flow.Split(all[0].Value())) != 1 {
		return bad("want one Refer-To")
	}
	uri := strings.TrimSpace(all[0].Value())
	if i := strings.IndexByte(uri, '<'); i >= 0 {
		j := strings.LastIndexByte(uri, '>')
		if j < i {
			return bad("broken Refer-To")
		}
		uri = uri[i+1 : j]
	}
	uri, headers, _ := strings.Cut(uri, "?")
	if number, ok := cutFold(uri, "tel:"); ok {
		number, _, _ = strings.Cut(number, ";")
		if number = clean(unescape(number)); number == "" {
			return bad("broken Refer-To")
		}
		return referee{user: number}, 0, ""
	}
	if scheme, _, ok := strings.Cut(uri, ":"); ok && !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
		return referee{}, 416, ""
	}
	var u msg.Uri
	if err := msg.ParseUri(uri, &u); err != nil || u.Host == "" {
		return bad("broken Refer-To")
	}
	if method, ok := u.UriParams.Get("method"); ok && method != "INVITE" {
		return bad("Refer-To wants a method that is none of ours")
	}
	t = referee{user: clean(unescape(u.User)), host: u.Host}
	if t.user == "" && u.User != "" {
		return bad("broken Refer-To")
	}
	for h := range strings.SplitSeq(headers, "&") {
		name, value, _ := strings.Cut(h, "=")
		if !strings.EqualFold(name, "replaces") {
			continue
		}
		plain, err := url.PathUnescape(value)
		if err != nil || t.replaces != nil || flow.Line(plain) != plain {
			return bad("broken Replaces in Refer-To")
		}
		if t.replaces = readReplaces(plain); t.replaces == nil {
			return bad("broken Replaces in Refer-To")
		}
	}
	return t, 0, ""
}
