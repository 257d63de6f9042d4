package sip

import (
	"strconv"
	"strings"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/transaction"
)

// inDialog handles a request with a To tag that is neither ACK nor CANCEL.
func (s *shard) inDialog(now time.Time, m *message) {
	if l := s.named(m); l != nil && l.state == calling {
		if ea := l.out.early[string(m.head.FromTag())]; ea != nil {
			s.inEarly(now, l, ea, m)
			return
		}
	}
	l := s.legOf(m)
	if l == nil && s.resubscribed(now, m) {
		return
	}
	if l == nil || l.state == calling {
		s.trace(nil, "", false, m.from, m.head.Message)
		s.e.answer(m, flow.Reply{Code: 481})
		return
	}
	s.trace(l, l.id, false, m.from, m.head.Message)
	if !l.dlg.Receive(m.req.CSeq().SeqNo) {
		s.e.answer(m, flow.Reply{Code: 500, Reason: "CSeq Out Of Order"})
		return
	}
	if m.from.Open() {
		l.to, l.heard = m.from, now // the far end may have moved, or have a new connection
	}
	switch m.method {
	case "INVITE", "UPDATE":
		s.reoffered(now, l, m)
	case "BYE":
		s.byed(now, l, m)
	case "INFO":
		s.info(now, l, m)
	case "OPTIONS":
		s.once(now, l, m, flow.Reply{Code: 200, Extra: allow + accept + supported})
	case "PRACK":
		s.pracked(now, l, m)
	case "REFER":
		s.refers(now, l, m)
	case "NOTIFY":
		s.notified(now, l, m)
	case "SUBSCRIBE", "MESSAGE", "PUBLISH", "REGISTER":
		s.once(now, l, m, flow.Reply{Code: 405, Extra: allow})
	default:
		s.once(now, l, m, flow.Reply{Code: 501, Extra: allow})
	}
}

// once answers a request and keeps the answer for its copies.
func (s *shard) once(now time.Time, l *leg, m *message, r flow.Reply) {
	origin := m.head.Origin(m.from.Remote())
	s.finish(now, s.begin(m, transaction.Server, l), &origin, r)
}

// byed: the far end hangs up (RFC 3261 15.1.2).
func (s *shard) byed(now time.Time, l *leg, m *message) {
	s.once(now, l, m, flow.Reply{Code: 200})
	if l.state == leaving {
		return // both hung up at once: our BYE still waits for its answer
	}
	ended := call.Ended{Leg: l.id, Reason: reasonText(m.req), Q850: q850(m.req)}
	if v := l.invite; v != nil && v.tx != nil {
		x := v.tx
		v.tx = nil
		s.finish(now, x, &v.origin, flow.Reply{Code: 487, Tag: l.dlg.LocalTag})
	}
	if !l.open { // hung up before the exchange knew the leg
		l.state = leaving
		l.held = append(l.held, func() { s.end(l, ended) })
		return
	}
	s.end(l, ended)
}

// end forgets a leg with a last word to its call.
func (s *shard) end(l *leg, last call.Event) {
	post := l.post
	s.forget(l)
	if post != nil {
		post(last)
	}
}

// info takes keys (application/dtmf-relay and application/dtmf).
func (s *shard) info(now time.Time, l *leg, m *message) {
	kind := ""
	if t := m.req.ContentType(); t != nil {
		kind, _, _ = strings.Cut(strings.ToLower(t.Value()), ";")
	}
	switch kind = strings.TrimSpace(kind); {
	case kind == "" && len(m.req.Body()) == 0:
		s.once(now, l, m, flow.Reply{Code: 200})
	case kind == "application/dtmf-relay" || kind == "application/dtmf":
		key, d, ok := readKey(kind, string(m.req.Body()))
		if !ok {
			s.once(now, l, m, flow.Reply{Code: 400, Reason: "Bad Request (no key in the body)"})
			return
		}
		s.once(now, l, m, flow.Reply{Code: 200})
		if l.state == up || l.state == answered {
			s.tell(now, l, call.KeyInfo{Leg: l.id, Key: key, Duration: d})
		}
	default:
		s.once(now, l, m, flow.Reply{Code: 415, Extra: accept})
	}
}

