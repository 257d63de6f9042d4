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

// An early is a dialog that provisional answers to our INVITE made; one that is
// forked makes several (RFC 3261 12.1.2).
type early struct {
	dlg    dialog.Dialog
	rseq   uint32       // of the last reliable answer that was taken (RFC 3262); 0 = none was
	theirs *description // what it said of its sound
}

// mostForks is how many of them one INVITE of ours may have.
const mostForks = 16

// fork gives the early dialog of a provisional answer; nil when there are too
// many.
func (o *outgoing) fork(m *message) *early {
	tag := string(m.head.ToTag())
	ea := o.early[tag]
	if ea == nil {
		if len(o.early) >= mostForks {
			return nil
		}
		if o.early == nil {
			o.early = map[string]*early{}
		}
		ea = &early{dlg: o.dlg.Answered(m.res, string(m.head.To), tag)}
		o.early[tag] = ea
	}
	return ea
}

// acknowledge answers a reliable provisional answer with PRACK (RFC 3262 4).
// false: it is a copy, or one before it is missing, and means nothing.
func (s *shard) acknowledge(now time.Time, l *leg, ea *early, m *message) bool {
	if ea.dlg.RemoteTag == "" || !lists(m.res, "100rel", "require") {
		return true
	}
	rseq, ok := number(m.res, "rseq")
	if !ok || ea.rseq != 0 && rseq != ea.rseq+1 {
		return false // a copy is answered by its PRACK, which repeats itself
	}
	ea.rseq = rseq
	rack := "RAck: " + strconv.FormatUint(uint64(rseq), 10) + " " + strconv.FormatUint(uint64(m.res.CSeq().SeqNo), 10) + " INVITE\r\n"
	to := s.e.next(ea.dlg.Next(), len(ea.dlg.Routes) > 0, m.from)
	s.errand(now, l, &ea.dlg, to, errand{method: "PRACK", extra: rack})
	return true
}

// number reads a header that is a number from 1 to 2^32-1.
func number(m headed, name string) (uint32, bool) {
	h := m.GetHeader(name)
	if h == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(h.Value()), 10, 32)
	return uint32(n), err == nil && n > 0
}

// An errand is a request of ours within a dialog that changes no session: PRACK,
// NOTIFY, REFER.
type errand struct {
	method string
	extra  string // whole header lines
	kind   string // Content-Type of body
	body   string
	tries  int // challenges that were answered before it

	done func(now time.Time, code int, m *message) // its final answer, m nil when none came; may be nil
}

// send1 sends an errand. d counts its number.
func (s *shard) errand(now time.Time, l *leg, d *dialog.Dialog, to flow.Flow, r errand) {
	s.sendAgain(now, l, d, to, r, "")
}

func (s *shard) sendAgain(now time.Time, l *leg, d *dialog.Dialog, to flow.Flow, r errand, login string) {
	branch := "z9hG4bK" + s.e.random(16)
	d.LocalSeq++
	b := d.Build(dialog.Request{Method: r.method, Seq: d.LocalSeq, Via: s.e.via(to, branch), Type: r.kind, Body: []byte(r.body),
		Extra: login + r.extra + "User-Agent: " + s.e.c.UserAgent + "\r\n"})
	done := func(m *message, why call.Failure) {
		now := time.Now()
		if m != nil && l.state != gone {
			if login, _, ok := s.e.prove401(m, l.credentials(), r.method, d.Target, r.tries); ok {
				r.tries++
				s.sendAgain(now, l, d, to, r, login)
				return
			}
		}
		if r.done != nil {
			r.done(now, why.Code, m)
		}
	}
	x := s.txs.Add(string(flow.ClientKey(nil, branch, r.method)), transaction.Client, to.Reliable(), owner{to: to, id: l.id, done: done})
	s.handle(now, x, transaction.Event{What: transaction.Start, Bytes: b})
}

// inEarly handles a request of one whom we called and who has not answered yet.
func (s *shard) inEarly(now time.Time, l *leg, ea *early, m *message) {
	s.trace(l, l.id, false, m.from, m.head.Message)
	if !ea.dlg.Receive(m.req.CSeq().SeqNo) {
		s.e.answer(m, flow.Reply{Code: 500, Reason: "CSeq Out Of Order"})
		return
	}
	switch m.method {
	case "UPDATE":
		s.updatedEarly(now, l, ea, m)
	case "OPTIONS":
		s.once(now, l, m, flow.Reply{Code: 200, Extra: allow + accept + supported})
	case "INFO":
		s.once(now, l, m, flow.Reply{Code: 200}) // whatever it says, there is no call yet
	case "INVITE":
		s.refuseInDialog(now, l, m, flow.Reply{Code: 491})
	default: // who has not answered yet refuses, and has nothing to hang up (RFC 3261 15)
		s.once(now, l, m, flow.Reply{Code: 481})
	}
}

// updatedEarly answers UPDATE before the call was answered (RFC 3311 5.2).
func (s *shard) updatedEarly(now time.Time, l *leg, ea *early, m *message) {
	theirs, code, why := readBody(m.req)
	if code != 0 {
		s.once(now, l, m, flow.Reply{Code: code, Reason: why, Extra: accept + warning(code, why)})
		return
	}
	reply := flow.Reply{Code: 200, Extra: "Contact: " + s.e.contactOf(l, m.from) + "\r\n" + allow + supported}
	if theirs != nil {
		if ea.theirs == nil || ea.rseq == 0 { // our offer has no answer that counts
			s.once(now, l, m, flow.Reply{Code: 491})
			return
		}
		ours, ok := again(&l.media.ours, ea.theirs, theirs)
		if !ok {
			s.once(now, l, m, flow.Reply{Code: 488, Extra: warning(488, "nothing that sounds already is in it")})
			return
		}
		reply.Type, reply.Body = "application/sdp", s.e.write(l, ours, theirs, m.from)
	}
	ea.dlg.Refresh(m.req)
	s.once(now, l, m, reply)
	if theirs != nil {
		ea.theirs = theirs
		media := theirs.media
		s.tell(now, l, call.Provisional{Leg: l.id, Code: 183, Media: &media})
	}
}

// again answers an offer with what stands: ok is false when the codec that is
// agreed on is not in it, or when it comes with other keys.
func again(ours *call.Media, was, now *description) (m call.Media, ok bool) {
	if len(was.media.Codecs) == 0 || now.media.Web != nil || len(now.media.Crypto) > 0 || ours.Web != nil || len(ours.Crypto) > 0 {
		return call.Media{}, false
	}
	agreed := was.media.Codecs[0]
	m = *ours
	m.Codecs, m.Keys, m.Dir = nil, nil, mirror(now.media)
	for _, c := range now.media.Codecs {
		if c.Is(agreed.Name, agreed.ClockRate) && c.PT == agreed.PT {
			m.Codecs = []call.Codec{c}
			if k, ok := now.media.KeysFor(c); ok {
				m.Keys = []call.Codec{k}
			}
			return m, true
		}
	}
	return call.Media{}, false
}
