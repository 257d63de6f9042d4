package route

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
)

// A walk is the way of one call through the dial plan.
type walk struct {
	r    *Router
	ctx  context.Context
	who  Caller
	o    Options
	line *exchange.Line
	from string // the caller's number
	// ring rings targets and joins the first that answers: exchange.Line.Dial.
	ring func(context.Context, call.DialWanted) error
	leg  func() call.LegID
	busy func(number string) int // calls that an extension is in, beside this one

	hops     int
	seen     []string // extensions that were called: each once a call
	diverted []divert // who has sent the call on, the first one first
}

// A divert is one forwarding: who, and why (RFC 5806 4).
type divert struct{ number, why string }

func (r *Router) walk(ctx context.Context, l *exchange.Line, who Caller, o Options) *walk {
	return &walk{
		r: r, ctx: ctx, who: who, o: o, line: l, from: l.Info().From,
		ring: l.Dial, leg: r.c.Exchange.NewLeg, busy: func(n string) int { return r.calls(n, l) },
	}
}

// calls is in how many calls an extension is, but for one.
func (r *Router) calls(number string, but *exchange.Line) (n int) {
	for _, l := range r.c.Exchange.Lines() {
		if l == but {
			continue
		}
		for _, leg := range l.Legs() {
			if leg.Extension == number && leg.State != call.Completed {
				n++
				break
			}
		}
	}
	return n
}

func (w *walk) tell(format string, args ...any) {
	if w.line != nil {
		tell(w.line, format, args...)
	}
}

// number calls whoever the dial plan leads a number to, on behalf of who.
func (w *walk) number(who Caller, number string) error {
	if w.hops++; w.hops > maxHops {
		return refuse(483, "the call was sent on more than %d times", maxHops)
	}
	dest, ok := w.r.c.Plan().Route(who.From, number, time.Now())
	if !ok {
		return nobody(number)
	}
	return w.destination(who, dest)
}

// destination calls one target after the other, or all at once.
func (w *walk) destination(who Caller, d dialplan.Destination) error {
	ring := w.ringTime(d.RingTime)
	if len(d.Targets) == 1 {
		return w.target(who, d, d.Targets[0], ring, true)
	}
	var last []dialplan.Target // applications answer when nobody else did
	var worst error
	if d.All {
		var all []call.Target
		for _, t := range d.Targets {
			some, later, err := w.together(who, d, t)
			all = append(all, some...)
			worst = better(worst, err)
			if later {
				last = append(last, t)
			}
		}
		if len(all) > 0 {
			err := w.dial(all, ring)
			if final(err) {
				return err
			}
			worst = better(worst, err)
		}
	} else {
		last = d.Targets
	}
	for _, t := range last {
		err := w.target(who, d, t, ring, false)
		if final(err) {
			return err
		}
		worst = better(worst, err)
	}
	return worst
}

// target calls one target of a destination. What is set for a telephone counts
// when it is the only one: among several, the next one is tried instead.
func (w *walk) target(who Caller, d dialplan.Destination, t dialplan.Target, ring time.Duration, alone bool) error {
	if t.Kind == dialplan.Line {
		one, err := w.lineTarget(who, d, t)
		if err != nil {
			return err
		}
		return w.moved(who, w.dial([]call.Target{one}, ring))
	}
	e, err := w.extension(t.Number)
	if err != nil {
		return err
	}
	return w.call(who, e, d.CallerID, ring, alone)
}

// extension finds one that was not called yet.
func (w *walk) extension(number string) (extension.Extension, error) {
	e, ok := w.r.c.Find(number)
	switch {
	case !ok:
		return e, nobody(number)
	case slices.Contains(w.seen, number):
		return e, refuse(483, "extension %s was called already: the call goes round in circles", number)
	}
	w.seen = append(w.seen, number)
	return e, nil
}

