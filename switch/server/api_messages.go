package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/api"
	"ozswitch/switch/extension"
	"ozswitch/switch/message"
	"ozswitch/switch/sip"
	"ozswitch/switch/store"
)

// messages is what a user of the HTTP API may do about messages.
func (s *Server) messages(u api.User) ozml.Messages {
	return &sender{s: s, user: u.Name, operator: u.AnyURL}
}

// A sender is ozml.Messages for a script, or for a user of the HTTP API.
type sender struct {
	s        *Server
	user     string // whose folders are read; "" for scripts
	operator bool   // URLs given here count as the operator's (decisions 9)
}

// smsType is the only type of text messages.
const smsType = "SMS:TEXT"

// extension is on whose behalf something is sent.
func (v *sender) extension(o ozml.Sender) (extension.Extension, error) {
	exts := v.s.state.Load().exts
	if o.Extension != "" {
		e, ok := exts.Find(o.Extension)
		if !ok || !e.RunsScript() {
			return e, ozml.NoExtension(o.Extension)
		}
		return e, nil
	}
	if e, ok := exts.Find(o.Own); ok && e.RunsScript() {
		return e, nil
	}
	for _, e := range exts.All() {
		if e.RunsScript() {
			return e, nil
		}
	}
	return extension.Extension{}, ozml.NoExtension("")
}

// Mail implements ozml.Messages.
func (v *sender) Mail(m ozml.Mail) (string, error) {
	e, err := v.extension(m.Sender)
	if err != nil {
		return "", err
	}
	ml := message.Mail{From: m.From, To: m.To, Subject: m.Subject, Text: m.Text, Call: m.Call, Extension: e.Number}
	for _, name := range m.Attachments {
		file, err := v.s.library.Find(name)
		if err != nil {
			return "", &ozml.ParamError{Param: "Attachments", Command: m.At.Command, Why: err.Error()}
		}
		ml.Attachments = append(ml.Attachments, file)
	}
	v.s.services.senders.hold(m.Call, v.s.calls)
	id, err := v.s.services.outbox.Mail(ml)
	if err != nil {
		v.s.services.senders.release(m.Call)
	}
	return id, untaken(m.At, err)
}

// SMS implements ozml.Messages.
func (v *sender) SMS(m ozml.SMS) (string, error) {
	e, err := v.extension(m.Sender)
	if err != nil {
		return "", err
	}
	if c := v.s.state.Load().cfg.SMS; c.Type != "" && !c.sends(m.To) {
		return "", ozml.NoRoute("sms.send of the configuration does not allow "+m.To, `add it, for example sms: {send: ["`+m.To+`"]}`)
	}
	v.s.services.senders.hold(m.Call, v.s.calls)
	id, err := v.s.services.outbox.SMS(message.SMS{
		From: m.From, To: m.To, Text: m.Text, Report: m.ReportURL != "", ReportURL: m.ReportURL,
		Call: m.Call, Extension: e.Number, User: v.user, Operator: v.operator,
	})
	if err != nil {
		v.s.services.senders.release(m.Call)
	}
	return id, untaken(m.At, err)
}

// untaken turns why the outbox did not take a message into what a script is told.
func untaken(at ozml.Place, err error) error {
	f, ok := errors.AsType[*message.Fault](err)
	if !ok {
		return err
	}
	switch param, _, _ := strings.Cut(f.Place, ","); param {
	case "mail", "sms":
		return ozml.NoRoute(f.Cause, f.Cure)
	case "Recipient", "Sender", "Subject", "Message", "Attachments":
		return &ozml.ParamError{Param: param, Command: at.Command, Why: f.Cause}
	}
	if first, _, ok := strings.Cut(f.Place, " "); ok && first == "Recipient" {
		return &ozml.ParamError{Param: first, Command: at.Command, Why: f.Cause}
	}
	return &ozml.Fault{Code: ozml.CodeNotSent, Msg: f.Place + ": " + f.Cause, Hint: f.Cure, Err: f}
}

