package sip

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/transaction"
)

// retryAfter is what callers are told to wait when there are too many.
const retryAfter = 5 * time.Second

// A message is one that was received. Its head lies in the reader's buffer:
// what outlives receive is copied.
type message struct {
	from   flow.Flow
	head   flow.Head
	method string
	user   string      // the extension that the sender proved to be
	line   string      // the outside line that it came by; "" = none
	fault  *flow.Fault // why it could not be framed; nil = it could
	req    *msg.Request
	res    *msg.Response
}

// receive handles one message, whatever it holds. It is the recover boundary
// of everything that comes from outside.
func (e *Endpoint) receive(f flow.Flow, b []byte, fault *flow.Fault) {
	defer func() {
		if r := recover(); r != nil {
			e.panics.Add(1)
			e.log.Error("sip: bug caught, a message is dropped", "remote", f.Remote(), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
		}
	}()
	m := message{from: f, fault: fault}
	var ok bool
	if m.head, ok = flow.Scan(b); !ok {
		return
	}
	inject("scanned")
	if m.head.Request() {
		m.method = string(m.head.Method)
		f.Back(&m.head)
		e.request(&m)
	} else {
		e.response(&m)
	}
}

// request handles a request.
func (e *Endpoint) request(m *message) {
	h := &m.head
	s := e.shardOf(h.CallID)
	if m.fault != nil {
		e.refuse(m, m.fault.Code, m.fault.Why, "")
		return
	}
	if h.Complete() && m.method != "ACK" && s.again(m) {
		return
	}
	if m.method == "INVITE" && h.Malformed == "" && len(h.ToTag()) == 0 && e.overloaded(m.from) {
		e.refuse(m, 503, "", "Retry-After: "+strconv.Itoa(int(retryAfter/time.Second))+"\r\n")
		return
	}
	if code, reason, extra := e.check(m); code != 0 {
		e.refuse(m, code, reason, extra)
		return
	}
	if len(h.ToTag()) == 0 {
		switch m.method {
		case "INVITE":
			if e.comes(m) {
				e.newInvite(s, m)
			}
			return
		case "REGISTER":
			if e.c.Realm != "" {
				e.register(s, m)
				return
			}
		case "SUBSCRIBE":
			if e.c.Realm != "" && e.c.Events != nil {
				e.subscribe(s, m)
				return
			}
		case "MESSAGE":
			if e.c.Realm != "" && e.c.Texts != nil {
				e.text(s, m)
				return
			}
		}
	}
	s.guard(string(h.CallID), func(now time.Time) {
		inject("request")
		switch {
		case m.method == "ACK":
			s.ack(now, m)
		case m.method == "CANCEL":
			s.cancelled(now, m)
		case len(h.ToTag()) > 0:
			s.inDialog(now, m)
		default:
			s.outside(m)
		}
	})
}

// comes tells whether an INVITE may make a call, and by whom; otherwise it has
// been answered. Who offers credentials is held to them.
func (e *Endpoint) comes(m *message) bool {
	offered := len(m.req.GetHeaders("authorization"))+len(m.req.GetHeaders("proxy-authorization")) > 0
	if !offered && e.c.Whose != nil && e.c.Line != nil && !e.ours(m) {
		if m.line = e.c.Whose(m.from.Remote(), m.from.Transport(), unescape(m.req.Recipient.User)); m.line != "" {
			return true
		}
	}
	if e.c.Realm == "" {
		return true
	}
	claimed := m.req.From().Address.User
	// Where guests may come, a telephone of ours is asked who it is when it calls
	// what is not for guests.
	if !offered && e.c.Guest != nil && e.c.Guest(m.from.Remote()) &&
		!(e.c.Proves != nil && e.auth.Knows(unescape(claimed)) && e.c.Proves(unescape(m.req.Recipient.User))) {
		return true
	}
	if strings.EqualFold(claimed, anonymous) {
		claimed = "" // whoever proves who he is may keep it from others (RFC 3323)
	}
	var ok bool
	m.user, ok = e.prove(m, claimed)
	return ok
}

// tooLate is how far behind the reader may be before new calls are turned away:
// beyond T1 (500 ms) every caller repeats its INVITE, and all only gets worse.
const tooLate = 250 * time.Millisecond

// overloaded tells whether one more call is too many.
func (e *Endpoint) overloaded(f flow.Flow) bool {
	if f.Behind() > tooLate {
		return true
	}
	if most := e.most.Load(); most > 0 && e.incoming.Load() >= most {
		return true
	}
	return !e.limit.Take(time.Now())
}

// again absorbs a copy of a request that has a transaction already.
func (s *shard) again(m *message) (known bool) {
	s.guard(string(m.head.CallID), func(now time.Time) {
		var buf [256]byte
		if x := s.txs.Find(m.head.ServerKey(buf[:0], m.method)); x != nil {
			known = true
			s.trace(x.User.leg, x.User.id, false, m.from, m.head.Message)
			s.handle(now, x, transaction.Event{What: transaction.Again})
		}
	})
	return known
}

// allow lists what we do.
const allow = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY\r\n"

// accept lists the bodies that we read.
const accept = "Accept: application/sdp, application/dtmf-relay, application/dtmf\r\n"

// outside answers a request that belongs to no dialog and is no INVITE.
func (s *shard) outside(m *message) {
	s.trace(nil, "", false, m.from, m.head.Message)
	switch m.method {
	case "OPTIONS":
		s.e.answer(m, flow.Reply{Code: 200, Extra: s.e.can()})
	case "BYE", "INFO", "UPDATE", "PRACK":
		s.e.answer(m, flow.Reply{Code: 481})
	case "SUBSCRIBE":
		s.e.answer(m, flow.Reply{Code: 489, Extra: s.e.allowed()}) // no Allow-Events: there are none
	case "REFER":
		s.e.answer(m, flow.Reply{Code: 403}) // only who is in a call may pass it on
	case "NOTIFY":
		s.e.answer(m, flow.Reply{Code: 481}) // we subscribe to nothing outside a call
	case "MESSAGE", "REGISTER", "PUBLISH": // nobody's state is kept that others report (RFC 3903)
		s.e.answer(m, flow.Reply{Code: 405, Extra: s.e.allowed()})
	default:
		s.e.answer(m, flow.Reply{Code: 501, Extra: s.e.allowed()})
	}
}

// allowed lists what we do outside a dialog too.
func (e *Endpoint) allowed() string {
	s := strings.TrimSuffix(allow, "\r\n")
	if e.c.Realm != "" {
		s += ", REGISTER"
		if e.c.Events != nil {
			s += ", SUBSCRIBE"
		}
		if e.c.Texts != nil {
			s += ", MESSAGE"
		}
	}
	return s + "\r\n"
}

// can is all that we can, for OPTIONS (RFC 3261 11.2).
func (e *Endpoint) can() string {
	s, bodies := e.allowed(), accept
	if e.c.Realm != "" && e.c.Texts != nil {
		bodies = strings.TrimSuffix(accept, "\r\n") + ", " + textType + "\r\n"
	}
	if e.c.Realm != "" && e.c.Events != nil {
		bodies += allowEvents
	}
	return s + bodies + supported
}

// refuse answers without a transaction: copies of the request get the same
// answer again, and the ACK matches nothing and is dropped (RFC 3261 8.2.7).
func (e *Endpoint) refuse(m *message, code int, reason, extra string) {
	if m.method == "ACK" {
		return
	}
	if e.c.Trace != nil {
		e.c.Trace("", false, m.from.Transport(), m.from.Remote(), m.head.Message)
	}
	e.answer(m, flow.Reply{Code: code, Reason: reason, Extra: extra})
}

// answer sends an answer that no transaction keeps.
func (e *Endpoint) answer(m *message, r flow.Reply) {
	if !m.head.Answerable() {
		return
	}
	o := m.head.Origin(m.from.Remote())
	if r.Tag == "" {
		r.Tag = e.fixedTag(&m.head)
	}
	r.Extra += e.server()
	b := o.Answer(r)
	_ = m.from.Send(b) // who asked may ask again
	if e.c.Trace != nil {
		e.c.Trace("", true, m.from.Transport(), m.from.Remote(), b)
	}
}

func (e *Endpoint) server() string { return "Server: " + e.c.UserAgent + "\r\n" }

// response hands a response to the request of ours that it answers. One that
// answers nothing is dropped.
func (e *Endpoint) response(m *message) {
	h := &m.head
	if h.Malformed != "" || !h.Complete() {
		return
	}
	s := e.shardOf(h.CallID)
	s.guard(string(h.CallID), func(now time.Time) {
		inject("response")
		var buf [256]byte
		x := s.txs.Find(h.ClientKey(buf[:0]))
		if x == nil {
			return
		}
		s.trace(x.User.leg, x.User.id, false, m.from, h.Message)
		if x.Kind() == transaction.InviteClient {
			s.inviteAnswer(now, x, m)
			return
		}
		l := x.User.leg
		s.handle(now, x, transaction.Event{What: transaction.Answer, Status: h.Code})
		if h.Code >= 200 && (x.User.done != nil || l != nil && (x.User.ask != nil || h.Code == 401 || h.Code == 407)) {
			if parsed, err := e.parser.ParseSIP(h.Message); err == nil {
				m.res, _ = parsed.(*msg.Response)
			}
		}
		switch {
		case h.Code < 200:
		case x.User.done != nil:
			done := x.User.done
			x.User.done = nil
			if m.res == nil {
				done(nil, call.Failure{Code: 400, Reason: "a broken answer"})
			} else {
				done(m.kept(), call.Failure{Code: h.Code, Reason: m.res.Reason})
			}
		case l == nil:
		case x.User.ask != nil:
			if m.res != nil {
				s.reanswered(now, x, m, call.Failure{Code: h.Code, Reason: m.res.Reason})
			} else {
				s.reanswered(now, x, nil, call.Failure{Code: max(h.Code, 400), Reason: "a broken answer"})
			}
		case x.User.key:
			s.pressed(now, l, x, m)
		case l.state == leaving && s.byeAgain(now, l, x, m):
		case l.state == leaving:
			s.forget(l) // our BYE was answered, however
		}
		if h.Code >= 200 {
			x.User.leg = nil
		}
	})
}

// kept is a message that outlives receive: what login and its like read of it.
func (m *message) kept() *message {
	return &message{from: m.from, head: flow.Head{Code: m.head.Code}, res: m.res}
}

// legOf finds the leg of a request within a dialog; nil when there is none.
func (s *shard) legOf(m *message) *leg {
	l := s.named(m)
	if l == nil || l.dlg.RemoteTag != string(m.head.FromTag()) {
		return nil
	}
	return l
}

// named finds the leg by its own tag, whatever the far end's.
func (s *shard) named(m *message) *leg {
	l := s.legs[string(m.head.ToTag())]
	if l == nil || l.dlg.CallID != string(m.head.CallID) {
		return nil
	}
	return l
}

// begin starts the server transaction of a request.
func (s *shard) begin(m *message, k transaction.Kind, l *leg) *tx {
	var buf [256]byte
	id := call.LegID("")
	if l != nil {
		id = l.id
	}
	return s.txs.Add(string(m.head.ServerKey(buf[:0], m.method)), k, m.from.Reliable(), owner{to: m.from, leg: l, id: id})
}

// finish answers a server transaction; with the final answer the leg is no
// longer told of it.
func (s *shard) finish(now time.Time, x *tx, o *flow.Origin, r flow.Reply) []byte {
	r.Extra += s.e.server()
	b := o.Answer(r)
	s.handle(now, x, transaction.Event{What: transaction.Answer, Status: r.Code, Bytes: b})
	if r.Code >= 200 {
		x.User.leg = nil
	}
	return b
}
