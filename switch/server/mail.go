package server

import (
	"io/fs"
	"os"
	"strings"

	"ozswitch/ozml/trace"
	"ozswitch/switch/message"
)

// newOutbox makes what sends mail in the background, across restarts.
func (s *Server) newOutbox() error {
	c := s.state.Load().cfg.Mail
	var mailer *message.Mailer
	if c.Server != "" {
		var err error
		mailer, err = message.NewMailer(message.MailConfig{
			Server: c.Server, From: c.From, User: c.User, Password: string(c.Password), Open: s.attach, Dial: s.opt.DialMail,
		})
		if err != nil {
			return err
		}
	}
	s.services.outbox = message.NewOutbox(message.OutboxConfig{Store: s.store, Mailer: mailer, Told: s.mailed, Log: s.log})
	return nil
}

// attachable are the folders whose files may be sent.
var attachable = []string{"recordings/", "media/", "voicemail/"}

// attach opens a file below the data folder that is to be sent.
func (s *Server) attach(name string) (fs.File, error) {
	for _, dir := range attachable {
		if strings.HasPrefix(name, dir) {
			return s.services.root.Open(name)
		}
	}
	return nil, &os.PathError{Op: "attach", Path: name, Err: fs.ErrPermission}
}

// mailed tells in the call's event log what became of a mail.
func (s *Server) mailed(r message.Result) {
	if r.Outcome == message.Retry {
		s.log.Warn("a message is tried again later", "kind", r.Kind, "id", r.ID, "try", r.Try, "err", r.Err)
		return
	}
	if r.Err != nil {
		s.log.Warn("a message could not be sent", "kind", r.Kind, "id", r.ID, "err", r.Err)
	}
	if r.Call == "" {
		return
	}
	e := trace.Event{Type: trace.NotifySent, Call: r.Call, Name: string(r.Kind)}
	if r.Mail != nil {
		e.To = strings.Join(r.Mail.To, ", ")
	}
	if r.Err != nil {
		e.Type, e.Text = trace.NotifyFail, r.Err.Error()
	}
	s.events.Emit(e)
}
