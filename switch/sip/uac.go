package sip

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/registrar"
	"ozswitch/switch/sip/transaction"
)

// An outgoing is our INVITE.
type outgoing struct {
	user, name string // ours, of From
	offer      *call.Media
	to         hop    // where it goes
	others     []hop  // where else it may, when that fails
	fixed      bool   // its transport must not be changed
	large      bool   // went by TCP because it is too long for UDP
	login      string // header that answers a challenge
	logins     int    // how many were answered

	line    *Account // the outside line it goes by; nil = none
	private bool
	hops    int
	extra   string // whole header lines: more, Replaces

	dlg       dialog.Dialog // as it was sent, before any answer
	via       string
	ringing   bool // a provisional answer came: CANCEL may be sent
	cancelled bool
	reason    reason
	early     map[string]*early // dialogs of provisional answers, by the far end's tag
	ack       []byte            // of the 2xx, for its copies
}

// Dial starts an outgoing leg: post is the mailbox of its events, by the rules
// of Exchange.Invited. It never waits and reports every failure as Refused.
func (e *Endpoint) Dial(i call.Invite, post func(call.Event) bool) {
	var way flow.Flow
	var b registrar.Binding
	registered := i.Phone != ""
	if registered {
		var ok bool
		if b, ok = e.bindings.At(time.Now(), registrar.Place{User: i.Phone, Contact: i.Target}); ok {
			way = e.phone(&b)
		}
	}
	if i.Hops < 0 {
		post(call.Refused{Leg: i.Leg, Failure: call.Failure{Code: 483, Reason: "it was passed on too often"}})
		return
	}
	l, to, port, srv, err := e.outgoing(i, registered)
	if err != nil {
		post(call.Refused{Leg: i.Leg, Failure: call.Failure{Code: 404, Reason: short(err)}})
		return
	}
	if l.out.extra, err = extra(i); err != nil {
		post(call.Refused{Leg: i.Leg, Failure: call.Failure{Code: 400, Reason: err.Error()}})
		return
	}
	if a := l.out.line; a != nil {
		l.dtmf = a.Keys
		if own, err := more(a.Headers); err == nil { // the configuration was checked
			l.out.extra = own + l.out.extra
		}
	}
	l.post, l.user = post, i.Phone
	s := e.shardOf([]byte(l.dlg.CallID))
	s.guard(l.dlg.CallID, func(time.Time) { s.add(l) })
	if registered {
		if way == nil {
			e.refused(l, 480, "it is registered no longer, or its connection is gone")
			return
		}
		l.dlg.Routes = b.Path
		e.place(l, hop{way: way})
		return
	}
	if o := l.out; o.line != nil && len(o.line.Places) > 0 {
		o.fixed = true
		var hops []hop
		for _, p := range o.line.Places {
			hops = append(hops, p.hop())
		}
		e.place(l, hops...)
		return
	}
	addr, err := netip.ParseAddr(strings.Trim(to.name, "[]"))
	if err == nil {
		to.addr = netip.AddrPortFrom(addr.Unmap(), port)
		e.place(l, to)
		return
	}
	select {
	case e.lookups <- lookup{hop: to, port: port, srv: srv, l: l}:
	default:
		e.refused(l, 503, "too many names to resolve")
	}
}

