package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/extension"
	"ozswitch/switch/message"
	"ozswitch/switch/notify"
	"ozswitch/switch/sip"
	"ozswitch/switch/store"
)

// sends tells whether a number may be written to.
func (c *SMS) sends(number string) bool {
	for _, p := range c.Send {
		if m, err := dialplan.Compile(p); err == nil && m.Match(number) {
			return true
		}
	}
	return len(c.Send) == 0
}

// service makes the connection that the configuration names; nil when it names
// none. It connects to nothing before its Run.
func (c *SMS) service(ev message.Events, s *Server) (message.Service, error) {
	switch c.Type {
	case "smpp":
		cfg := message.SMPPConfig{Address: c.Address, User: c.User, Password: string(c.Password), SystemType: c.SystemType, From: c.From}
		if c.TLS {
			cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		if s != nil {
			cfg.Dial, cfg.Log = s.opt.DialSMS, s.log
		}
		return message.NewSMPP(cfg, ev)
	case "http":
		cfg := message.GatewayConfig{Address: c.Address, User: c.User, Password: string(c.Password), From: c.From, Body: c.Body, Type: c.ContentType, ID: c.ID, Token: string(c.Token)}
		if s != nil {
			cfg.Dial, cfg.Log = s.opt.DialSMS, s.log
		}
		return message.NewGateway(cfg, ev)
	}
	return nil, nil
}

// smsSide is the connection to the SMS service. A reload replaces it.
type smsSide struct {
	mu      sync.Mutex
	service message.Service // nil = none
	trouble error           // why there is no connection
	changed chan struct{}   // closed when service is replaced
}

// newSMS makes the connection of the configuration.
func (s *Server) newSMS(c *Config) error {
	svc, err := c.SMS.service(s.smsEvents(), s)
	if err != nil {
		return err
	}
	s.services.sms.use(svc)
	return nil
}

func (s *Server) smsEvents() message.Events {
	return message.Events{Received: s.smsCame, Delivered: s.smsReported, Link: s.smsLink}
}

// use replaces the service.
func (x *smsSide) use(svc message.Service) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.changed != nil {
		close(x.changed)
	}
	x.service, x.trouble, x.changed = svc, nil, make(chan struct{})
}

func (x *smsSide) now() (message.Service, <-chan struct{}) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.service, x.changed
}

// run keeps the connection until ctx ends, one after the other when the
// configuration changes.
func (x *smsSide) run(ctx context.Context) error {
	for ctx.Err() == nil {
		svc, changed := x.now()
		one, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		if svc != nil {
			wg.Go(func() { _ = svc.Run(one) }) // it returns nil, when one ends
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
		stop()
		wg.Wait()
	}
	return nil
}

// smsLink is told whether the message centre can be reached.
func (s *Server) smsLink(err error) {
	s.services.sms.mu.Lock()
	s.services.sms.trouble = err
	s.services.sms.mu.Unlock()
	if err != nil {
		s.log.Warn("there is no connection to the SMS service", "err", err)
		s.emit(trace.Event{Type: trace.NotifyFail, Name: "sms", Reason: "connection", Code: ozml.CodeNotSent, Text: err.Error()})
		return
	}
	s.log.Info("connected to the SMS service", "address", s.state.Load().cfg.SMS.Address)
}

// SMSTrouble tells why there is no connection to the SMS service; nil when there
// is one, or none is configured.
func (s *Server) SMSTrouble() error {
	s.services.sms.mu.Lock()
	defer s.services.sms.mu.Unlock()
	return s.services.sms.trouble
}

// smsHandler takes what an SMS gateway posts to /sms.
func (s *Server) smsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		svc, _ := s.services.sms.now()
		g, ok := svc.(*message.Gateway)
		if !ok {
			http.NotFound(w, r)
			return
		}
		g.ServeHTTP(w, r)
	})
}

// receiver is the extension that a text message from outside is for: the one of
// its number, or that sms.receive names; without a rule the first that has an
// sms_url.
func (s *Server) receiver(to string) (extension.Extension, bool) {
	st := s.state.Load()
	for _, n := range []string{to, strings.TrimPrefix(to, "+")} {
		if e, ok := st.exts.Find(n); ok && (e.RunsScript() || e.Type == extension.Phone) {
			return e, true
		}
	}
	for _, r := range st.cfg.SMS.Receive {
		if m, err := dialplan.Compile(r.Match); err == nil && m.Match(to) {
			return st.exts.Find(r.To)
		}
	}
	if len(st.cfg.SMS.Receive) == 0 {
		for _, e := range st.exts.All() {
			if e.SMSURL != "" {
				return e, true
			}
		}
	}
	return extension.Extension{}, false
}

// smsCame takes a text message from outside. It does not wait.
func (s *Server) smsCame(m message.SMS) {
	one := ozml.Received{ID: message.UUID(), Connection: "sms", From: m.From, To: m.To, Type: smsType, Text: m.Text, Came: m.At}
	e, ok := s.receiver(m.To)
	s.emit(trace.Event{Type: trace.MessageReceived, Name: "sms", From: m.From, To: m.To, Extension: e.Number, Text: s.shown(e.Number, m.Text)})
	if m.Incomplete {
		s.log.Warn("a long text message came in part", "from", m.From, "to", m.To)
	}
	if ok && e.Type == extension.Phone {
		s.phones.Text(sip.Text{From: m.From, To: e.Number, Type: "text/plain;charset=utf-8", Body: []byte(m.Text), Sent: m.At}, func(code int, reason string) {
			if code/100 != 2 {
				s.log.Warn("a text message did not reach its phone", "from", m.From, "to", e.Number, "code", code, "reason", reason)
			}
		})
		return
	}
	if !ok {
		s.log.Warn("a text message is for no extension; it is in the inbox only", "from", m.From, "to", m.To)
		s.intoInboxes(one)
		return
	}
	s.arrive(e, one)
}