// call calls an extension.
func (w *walk) call(who Caller, e extension.Extension, callerID string, ring time.Duration, alone bool) error {
	switch e.Type {
	case extension.Phone:
		if who.Guest {
			return refuse(403, "callers without credentials reach applications only")
		}
		return w.phone(e, callerID, ring, alone)
	case extension.RingGroup:
		if who.Guest {
			return refuse(403, "callers without credentials reach applications only")
		}
		return w.group(e, callerID)
	}
	task, err := w.r.c.Service(e)
	if err != nil {
		return refuse(480, "extension %s: %v", e.Number, err)
	}
	w.placed()
	return &Handover{Number: e.Number, Task: task}
}

// phone calls the telephones of an extension, all at once, and then whoever its
// user has named for when they do not answer.
func (w *walk) phone(e extension.Extension, callerID string, ring time.Duration, alone bool) error {
	s := w.r.c.Settings(e.Number)
	if !alone {
		s.Forward = extension.Forward{}
	}
	calls := 0
	if !s.CallWaiting { // else nobody asks, and counting looks at all calls
		calls = w.busy(e.Number)
	}
	to, busy := s.Before(calls)
	switch {
	case to != "":
		why := "user-busy"
		switch {
		case s.Forward.Always != "":
			why = "unconditional"
		case s.DoNotDisturb:
			why = "do-not-disturb"
		}
		return w.forward(e.Number, to, why)
	case busy && s.DoNotDisturb:
		return refuse(486, "extension %s does not want to be disturbed", e.Number)
	case busy:
		return refuse(486, "extension %s is in a call", e.Number)
	}
	err := w.dial(w.phones(e, callerID), s.RingTime(ring))
	if err == nil || errors.Is(err, errNowhere) {
		if err != nil {
			err = refuse(480, "extension %s is not registered: no telephone of it can be called", e.Number)
		}
	} else if err = w.moved(Caller{From: dialplan.FromExtension, Extension: e.Number}, err, e.Number); err == nil {
		return nil
	}
	no, ok := errors.AsType[*Refused](err)
	if !ok {
		return err
	}
	why, word := cause(no)
	if to = s.Instead(why); to == "" {
		return no
	}
	w.tell("extension %s: %s", e.Number, no.Reason)
	return w.forward(e.Number, to, word)
}

// forward sends the call on to a number, which the extension dials.
func (w *walk) forward(number, to, why string) error {
	w.diverted = append(w.diverted, divert{number, why})
	w.tell("extension %s forwards to %s (%s)", number, to, why)
	return w.number(Caller{From: dialplan.FromExtension, Extension: number}, to)
}

// moved follows a 3xx: numbers are dialled by who was called, and so go where
// the dial plan lets him, never straight to an address. moving is the extension
// that sent it, if it was one.
func (w *walk) moved(who Caller, err error, moving ...string) error {
	no, ok := errors.AsType[*Refused](err)
	if !ok || len(no.contacts) == 0 {
		return err
	}
	for i, uri := range no.contacts {
		number := userPart(uri)
		if i == maxContacts || number == "" {
			break
		}
		w.tell("the call is sent on to %s (%d)", number, no.Code)
		if len(moving) > 0 {
			w.diverted = append(w.diverted, divert{moving[0], "deflection"})
		}
		next := w.number(who, number)
		if final(next) {
			return next
		}
		err = better(err, next)
	}
	return err
}

// dial rings the targets; without one it is errNowhere.
func (w *walk) dial(targets []call.Target, ring time.Duration) error {
	if len(targets) == 0 {
		return errNowhere
	}
	w.placed()
	err := w.ring(w.ctx, call.DialWanted{Targets: targets, RingTime: ring, Instead: w.o.Instead, Quiet: w.o.Quiet, Keep: w.o.Keep, More: w.o.Instead != ""})
	if a, ok := errors.AsType[*exchange.AskError](err); ok {
		return refusedBy(a, targets)
	}
	return err
}

// placed tells whoever waits for it that the number leads somewhere.
func (w *walk) placed() {
	if f := w.o.Placed; f != nil {
		w.o.Placed = nil
		f()
	}
}

// ringTime is how long a rule's targets ring; seconds is what it says.
func (w *walk) ringTime(seconds int) time.Duration {
	return cmp.Or(w.o.RingTime, time.Duration(seconds)*time.Second, DefaultRing)
}