// outgoing makes the leg of a call to be placed and tells where it goes, unless
// that is a telephone that registered; srv: where there are SRV records, by them.
func (e *Endpoint) outgoing(i call.Invite, registered bool) (l *leg, to hop, port uint16, srv bool, err error) {
	target := i.Target
	if !strings.Contains(target, ":") || !strings.HasPrefix(strings.ToLower(target), "sip") {
		target = "sip:" + target
	}
	var uri msg.Uri
	if err := msg.ParseUri(flow.Line(target), &uri); err != nil {
		return nil, to, 0, false, fmt.Errorf("sip: call %s: %w", i.Target, err)
	}
	if uri.Host == "" || strings.ContainsAny(target, " <>\"") {
		return nil, to, 0, false, fmt.Errorf("sip: call %s: no SIP URI", i.Target)
	}
	remote := uri.Addr()
	to = hop{transport: transportOf(&uri), name: uri.Host}
	if t := to.transport; !registered && t != "" && t != "udp" && t != "tcp" && t != "tls" && (e.c.Way == nil || !webTransport(t)) {
		return nil, to, 0, false, fmt.Errorf("sip: call %s: transport %q is unknown here", i.Target, to.transport)
	}
	o := &outgoing{offer: i.Offer, user: i.From, name: i.FromName, private: i.Private, hops: i.Hops}
	var routes []string
	srv = uri.Port == 0
	if i.Line != "" {
		if o.line, routes, srv, err = e.byLine(i.Line, &to, &uri); err != nil {
			return nil, to, 0, false, err
		}
	}
	o.fixed = to.transport != ""
	l = &leg{id: i.Leg, state: calling, open: true, out: o}
	to.transport = cmp.Or(to.transport, "udp")
	if d := e.c.SessionExpires; d > 0 {
		l.session.interval = max(d, minSession)
	}
	l.dlg = dialog.Dialog{CallID: e.random(20), LocalTag: e.random(10), Target: target,
		Remote: "<" + remote + ">", Routes: routes}
	return l, to, portOf(&uri, to.transport), srv && !webTransport(to.transport), nil
}

// mostByUDP is how long a request may be that goes by UDP (RFC 3261 18.1.1).
const mostByUDP = 1300

// place sends the INVITE to the first of the places; the others are tried when
// that fails.
func (e *Endpoint) place(l *leg, to ...hop) {
	l.shard.guard(l.callID, func(now time.Time) {
		if l.state == calling && !l.out.cancelled {
			l.out.to, l.out.others = to[0], to[1:]
			l.shard.invite(now, l, to[0])
		}
	})
}

// invite sends our INVITE, the first time or once more.
func (s *shard) invite(now time.Time, l *leg, to hop) {
	e := s.e
	f := to.way
	if f == nil {
		f = e.flowTo(to)
	}
	if f == nil {
		why := call.Failure{Code: 503, Reason: "not listening for " + to.transport}
		if !s.failover(now, l, why) {
			s.end(l, call.Refused{Leg: l.id, Failure: why})
		}
		return
	}
	o := l.out
	from, identity := e.identity(l, f)
	l.dlg.Local = from + ";tag=" + l.dlg.LocalTag
	l.to = f
	l.dlg.LocalSeq++
	branch := "z9hG4bK" + e.random(16)
	o.via, o.dlg = e.via(f, branch), l.dlg
	clear(o.early)
	r := dialog.Request{Method: "INVITE", Seq: l.dlg.LocalSeq, Via: o.via, Hops: o.hops,
		Extra: o.login + "Contact: " + e.contactOf(l, f) + "\r\n" + allow + supported + l.session.header(false) + "User-Agent: " + e.c.UserAgent + "\r\n" + identity + o.extra}
	if o.offer != nil {
		r.Type, r.Body = "application/sdp", e.write(l, *o.offer, nil, f)
	}
	b := l.dlg.Build(r)
	if len(b) > mostByUDP && to.transport == "udp" && !o.fixed {
		o.large = true
		to.transport = "tcp"
		l.dlg.LocalSeq--
		o.fixed = true // and back to UDP when nobody is there
		s.invite(now, l, to)
		return
	}
	x := s.txs.Add(string(flow.ClientKey(nil, branch, "INVITE")), transaction.InviteClient, f.Reliable(), owner{to: f, leg: l, id: l.id})
	s.handle(now, x, transaction.Event{What: transaction.Start, Bytes: b})
}

// refused ends an outgoing leg that never left.
func (e *Endpoint) refused(l *leg, code int, why string) {
	l.shard.guard(l.callID, func(time.Time) {
		if l.state == calling {
			l.shard.end(l, call.Refused{Leg: l.id, Failure: call.Failure{Code: code, Reason: why}})
		}
	})
}

