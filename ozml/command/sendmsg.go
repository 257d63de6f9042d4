package command

import (
	"context"
	"strings"

	"ozswitch/ozml"
)

// SendMsg sends a message to a connection.
func SendMsg() *ozml.Command {
	return &ozml.Command{
		Name:  "SendMsg",
		Title: "send a message to a connection of the switch",
		Doc: `A connection is, with or without ` + "`@localhost`" + `:

- a number of a phone: the text is shown there (SIP MESSAGE); when the phone is away, it waits for it;
- a number of an API or script extension: a script of it that waits by WaitForMsg gets the text, else IncomingSMS is posted to its ` + "`sms_url`" + `;
- ` + "`sms`" + ` or ` + "`mail`" + `: the text goes to ToAddress, a number or a mail address;
- the name of a user of the HTTP API: the text comes into his inbox (ReceiveMessage).

The script does not wait until the message has arrived.`,
		Notes: []string{
			"Which connections there are is our choice: the public page names a user's inbox and a mail client.",
			"A connection that does not exist, or has no service in the configuration, is 501 over HTTP.",
			"The sender is the extension of the call, or of what the script is an answer to; else the first API or script extension.",
			"The subject of a mail is the first line of the text.",
		},
		Example: `<Response><SendMsg ToConnection="1001@localhost">A caller waits for you: $caller</SendMsg></Response>`,
		In:      everywhere,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c sendMsg
			p.String(&c.Connection, "ToConnection", "where to: a number, sms, mail or a user, with @localhost or without", ozml.Required)
			p.String(&c.Address, "ToAddress", "with sms and mail: the addressee")
			p.String(&c.Text, "Text", "the text", ozml.FromBody, ozml.Required)
			c.Connection = number(c.Connection)
			switch word := strings.ToLower(c.Connection); {
			case word != "sms" && word != "mail":
			case !p.Has("ToAddress"):
				p.Invalid("ToAddress", "it is needed for "+word)
			case c.Address == "": // holds variables, to check
			case word == "sms":
				n, ok := telephone(c.Address)
				if c.Address = n; !ok {
					p.Invalid("ToAddress", noNumber)
				}
			default:
				if _, want := addresses(c.Address); want != "" {
					p.Invalid("ToAddress", want)
				}
			}
			return &c
		},
	}
}

type sendMsg struct{ ozml.Message }

func (c *sendMsg) Tell() string { return strings.TrimSpace(c.Connection+" "+c.Address) + ": " + c.Text }

// Flow implements ozml.Steerer.
func (c *sendMsg) Flow() ozml.Flow { return ozml.Flow{} }

func (c *sendMsg) Do(_ context.Context, m *ozml.Machine) error {
	if m.Messages == nil {
		return noMessages()
	}
	behalf(m, &c.Sender)
	switch strings.ToLower(c.Connection) {
	case "sms":
		_, err := m.Messages.SMS(ozml.SMS{Sender: c.Sender, To: c.Address, Text: c.Text})
		return err
	case "mail":
		to, _ := addresses(c.Address) // New has checked it
		first, _, _ := strings.Cut(c.Text, "\n")
		_, err := m.Messages.Mail(ozml.Mail{Sender: c.Sender, To: to, Subject: strings.Map(printable, first), Text: c.Text})
		return err
	}
	return m.Messages.Send(c.Message)
}

// printable leaves out what cannot stand in a subject.
func printable(r rune) rune {
	if !oneLine(string(r)) {
		return -1
	}
	return r
}
