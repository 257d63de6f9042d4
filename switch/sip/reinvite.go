package sip

import (
	"strconv"
	"strings"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/transaction"
)

// An ask is a request of ours within a dialog: a re-INVITE or UPDATE with what
// the call wants, or one that only keeps the session alive (RFC 4028).
type ask struct {
	media   *call.Media // nil = keep what stands
	refresh bool        // nobody asked for it but the session timer
	update  bool
	via     string
	seq     uint32
	tx      *tx // nil while it waits
	tries   int
	at      time.Time // when to try
	ack     []byte    // of its 2xx, for copies
	login   string    // header that answers a challenge
	logins  int
}

// mostTries is how often a request is sent again after 491 and its like.
const mostTries = 6

// reinvite changes the session of a leg.
func (s *shard) reinvite(now time.Time, l *leg, m *call.Media) {
	if l.state != up && l.state != answered {
		s.tell(now, l, call.Rerefused{Leg: l.id, Failure: call.Failure{Code: 481, Reason: "there is no dialog"}})
		return
	}
	if l.ask != nil && !l.ask.refresh {
		s.tell(now, l, call.Rerefused{Leg: l.id, Failure: call.Failure{Code: 491, Reason: "another one is under way"}})
		return
	}
	if old := l.ask; old != nil && old.tx != nil {
		l.ask = &ask{media: m, at: now.Add(s.e.pause(l))} // after the refresh
	} else {
		l.ask = &ask{media: m, at: now}
	}
	s.askNow(now, l)
}

// askNow sends what waits, unless the other side has something under way.
func (s *shard) askNow(now time.Time, l *leg) {
	a := l.ask
	if a == nil || a.tx != nil || now.Before(a.at) {
		s.arm(l)
		return
	}
	if l.state != up || l.invite != nil {
		a.at = now.Add(s.e.pause(l))
		s.arm(l)
		return
	}
	method, kind := "INVITE", transaction.InviteClient
	if a.update = a.refresh && l.updates; a.update {
		method, kind = "UPDATE", transaction.Client
	}
	to := s.way(l)
	branch := "z9hG4bK" + s.e.random(16)
	l.dlg.LocalSeq++
	a.seq, a.via = l.dlg.LocalSeq, s.e.via(to, branch)
	r := dialog.Request{Method: method, Seq: a.seq, Via: a.via,
		Extra: a.login + "Contact: " + s.e.contactOf(l, to) + "\r\n" + allow + supported + l.session.header(true) + "User-Agent: " + s.e.c.UserAgent + "\r\n"}
	if !a.update {
		m := l.media.ours
		if a.media != nil {
			m = *a.media
		}
		r.Type, r.Body = "application/sdp", s.e.write(l, m, nil, to)
	}
	a.tx = s.txs.Add(string(flow.ClientKey(nil, branch, method)), kind, to.Reliable(), owner{to: to, leg: l, id: l.id, ask: a})
	s.arm(l)
	s.handle(now, a.tx, transaction.Event{What: transaction.Start, Bytes: l.dlg.Build(r)})
}

// pause is how long to wait after a 491 (RFC 3261 14.1): who made the Call-ID
// waits longer than the other.
func (e *Endpoint) pause(l *leg) time.Duration {
	e.randMu.Lock()
	defer e.randMu.Unlock()
	if l.out != nil {
		return 2100*time.Millisecond + time.Duration(e.rand.IntN(191))*10*time.Millisecond
	}
	return time.Duration(1+e.rand.IntN(200)) * 10 * time.Millisecond
}

// reanswered handles the final answer to a request of ours within the dialog.
// m is nil when none came.
func (s *shard) reanswered(now time.Time, x *tx, m *message, why call.Failure) {
	l, a := x.User.leg, x.User.ask
	if l == nil {
		return
	}
	if m != nil && why.Code < 300 && !a.update {
		if a.ack == nil {
			a.ack = l.dlg.Build(dialog.Request{Method: "ACK", Seq: a.seq, Via: s.e.via(x.User.to, "z9hG4bK"+s.e.random(16))})
		}
		_ = s.send(x.User.to, l, l.id, a.ack)
	}
	if a.tx != x || l.state != up && l.state != answered {
		return // a copy, or too late
	}
	a.tx = nil
	if l.ask == a {
		l.ask = nil
	}
	again := func(after time.Duration) {
		if a.tries++; a.tries < mostTries && l.ask == nil {
			a.at = now.Add(after)
			l.ask = a
		}
	}
	switch {
	case why.Code < 300:
		s.reaccepted(now, l, a, m)
	case why.Code == 491:
		again(s.e.pause(l))
	case why.Code == 500 && m != nil && m.res.GetHeader("retry-after") != nil:
		again(s.e.pause(l))
	case why.Code == 422 && m != nil && l.session.raise(m.res):
		again(0)
	case (why.Code == 401 || why.Code == 407) && s.askLogin(l, a, m):
		again(0)
	case a.update && (why.Code == 405 || why.Code == 501):
		l.updates = false
		again(0)
	case why.Code == 481: // RFC 3261 12.2.1.2
		s.lose(now, l, call.Failure{Code: 481, Reason: "the far end no longer knows the call"})
		return
	case why.Code == 408:
		s.lose(now, l, call.Failure{Code: 408, Reason: "the far end does not answer"})
		return
	}
	if why.Code >= 300 && l.ask != a && !a.refresh {
		s.tell(now, l, call.Rerefused{Leg: l.id, Failure: why})
	}
	s.askNow(now, l)
}

