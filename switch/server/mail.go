package server

import (
	"io/fs"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/message"
	"ozswitch/switch/store"
)

// newOutbox makes what sends mail and text messages in the background, across
// restarts.
func (s *Server) newOutbox() error {
	c := s.state.Load().cfg
	mailer, err := c.Mail.mailer(s)
	if err != nil {
		return err
	}
	if err := s.newSMS(c); err != nil {
		return err
	}
	s.services.outbox = message.NewOutbox(message.OutboxConfig{Store: s.store, Mailer: mailer, Sender: s.smsSender(), Told: s.mailed, Log: s.log})
	return nil
}

// mailer makes the way to the mail server; nil when none is configured. s is nil
// to check the configuration only.
func (c *Mail) mailer(s *Server) (*message.Mailer, error) {
	if c.Server == "" {
		return nil, nil
	}
	cfg := message.MailConfig{Server: c.Server, From: c.From, User: c.User, Password: string(c.Password), TLS: c.TLS}
	if s != nil {
		cfg.Open, cfg.Dial = s.attach, s.opt.DialMail
	}
	return message.NewMailer(cfg)
}

// smsSender is the SMS service as the outbox knows it; nil when there is none.
func (s *Server) smsSender() message.Sender {
	if svc, _ := s.services.sms.now(); svc != nil {
		return svc
	}
	return nil
}

// setMessages applies mail: and sms: of a configuration that was checked.
func (s *Server) setMessages(was, c *Config) error {
	mailer, err := c.Mail.mailer(s)
	if err != nil {
		return err
	}
	if !sameService(was.SMS, c.SMS) { // a connection that stays the same goes on
		if err := s.newSMS(c); err != nil {
			return err
		}
	}
	s.services.outbox.Use(mailer, s.smsSender())
	return nil
}

// sameService tells whether a reload leaves the connection as it is.
func sameService(a, b SMS) bool {
	a.Send, a.Receive, b.Send, b.Receive = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

// attach opens a file below the folders of scripts that is to be sent, through the
// handle of its folder, so that no link leads out of it.
func (s *Server) attach(name string) (fs.File, error) {
	dir, rest, _ := strings.Cut(name, "/")
	for folder, root := range map[string]*os.Root{"recordings": s.data.recordings, "media": s.data.media, "voicemail": s.data.voicemail} {
		if dir == folder {
			return root.Open(rest)
		}
	}
	return nil, &os.PathError{Op: "attach", Path: name, Err: fs.ErrPermission}
}

// mailed tells what became of a mail or text message: in the event log, to the
// folder of who sent it, and to who waits for a report.
func (s *Server) mailed(r message.Result) {
	e := trace.Event{Type: trace.NotifySent, Call: r.Call, Name: string(r.Kind), Count: int64(r.Try)}
	if r.Mail != nil {
		e.To, e.Extension = strings.Join(r.Mail.To, ", "), r.Mail.Extension
	} else {
		e.To, e.From, e.Extension = r.SMS.To, r.SMS.From, r.SMS.Extension
	}
	switch r.Outcome {
	case message.Sent:
		s.sentSMS(r)
	case message.Retry:
		s.log.Warn("a message is tried again later", "kind", r.Kind, "id", r.ID, "try", r.Try, "err", r.Err)
		e.Reason = "retry"
	case message.Failed:
		s.log.Warn("a message could not be sent", "kind", r.Kind, "id", r.ID, "err", r.Err)
		if r.SMS != nil {
			s.report(*r.SMS, r.Err.Error(), message.Undelivered)
		}
	}
	if r.Err != nil {
		e.Type, e.Code, e.Text = trace.NotifyFail, ozml.CodeNotSent, r.Err.Error()
	}
	s.emit(e)
	if r.Outcome != message.Retry {
		s.services.senders.release(r.Call)
	}
}

// sentSMS notes a text message that went out: in the folder of its user, and until
// its delivery report comes, for that may be after a restart.
func (s *Server) sentSMS(r message.Result) {
	if r.SMS == nil {
		return
	}
	now := time.Now()
	m := store.Message{ID: r.ID, Folder: store.Sent, Owner: r.SMS.User, Connection: "sms", From: r.SMS.From, To: r.SMS.To, Type: smsType, Text: r.SMS.Text, Sent: now, Came: now}
	if m.Owner != "" {
		if err := s.store.PutMessage(m); err != nil {
			s.log.Warn("a text message is not in the folder of those that were sent", "id", r.ID, "err", err)
		}
	}
	if !r.SMS.Report || r.Remote == "" {
		return
	}
	m.Owner, m.Folder, m.Text, m.Remote = "", store.Unreported, "", r.Remote
	m.Call, m.Extension, m.ReportURL, m.Operator = r.SMS.Call, r.SMS.Extension, r.SMS.ReportURL, r.SMS.Operator
	if err := s.store.PutMessage(m); err != nil {
		s.log.Warn("after a restart the delivery report of a text message would not be known", "id", r.ID, "err", err)
	}
}

// emit takes an event into the log of its call: of one that is up, or that has sent
// something whose fate is not known yet.
func (s *Server) emit(e trace.Event) {
	if e.Call != "" {
		if l := s.calls.Find(call.ID(e.Call)); l != nil {
			l.Sink().Emit(e)
			return
		}
	}
	s.services.senders.sink(e.Call, s.events).Emit(e)
}

// senders are the logs of calls that have sent something: its fate may be known
// only when the call is over.
type senders struct {
	mu   sync.Mutex
	logs map[string]*senderLog
}

type senderLog struct {
	to   trace.Sink
	open int // messages whose fate is not known
}

// hold is to be called before a message of a call is taken.
func (x *senders) hold(id string, of *exchange.Exchange) {
	l := of.Find(call.ID(id))
	if l == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.logs == nil {
		x.logs = map[string]*senderLog{}
	}
	if x.logs[id] == nil {
		x.logs[id] = &senderLog{to: l.Sink()}
	}
	x.logs[id].open++
}

// release is to be called when the fate of a message is known.
func (x *senders) release(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l := x.logs[id]; l != nil {
		if l.open--; l.open <= 0 {
			delete(x.logs, id)
		}
	}
}

func (x *senders) sink(id string, other trace.Sink) trace.Sink {
	x.mu.Lock()
	defer x.mu.Unlock()
	if l := x.logs[id]; l != nil {
		return l.to
	}
	return other
}

// caught keeps a fault of ours to itself.
func (s *Server) caught(where string) {
	if v := recover(); v != nil {
		s.panicked(where)
		s.log.Error("panic", "in", where, "panic", v, "stack", string(debug.Stack()))
	}
}