// intoInboxes keeps a message for each user of the HTTP API.
func (s *Server) intoInboxes(m ozml.Received) {
	for _, name := range s.owners() {
		if err := s.mailroom.keep(name, m); err != nil {
			s.log.Error("a message is not in an inbox", "user", name, "from", m.From, "err", err)
		}
	}
}

// arrive gives a message to an API or script extension: to who waits for it, else
// to the web app. It tells whether a script waited.
func (s *Server) arrive(e extension.Extension, m ozml.Received) (taken bool) {
	s.intoInboxes(m)
	if taken = s.mailroom.offer(e.Number, m); taken || e.SMSURL == "" {
		return taken
	}
	s.web.ForCall(notify.CallContext{Info: ozml.CallInfo{Extension: e.Number}, ErrorURL: e.ErrorURL, Operator: e.URLs(), Sensitive: e.SensitiveInput}).Report(ozml.Notification{
		Name: "IncomingSMS", URL: e.SMSURL, Fields: url.Values{
			"ApiExtension": {e.Number}, "Sender": {m.From}, "Recipient": {m.To}, "Message": {m.Text}, "ReceivedTime": {m.Came.Local().Format(ozml.Stamp)},
		},
	})
	return false
}

// textCame takes a text of a phone to an API or script extension; see texts.SMS.
func (s *Server) textCame(e extension.Extension, t sip.Text, answer func(code int, reason string)) {
	now := time.Now()
	one := ozml.Received{ID: message.UUID(), Connection: t.From, From: t.From, To: t.To, Type: smsType, Text: strings.ToValidUTF8(string(t.Body), "\uFFFD"), Sent: t.Sent, Came: now}
	if e.Type == extension.Script && !s.mailroom.expects(e.Number) && !s.talks(e.Number) {
		answer(480, "nobody reads it")
		return
	}
	s.emit(trace.Event{Type: trace.MessageReceived, Name: t.From, From: t.From, To: t.To, Extension: e.Number, Text: s.shown(e.Number, one.Text)})
	if s.arrive(e, one) {
		answer(200, "")
		return
	}
	answer(202, "")
}

// expects tells whether a script of an extension waits for a message.
func (r *mailroom) expects(extension string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.waiting {
		if w.extension == extension {
			return true
		}
	}
	return false
}

// talks tells whether a call of an extension's script is up.
func (s *Server) talks(number string) bool {
	for _, l := range s.calls.Lines() {
		if l.Info().Extension == number && l.Status().State != call.Completed {
			return true
		}
	}
	return false
}

// smsReported takes a delivery report. It may wait for the store, so what is not
// known to this process goes to a goroutine of its own.
func (s *Server) smsReported(r message.Receipt) {
	if r.State == message.Waiting {
		return // it is tried further: the fate is not known
	}
	if r.ID != "" {
		s.report(r.SMS, r.Words, r.State)
		if err := s.store.DropMessage("", r.ID); err != nil {
			s.log.Warn("a text message is still noted as unreported", "id", r.ID, "err", err)
		}
		return
	}
	s.services.reports.Go(func() {
		defer s.caught("delivery report")
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		rows, err := s.store.Messages(ctx, store.MessageQuery{Folder: store.Unreported, Remote: r.Remote, Rows: 1})
		if err != nil || len(rows) == 0 {
			s.log.Warn("a delivery report is about a message that is not known", "id", r.Remote, "to", r.SMS.To, "state", r.State, "err", err)
			return
		}
		m := rows[0]
		s.report(message.SMS{ID: m.ID, From: m.From, To: m.To, ReportURL: m.ReportURL, Call: m.Call, Extension: m.Extension, Operator: m.Operator}, r.Words, r.State)
		_ = s.store.DropMessage("", m.ID) // it is swept if this fails
	})
}

// report posts SMSDeliveryReport, if somebody wants it.
func (s *Server) report(m message.SMS, words string, st message.State) {
	if m.ReportURL == "" {
		return
	}
	cc := notify.CallContext{Info: ozml.CallInfo{ID: m.Call, Extension: m.Extension}}
	if e, ok := s.state.Load().exts.Find(m.Extension); ok {
		cc.ErrorURL, cc.Operator, cc.Sensitive = e.ErrorURL, e.URLs(), e.SensitiveInput
	}
	if m.Operator {
		cc.Operator = append(cc.Operator, m.ReportURL)
	}
	if l := s.calls.Find(call.ID(m.Call)); l != nil {
		i := l.Info()
		cc.Info.Caller, cc.Info.CallerName, cc.Info.Dialed, cc.Info.Direction, cc.Sink = i.From, i.FromName, i.Dialed, i.Direction.String(), l.Sink()
	}
	f := url.Values{
		"SmsId": {m.ID}, "Sender": {m.From}, "Recipient": {m.To}, "Status": {string(st)}, "Time": {time.Now().Format(ozml.Stamp)}, "ApiExtension": {m.Extension}, "Error": {""},
	}
	if st != message.Delivered {
		f.Set("Error", words)
	}
	s.web.ForCall(cc).Report(ozml.Notification{Name: "SMSDeliveryReport", URL: m.ReportURL, Fields: f})
}

// checkSMS tells what is wrong with sms: of a configuration.
func (c *SMS) check() error {
	var faults []error
	if _, err := c.service(message.Events{}, nil); err != nil {
		faults = append(faults, err)
	}
	for _, p := range c.Send {
		if _, err := dialplan.Compile(p); err != nil {
			faults = append(faults, err)
		}
	}
	for _, r := range c.Receive {
		if _, err := dialplan.Compile(r.Match); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
