package command

import (
	"context"
	"errors"

	"ozswitch/ozml"
	"ozswitch/ozml/contactid"
)

// ReceiveAlarmNotification takes the reports of an alarm panel.
func ReceiveAlarmNotification() *ozml.Command {
	return &ozml.Command{
		Name:  "ReceiveAlarmNotification",
		Title: "take the reports of an alarm panel that calls",
		Doc: "The caller is an alarm panel that speaks Ademco Contact ID. It is given the handshake, and each report that comes whole is confirmed; then the commands of `Received` run, with these variables, which stay set afterwards:\n\n" +
			"| Variable | Holds |\n| --- | --- |\n| `$account` | whose alarm system it is: 4 digits |\n| `$eventqualifier` | NewEvent, NewRestore or StatusReport |\n| `$eventcode` | what happened: 3 digits |\n| `$eventname` | that in words: fire |\n| `$partition` | in which part of the system: 2 digits, 00 is none |\n| `$zone` | which sensor, for events 4xx which user: 3 digits |\n\n" +
			`A panel may report several alarms in one call: Received runs once for each, while the call listens for the next. The command ends 5 s after the last. When nothing comes, or nothing that can be understood, it is an error event with the reason, and the script goes on with the next command.

A panel hangs up as soon as it was confirmed, and does not report the same again. So Received runs to its end even then: what it holds for a call is skipped, what needs none is done (SendEmail, SendSms, Call, SendAlarmNotification).`,
		Notes: []string{
			"The handshake (1400 Hz, 2300 Hz) is given five times, the first a second after the command begins, so without a panel the command ends after 22.5 s. It ends as well when nothing good came for a minute.",
			"Received runs when the confirmation (kiss-off, 0.85 s) was said. A report that comes again in the same words, one after the other, was not heard to be confirmed: it is confirmed again and counts once.",
			"Tones need G.711: on a call in another codec the command fails at once. Keys that an adapter makes of the tones (RFC 4733, SIP INFO) are understood too. While the command runs keys are the panel's: no UserInput, no FinishDigits of a recording gets them.",
			"What Received lets the panel hear comes before our own tones: a Speak there holds up the next confirmation.",
			"After the end of the call Received may take 30 s, as OnHangup.",
		},
		Example: `<OzML>
  <ReceiveAlarmNotification>
    <Received>
      <Call Dialed="1001" ResponseOzML="&lt;Response&gt;&lt;Speak&gt;$eventname in zone $zone&lt;/Speak&gt;&lt;/Response&gt;"/>
    </Received>
  </ReceiveAlarmNotification>
</OzML>`,
		In:     ozml.Extension,
		Sounds: true, // the handshake
		New: func(p *ozml.Params) ozml.Action {
			var c receiveAlarm
			p.Block(&c.received, "Received", "what to do for each alarm")
			return &c
		},
	}
}

type receiveAlarm struct {
	received ozml.Block
	ended    error // what the commands of received came to that end the script
}

// Flow implements ozml.Steerer.
func (c *receiveAlarm) Flow() ozml.Flow { return ozml.Flow{Waits: true, Heard: true, MayCut: true} }

func (c *receiveAlarm) Do(ctx context.Context, m *ozml.Machine) error {
	call, ok := m.Call.(ozml.AlarmReceiver)
	if !ok {
		return &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "alarms cannot be received here"}
	}
	err := call.ReceiveAlarms(ctx, func(a contactid.Message) error { return c.take(ctx, m, a) })
	if _, failed := errors.AsType[*ozml.AlarmError](err); failed && ctx.Err() != nil {
		m.Fail(err) // the end of the call would hide it
		return context.Cause(ctx)
	}
	return err
}

// take does what is to be done for an alarm; one that comes after the script has
// gone elsewhere is known by its event.
func (c *receiveAlarm) take(ctx context.Context, m *ozml.Machine, a contactid.Message) error {
	for name, v := range map[string]string{
		"account": a.Account, "eventqualifier": a.Qualifier.String(), "eventcode": a.Event, "eventname": contactid.EventName(a.Event),
		"partition": a.Partition, "zone": a.Zone,
	} {
		m.Vars().Set(name, v)
	}
	m.Alarm("received", a, "")
	if c.ended == nil {
		c.ended = m.Promise(ctx, c.received)
	}
	return c.ended
}
