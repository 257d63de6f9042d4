package exchange

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"ozswitch/switch/call"
)

// A Leg is what is known of one leg of a call.
type Leg struct {
	ID        call.LegID
	Party     call.Party
	State     call.State
	Extension string // whose telephone it is, as far as it proved to be; "" = nobody's here
	Line      string // the outside line it came or goes by; "" = none
	Number    string // of who is there: the caller's, or what was dialled towards it
	Name      string // display name
	Peer      string // address of the far end; "" of a leg that we called
	UserAgent string
	Transport string
	Started   time.Time
	Answered  time.Time // zero = never
	Ended     time.Time // zero = it is there
	Failure   call.Failure
	Last      bool // it was there until the call ended

	// Of what Config.LegChanged is told: the state before, and who was replaced.
	Was     call.State
	Instead call.LegID

	called bool // by us
	turn   int  // of the event that ended it
}

// NewLeg gives a name for a leg that is to be called.
func (x *Exchange) NewLeg() call.LegID { return call.LegID("out-" + rand.Text()) }

// firstLeg is the leg that the call began with.
func firstLeg(i Info) *Leg {
	g := &Leg{
		ID: i.Leg, Party: call.Caller, Extension: i.User, Line: i.Line, Number: i.From, Name: i.FromName,
		Peer: i.RemoteAddr, UserAgent: i.UserAgent, Transport: i.Transport, Started: i.Started,
	}
	if i.Outgoing {
		g.Party, g.Number, g.Name, g.called = call.Callee, i.Dialed, "", true
	}
	return g
}

// Leg gives the leg of a party now, "" when nobody has that role: while several
// telephones ring none of them is the callee.
func (l *Line) Leg(p call.Party) call.LegID {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range slices.Backward(l.legs) {
		up := g.State == call.InCall || g.State == call.Held
		if g.Party == p && (up || g.ID == l.info.Leg && g.State != call.Completed) {
			return g.ID
		}
	}
	return ""
}

// Legs lists all legs that the call has or had, oldest first.
func (l *Line) Legs() []Leg {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]Leg, len(l.legs))
	for i, g := range l.legs {
		all[i] = *g
	}
	return all
}

// Dial rings the targets and returns when one of them was joined with the party
// that stays; else it gives an *AskError. When ctx ends first what rings is
// cancelled, and the cause of ctx returned.
func (l *Line) Dial(ctx context.Context, d call.DialWanted) error {
	err := l.Ask(ctx, func(t call.Ticket) call.Event {
		d.Ticket = t
		return d
	})
	if _, answered := err.(*AskError); err != nil && !answered {
		l.Post(call.DialGivenUp{Ticket: d.Ticket})
	}
	return err
}

// poster is the mailbox of a leg: that of the call it belongs to, which may be
// another one later.
func (x *Exchange) poster(leg call.LegID) func(call.Event) bool {
	return func(e call.Event) bool {
		l := x.ByLeg(leg)
		return l != nil && l.Post(e)
	}
}

// legChanged keeps what became of a leg, and tells it.
func (l *Line) legChanged(f call.LegChanged) {
	now := time.Now()
	l.mu.Lock()
	i := slices.IndexFunc(l.legs, func(g *Leg) bool { return g.ID == f.Leg })
	if i < 0 {
		g := &Leg{ID: f.Leg, Started: now}
		if t := f.Target; t != nil {
			g.Extension, g.Line, g.Number, g.called = t.Extension, t.Line, t.Number, true
		}
		i, l.legs = len(l.legs), append(l.legs, g)
	}
	g := l.legs[i]
	was := g.State
	g.Party, g.State, g.Failure = f.Party, f.State, f.Failure
	switch f.State {
	case call.InCall:
		if g.Answered.IsZero() {
			g.Answered = now
		}
		if l.info.Leg == "" { // a call of ours that began with nobody
			l.info.Leg = g.ID
		}
	case call.Completed:
		g.Ended, g.turn = now, l.turn
	case call.Setup, call.Ringing, call.Held: // no time to note
	}
	told := *g
	told.Was, told.Instead = was, f.Instead
	e := l.legEvent(f, told, was)
	l.mu.Unlock()
	if e.Type != "" {
		e.T = now
		l.sink.Emit(e)
	}
	if f.State == call.Setup && f.Target != nil {
		l.x.mu.Lock()
		l.x.legs[f.Leg] = l
		l.x.mu.Unlock()
	}
	if l.x.c.LegChanged != nil {
		l.x.c.LegChanged(l, told)
	}
}
