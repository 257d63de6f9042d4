package ozml

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"ozswitch/ozml/contactid"
	"ozswitch/ozml/trace"
)

// What the two commands of alarms ask of the switch (Ademco Contact ID).

// An AlarmReceiver is a Call that takes alarms of the panel that calls.
type AlarmReceiver interface {
	// ReceiveAlarms gives the handshake and hands each alarm to f once it was
	// confirmed, one after the other, in the goroutine of its caller; meanwhile it
	// goes on listening. It returns nil when the panel has nothing more to say and
	// all it said was good, an *AlarmError where that is not so, also when the call
	// has ended, and else the cause of ctx. An error of f ends it and is returned.
	// Whatever ends it, all that was confirmed is handed to f: the panel does not
	// report it again.
	ReceiveAlarms(ctx context.Context, f func(contactid.Message) error) error
}

// An AlarmSender is a Directory that can report an alarm.
type AlarmSender interface {
	// SendAlarm calls a.To, sends, hangs up, and posts a.Result() to a.ResultURL,
	// once in every case. It returns when all that is done: nil when the alarm was
	// confirmed, a *CallError when nobody answered, an *AlarmError when it was not
	// confirmed. When ctx ends before the other side rings and a.Wait is set, the
	// call is given up; else the alarm is sent all the same, only nobody waits.
	SendAlarm(ctx context.Context, a AlarmCall) error
}

// An AlarmCall is what SendAlarmNotification asks for.
type AlarmCall struct {
	To        string // the number of the receiver
	Extension string // on whose behalf, "" = the first API extension
	Message   contactid.Message
	ResultURL string // gets AlarmNotificationResult, "" = none
	At        Place  // the command
	Wait      bool   // somebody waits for it to ring (HTTP API)
	Rings     func() // called once the other side rings; may be nil
}

// Result is the notification of what came of it.
func (a AlarmCall) Result(err error) Notification {
	result, reason := "Success", ""
	if err != nil {
		result, reason = "Failed", err.Error()
	}
	return Notification{Name: "AlarmNotificationResult", URL: a.ResultURL, At: a.At, Fields: url.Values{
		"PhoneNumber": {a.To}, "AccountNumber": {a.Message.Account}, "Result": {result}, "Reason": {reason},
	}}
}

// An AlarmError is why an alarm was not received, or not confirmed by whom it was
// sent to, in words.
type AlarmError struct {
	Sent bool // it was to be sent
	Msg  string
}

func (e *AlarmError) Error() string { return e.Msg }

// Codes of alarms.
const (
	CodeAlarmIn  = "OZ1361"
	CodeAlarmOut = "OZ1362"
)

func alarmCodes() []CodeDoc {
	return []CodeDoc{
		{Code: CodeAlarmIn, Title: "no alarm was received", Cause: "The caller is no Contact ID panel, hung up before it had reported, or its tones did not come through whole. They need G.711 (PCMU or PCMA) all the way, without echo cancellation and silence suppression.", Cure: "Let the adapter of the panel speak PCMU or PCMA only, and see the loss of packets of the call. A panel that got no confirmation calls again.", Refused: true},
		{Code: CodeAlarmOut, Title: "the alarm was not delivered", Cause: "Whoever answered gave no Contact ID handshake, or never confirmed the alarm, which was sent four times. The message says which. Tones need G.711 (PCMU or PCMA) all the way.", Cure: "Check the number and that a receiver of Contact ID answers there; let the line speak PCMU or PCMA (`codecs` of the line).", Refused: true},
	}
}

// Code is the code of the error.
func (e *AlarmError) Code() string {
	if e.Sent {
		return CodeAlarmOut
	}
	return CodeAlarmIn
}

// Alarm reports what became of an alarm: received, sent or failed. to is whom it was
// for, "" = us.
func (m *Machine) Alarm(reason string, a contactid.Message, to string) {
	m.emit(trace.Event{Type: trace.Alarm, Reason: reason, Text: a.String(), Key: a.Digits(), To: to})
}

// promised is a block that is run to its end whatever becomes of the call.
type promised struct {
	of   context.Context // of the script
	ctx  context.Context // of what runs when that has ended; nil = it has not
	done func()
}

// errPromise ends what was promised and takes too long.
var errPromise = fmt.Errorf("ozml: what was to be done after the call took longer than %v", afterCall)

// Promise runs a block of commands to its end even if ctx has ended, or ends
// meanwhile: then, as in OnHangup, those of its commands run that need no call, for
// at most 30 s. It is for what somebody was promised. The error is that of Do, but
// nil when the block has outlived ctx.
func (m *Machine) Promise(ctx context.Context, b Block) error {
	if m.promise != nil { // within another
		return m.Do(ctx, b)
	}
	m.promise = &promised{of: ctx}
	defer func() {
		if m.promise.done != nil {
			m.promise.done()
		}
		m.promise = nil
	}()
	err := m.Do(ctx, b)
	if errors.Is(err, errPromise) {
		m.fail(err, trace.Error)
		return nil
	}
	return err
}

// outlives gives the context of a command when that of its script has ended, nil
// when nothing was promised.
func (m *Machine) outlives() context.Context {
	p := m.promise
	if p == nil || p.of.Err() == nil {
		return nil
	}
	if p.ctx == nil {
		p.ctx, p.done = context.WithTimeoutCause(context.WithoutCancel(p.of), afterCall, errPromise)
	}
	return p.ctx
}

// goesOn tells whether the end of the script that cut a command short, err, is
// outlived by the commands that follow.
func (m *Machine) goesOn(err error) bool {
	return err != nil && m.promise != nil && m.promise.of.Err() != nil && errors.Is(err, context.Cause(m.promise.of))
}

// callless tells whether there is no call that a command could act on.
func (m *Machine) callless() bool { return m.Call == nil || m.promise != nil && m.promise.ctx != nil }
