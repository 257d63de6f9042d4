package sip

import (
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/transaction"
)

// A state is where a leg stands.
type state uint8

const (
	invited  state = iota // they called, we have not answered finally
	answered              // our 2xx is sent, its ACK has not come
	calling               // we called, they have not answered finally
	up                    // the dialog stands
	leaving               // our BYE is on its way
	gone
)

// A leg is our end of one dialog, guarded by its shard's lock.
type leg struct {
	id     call.LegID
	callID string // of dlg; never changes, so needs no lock
	shard  *shard
	state  state
	to     flow.Flow // the way to the far end
	heard  time.Time // when a message of the dialog last came by it
	user   string    // the extension whose telephone that is; "" = nobody knows
	dlg    dialog.Dialog
	media  session

	post func(call.Event) bool
	open bool     // the exchange knows the leg
	held []func() // events and traces from before that

	invite  *invite   // theirs, while it waits for an answer or an ACK
	out     *outgoing // ours
	ask     *ask      // ours within the dialog
	keys    []call.Info
	updates bool                                     // the far end takes UPDATE
	refer   *referral                                // theirs
	told    func(code int, reason string, last bool) // of ours
	session sessionTimer
	timer   transaction.Timer

	byeReason reason // of the BYE that waits for the ACK
	byeWanted bool
	caller    string   // key in shard.callers
	dtmf      string   // Account.Keys of the line it came or goes by
	codecs    []string // Account.Codecs of the line it came by
}

// An invite is a request of the far end that Respond answers: the INVITE that
// made the leg, a re-INVITE or an UPDATE; then the 2xx that waits for its ACK.
type invite struct {
	tx       *tx // nil once answered
	origin   flow.Origin
	seq      uint32
	again    bool // not the first one
	update   bool // UPDATE: no ACK follows
	offered  bool // it had SDP: the answer is in our 2xx, not in the ACK
	answer   []byte
	repeat   dialog.Repeat
	giveUp   time.Time // re-INVITE: when to answer without being told
	headers  string    // of the 2xx: the session timer's
	before   *description
	reliable reliable
}

// patience is how long the call may think about a re-INVITE or UPDATE before
// it is answered with what stands.
const patience = 3 * time.Second

// tell posts an event to the leg's mailbox. When that is full or gone the leg
// cannot go on.
func (s *shard) tell(now time.Time, l *leg, ev call.Event) {
	ev = l.keyed(ev)
	switch {
	case !l.open:
		l.held = append(l.held, func() { s.tell(now, l, ev) })
	case l.post != nil && !l.post(ev):
		l.post = nil
		s.leave(now, l)
	}
}

// leave ends a leg that nobody listens to any more.
func (s *shard) leave(now time.Time, l *leg) {
	l.post = nil
	switch l.state {
	case invited:
		s.respond(now, l, call.Respond{Leg: l.id, Code: 503, RetryAfter: retryAfter})
	case calling:
		s.cancel(now, l, reason{})
	case answered, up:
		s.bye(now, l, reason{})
	}
}

// add makes a leg known.
func (s *shard) add(l *leg) {
	l.shard, l.callID = s, l.dlg.CallID
	l.timer.Owner = l
	s.legs[l.dlg.LocalTag] = l
	e := s.e
	e.mu.Lock()
	defer e.mu.Unlock()
	e.legs[l.id] = l
}

// forget ends a leg without a word.
func (s *shard) forget(l *leg) {
	if l.state == gone {
		return
	}
	l.state = gone
	l.post = nil
	s.wheel.Set(&l.timer, time.Time{})
	if s.legs[l.dlg.LocalTag] == l {
		delete(s.legs, l.dlg.LocalTag)
	}
	if l.out != nil {
		branch, _ := flow.Param([]byte(l.out.via), "branch")
		if x := s.txs.Find(flow.ClientKey(nil, branch, []byte("INVITE"))); x != nil {
			x.User.leg = nil // copies of the 2xx are answered without it
		}
	}
	if l.caller != "" {
		delete(s.callers, l.caller)
		s.e.incoming.Add(-1)
	}
	e := s.e
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.legs[l.id] == l {
		delete(e.legs, l.id)
	}
}

// legTick is what time does to a leg: the 2xx is sent once more, an ACK is no
// longer awaited, a re-INVITE has waited long enough.
func (s *shard) legTick(now time.Time, l *leg) {
	if v := l.invite; l.state == invited && v != nil && v.tx != nil {
		switch again, over := v.reliable.repeat.Due(now); {
		case again:
			_ = s.send(l.to, l, l.id, v.reliable.answer)
		case over:
			s.noPrack(now, l)
		}
	}
	if v := l.invite; l.state != gone && v != nil {
		switch again, over := v.repeat.Due(now); {
		case again:
			_ = s.send(l.to, l, l.id, v.answer)
		case over:
			s.noAck(now, l)
		case v.tx != nil && !v.giveUp.IsZero() && !now.Before(v.giveUp):
			s.respond(now, l, call.Respond{Leg: l.id, Code: 200})
		}
	}
	if l.state == up && s.sessionTick(now, l) && l.ask != nil {
		s.askNow(now, l)
	}
	s.arm(l)
}

// arm sets the leg's timer to what it waits for.
func (s *shard) arm(l *leg) {
	var at time.Time
	if v := l.invite; v != nil && l.state != gone {
		if at = v.repeat.Deadline(); at.IsZero() && v.tx != nil {
			at = soonest(v.giveUp, v.reliable.repeat.Deadline())
		}
	}
	if l.state == up {
		at = soonest(at, l.session.next())
		if l.ask != nil && l.ask.tx == nil {
			at = soonest(at, l.ask.at)
		}
	}
	s.wheel.Set(&l.timer, at)
}

// noAck: our 2xx was never acknowledged (RFC 3261 13.3.1.4: send BYE).
func (s *shard) noAck(now time.Time, l *leg) {
	l.invite = nil
	if l.state != answered && l.state != up {
		return
	}
	l.state = up
	s.tell(now, l, call.Lost{Leg: l.id, Failure: call.Failure{Code: 408, Reason: "no ACK"}})
	if l.state == up {
		s.bye(now, l, reason{q850: causeTimer})
	}
}

// expired: nobody answered our request, or it could not be sent.
func (s *shard) expired(now time.Time, x *tx, why call.Failure) {
	if done := x.User.done; done != nil {
		x.User.done = nil
		done(nil, why)
	}
	l := x.User.leg
	x.User.leg = nil
	if l == nil {
		return
	}
	switch {
	case x.User.ask != nil:
		x.User.leg = l
		s.reanswered(now, x, nil, call.Failure{Code: 408, Reason: why.Reason})
		x.User.leg = nil
	case x.User.key:
		s.pressed(now, l, x, nil)
	case x.Kind() == transaction.InviteClient && l.state == calling && why.Code == 503 && l.out.large && !l.out.ringing && !l.out.cancelled:
		l.out.large = false // the far end has no TCP
		s.invite(now, l, l.out.to)
	case x.Kind() == transaction.InviteClient && l.state == calling && s.failover(now, l, why):
	case x.Kind() == transaction.InviteClient && l.state == calling:
		post := l.post
		if l.out.cancelled {
			why = call.Failure{Code: 487, Reason: "cancelled, and no answer came"}
		}
		s.forget(l)
		if post != nil {
			post(call.Refused{Leg: l.id, Failure: why})
		}
	case x.Kind() == transaction.Client && l.state == leaving:
		s.forget(l)
	}
}
