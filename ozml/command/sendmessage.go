package command

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// maxBatch is how many messages one SendMessage may hold.
const maxBatch = 60

// textMessage is the only MessageType.
const textMessage = "SMS:TEXT"

// SendMessage sends text messages in the manner of the SMS gateway.
func SendMessage() *ozml.Command {
	return &ozml.Command{
		Name:  "SendMessage",
		Title: "send text messages in the manner of the SMS gateway",
		Doc: `It does over HTTP what SendSms does. With MessageCount the request holds several messages: recipient0, messagedata0, messagetype0 and originator0 are those of the first one, recipient1 and so on those of the next; a value without a number counts for all that have none of their own.

The answer holds ` + "`<data>` with an `<acceptreport>`" + ` for each message: statuscode, statusmessage, messageid, originator, recipient, messagetype, messagedata.`,
		Notes: []string{
			"All messages are looked at before the first is sent: one with a wrong parameter is 302, and nothing is sent. One that cannot be sent has its reason in statusmessage and statuscode 1; when that is all of them, the answer is that of SendSms, 501 for example.",
			"The numbers may begin with 1 as well: then there is no recipient0.",
			"`_charset_` names the encoding of the percent-encoded bytes of MessageData: utf-8, iso-8859-1, windows-1250, utf-16 and the like.",
			"MaxResponse is the most reports in the answer; all messages are sent.",
			"With ContinueUrl the status of the answer is 303 with that Location, so that a form in a web page goes on there; only when all messages were taken.",
			"A request holds at most " + strconv.Itoa(maxBatch) + " messages.",
			"The element names within `<data>` are those of the SMS gateway; the page of this command does not show them.",
		},
		Example: `command=SendMessage&Action=sendmessage&Recipient=%2b36201234567&MessageData=Hello`,
		In:      ozml.API,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c sendMessage
			var action, charset string
			count, more := 0, map[string]string{}
			p.String(&action, "Action", "sendmessage", ozml.Required, ozml.OneOf("sendmessage"))
			p.String(&c.one.To, "Recipient", "number of the mobile phone; needed without MessageCount")
			p.String(&c.one.Text, "MessageData", "the text; needed without MessageCount")
			p.String(&c.kind, "MessageType", "kind of message, "+textMessage, ozml.Default(textMessage))
			p.String(&c.one.From, "Originator", "number or name that is shown; that of the service where absent")
			p.Int(&count, "MessageCount", "how many messages there are, with numbered parameters", ozml.AtMost(maxBatch))
			p.Int(&c.most, "MaxResponse", "most reports in the answer", ozml.Default("1000"))
			p.URL(&c.next, "ContinueUrl", "where the answer sends a browser")
			p.String(&charset, "_charset_", "encoding of the texts", ozml.Default("utf-8"))
			p.Fields(&more, "with MessageCount: recipient0, messagedata0, messagetype0, originator0, recipient1 …")
			if p.OK() {
				c.gather(p, count, more, charset)
			}
			return &c
		},
	}
}

type sendMessage struct {
	one  ozml.SMS // what stands without a number
	kind string   // MessageType as it was written: the reports say it so
	all  []ozml.SMS
	most int
	next string
}

// gather makes the messages of the parameters.
func (c *sendMessage) gather(p *ozml.Params, count int, more map[string]string, charset string) {
	if !strings.EqualFold(strings.TrimSpace(c.kind), textMessage) {
		p.Invalid("MessageType", "want "+textMessage)
	}
	if count == 0 {
		c.add(p, "", map[string]string{}, charset)
		return
	}
	first := 0
	if more["recipient0"] == "" && more["messagedata0"] == "" && more["recipient1"]+more["messagedata1"] != "" {
		first = 1
	}
	for i := first; i < first+count; i++ {
		c.add(p, strconv.Itoa(i), more, charset)
	}
}

// add makes one message; n is its number.
func (c *sendMessage) add(p *ozml.Params, n string, more map[string]string, charset string) {
	s := c.one
	for _, f := range []struct {
		v    *string
		name string
	}{{&s.To, "recipient"}, {&s.Text, "messagedata"}, {&s.From, "originator"}} {
		if v := more[f.name+n]; v != "" {
			*f.v = v
		}
	}
	if t := cmp.Or(more["messagetype"+n], textMessage); !strings.EqualFold(strings.TrimSpace(t), textMessage) {
		p.Invalid("MessageType"+n, "want "+textMessage)
	}
	to, ok := telephone(s.To)
	if s.To = to; !ok {
		p.Invalid("Recipient"+n, noNumber)
	}
	text, err := syntax.Decode(charset, []byte(s.Text))
	switch {
	case err != nil && strings.HasPrefix(err.Error(), "unknown"):
		p.Invalid("_charset_", err.Error())
	case err != nil:
		p.Invalid("MessageData"+n, err.Error())
	case strings.TrimSpace(text) == "":
		p.Invalid("MessageData"+n, "it is needed")
	}
	if s.Text = text; !oneLine(s.From) {
		p.Invalid("Originator"+n, "want one line")
	}
	c.all = append(c.all, s)
}

func (c *sendMessage) Tell() string {
	if len(c.all) > 1 {
		return fmt.Sprintf("%d messages", len(c.all))
	}
	return c.all[0].To + ": " + c.all[0].Text
}

func (c *sendMessage) Do(_ context.Context, m *ozml.Machine) error {
	if m.Messages == nil {
		return noMessages()
	}
	var r ozml.SMSesTaken
	var first error
	taken := 0
	for _, s := range c.all {
		behalf(m, &s.Sender)
		one := ozml.Received{From: s.From, To: s.To, Type: c.kind, Text: s.Text}
		var err error
		if one.ID, err = m.Messages.SMS(s); err == nil {
			taken++
		} else if one.Error = err.Error(); first == nil {
			first = err
		}
		if len(r.All) < c.most {
			r.All = append(r.All, one)
		}
	}
	if taken == 0 {
		return first
	}
	if first == nil {
		r.Continue = c.next
	}
	m.Reply(r)
	return nil
}
