package route

import (
	"context"
	"errors"
	"time"

	"ozswitch/switch/dialplan"
)

// maxRounds is how often the routing application is asked in one call (decisions
// 7.5).
const maxRounds = 20

// interceptedRing is how long a destination rings that a routing application
// named without a time (http-api.md, Route).
const interceptedRing = 90 * time.Second

// A Question is what a routing application is asked: who calls whom, and what
// became of the last try (http-api.md B3).
type Question struct {
	Caller    string // number of the caller
	Extension string // the extension that calls, "" = none
	Dialed    string // as the caller dialled it
	LastDial  string // the number of the last try
	LastExt   string // the extension or line of the last try
	LastState string // Calling, NoAnswer, Busy, NotFound or Error
}

// An Answer is what it decided.
type Answer struct {
	Destination string        // an extension, or the name of a line; "" = refuse the caller
	RingTime    time.Duration // 0 = 90 s
	CallerID    string        // "" = the caller's own
	Dialed      string        // what is dialled by a line; "" = as the caller dialled it
}

// lead asks the routing application, if there is one, else the dial plan.
func (w *walk) lead(number string) error {
	if w.r.c.Asks == nil || !w.r.c.Asks() {
		return w.number(w.who, number)
	}
	q := Question{Caller: w.from, Extension: w.who.Extension, Dialed: number, LastDial: number, LastState: "Calling"}
	var last error
	planned := false
	for range maxRounds {
		a, ok := w.r.c.Ask(w.ctx, w.line, q)
		if w.ctx.Err() != nil {
			return context.Cause(w.ctx)
		}
		w.seen, w.hops, w.diverted = nil, 0, nil // each try is a call of its own
		var err error
		switch {
		case !ok && planned:
			return last // the dial plan has had its turn
		case !ok:
			planned = true
			q.LastExt, err = "", w.number(w.who, number)
		case a.Destination == "":
			return refuse(603, "the routing application refused the call")
		default:
			q.LastDial, q.LastExt = firstOf(a.Dialed, a.Destination), a.Destination
			err = w.answered(a, number)
		}
		no, again := errors.AsType[*Refused](err)
		if !again {
			return err
		}
		w.tell("%s; the routing application is asked again", no.Reason)
		last, q.LastState = err, no.State
	}
	w.tell("the routing application was asked %d times", maxRounds)
	return last
}

// answered calls the destination that the routing application named.
func (w *walk) answered(a Answer, number string) error {
	asked := w.o
	defer func() { w.o = asked }()
	if a.CallerID != "" {
		w.o.CallerID = a.CallerID
	}
	if w.o.RingTime = a.RingTime; w.o.RingTime == 0 {
		w.o.RingTime = interceptedRing
	}
	d := dialplan.Destination{}
	if _, ok := w.r.c.Line(a.Destination); ok {
		d.Targets = []dialplan.Target{{Kind: dialplan.Line, Name: a.Destination, Number: firstOf(a.Dialed, number)}}
	} else if _, ok := w.r.c.Find(a.Destination); ok {
		d.Targets = []dialplan.Target{{Kind: dialplan.Extension, Number: a.Destination}}
	} else {
		return refuse(404, "the routing application named %s, which is neither an extension nor a line", a.Destination)
	}
	return w.destination(w.who, d)
}
