package command

import (
	"context"

	"ozswitch/ozml"
)

// ReceiveMessage gives the messages of a user's inbox.
func ReceiveMessage() *ozml.Command {
	return &ozml.Command{
		Name:  "ReceiveMessage",
		Title: "read the messages that came",
		Doc: `The answer holds ` + "`<data>` with a `<message>`" + ` for each, the oldest first: messageid, originator, recipient, messagetype, messagedata, senttime, receivedtime.

Each user of the HTTP API has folders of his own: inbox holds the text messages that came for API and script extensions, and what SendMsg sent to him; downloaded those of the inbox that he marked; sent the text messages that went out.`,
		Notes: []string{
			"AfterDownload says what becomes of the messages in the answer: `mark` puts those of the inbox into downloaded, `delete` removes them, `leave` leaves them. The public page does not say what holds without it; here it is mark, so that each message comes once.",
			"ResponseFormat `html` makes the answer a page with a table, `json` an object with the field data; any other is xml, the answer of all commands.",
			"The element names within `<data>` are those of the SMS gateway.",
			"Times are yyyy-MM-dd HH:mm:ss; senttime is empty where the service does not tell it.",
			"A text message that came is in the inbox of each user that may use the HTTP API; messages are kept as long as retention.messages says.",
		},
		Example: `command=ReceiveMessage&Action=receivemessage&Folder=inbox&Limit=10&AfterDownload=delete`,
		In:      ozml.API,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c receiveMessage
			var q ozml.InboxQuery
			action := ""
			p.String(&action, "Action", "receivemessage", ozml.Required, ozml.OneOf("receivemessage"))
			p.String(&q.Folder, "Folder", "which folder", ozml.Default("inbox"), ozml.OneOf("inbox", "downloaded", "sent"))
			p.Int(&q.Most, "Limit", "most messages in the answer", ozml.Default("10"), ozml.AtMost(1000))
			p.String(&q.After, "AfterDownload", "what becomes of them", ozml.Default("mark"), ozml.OneOf("mark", "delete", "leave"))
			p.String(&c.format, "ResponseFormat", "form of the answer", ozml.Default("xml"), ozml.OneOf("xml", "html", "json"), ozml.Lenient)
			if p.OK() {
				c.q = q
			}
			return &c
		},
	}
}

type receiveMessage struct {
	q      ozml.InboxQuery
	format string
}

func (c *receiveMessage) Tell() string { return c.q.Folder }

func (c *receiveMessage) Do(ctx context.Context, m *ozml.Machine) error {
	if m.Messages == nil {
		return noMessages()
	}
	all, err := m.Messages.Inbox(ctx, c.q)
	if err == nil {
		m.Reply(ozml.Inbox{Format: c.format, All: all})
	}
	return err
}