// Send implements ozml.Messages.
func (v *sender) Send(m ozml.Message) error {
	from, err := v.extension(m.Sender)
	if err != nil {
		return err
	}
	st := v.s.state.Load()
	now := time.Now()
	one := ozml.Received{ID: message.UUID(), Connection: from.Number, From: from.Number, To: m.Connection, Type: smsType, Text: m.Text, Sent: now, Came: now}
	if e, ok := st.exts.Find(m.Connection); ok {
		switch {
		case e.Type == extension.Phone:
			v.s.phones.Text(sip.Text{From: from.Number, FromName: from.Name, To: e.Number, Type: "text/plain;charset=utf-8", Body: []byte(m.Text), Sent: now}, v.s.texted(m))
			return nil
		case e.RunsScript():
			if !v.s.mailroom.may(e.Number, now) {
				return &ozml.Fault{Code: ozml.CodeNotSent, Msg: fmt.Sprintf("more than %d messages to %s within a minute", mostInternal, e.Number), Hint: "do two scripts answer each other?"}
			}
			v.s.arrive(e, one)
			v.s.sentTo(m, nil)
			return nil
		}
	}
	for _, u := range st.users {
		if u.API && strings.EqualFold(u.Name, m.Connection) {
			one.To = u.Name
			err := v.s.mailroom.keep(u.Name, one)
			v.s.sentTo(m, err)
			return err
		}
	}
	return ozml.NoRoute("there is no connection "+m.Connection, "it is the number of a phone, API or script extension, sms, mail, or the name of a user of the HTTP API")
}

// texted gives who takes the answer of a phone to a text of a script.
func (s *Server) texted(m ozml.Message) func(code int, reason string) {
	return func(code int, reason string) {
		var err error
		if code/100 != 2 {
			err = fmt.Errorf("the phone did not take it: %d %s", code, reason)
		}
		s.sentTo(m, err)
	}
}

// sentTo tells in the event log what became of a message of SendMsg.
func (s *Server) sentTo(m ozml.Message, err error) {
	e := trace.Event{Type: trace.NotifySent, Call: m.Call, Name: "message", To: m.Connection}
	if err != nil {
		e.Type, e.Code, e.Text = trace.NotifyFail, ozml.CodeNotSent, err.Error()
	}
	s.emit(e)
}

// Inbox implements ozml.Messages: the folders of the user.
func (v *sender) Inbox(ctx context.Context, q ozml.InboxQuery) (all []ozml.Received, err error) {
	select { // of two who ask at once one gets what the other does not
	case v.s.mailroom.reading <- struct{}{}:
		defer func() { <-v.s.mailroom.reading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if q.Most == 0 {
		return nil, nil
	}
	rows, err := v.s.store.Messages(ctx, store.MessageQuery{Owner: v.user, Folder: q.Folder, Rows: q.Most})
	if err != nil {
		return nil, &ozml.Fault{Code: ozml.CodeFailed, Msg: "the messages cannot be read: " + err.Error(), Err: err}
	}
	for _, m := range rows {
		all = append(all, ozml.Received{ID: m.ID, Connection: m.Connection, From: m.From, To: m.To, Type: m.Type, Text: m.Text, Sent: m.Sent, Came: m.Came})
		switch {
		case q.After == "delete":
			err = v.s.store.DropMessage(v.user, m.ID)
		case q.After == "mark" && m.Folder == store.Inbox:
			m.Folder = store.Downloaded
			err = v.s.store.PutMessage(m)
		}
		if err != nil { // it will come again
			v.s.log.Warn("a message that was read stays in its folder", "user", v.user, "id", m.ID, "err", err)
		}
	}
	return all, nil
}

// Await implements ozml.Messages.
func (v *sender) Await(ctx context.Context, a ozml.Await) (ozml.Received, error) {
	m, err := v.s.mailroom.await(ctx, a)
	if err == nil {
		v.s.emit(trace.Event{Type: trace.MessageReceived, Call: a.Call, Name: m.Connection, From: m.From, To: a.Extension, Text: v.s.shown(a.Extension, m.Text)})
	}
	return m, err
}

// owners are who has an inbox: the users that may use the HTTP API.
func (s *Server) owners() (names []string) {
	st := s.state.Load()
	if st.cfg.HTTP.Auth == "off" {
		names = append(names, "")
	}
	for _, u := range st.users {
		if u.API && !slices.Contains(names, u.Name) {
			names = append(names, u.Name)
		}
	}
	return names
}

// shown is a text for the event log: nothing where what people enter is a secret
// (decisions 5.8).
func (s *Server) shown(number, text string) string {
	if s.secretKeys(number) {
		return ""
	}
	return text
}

var _ ozml.Messages = (*sender)(nil)
