package script

import (
	"context"
	"errors"
	"strings"
	"sync"

	"ozswitch/ozml"
	"ozswitch/ozml/contactid"
	"ozswitch/ozml/trace"
	"ozswitch/switch/alarm"
	"ozswitch/switch/exchange"
)

// errFaulty is what came of tones whose goroutine met a bug.
var errFaulty = errors.New("a fault of the switch ended the alarm")

// ReceiveAlarms implements ozml.AlarmReceiver: the script's leg is heard in a
// goroutine of its own, so that commands for one alarm do not hold up the next.
func (c *live) ReceiveAlarms(ctx context.Context, f func(contactid.Message) error) error {
	leg, err := c.leg(ctx)
	if err != nil {
		return err
	}
	t, err := newTones(leg)
	if err != nil {
		return &ozml.AlarmError{Msg: err.Error()}
	}
	c.panel(t)
	defer c.panel(nil)
	if err := leg.Feed(t); err != nil {
		return c.sounded(ctx, err)
	}
	defer func() { _ = leg.Feed(nil) }() // it is gone already, as a rule

	listen, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	confirmed, ended := make(chan contactid.Message, 64), make(chan error, 1)
	go func() {
		defer close(confirmed)
		err := errFaulty
		defer func() { ended <- err }()
		defer c.r.guard(c.line.Sink(), "alarm")
		err = receive(listen, t, confirmed)
	}()
	var stopped error
	for m := range confirmed {
		if err := f(m); err != nil && stopped == nil {
			stopped = err
			stop(err)
		}
	}
	if err = <-ended; stopped != nil {
		return stopped
	}
	return err
}

// receive hears a panel out. All that was confirmed goes to confirmed, each when
// that was said.
func receive(ctx context.Context, t *tones, confirmed chan<- contactid.Message) error {
	r := alarm.NewReceiver()
	var waiting []contactid.Message
	take := func() {
		for m, ok := r.Next(); ok; m, ok = r.Next() {
			waiting = append(waiting, m.Message)
		}
	}
	err := t.run(ctx, r, func() {
		if r.Speaks() {
			return
		}
		for take(); len(waiting) > 0; waiting = waiting[1:] {
			select {
			case confirmed <- waiting[0]:
			default: // the script is busy
				return
			}
		}
	})
	take() // the call's end may have cut a confirmation short: better twice than never
	for _, m := range waiting {
		confirmed <- m
	}
	switch {
	case err != nil && ctx.Err() == nil:
		return &ozml.AlarmError{Msg: err.Error()}
	case r.Err() != nil && (err == nil || errors.Is(err, ozml.ErrGone)):
		return &ozml.AlarmError{Msg: bare(r.Err())}
	}
	return err
}

// bare is an error of switch/alarm without the name of the package.
func bare(err error) string { return strings.TrimPrefix(err.Error(), "alarm: ") }

// A reporting is an alarm that is being sent, by a call of its own.
type reporting struct {
	ozml.AlarmCall
	tell func(ozml.Notification)
	sink trace.Sink // of the call; nil = there is none

	once sync.Once
	done chan struct{} // closed when the outcome is known
	err  error         // it; nil = confirmed
}

// end tells what became of the alarm; the first that knows does.
func (r *reporting) end(err error) {
	r.once.Do(func() {
		r.err = err
		e := trace.Event{Type: trace.Alarm, Reason: "sent", Text: r.Message.String(), Key: r.Message.Digits(), To: r.To}
		if err != nil {
			e.Reason, e.Text = "failed", e.Text+": "+err.Error()
		}
		if r.sink != nil {
			r.sink.Emit(e)
		}
		if r.ResultURL != "" {
			r.tell(r.Result(err))
		}
		close(r.done)
	})
}

// send is the script of the call once it was answered.
func (r *reporting) send(ctx context.Context, c *live) error {
	err := r.tones(ctx, c)
	if err != nil {
		if _, known := errors.AsType[*ozml.AlarmError](err); !known {
			err = &ozml.AlarmError{Sent: true, Msg: bare(err)}
		}
	}
	r.end(err)
	return nil
}

func (r *reporting) tones(ctx context.Context, c *live) error {
	leg, err := c.leg(ctx)
	if err != nil {
		return err
	}
	t, err := newTones(leg)
	if err != nil {
		return err
	}
	s, err := alarm.NewSender(r.Message)
	if err != nil {
		return err
	}
	if err := leg.Feed(t); err != nil {
		return err
	}
	defer func() { _ = leg.Feed(nil) }()
	if err := t.run(ctx, s, func() {}); err != nil && ctx.Err() == nil {
		return err
	} else if err != nil {
		s.HungUp()
	}
	return s.Err()
}

// over tells that the call is: nobody has answered, or it broke off.
func (r *reporting) over(rec exchange.Record) {
	if rec.Answered.IsZero() {
		r.end(&ozml.CallError{To: r.To, State: endState(rec.Info, false, rec.Result)})
		return
	}
	r.end(&ozml.AlarmError{Sent: true, Msg: "the call ended before the alarm was sent"})
}

// SendAlarm implements ozml.AlarmSender.
func (d *directory) SendAlarm(ctx context.Context, a ozml.AlarmCall) error {
	r := &reporting{AlarmCall: a, done: make(chan struct{})}
	to, err := d.c.Target(a.To, a.Extension)
	t := to.Task
	if d.operator {
		t.Operator = append(t.Operator[:len(t.Operator):len(t.Operator)], a.ResultURL)
	}
	r.tell = d.web(ozml.CallInfo{Caller: a.Extension, Dialed: a.To, Extension: a.Extension}, t, d.c.Events).Report
	if err != nil {
		r.end(err)
		return err
	}
	t.URL, t.Text, t.File, t.States, t.alarm = "", "", "", nil, r
	t.ErrorURL, t.FinishedURL = "", "" // the outcome has a notification of its own
	l, ended, err := d.begin(ctx, to, t, ozml.Dial{To: a.To, Extension: a.Extension, Tones: true})
	if err != nil {
		r.end(err)
		return err
	}
	if a.Wait {
		if err := d.rings(ctx, l, ended, a.To); err != nil {
			return err
		}
	}
	if a.Rings != nil {
		a.Rings()
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var _ ozml.AlarmSender = (*directory)(nil)
