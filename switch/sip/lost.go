package sip

import (
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/registrar"
	"ozswitch/switch/sip/transaction"
)

// web tells whether a flow is a WebSocket: a browser can be reached by that one
// and by no other way, whatever its addresses say (RFC 7118 5).
func web(f flow.Flow) bool { return webTransport(f.Transport()) }

func webTransport(t string) bool { return t == "ws" || t == "wss" }

// Lost is told that a flow which is not ours has ended. Who registered by it
// cannot be reached any more, and who was calling has gone.
func (e *Endpoint) Lost(f flow.Flow, err error) {
	e.unbind(f)
	for _, s := range e.shards {
		var callers []*leg
		s.guard("", func(time.Time) {
			for _, l := range s.legs {
				if l.state == invited && l.to == f {
					callers = append(callers, l)
				}
			}
		})
		for _, l := range callers {
			s.guard(l.callID, func(now time.Time) { s.hungUp(now, l) })
		}
	}
	e.lost(f, err)
}

// hungUp ends a call whose caller cannot be told how it ended. A call that
// stands goes on: the browser may come back by another socket, and is missed by
// its sound otherwise.
func (s *shard) hungUp(now time.Time, l *leg) {
	if l.state != invited {
		return
	}
	s.tell(now, l, call.Cancelled{Leg: l.id, Reason: "its connection is gone"})
	s.respond(now, l, call.Respond{Leg: l.id, Code: 487}) // for nobody: it ends the leg
}

// way is where a request within a dialog goes: by the flow by which its last
// message came, or by which that telephone registered since (RFC 5626 5.3). Its
// old connection may be dead without anybody having told us.
func (s *shard) way(l *leg) flow.Flow {
	if f := s.newer(l.user, &l.dlg, l.to, l.heard); f != nil {
		l.to = f
	}
	return s.e.next(l.dlg.Next(), len(l.dlg.Routes) > 0, l.to)
}

// wayTo is the way of a dialog that is no call's.
func (s *shard) wayTo(user string, d *dialog.Dialog, to flow.Flow, heard time.Time) flow.Flow {
	if f := s.newer(user, d, to, heard); f != nil {
		to = f
	}
	return s.e.next(d.Next(), len(d.Routes) > 0, to)
}

// newer is the flow by which a telephone registered since it was heard last, or
// instead of one that has ended; nil = there is none.
func (s *shard) newer(user string, d *dialog.Dialog, to flow.Flow, heard time.Time) flow.Flow {
	if user == "" || len(d.Routes) > 0 {
		return nil
	}
	b, ok := s.e.bindings.Reach(time.Now(), user, d.Target)
	if !ok || !b.At.After(heard) && to.Open() {
		return nil
	}
	return s.e.phone(&b)
}

// whose is the extension whose telephone sent an INVITE with that contact, by
// what it proved now, or when it registered by the very connection that the
// INVITE comes by; "" = nobody knows.
func (e *Endpoint) whose(m *message, contact string) string {
	if m.user != "" || e.c.Realm == "" {
		return m.user
	}
	from := unescape(m.req.From().Address.User)
	b, ok := e.bindings.Reach(time.Now(), from, contact)
	if !ok {
		return ""
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phones[b.Place()] != m.from {
		return ""
	}
	return from
}

// unbind ends the bindings of a flow.
func (e *Endpoint) unbind(f flow.Flow) {
	var places []registrar.Place
	e.mu.Lock()
	for p, way := range e.phones {
		if way == f {
			places = append(places, p)
		}
	}
	e.mu.Unlock()
	var changes []registrar.Change
	for _, p := range places {
		if b, ok := e.bindings.Drop(p); ok {
			changes = append(changes, registrar.Change{What: registrar.Gone, Binding: b})
		}
	}
	e.changed(changes, nil)
}

// lost breaks the transactions of ours that went by a connection which is no
// more: no answer can come.
func (e *Endpoint) lost(f flow.Flow, err error) {
	for _, s := range e.shards {
		var broken []*tx
		s.guard("", func(time.Time) {
			s.txs.All(func(x *tx) {
				k, to := x.Kind(), x.User.to
				if (k == transaction.InviteClient || k == transaction.Client) && !x.Answered() && to.Transport() == f.Transport() && to.Remote() == f.Remote() {
					broken = append(broken, x)
				}
			})
		})
		for _, x := range broken {
			s.guard(x.User.callID(), func(now time.Time) {
				if !x.Answered() {
					s.handle(now, x, transaction.Event{What: transaction.Broken, Why: err.Error()})
				}
			})
		}
	}
}
