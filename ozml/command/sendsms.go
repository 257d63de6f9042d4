package command

import (
	"context"
	"strings"

	"ozswitch/ozml"
)

// SendSms sends a text message.
func SendSms() *ozml.Command {
	return &ozml.Command{
		Name:  "SendSms",
		Title: "send a text message to a mobile phone",
		Doc: `The message goes to the service of ` + "`sms:`" + ` in the configuration; the script does not wait for it. What is too long for one message goes in parts. What fails for a time is tried again for a day, across a restart of the switch; the event log of the call tells when the message was handed over, or why it was not.

DeliveryReportURL gets SMSDeliveryReport once the phone has the message, or it is known that it will not get it. Commands in its answer that need no call are run.`,
		Notes: []string{
			"The section `sms:` is the route for every API and script extension, for the numbers that sms.send allows: the public pages ask for a connection and a dial plan rule. Without a route the answer over HTTP is 501.",
			"Spaces, dots, dashes, slashes and brackets in Recipient are left out.",
			"Sender is a number, or at most 11 letters and digits; sms.from of the configuration where absent.",
			"Without ApiExtension the extension of the present call sends; over HTTP the first API or script extension does. `NULL` is the same as none. One that does not exist is 401.",
			"Over HTTP the answer has the extra element SmsId.",
			"It may stand in an answer to CallChanged as well.",
		},
		Example: `<Response><SendSms Recipient="+36201234567" DeliveryReportURL="http://app.example/report">Your table is reserved</SendSms></Response>`,
		In:      everywhere,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c sendSms
			p.String(&c.To, "Recipient", "number of the mobile phone", ozml.Required)
			p.String(&c.Text, "Message", "the text", ozml.FromBody, ozml.Required)
			p.String(&c.From, "Sender", "number or name that is shown; that of the service where absent")
			p.URL(&c.ReportURL, "DeliveryReportURL", "gets SMSDeliveryReport", ozml.Also("DelivaryReportURL"))
			apiExtension(p, &c.Sender)
			if n, ok := telephone(c.To); c.To != "" && !ok {
				p.Invalid("Recipient", noNumber)
			} else {
				c.To = n
			}
			if !oneLine(c.From) {
				p.Invalid("Sender", "want one line")
			}
			return &c
		},
	}
}

type sendSms struct{ ozml.SMS }

func (c *sendSms) Tell() string { return c.To + ": " + c.Text }

// Flow implements ozml.Steerer.
func (c *sendSms) Flow() ozml.Flow { return ozml.Flow{} }

func (c *sendSms) Do(_ context.Context, m *ozml.Machine) error {
	if m.Messages == nil {
		return noMessages()
	}
	behalf(m, &c.Sender)
	c.From = strings.TrimSpace(c.From)
	id, err := m.Messages.SMS(c.SMS)
	if err == nil {
		m.Reply(ozml.SMSTaken{ID: id})
	}
	return err
}
