package script

import (
	"context"
	"errors"
	"net/url"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/notify"
)

// A directory is ozml.Directory over the calls that are up, for one user or
// script.
type directory struct {
	*Runner
	by       call.Result
	operator bool
}

// Calls gives the calls that are up to a script or a user of the API. by is how
// a call counts that is hung up here; operator says that URLs given here count
// as the operator's (decisions 9).
func (r *Runner) Calls(by call.Result, operator bool) ozml.Directory {
	return &directory{r, by, operator}
}

// A Target is where an outgoing call goes and on whose behalf.
type Target struct {
	Extension string // the API extension that calls
	Name      string // its name, shown to the callee
	Direction call.Direction
	Task      Task // what the extension gives: fallbacks, error_url ...
	// Ring rings whom the dial plan leads the number to until somebody answers. Its
	// error is a Stated, a *exchange.AskError or the cause of ctx.
	Ring func(ctx context.Context, l *exchange.Line, o ozml.Dial) error
}

// Find implements ozml.Directory.
func (d *directory) Find(id string) (ozml.Call, error) {
	l := d.c.Exchange.Find(call.ID(id))
	if l == nil || l.Status().State == call.Completed {
		return nil, ozml.NoCall(id)
	}
	return &visitor{live: d.on(l), by: d.by, operator: d.operator, line: d.by == call.ByAPI}, nil
}

// Dial implements ozml.Directory. What becomes of a call that nobody waits for
// is told by its own notifications (see Finished).
func (d *directory) Dial(ctx context.Context, o ozml.Dial) (string, error) {
	for _, h := range o.Headers {
		if d.c.Header == nil || !d.c.Header(h.Name) {
			d.never(o)
			return "", &ozml.ParamError{Param: "SipHeaders", Command: "Call", Why: "sip.headers of the configuration does not allow " + h.Name}
		}
	}
	to, err := d.c.Target(o.To, o.Extension)
	if err != nil {
		d.never(o)
		return "", err
	}
	t := to.Task
	t.URL, t.Text, t.File, t.States = o.URL, o.Script, "", o.States
	t.ErrorURL, t.FinishedURL = o.ErrorURL, o.FinishedURL
	if d.operator {
		t.Operator = append(t.Operator, o.URL, o.ErrorURL, o.FinishedURL)
	}
	l, ended, err := d.begin(ctx, to, t, o)
	if err != nil {
		return "", err
	}
	if o.Wait {
		if err := d.rings(ctx, l, ended, o.To); err != nil {
			return "", err
		}
	}
	return string(l.Info().ID), nil
}

// begin begins a call and rings; ended tells what came of the ringing.
func (d *directory) begin(ctx context.Context, to Target, t Task, o ozml.Dial) (l *exchange.Line, ended <-chan error, err error) {
	from, name := o.From, o.FromName
	if from == "" {
		from = to.Extension
	}
	if name == "" {
		name = to.Name
	}
	l, err = d.c.Exchange.Dial(exchange.Info{
		From: from, FromName: name, Dialed: o.To, Extension: to.Extension, Direction: to.Direction, Task: t,
	})
	if err != nil {
		return nil, nil, &ozml.CallError{To: o.To, State: "Error"}
	}
	l.Post(call.Originate{To: o.To, From: from, FromName: name, Direction: to.Direction})
	end := make(chan error, 1)
	d.wg.Go(func() {
		end <- d.ring(context.WithoutCancel(ctx), l, to, o)
	})
	return l, end, nil
}

// rings returns once a call rings; the error is why it never will.
func (d *directory) rings(ctx context.Context, l *exchange.Line, ended <-chan error, to string) error {
	err := l.Ask(ctx, func(k call.Ticket) call.Event { return call.RingAwaited{Ticket: k} })
	if _, over := errors.AsType[*exchange.AskError](err); over {
		if err = <-ended; err == nil {
			err = &ozml.CallError{To: to, State: "Cancelled"}
		}
		return unreached(to, err)
	}
	if err != nil { // nobody waits any more: the call must not ring on by itself
		l.Post(call.HangupWanted{By: call.NoAnswer, Reason: "it did not ring in time"})
	}
	return err
}