// inviteAnswer handles an answer to our INVITE.
func (s *shard) inviteAnswer(now time.Time, x *tx, m *message) {
	h, l := &m.head, x.User.leg
	parsed, err := s.e.parser.ParseSIP(h.Message)
	res, ok := parsed.(*msg.Response)
	if err != nil || !ok || res.To() == nil {
		return // its copies will not be better, but Timer B is
	}
	m.res = res
	ev := transaction.Event{What: transaction.Answer, Status: h.Code}
	if a := x.User.ask; a != nil {
		if h.Code >= 300 && l != nil {
			ev.Bytes = l.dlg.Build(dialog.Request{Method: "ACK", Seq: a.seq, Via: a.via})
		}
		if s.handle(now, x, ev) && h.Code >= 200 {
			s.reanswered(now, x, m, call.Failure{Code: h.Code, Reason: res.Reason})
		}
		return
	}
	if h.Code >= 300 && l != nil && l.out != nil {
		d := l.out.dlg
		d.Remote = string(h.To) // RFC 3261 17.1.1.3
		ev.Bytes = d.Build(dialog.Request{Method: "ACK", Seq: d.LocalSeq, Via: l.out.via})
	}
	if !s.handle(now, x, ev) {
		return
	}
	switch {
	case h.Code < 200:
		if l != nil && l.state == calling {
			s.provisional(now, l, x, m)
		}
	case h.Code < 300:
		s.accepted(now, x, m)
	case l != nil && l.state == calling && h.Code == 422 && !l.out.cancelled && l.session.raise(res):
		x.User.leg = nil
		l.out.ringing = false
		s.invite(now, l, l.out.to)
	case l != nil && l.state == calling && !l.out.cancelled && s.again401(now, l, x, m):
	case l != nil && l.state == calling:
		x.User.leg = nil
		why := call.Failure{Code: h.Code, Reason: res.Reason}
		if h.Code == 503 && s.failover(now, l, why) {
			return
		}
		s.end(l, call.Refused{Leg: l.id, Failure: why, Q850: q850(res), Contacts: contacts(res)})
	}
}

// provisional: it rings, or a gateway plays us something.
func (s *shard) provisional(now time.Time, l *leg, x *tx, m *message) {
	l.out.ringing = true
	if l.out.cancelled {
		s.sendCancel(now, l, x)
		return
	}
	if m.head.Code == 100 {
		return
	}
	ea := l.out.fork(m)
	if ea == nil {
		return // more of them than anybody has
	}
	if !s.acknowledge(now, l, ea, m) {
		return
	}
	ev := call.Provisional{Leg: l.id, Code: m.head.Code, Reason: m.res.Reason}
	if d, code, _ := readBody(m.res); code == 0 && d != nil {
		ea.theirs = d
		media := d.media
		ev.Media = &media
	}
	s.tell(now, l, ev)
}

