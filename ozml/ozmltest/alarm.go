package ozmltest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/contactid"
)

// Alarms on paper: the caller is a panel that reports what the scenario says, and
// who is called takes what is sent unless the scenario says that it fails.

// An Alarm is a report of the caller.
type Alarm struct {
	At time.Duration // when it is confirmed; a panel waits for the handshake
	contactid.Message
}

// How long things take, as on a call without loss.
const (
	noPanel    = 22500 * time.Millisecond // five handshakes, and nothing comes
	lastAlarm  = 5 * time.Second          // from the last report to the end
	sendsAlarm = 5 * time.Second          // from the answer to the confirmation
)

// alarm reads ACCOUNT 18 QUALIFIER-AND-EVENT PARTITION ZONE at TIME, where the
// qualifier may be left out, or fails REASON.
func (s *Scenario) alarm(rest string) error {
	if why, ok := strings.CutPrefix(rest, "fails "); ok {
		s.AlarmFails = strings.TrimSpace(why)
		return nil
	}
	f := strings.Fields(rest)
	if len(f) != 7 || f[1] != "18" || f[5] != "at" || len(f[2]) != 3 && len(f[2]) != 4 {
		return fmt.Errorf("alarm wants ACCOUNT 18 EVENT PARTITION ZONE at TIME, or fails REASON, got %q", rest)
	}
	qualifier, event := "", f[2]
	if len(event) == 4 {
		qualifier, event = event[:1], event[1:]
	}
	m, err := contactid.New(f[0], qualifier, event, f[3], f[4])
	if err != nil {
		return err
	}
	at, err := seconds(f[6])
	s.Alarms = append(s.Alarms, Alarm{at, m})
	return err
}

// ReceiveAlarms hands f what the scenario has the panel report.
func (c *Call) ReceiveAlarms(ctx context.Context, f func(contactid.Message) error) error {
	if err := c.stopped(ctx); err != nil {
		return err
	}
	c.panel = true
	defer func() { c.panel = false }()
	got, until := 0, c.now.Add(noPanel)
	for c.alarms < len(c.sc.Alarms) {
		a := c.sc.Alarms[c.alarms]
		at := epoch.Add(a.At)
		if at.After(until) {
			break
		}
		if err := c.pass(ctx, at.Sub(c.now)); err != nil {
			return c.noAlarm(got, err)
		}
		got++
		c.alarms++
		if err := f(a.Message); err != nil {
			return err
		}
		until = c.now.Add(lastAlarm)
	}
	err := c.pass(ctx, until.Sub(c.now))
	if err == nil && c.sc.AlarmFails != "" {
		return &ozml.AlarmError{Msg: c.sc.AlarmFails}
	}
	return c.noAlarm(got, err)
}

// noAlarm is what receiving came to that ended by err.
func (c *Call) noAlarm(got int, err error) error {
	if got == 0 && (err == nil || errors.Is(err, ozml.ErrGone)) {
		return &ozml.AlarmError{Msg: "no message came: the caller is no Contact ID panel, or the sound is lost on the way (it needs G.711)"}
	}
	return err
}

// SendAlarm calls a number as Dial does; it takes the alarm unless the scenario
// says otherwise.
func (d directory) SendAlarm(ctx context.Context, a ozml.AlarmCall) error {
	c := d.c
	c.did("", "SendAlarm", a)
	to := c.sc.Dial[a.To]
	err := d.sendAlarm(ctx, a, to)
	if a.ResultURL != "" {
		c.web.Report(a.Result(err))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// sendAlarm takes its time as long as the call lasts; then nobody waits.
func (d directory) sendAlarm(ctx context.Context, a ozml.AlarmCall, to Dialed) error {
	c := d.c
	failed := &ozml.CallError{To: a.To, State: to.State}
	if to.State == "NotFound" {
		return failed
	}
	if to.State == "NoAnswer" && to.After == 0 {
		to.After = time.Minute
	}
	if to.State == "" && a.Rings != nil {
		a.Rings()
	}
	_ = c.pass(ctx, to.After)
	if to.State != "" {
		return failed
	}
	_ = c.pass(ctx, sendsAlarm)
	if c.sc.AlarmFails != "" {
		return &ozml.AlarmError{Sent: true, Msg: c.sc.AlarmFails}
	}
	return nil
}

var (
	_ ozml.AlarmReceiver = (*Call)(nil)
	_ ozml.AlarmSender   = directory{}
)