// ring rings whom a call of ours is for; when nobody answers the call ends with
// the reason.
func (d *directory) ring(ctx context.Context, l *exchange.Line, to Target, o ozml.Dial) (err error) {
	defer func() {
		if err != nil {
			l.Post(call.HangupWanted{By: resultOf(err), Reason: err.Error()})
		}
	}()
	defer d.guard(l.Sink(), "call")
	err = errors.New("script: a fault of the switch") // unless Ring returns
	err = to.Ring(ctx, l, o)
	return err
}

// resultOf is how a call ends that nobody has answered.
func resultOf(err error) call.Result {
	state := "Error"
	if e, ok := unreached("", err).(*ozml.CallError); ok {
		state = e.State
	}
	switch state {
	case "Busy":
		return call.Busy
	case "NoAnswer", "Cancelled":
		return call.NoAnswer
	case "NotFound":
		return call.NotFound
	}
	return call.Failed
}

// stateOf names a failed set-up as ListActiveCalls and code 402 do.
func stateOf(code int) string {
	switch code {
	case 486, 600:
		return "Busy"
	case 404, 410, 484, 604:
		return "NotFound"
	case 408, 480:
		return "NoAnswer"
	case 487:
		return "Cancelled"
	}
	return "Error"
}

// Active implements ozml.Directory.
func (d *directory) Active() []ozml.ActiveCall {
	now := time.Now()
	var all []ozml.ActiveCall
	for _, l := range d.c.Exchange.Lines() {
		i, s := l.Info(), l.Status()
		a := ozml.ActiveCall{
			ID: string(i.ID), CallerID: i.From, CallerDialed: i.Dialed, Started: i.Started, State: s.State.String(),
		}
		a.Source, a.Destination, a.CalleeDialed = ends(l)
		if s.Answered.IsZero() {
			a.Ring = now.Sub(i.Started)
		} else {
			a.Ring, a.Talk = s.Answered.Sub(i.Started), now.Sub(s.Answered)
		}
		all = append(all, a)
	}
	return all
}

// Finished tells the web app that a call is over: CallCompleted, and Error when
// a call of ours never came about.
func (r *Runner) Finished(l *exchange.Line, rec exchange.Record) {
	c := r.forget(l)
	c.closed(rec.Ended)
	t, ok := rec.Task.(Task)
	for b := c; b != nil; b = b.before {
		b.tellTransfers(rec.Ended)
		if b.script != nil && !(ok && b == c) { // it had the call and gave it away, as to a queue
			completed(b.web, b.task, rec)
		}
	}
	if t.alarm != nil {
		t.alarm.over(rec)
	}
	if !ok || t.FinishedURL == "" && (t.ErrorURL == "" || !rec.Outgoing) {
		return
	}
	web := r.web(infoOf(l), t, l.Sink())
	completed(web, t, rec)
	if rec.Outgoing && rec.Answered.IsZero() {
		e := &ozml.CallError{To: rec.Dialed, State: endState(rec.Info, !rec.Answered.IsZero(), rec.Result)}
		web.Error(ozml.Place{}, &ozml.FetchError{Code: "402", Msg: e.Error()})
	}
}

// completed tells the web app of a task that its call is over.
func completed(web *notify.CallWeb, t Task, rec exchange.Record) {
	if t.FinishedURL == "" {
		return
	}
	var talk time.Duration
	if !rec.Answered.IsZero() {
		talk = rec.Ended.Sub(rec.Answered)
	}
	web.Report(ozml.Notification{Name: "CallCompleted", URL: t.FinishedURL, Fields: url.Values{
		"Caller": {rec.From}, "Callee": {rec.Dialed}, "Duration": {ozml.Decimals(talk)},
		"State": {endState(rec.Info, !rec.Answered.IsZero(), rec.Result)}, "Reason": {rec.Result.String()},
	}})
}

// endState is the state in which a call ended (http-api.md A5 "Call states").
func endState(i exchange.Info, up bool, r call.Result) string {
	switch {
	case r == call.Busy, r == call.Rejected:
		return "Busy"
	case r == call.NotFound:
		return "NotFound"
	case r == call.NoAnswer:
		return "NoAnswer"
	case r == call.ByCaller && !up:
		return "Cancelled"
	case r == call.Failed, r == call.NetworkGone, r == call.MediaGone, r == call.Overload:
		return "Error"
	}
	return "Completed"
}
