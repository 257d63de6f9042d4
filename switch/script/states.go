package script

import (
	"context"

	"ozswitch/ozml"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// What Request has to do when its call changes its state.

// vars are those of whoever made the call.
func (t Task) vars() map[string]string {
	if t.States == nil {
		return t.Vars
	}
	return t.States.Vars
}

// Changed is to be told of each change of a call's state, in order per call.
func (r *Runner) Changed(l *exchange.Line, st call.State) {
	t, _ := l.Info().Task.(Task)
	if t.States == nil {
		return
	}
	words := r.StateWords(l, st)
	if st == call.Setup {
		words = []string{"Setup"}
	}
	for _, w := range words {
		r.state(l, t, w)
	}
}

// state runs the commands for a state, in turn; those of Answered and InCall are
// the script of the call.
func (r *Runner) state(l *exchange.Line, t Task, state string) {
	switch state {
	case "NoAnswer":
		state = "Busy" // http-api.md A5: or the ringing lasted too long
	case "NotFound":
		state = "Error"
	}
	f := t.States.On[state]
	if f == nil {
		return
	}
	switch state {
	case "Answered", "InCall":
		return
	case "Hold", "Transferred":
		r.Visit(l, f, ozml.Options{Vars: t.States.Vars})
		return
	}
	c := r.on(l)
	place := c.visits.join()
	r.wg.Go(func() {
		leave, err := place.wait(context.Background())
		if err != nil {
			return
		}
		defer leave()
		sink := l.Sink()
		defer r.guard(sink, "commands of a state")
		r.callless(infoOf(l), t, r.web(infoOf(l), t, sink), besideOwner(sink), f)
	})
}

// never runs the commands for a call that could not even be begun: there is no
// way to the number.
func (r *Runner) never(o ozml.Dial) {
	if o.States == nil || o.States.On["Error"] == nil {
		return
	}
	t := Task{States: o.States, ErrorURL: o.ErrorURL}
	i := ozml.CallInfo{Caller: o.From, Dialed: o.To, Extension: o.Extension}
	r.wg.Go(func() {
		defer r.guard(r.c.Events, "commands of a state")
		r.callless(i, t, r.web(i, t, r.c.Events), besideOwner(r.c.Events), o.States.On["Error"])
	})
}
