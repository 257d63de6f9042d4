package sip

import (
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/transaction"
)

// bye hangs up. One who was called and has no ACK yet must wait for it (RFC
// 3261 15).
func (s *shard) bye(now time.Time, l *leg, why reason) {
	switch l.state {
	case invited:
		s.respond(now, l, call.Respond{Leg: l.id, Code: 480})
		return
	case calling:
		s.cancel(now, l, why)
		return
	case answered:
		if l.invite != nil {
			l.byeWanted, l.byeReason, l.post = true, why, nil
			return
		}
	case leaving, gone:
		return
	}
	if v := l.invite; v != nil && v.tx != nil {
		x := v.tx
		v.tx = nil
		s.finish(now, x, &v.origin, flow.Reply{Code: 487, Tag: l.dlg.LocalTag})
	}
	if a := l.ask; a != nil && a.tx != nil && a.update {
		s.txs.Drop(a.tx) // its answer means nothing any more
	}
	l.invite, l.ask, l.keys, l.post, l.state = nil, nil, nil, nil, leaving
	s.arm(l)
	s.lastNotice(now, l)
	s.hangUp(now, l.dlg, s.way(l), l, l.id, why, "", 0)
}

// hangUp sends a BYE; l is nil when no leg waits for its answer. login answers
// the challenge of the try before, if any.
func (s *shard) hangUp(now time.Time, d dialog.Dialog, to flow.Flow, l *leg, id call.LegID, why reason, login string, tries int) {
	branch := "z9hG4bK" + s.e.random(16)
	b := d.Build(dialog.Request{Method: "BYE", Seq: d.LocalSeq + 1, Via: s.e.via(to, branch),
		Extra: login + why.header() + "User-Agent: " + s.e.c.UserAgent + "\r\n"})
	x := s.txs.Add(string(flow.ClientKey(nil, branch, "BYE")), transaction.Client, to.Reliable(), owner{to: to, leg: l, id: id, tries: tries})
	s.handle(now, x, transaction.Event{What: transaction.Start, Bytes: b})
}

// byeAgain answers a challenge to our BYE.
func (s *shard) byeAgain(now time.Time, l *leg, x *tx, m *message) bool {
	if m.res == nil {
		return false
	}
	login, _, ok := s.e.prove401(m, l.credentials(), "BYE", l.dlg.Target, x.User.tries)
	if ok {
		l.dlg.LocalSeq++ // hangUp counts one more
		s.hangUp(now, l.dlg, x.User.to, l, l.id, reason{}, login, x.User.tries+1)
	}
	return ok
}