// askLogin answers a challenge to a request within the dialog.
func (s *shard) askLogin(l *leg, a *ask, m *message) (ok bool) {
	if m == nil {
		return false
	}
	method := "INVITE"
	if a.update {
		method = "UPDATE"
	}
	a.login, _, ok = s.e.prove401(m, l.credentials(), method, l.dlg.Target, a.logins)
	a.logins++
	return ok
}

// reaccepted: the far end agreed.
func (s *shard) reaccepted(now time.Time, l *leg, a *ask, m *message) {
	if c := m.res.Contact(); c != nil {
		l.dlg.Target = c.Address.String()
	}
	l.session.agreed(now, m.res)
	if a.update {
		return
	}
	theirs, code, why := readBody(m.res)
	switch {
	case code != 0 && !a.refresh:
		s.tell(now, l, call.Rerefused{Leg: l.id, Failure: call.Failure{Code: code, Reason: why}})
	case theirs != nil:
		same := l.media.theirs != nil && l.media.theirs.media.Addr == theirs.media.Addr && l.media.theirs.media.Dir == theirs.media.Dir
		l.media.theirs = theirs
		if media := theirs.media; !a.refresh || !same {
			s.tell(now, l, call.Reaccepted{Leg: l.id, Media: &media})
		}
	case !a.refresh:
		s.tell(now, l, call.Reaccepted{Leg: l.id})
	}
}

// lose ends a leg whose far end is gone, with a BYE in case it is not.
func (s *shard) lose(now time.Time, l *leg, why call.Failure) {
	s.tell(now, l, call.Lost{Leg: l.id, Failure: why})
	if l.state == up || l.state == answered {
		l.invite = nil
		l.state = up
		bye := reason{text: why.Reason}
		if why.Code == 408 {
			bye.q850 = causeTimer
		}
		s.bye(now, l, bye)
	}
}

// press sends a key by INFO (application/dtmf-relay), one after another: the
// next when the last was answered, so that none overtakes.
func (s *shard) press(now time.Time, l *leg, k call.Info) {
	if l.state != up && l.state != answered {
		return
	}
	if len(l.keys) < 64 {
		l.keys = append(l.keys, k)
	}
	if len(l.keys) == 1 {
		s.pressNext(now, l, "", 0)
	}
}

// pressNext sends the key that is next; login answers a challenge.
func (s *shard) pressNext(now time.Time, l *leg, login string, tries int) {
	if len(l.keys) == 0 || l.state != up && l.state != answered {
		return
	}
	k := l.keys[0]
	d := k.Duration
	if d <= 0 {
		d = 100 * time.Millisecond
	}
	to := s.way(l)
	branch := "z9hG4bK" + s.e.random(16)
	l.dlg.LocalSeq++
	b := l.dlg.Build(dialog.Request{Method: "INFO", Seq: l.dlg.LocalSeq, Via: s.e.via(to, branch), Extra: login + "User-Agent: " + s.e.c.UserAgent + "\r\n",
		Type: "application/dtmf-relay", Body: []byte("Signal=" + strings.ToUpper(string(rune(k.Key))) + "\r\nDuration=" + strconv.FormatInt(d.Milliseconds(), 10) + "\r\n")})
	x := s.txs.Add(string(flow.ClientKey(nil, branch, "INFO")), transaction.Client, to.Reliable(), owner{to: to, leg: l, id: l.id, key: true, tries: tries})
	s.handle(now, x, transaction.Event{What: transaction.Start, Bytes: b})
}

// pressed: a key was answered, however; m is nil when it was not.
func (s *shard) pressed(now time.Time, l *leg, x *tx, m *message) {
	if len(l.keys) == 0 {
		return
	}
	if m != nil && m.res != nil {
		if login, _, ok := s.e.prove401(m, l.credentials(), "INFO", l.dlg.Target, x.User.tries); ok {
			s.pressNext(now, l, login, x.User.tries+1)
			return
		}
	}
	why := call.Failure{Code: 408, Reason: "a key by INFO was not answered"}
	if m != nil {
		why = call.Failure{}
		if m.head.Code >= 300 {
			why = call.Failure{Code: m.head.Code, Reason: "a key by INFO was refused"}
		}
	}
	l.keys = l.keys[1:]
	s.tell(now, l, call.KeyAnswered{Leg: l.id, Failure: why})
	s.pressNext(now, l, "", 0)
}
