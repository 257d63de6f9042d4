package sip

import (
	"fmt"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/transaction"
)

// newInvite makes a leg of an INVITE outside a dialog and asks the exchange
// who takes it. The exchange is asked without the lock, so that it may answer
// at once; what comes for the leg meanwhile waits.
func (e *Endpoint) newInvite(s *shard, m *message) {
	replaces, code, why := e.replaced(m)
	if code != 0 {
		e.refuse(m, code, why, "")
		return
	}
	var l *leg
	var in call.Invited
	s.guard(string(m.head.CallID), func(now time.Time) {
		inject("request")
		l, in = s.invited(now, m)
	})
	if l == nil {
		return
	}
	in.Replaces = replaces
	post, refuse := e.offer(in)
	s.guard(l.callID, func(now time.Time) {
		l.post, l.open = post, true
		held := l.held
		l.held = nil
		for _, f := range held {
			f()
		}
		switch {
		case l.state != invited:
			if post == nil {
				s.leave(now, l)
			}
		case refuse != nil:
			refuse.Leg = l.id
			s.respond(now, l, *refuse)
		case post == nil:
			s.respond(now, l, call.Respond{Leg: l.id, Code: 480})
		}
	})
}

// offer asks the exchange. A bug of its own refuses this call and no other.
func (e *Endpoint) offer(in call.Invited) (post func(call.Event) bool, refuse *call.Respond) {
	defer func() {
		if r := recover(); r != nil {
			e.panics.Add(1)
			e.log.Error("sip: bug caught, a call is refused", "leg", string(in.Leg), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			post, refuse = nil, &call.Respond{Code: 500}
		}
	}()
	return e.x.Invited(in)
}

// invited checks what only an INVITE has, makes its transaction and leg and
// sends 100. It gives no leg when the INVITE was refused.
func (s *shard) invited(now time.Time, m *message) (*leg, call.Invited) {
	h, e := &m.head, s.e
	caller := string(h.CallID) + " " + string(h.FromTag())
	if s.callers[caller] != nil {
		e.refuse(m, 482, "", "") // RFC 3261 8.2.2.2: it came by another way already
		return nil, call.Invited{}
	}
	theirs, code, why := readBody(m.req)
	if code == 0 && !takesSDP(m.req) {
		code = 406
	}
	if code != 0 {
		e.refuse(m, code, why, accept+warning(code, why))
		return nil, call.Invited{}
	}
	if tooShort(m.req) {
		e.refuse(m, 422, "", minSE)
		return nil, call.Invited{}
	}
	tag := e.random(10)
	l := &leg{id: call.LegID(e.random(10)), state: invited, to: m.from, heard: now, caller: caller}
	l.dlg = dialog.Answering(m.req, string(h.From), string(h.FromTag()), string(h.To), tag)
	l.media.theirs = theirs
	l.user = e.whose(m, l.dlg.Target)
	x := s.begin(m, transaction.InviteServer, l)
	l.invite = &invite{tx: x, origin: h.Origin(m.from.Remote()), seq: m.req.CSeq().SeqNo, offered: theirs != nil,
		headers: l.session.asked(now, m.req)}
	wanted := lists(m.req, "100rel", "require")
	l.invite.reliable = reliable{wanted: wanted, able: wanted || lists(m.req, "100rel", "supported", "k")}
	l.updates = lists(m.req, "UPDATE", "allow")
	s.add(l)
	s.callers[caller] = l
	e.incoming.Add(1)
	s.trace(l, l.id, false, m.from, h.Message)
	s.finish(now, x, &l.invite.origin, flow.Reply{Code: 100})
	in := call.Invited{Leg: l.id, SIPCallID: l.dlg.CallID, Transport: m.from.Transport(), Source: m.from.Remote(),
		To: unescape(m.req.Recipient.User), Info: lists(m.req, "INFO", "allow"), Hops: s.hops(m)}
	e.caller(m, &in)
	in.Headers = e.shown(m.req)
	if ua := m.req.GetHeader("user-agent"); ua != nil {
		in.UserAgent = ua.Value()
	}
	if theirs != nil {
		offer := theirs.media
		in.Offer = &offer
	}
	if m.line != "" {
		if a, ok := e.c.Line(m.line); ok {
			l.dtmf, l.codecs = a.Keys, a.Codecs
			in = l.keyed(in).(call.Invited)
		}
	}
	return l, in
}

// mostPassed is what is left of Max-Forwards, whatever a caller says: enough for
// the proxies of a carrier, and few enough for a call that goes round between two
// switches to end after ten rounds.
const mostPassed = 20

// hops is how often a call may be passed on from here; below 0 = not at all. One
// that is a leg of our own, come back to us, loses two, of what that had, whatever
// a proxy made of it.
func (s *shard) hops(m *message) int {
	left := mostPassed + 1
	if mf := m.req.MaxForwards(); mf != nil {
		left = min(left, int(mf.Val()))
	}
	if own := s.legs[string(m.head.FromTag())]; own != nil && own.callID == string(m.head.CallID) && own.out != nil && own.out.hops > 0 {
		left = min(left, own.out.hops) - 1
	}
	if left--; left <= 0 {
		return -1
	}
	return left
}

// takesSDP tells whether the caller reads what our answer will hold.
func takesSDP(req *msg.Request) bool {
	accepts := req.GetHeaders("accept")
	for _, h := range accepts {
		for kind := range strings.SplitSeq(strings.ToLower(h.Value()), ",") {
			kind, _, _ = strings.Cut(kind, ";")
			switch strings.TrimSpace(kind) {
			case "application/sdp", "application/*", "*/*":
				return true
			}
		}
	}
	return len(accepts) == 0
}

// unescape undoes the escapes of a user part (RFC 3261 19.1.2).
func unescape(user string) string {
	if s, err := url.PathUnescape(user); err == nil {
		return s
	}
	return user
}

// displayName undoes the escapes of a quoted string.
func displayName(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// respond answers the INVITE, re-INVITE or UPDATE that waits.
func (s *shard) respond(now time.Time, l *leg, r call.Respond) {
	v := l.invite
	if v == nil || v.tx == nil || r.Code <= 100 || r.Code > 699 {
		return
	}
	if r.Code < 200 && (v.update || v.again && r.Media == nil) || v.reliable.holds(r) {
		return
	}
	places := redirect(r)
	if !v.again && !meant(r.Code) && places == "" {
		r.Code, r.Reason = 480, ""
	}
	reply := flow.Reply{Code: r.Code, Reason: r.Reason, Tag: l.dlg.LocalTag}
	if r.Code >= 300 {
		reply.Extra += places + reason{q850: r.Q850}.header()
	}
	if r.RetryAfter > 0 {
		reply.Extra += "Retry-After: " + strconv.Itoa(int((r.RetryAfter+time.Second-1)/time.Second)) + "\r\n"
	}
	if r.Warning != "" {
		reply.Extra += "Warning: 399 ozswitch " + quote(r.Warning) + "\r\n"
	}
	if r.Code < 300 {
		reply.Extra += "Contact: " + s.e.contactOf(l, l.to) + "\r\n" + allow
		s.e.describe(l, &reply, r.Media, v)
	}
	if r.Code >= 200 && r.Code < 300 {
		reply.Extra += supported + v.headers
	}
	if r.Code < 200 {
		s.reliably(v, &reply)
		b := s.finish(now, v.tx, &v.origin, reply)
		if strings.Contains(reply.Extra, "\r\nRSeq: ") {
			v.reliable.answer = b
			v.reliable.repeat.StartReliable(now)
			s.arm(l)
		}
		return
	}
	v.reliable.stop()
	x := v.tx
	v.tx, v.giveUp = nil, time.Time{}
	v.answer = s.finish(now, x, &v.origin, reply)
	switch {
	case r.Code < 300 && !v.update:
		if l.state == invited {
			l.state = answered
			if t := &l.session; t.interval > 0 {
				t.start(now, t.interval, t.ours) // from the answer on
			}
			l.to.Keep(dialogLife)
		}
		v.repeat.Start(now)
		s.arm(l)
	case l.state == invited:
		s.forget(l)
	default: // an UPDATE, or a refused re-INVITE: the dialog stands as it was
		if r.Code >= 300 {
			l.media.theirs = v.before
		}
		l.invite = nil
		s.arm(l)
	}
}

// redirect gives the Contact of a 3xx; "" = it is none, or names no place.
func redirect(r call.Respond) string {
	if r.Code < 300 || r.Code > 399 {
		return ""
	}
	var all []string
	for _, uri := range r.Contacts {
		var u msg.Uri
		if msg.ParseUri(uri, &u) == nil && u.Host != "" && !strings.ContainsAny(uri, " <>\"\r\n") {
			all = append(all, fmt.Sprintf("<%s>;q=%.1f", uri, 1-float64(min(len(all), 9))/10))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "Contact: " + strings.Join(all, ", ") + "\r\n"
}

// meant tells whether a refusal is one that a caller may get from us. What the
// far end of another leg answered is passed on, but not where it would move the
// call, ask for our password, or speak of headers that are not there.
func meant(code int) bool {
	switch code {
	case 401, 407, 420, 421, 422, 423, 494:
		return false
	}
	return code < 300 || code > 399
}

// dialogLife is for how long the connection of a dialog may be silent.
const dialogLife = 4 * time.Hour

// warning says in words what is wrong with a description (RFC 3261 20.43).
func warning(code int, why string) string {
	if code != 488 || why == "" {
		return ""
	}
	if _, inner, ok := strings.Cut(why, "("); ok {
		why = strings.TrimSuffix(inner, ")")
	}
	return "Warning: 399 ozswitch " + quote(why) + "\r\n"
}

// quote makes a quoted string.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(flow.Line(s)) + `"`
}

// cancelled handles CANCEL (RFC 3261 9.2).
func (s *shard) cancelled(now time.Time, m *message) {
	var buf [256]byte
	x := s.txs.Find(m.head.ServerKey(buf[:0], "INVITE"))
	if x == nil {
		s.trace(nil, "", false, m.from, m.head.Message)
		s.e.answer(m, flow.Reply{Code: 481})
		return
	}
	l := x.User.leg
	s.trace(l, x.User.id, false, m.from, m.head.Message)
	c := s.begin(m, transaction.Server, l)
	c.User.id = x.User.id
	origin := m.head.Origin(m.from.Remote())
	reply := flow.Reply{Code: 200}
	if l != nil {
		reply.Tag = l.dlg.LocalTag
	} else {
		reply.Tag = s.e.fixedTag(&m.head)
	}
	s.finish(now, c, &origin, reply)
	if l == nil || x.Answered() || l.invite == nil || l.invite.tx != x {
		return // too late: it has its answer
	}
	first := l.state == invited
	switch {
	case first && l.invite.reliable.answered(): // for the call it was, and only a PRACK was missing
		s.tell(now, l, call.Ended{Leg: l.id, Reason: reasonText(m.req), Q850: q850(m.req)})
	case first:
		s.tell(now, l, call.Cancelled{Leg: l.id, Reason: reasonText(m.req)})
	}
	s.respond(now, l, call.Respond{Leg: l.id, Code: 487})
}

// ack handles ACK: that of a refusal ends its transaction, that of a 2xx makes
// the dialog stand.
func (s *shard) ack(now time.Time, m *message) {
	var buf [256]byte
	if x := s.txs.Find(m.head.ServerKey(buf[:0], "INVITE")); x != nil && x.State() != transaction.Accepted {
		s.trace(x.User.leg, x.User.id, false, m.from, m.head.Message)
		s.handle(now, x, transaction.Event{What: transaction.Ack})
		return
	}
	l := s.legOf(m)
	if l == nil {
		return
	}
	s.trace(l, l.id, false, m.from, m.head.Message)
	v := l.invite
	if v == nil || !v.repeat.Running() || v.seq != m.req.CSeq().SeqNo {
		return // a copy
	}
	l.invite = nil
	if l.state == answered {
		l.state = up
	}
	s.askNow(now, l)
	acked := call.Acked{Leg: l.id}
	if !v.offered {
		if theirs, code, _ := readBody(m.req); code == 0 && theirs != nil {
			l.media.theirs = theirs
			answer := theirs.media
			acked.Media = &answer
		}
	}
	if l.byeWanted {
		s.bye(now, l, l.byeReason)
		return
	}
	if !v.again || acked.Media != nil {
		s.tell(now, l, acked)
	}
}
