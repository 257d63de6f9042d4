package command

import (
	"context"
	"net/mail"
	"strings"

	"ozswitch/ozml"
)

// SendEmail sends a mail.
func SendEmail() *ozml.Command {
	return &ozml.Command{
		Name:  "SendEmail",
		Title: "send an e-mail",
		Doc: `The mail goes to the server of ` + "`mail:`" + ` in the configuration; the script does not wait for it. What fails for a time is tried again for a day, across a restart of the switch; the event log of the call tells when the mail was sent, or why it was not.

Attachments are files below media/, recordings/ and voicemail/ of the data folder: a path that begins with recordings/ or voicemail/, as RecordPath of RecordCompleted does, is relative to the data folder; any other is below media/. A whole path must lie below one of the three.`,
		Notes: []string{
			"The text between the tags is Message. Without Message the mail is empty.",
			"Recipient may hold several addresses, with commas or semicolons between them.",
			"The section `mail:` is the route for every API and script extension: the public pages ask for a provider and a dial plan rule. Without it the answer over HTTP is 501.",
			"A line break in Recipient, Sender or Subject, and a file that is missing or lies outside the folders, is a wrong parameter (302 over HTTP): nothing is sent.",
			"Without ApiExtension the extension of the present call sends; over HTTP the first API or script extension does. `NULL` is the same as none. One that does not exist is 401.",
			"Over HTTP the answer has the extra element EmailId, which is also in the Message-ID of the mail.",
			"It may stand in an answer to CallChanged as well.",
		},
		Example: `<Response><SendEmail Recipient="ann@example.org" Subject="Call from $caller">Please call back</SendEmail></Response>`,
		In:      everywhere,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c sendEmail
			to, files := "", ""
			p.String(&to, "Recipient", "who gets it, addresses", ozml.Required)
			p.String(&c.From, "Sender", "address of the sender; mail.from of the configuration where absent")
			p.String(&c.Subject, "Subject", "the subject")
			p.String(&c.Text, "Message", "the text", ozml.FromBody)
			p.String(&files, "Attachments", "paths of files, with ; between them")
			apiExtension(p, &c.Sender)
			want := ""
			if to != "" {
				if c.To, want = addresses(to); want != "" {
					p.Invalid("Recipient", want)
				}
			}
			if c.From = strings.TrimSpace(c.From); c.From != "" {
				if _, err := mail.ParseAddress(c.From); err != nil || !oneLine(c.From) {
					p.Invalid("Sender", "want one mail address")
				}
			}
			if !oneLine(c.Subject) {
				p.Invalid("Subject", "want one line")
			}
			for _, f := range split(files) {
				if err := ozml.InFolders("Attachments", f); err != nil || !oneLine(f) {
					p.Invalid("Attachments", ozml.FolderHint)
				}
				c.Attachments = append(c.Attachments, f)
			}
			return &c
		},
	}
}

type sendEmail struct{ ozml.Mail }

func (c *sendEmail) Tell() string {
	s := strings.Join(c.To, ", ")
	if c.Subject != "" {
		s += ": " + c.Subject
	}
	return s
}

// Flow implements ozml.Steerer.
func (c *sendEmail) Flow() ozml.Flow { return ozml.Flow{} }

func (c *sendEmail) Do(_ context.Context, m *ozml.Machine) error {
	if m.Messages == nil {
		return noMessages()
	}
	behalf(m, &c.Sender)
	id, err := m.Messages.Mail(c.Mail)
	if err == nil {
		m.Reply(ozml.MailTaken{ID: id})
	}
	return err
}