// accepted handles a 2xx: the first one makes the dialog, its copies are
// acknowledged again, and one of another fork, or for a leg that gave up, is
// acknowledged and hung up (RFC 3261 13.2.2.4, 9.1).
func (s *shard) accepted(now time.Time, x *tx, m *message) {
	l := x.User.leg
	tag := string(m.head.ToTag())
	if l != nil && l.state != calling && l.state != gone && l.dlg.RemoteTag == tag {
		_ = s.send(x.User.to, l, l.id, l.out.ack)
		return
	}
	var d dialog.Dialog
	var ea *early
	if l != nil {
		d = l.out.dlg.Answered(m.res, string(m.head.To), tag)
		if ea = l.out.early[tag]; ea != nil { // its numbers were used
			d.LocalSeq, d.RemoteSeq = ea.dlg.LocalSeq, ea.dlg.RemoteSeq
		}
	} else {
		d = strayed(m.res, &m.head)
	}
	to := s.e.next(d.Next(), len(d.Routes) > 0, m.from)
	login := ""
	if l != nil {
		login = l.out.login // RFC 3261 22.1: as the INVITE had it
	}
	ack := d.Build(dialog.Request{Method: "ACK", Seq: m.res.CSeq().SeqNo, Via: s.e.via(to, "z9hG4bK"+s.e.random(16)), Extra: login})
	_ = s.send(to, l, x.User.id, ack)
	if l == nil || l.state != calling {
		why := reason{}
		if l != nil && l.state == up {
			why = elsewhere // another fork was faster
		}
		s.hangUp(now, d, to, nil, x.User.id, why, "", 0)
		return
	}
	l.dlg, l.to, l.heard, l.out.ack, l.state = d, to, now, ack, up
	theirs, code, _ := readBody(m.res)
	if theirs == nil && code == 0 && ea != nil {
		theirs = ea.theirs
	}
	l.out.early = nil
	switch {
	case l.out.cancelled:
		post := l.post
		s.bye(now, l, l.out.reason)
		if post != nil {
			post(call.Refused{Leg: l.id, Failure: call.Failure{Code: 487, Reason: "cancelled as it was answered"}})
		}
	case theirs == nil:
		post := l.post
		s.bye(now, l, reason{text: "no usable SDP", q850: causeIncompatible})
		if post != nil {
			post(call.Refused{Leg: l.id, Failure: call.Failure{Code: 488, Reason: "answered without usable SDP"}})
		}
	default:
		l.media.theirs = theirs
		l.updates = lists(m.res, "UPDATE", "allow")
		l.session.agreed(now, m.res)
		l.to.Keep(dialogLife)
		s.arm(l)
		media := theirs.media
		s.tell(now, l, call.Accepted{Leg: l.id, Media: &media, Info: lists(m.res, "INFO", "allow")})
	}
}

// strayed makes a dialog of a 2xx whose leg is gone, to acknowledge and end it.
func strayed(res *msg.Response, h *flow.Head) dialog.Dialog {
	d := dialog.Dialog{CallID: string(h.CallID), Local: string(h.From), LocalSeq: res.CSeq().SeqNo, Target: res.To().Address.String()}
	d.LocalTag = string(h.FromTag())
	return d.Answered(res, string(h.To), string(h.ToTag()))
}

// cancel gives up our INVITE (RFC 3261 9.1): at once when it is known to have
// arrived, else as soon as an answer tells so.
func (s *shard) cancel(now time.Time, l *leg, why reason) {
	if l.state != calling || l.out.cancelled {
		return
	}
	l.out.cancelled, l.out.reason = true, why
	if l.to == nil { // still looking for the address
		s.end(l, call.Refused{Leg: l.id, Failure: call.Failure{Code: 487, Reason: "cancelled"}})
		return
	}
	branch, _ := flow.Param([]byte(l.out.via), "branch")
	if x := s.txs.Find(flow.ClientKey(nil, branch, []byte("INVITE"))); x != nil && l.out.ringing {
		s.sendCancel(now, l, x)
	}
}

// sendCancel sends CANCEL for the INVITE x.
func (s *shard) sendCancel(now time.Time, l *leg, x *tx) {
	branch, _ := flow.Param([]byte(l.out.via), "branch")
	key := string(flow.ClientKey(nil, branch, []byte("CANCEL")))
	if s.txs.Find([]byte(key)) != nil {
		return
	}
	b := l.out.dlg.Build(dialog.Request{Method: "CANCEL", Seq: l.out.dlg.LocalSeq, Via: l.out.via, Hops: l.out.hops, Extra: l.out.reason.header()})
	c := s.txs.Add(key, transaction.Client, l.to.Reliable(), owner{to: l.to, leg: l, id: l.id})
	s.handle(now, c, transaction.Event{What: transaction.Start, Bytes: b})
	s.handle(now, x, transaction.Event{What: transaction.Abandon})
}
