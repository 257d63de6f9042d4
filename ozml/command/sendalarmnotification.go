package command

import (
	"context"
	"strings"

	"ozswitch/ozml"
	"ozswitch/ozml/contactid"
)

// SendAlarmNotification reports an alarm by telephone.
func SendAlarmNotification() *ozml.Command {
	return &ozml.Command{
		Name:  "SendAlarmNotification",
		Title: "report an alarm by telephone",
		Doc: `PhoneNumber, that of a monitoring centre, is called. When it answers and gives the handshake of a receiver of Ademco Contact ID, the alarm is sent, until it is confirmed, four times at most; then the call is hung up. The next command runs when that is done, one way or the other: an alarm that was not delivered is an error event with the reason. ResultUrl gets AlarmNotificationResult.

Should the present call end meanwhile, the alarm is sent all the same.`,
		Notes: []string{
			"Short numbers of event, partition and zone get zeros in front. Digits are 0-9 and B-F, as Contact ID has them; partition 0 is none, zone 0 too.",
			"`Phone number`, as one public table has it, is understood over HTTP; an attribute in XML cannot have a space in its name.",
			"The call offers G.711 only (PCMU, PCMA): the tones are lost in other codecs. If the other side speaks something else all the same, the result is Failed.",
			"The receiver must give its handshake within 30 s of the answer. It rings for 60 s, or as long as the dial plan says. Nothing is dialled twice: what to do with a failure is ResultUrl's to say.",
			"AlarmNotificationResult comes once for each command with good parameters, also when the number could not be called. Its field Reason says why Result is Failed.",
			"Without ApiExtension the extension of the present call makes the call; over HTTP the first API extension does.",
			"Over HTTP the answer comes once the other phone rings; it is 402 when the call is refused, and 401 when the extension cannot be used.",
		},
		Example: `<OzML><SendAlarmNotification PhoneNumber="650" AccountNumber="4021" EventCode="130" PartitionNumber="2" ZoneNumber="15"/></OzML>`,
		In:      ozml.Extension | ozml.API,
		NoCall:  true,
		New:     newSendAlarm,
	}
}

type sendAlarm struct {
	ozml.AlarmCall
	qualifier, account, event, partition, zone string
}

func newSendAlarm(p *ozml.Params) ozml.Action {
	var c sendAlarm
	p.String(&c.To, "PhoneNumber", "the number of the receiver", ozml.Required, ozml.Also("Phone number"))
	p.String(&c.account, "AccountNumber", "whose alarm system it is: 4 digits", ozml.Required)
	p.String(&c.event, "EventCode", "what happened, up to 3 digits: 110 is fire", ozml.Required)
	p.String(&c.partition, "PartitionNumber", "in which part of the system, up to 2 digits", ozml.Required)
	p.String(&c.zone, "ZoneNumber", "which sensor, up to 3 digits; for events 4xx which user", ozml.Required)
	p.String(&c.qualifier, "EventQualifier", "what became of it: it is new, it is over, it is still so", ozml.Default("NewEvent"), ozml.OneOf("NewEvent", "NewRestore", "StatusReport"))
	p.String(&c.Extension, "ApiExtension", "number of the extension that calls")
	p.URL(&c.ResultURL, "ResultUrl", "gets AlarmNotificationResult")
	if strings.EqualFold(c.Extension, "NULL") { // as none, see Call
		c.Extension = ""
	}
	for _, f := range []struct {
		v          *string
		name, what string
		width      int
		exact      bool
	}{
		{&c.account, "AccountNumber", "account number", 4, true},
		{&c.event, "EventCode", "event code", 3, false},
		{&c.partition, "PartitionNumber", "partition number", 2, false},
		{&c.zone, "ZoneNumber", "zone number", 3, false},
	} {
		if *f.v == "" { // missing, which was told, or not known yet
			continue
		}
		fixed, err := contactid.Field(f.what, *f.v, f.width, f.exact)
		if err != nil {
			p.Invalid(f.name, err.Error())
			continue
		}
		*f.v = fixed
	}
	return &c
}

// Tell implements ozml.Teller.
func (c *sendAlarm) Tell() string {
	if c.Extension == "" {
		return strings.TrimSpace(c.To)
	}
	return strings.TrimSpace(c.To) + " by " + c.Extension
}

// Flow implements ozml.Steerer.
func (c *sendAlarm) Flow() ozml.Flow { return ozml.Flow{Waits: true} }

func (c *sendAlarm) Do(ctx context.Context, m *ozml.Machine) error {
	sender, ok := m.Calls.(ozml.AlarmSender)
	if !ok {
		return noCalls()
	}
	q, err := contactid.ParseQualifier(c.qualifier)
	if err != nil { // New has checked it
		return err
	}
	a := c.AlarmCall
	a.To, a.At, a.Wait, a.Rings = strings.TrimSpace(a.To), m.Place(), m.Setting() == ozml.API, m.Accepted
	a.Message = contactid.Message{Account: c.account, Qualifier: q, Event: c.event, Partition: c.partition, Zone: c.zone}
	if a.Extension == "" && m.Call != nil {
		a.Extension = m.Call.Info().Extension
	}
	err = sender.SendAlarm(ctx, a)
	if err == nil {
		m.Alarm("sent", a.Message, a.To)
	} else if ctx.Err() == nil { // else it is still being sent
		m.Alarm("failed", a.Message, a.To)
	}
	return err
}
