package sip

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/transaction"
)

// An owner is what a transaction knows of the world.
type owner struct {
	to  flow.Flow
	leg *leg       // who is told; nil once nobody is
	id  call.LegID // for the trace, also after the leg is gone
	ask *ask       // ours within the dialog
	key bool       // INFO with a key

	tries int                                // challenges that were answered before it
	done  func(m *message, why call.Failure) // told of the end of a request of no leg; m is nil when no answer came. It must not wait
}

type tx = transaction.Tx[owner]

// A shard holds the transactions and legs of the Call-IDs that fall to it.
// Everything below mu is guarded by it; sending and posting happen under it
// too, for their order, and neither waits.
type shard struct {
	e    *Endpoint
	wake chan struct{} // the next timer is earlier than run believes

	mu      sync.Mutex
	wheel   *transaction.Wheel
	txs     *transaction.Table[owner]
	legs    map[string]*leg          // by our tag
	callers map[string]*leg          // incoming, by Call-ID and the caller's tag
	subs    map[string]*subscription // by our tag
	armed   time.Time                // when run will look
}

// guard runs f under the lock and, should f panic, ends what belongs to that
// Call-ID and nothing else.
func (s *shard) guard(callID string, f func(now time.Time)) {
	defer func() {
		if r := recover(); r != nil {
			s.wreck(callID, r)
		}
	}()
	s.mu.Lock()
	defer s.unlock()
	f(time.Now())
}

func (s *shard) unlock() {
	next := s.wheel.Next()
	earlier := !next.IsZero() && (s.armed.IsZero() || next.Before(s.armed))
	if earlier {
		s.armed = next
	}
	s.mu.Unlock()
	if earlier {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// wreck drops the legs and transactions of a Call-ID whose handling panicked
// and tells the calls that they are lost.
func (s *shard) wreck(callID string, cause any) {
	s.e.panics.Add(1)
	s.e.log.Error("sip: bug caught, the call is dropped", "call_id", callID, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	defer func() {
		if r := recover(); r != nil {
			s.e.log.Error("sip: bug caught while dropping a call", "call_id", callID, "panic", fmt.Sprint(r))
		}
	}()
	s.mu.Lock()
	defer s.unlock()
	now := time.Now()
	s.txs.All(func(x *tx) {
		switch l := x.User.leg; {
		case l == nil || l.dlg.CallID != callID || x.Answered():
		case x.Kind() == transaction.InviteServer && l.invite != nil && l.invite.tx == x:
			s.finish(now, x, &l.invite.origin, flow.Reply{Code: 500, Tag: l.dlg.LocalTag})
		default:
			s.txs.Drop(x)
		}
	})
	for _, l := range s.legs {
		if l.dlg.CallID == callID {
			post := l.post
			s.forget(l)
			if post != nil {
				post(call.Lost{Leg: l.id, Failure: call.Failure{Code: 500, Reason: "internal error"}})
			}
		}
	}
}

// run waits for the shard's timers.
func (s *shard) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		s.armed = s.wheel.Next()
		next := s.armed
		s.mu.Unlock()
		var due <-chan time.Time
		if !next.IsZero() {
			timer.Reset(time.Until(next))
			due = timer.C
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-due:
			s.tick()
		}
	}
}

// tick lets the timers that are due befall their owners.
func (s *shard) tick() {
	var due []*transaction.Timer
	s.mu.Lock()
	now := time.Now()
	due = s.wheel.Advance(now)
	s.mu.Unlock()
	for _, t := range due {
		switch o := t.Owner.(type) {
		case *tx:
			s.guard(o.User.callID(), func(time.Time) { s.handle(now, o, transaction.Event{What: transaction.Tick}) })
		case *leg:
			s.guard(o.callID, func(time.Time) { s.legTick(now, o) })
		case *subscription:
			s.guard(o.dlg.CallID, func(time.Time) { s.ranOut(now, o) })
		}
	}
}

func (o owner) callID() string {
	if o.leg == nil {
		return ""
	}
	return o.leg.callID
}

// handle lets an event befall a transaction and does what it says. It tells
// whether the answer that came is for the user.
func (s *shard) handle(now time.Time, x *tx, ev transaction.Event) (deliver bool) {
	failure := call.Failure{Code: 408, Reason: "no answer in time"}
	if ev.What == transaction.Broken {
		failure = s.broken(x, ev.Why)
	}
	effects := s.txs.Handle(now, x, ev)
	for i := 0; i < len(effects); i++ {
		switch f := effects[i]; f.Do {
		case transaction.Send:
			if err := s.send(x.User.to, x.User.leg, x.User.id, f.Bytes); err != nil {
				failure = s.broken(x, err.Error())
				effects = append(effects[:i+1], s.txs.Handle(now, x, transaction.Event{What: transaction.Broken})...)
			}
		case transaction.Deliver:
			deliver = true
		case transaction.Expired:
			s.expired(now, x, failure)
		}
	}
	return deliver
}

// broken is why a request could not reach the far end: 503 (RFC 3261 8.1.3.1);
// of a browser whose socket is gone it means that nobody is there, unless we are
// the browser.
func (s *shard) broken(x *tx, why string) call.Failure {
	if web(x.User.to) && s.e.c.Way == nil {
		return call.Failure{Code: 480, Reason: why}
	}
	return call.Failure{Code: 503, Reason: why}
}

// send puts bytes on the wire and into the trace.
func (s *shard) send(to flow.Flow, l *leg, id call.LegID, b []byte) error {
	err := to.Send(b)
	s.trace(l, id, true, to, b)
	return err
}

// trace shows a message; those of a leg that the exchange does not know yet
// wait until it does.
func (s *shard) trace(l *leg, id call.LegID, sent bool, f flow.Flow, b []byte) {
	trace := s.e.c.Trace
	if trace == nil {
		return
	}
	if l != nil && !l.open {
		b = bytes.Clone(b)
		l.held = append(l.held, func() { trace(id, sent, f.Transport(), f.Remote(), b) })
		return
	}
	trace(id, sent, f.Transport(), f.Remote(), b)
}