// readKey reads the body of an INFO: "Signal=5\r\nDuration=160" in
// milliseconds, or the bare key.
func readKey(kind, body string) (key byte, d time.Duration, ok bool) {
	signal := strings.TrimSpace(body)
	d = 100 * time.Millisecond
	if kind == "application/dtmf-relay" {
		signal = ""
		for line := range strings.Lines(body) {
			name, value, _ := strings.Cut(line, "=")
			value = strings.TrimSpace(value)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "signal":
				signal = value
			case "duration":
				if ms, err := strconv.Atoi(value); err == nil && ms > 0 && ms <= 60_000 {
					d = time.Duration(ms) * time.Millisecond
				}
			}
		}
	}
	switch signal = strings.ToUpper(signal); signal {
	case "10":
		signal = "*"
	case "11":
		signal = "#"
	}
	if len(signal) != 1 || !strings.Contains("0123456789*#ABCD", signal) {
		return 0, 0, false
	}
	return signal[0], d, true
}

// reoffered handles re-INVITE and UPDATE (RFC 3261 14.2, RFC 3311 5.2): the
// call is asked, and answered for when it takes too long.
func (s *shard) reoffered(now time.Time, l *leg, m *message) {
	update := m.method == "UPDATE"
	switch {
	case l.state == leaving:
		s.once(now, l, m, flow.Reply{Code: 481})
		return
	case l.invite != nil && update && l.state == invited && len(m.req.Body()) == 0 && !tooShort(m.req):
		l.dlg.Refresh(m.req) // where the caller is now; the call itself waits (RFC 3311 5.2)
		s.once(now, l, m, flow.Reply{Code: 200, Extra: "Contact: " + s.e.contactOf(l, l.to) + "\r\n" + allow + supported})
		return
	case l.invite != nil:
		// One offer at a time: theirs waits, or our 2xx for its ACK.
		r := flow.Reply{Code: 500, Extra: "Retry-After: 1\r\n"}
		if update && l.state == answered && l.invite.tx == nil {
			r = flow.Reply{Code: 491}
		}
		s.refuseInDialog(now, l, m, r)
		return
	case l.state == calling, l.ask != nil && l.ask.tx != nil && !l.ask.update:
		s.refuseInDialog(now, l, m, flow.Reply{Code: 491}) // RFC 3261 14.2: ours is under way
		return
	case tooShort(m.req):
		s.refuseInDialog(now, l, m, flow.Reply{Code: 422, Extra: minSE})
		return
	}
	theirs, code, why := readBody(m.req)
	if code != 0 {
		s.refuseInDialog(now, l, m, flow.Reply{Code: code, Reason: why, Extra: accept + warning(code, why)})
		return
	}
	l.dlg.Refresh(m.req)
	headers := l.session.asked(now, m.req)
	if update && theirs == nil {
		s.once(now, l, m, flow.Reply{Code: 200, Extra: "Contact: " + s.e.contactOf(l, l.to) + "\r\n" + allow + supported + headers})
		s.arm(l)
		return
	}
	kind := transaction.InviteServer
	if update {
		kind = transaction.Server
	}
	x := s.begin(m, kind, l)
	l.invite = &invite{tx: x, origin: m.head.Origin(m.from.Remote()), seq: m.req.CSeq().SeqNo,
		again: true, update: update, offered: theirs != nil, giveUp: now.Add(patience), headers: headers, before: l.media.theirs}
	s.arm(l)
	ev := call.Reoffered{Leg: l.id}
	if theirs != nil {
		l.media.theirs = theirs
		offer := theirs.media
		ev.Offer = &offer
	}
	if !update {
		s.finish(now, x, &l.invite.origin, flow.Reply{Code: 100})
	}
	s.tell(now, l, ev)
}

// refuseInDialog refuses a re-INVITE or UPDATE with its own transaction.
func (s *shard) refuseInDialog(now time.Time, l *leg, m *message, r flow.Reply) {
	if m.method == "UPDATE" {
		s.once(now, l, m, r)
		return
	}
	origin := m.head.Origin(m.from.Remote())
	s.finish(now, s.begin(m, transaction.InviteServer, l), &origin, r)
}

// readBody finds the SDP of a message: nil with code 0 means that it has none.
func readBody(r interface {
	Body() []byte
	ContentType() *msg.ContentTypeHeader
}) (d *description, code int, why string) {
	body := r.Body()
	if len(body) == 0 {
		return nil, 0, ""
	}
	kind := ""
	if t := r.ContentType(); t != nil {
		kind = t.Value()
	}
	body, code, why = sdpPart(kind, body)
	if code != 0 || body == nil {
		return nil, code, why
	}
	d, err := parseSDP(body)
	if err != nil {
		return nil, 488, "Not Acceptable Here (" + short(err) + ")"
	}
	return d, 0, ""
}
