package sip

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
)

// A reliable is what the provisional answers to an INVITE need so that they
// surely arrive (RFC 3262 3): one at a time, repeated until its PRACK. The zero
// one is for a caller that knows nothing of that.
type reliable struct {
	able   bool // it takes them
	wanted bool // it wants nothing else
	rseq   uint32
	answer []byte // waits for its PRACK; nil = none does
	sound  bool   // answer holds SDP: the 2xx must wait for it too
	repeat dialog.Repeat
	waits  []call.Respond // what is to be sent then
}

// mostWaiting is how many answers may wait for a PRACK: beyond that some were
// given for nothing, for the last one counts.
const mostWaiting = 8

// holds keeps back an answer that must not overtake the one that waits for its
// PRACK. A refusal waits for nothing, and ends the waiting.
func (r *reliable) holds(a call.Respond) bool {
	switch {
	case r.answer == nil:
		return false
	case a.Code >= 300, a.Code >= 200 && !r.sound && len(r.waits) == 0:
		r.stop()
		return false
	}
	if len(r.waits) == mostWaiting {
		r.waits = r.waits[1:]
	}
	r.waits = append(r.waits, a)
	return true
}

// answered tells whether a 2xx waits.
func (r *reliable) answered() bool {
	return slices.ContainsFunc(r.waits, func(a call.Respond) bool { return a.Code >= 200 })
}

func (r *reliable) stop() {
	r.answer, r.waits = nil, nil
	r.repeat.Stop()
}

// reliably makes a provisional answer a reliable one, where that is wanted or it
// brings sound.
func (s *shard) reliably(v *invite, a *flow.Reply) {
	r := &v.reliable
	if v.again || v.update || a.Code <= 100 || a.Code >= 200 || !r.wanted && !(r.able && len(a.Body) > 0) {
		return
	}
	if r.rseq == 0 {
		s.e.randMu.Lock()
		r.rseq = s.e.rand.Uint32N(1<<30) + 1 // RFC 3262 3: below 2^31
		s.e.randMu.Unlock()
	} else {
		r.rseq++
	}
	r.sound = len(a.Body) > 0
	a.Extra += "Require: 100rel\r\nRSeq: " + strconv.FormatUint(uint64(r.rseq), 10) + "\r\n"
}

// pracked handles PRACK (RFC 3262 3).
func (s *shard) pracked(now time.Time, l *leg, m *message) {
	v := l.invite
	if v == nil || v.tx == nil || v.reliable.answer == nil || !acknowledges(m.req, v.reliable.rseq, v.seq) {
		s.once(now, l, m, flow.Reply{Code: 481})
		return
	}
	r := &v.reliable
	r.answer = nil
	r.repeat.Stop()
	if len(m.req.Body()) > 0 {
		// Another offer, while the first call is not even answered: what stands stays.
		s.once(now, l, m, flow.Reply{Code: 488, Extra: warning(488, "no new offer before the answer")})
	} else {
		s.once(now, l, m, flow.Reply{Code: 200})
	}
	waits := r.waits
	r.waits = nil
	for _, a := range waits {
		s.respond(now, l, a)
	}
	s.arm(l)
}

// acknowledges reads RAck: "776656 1 INVITE".
func acknowledges(req headed, rseq, cseq uint32) bool {
	h := req.GetHeader("rack")
	if h == nil {
		return false
	}
	f := strings.Fields(h.Value())
	return len(f) == 3 && f[0] == strconv.FormatUint(uint64(rseq), 10) && f[1] == strconv.FormatUint(uint64(cseq), 10) && f[2] == "INVITE"
}

// noPrack: nobody acknowledged a reliable answer, so nobody hears us (RFC 3262 3).
func (s *shard) noPrack(now time.Time, l *leg) {
	s.tell(now, l, call.Lost{Leg: l.id, Failure: call.Failure{Code: 504, Reason: "no PRACK"}})
	if l.state == invited {
		s.respond(now, l, call.Respond{Leg: l.id, Code: 504})
	}
}
