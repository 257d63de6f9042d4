package ozmltest

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// A Fate is what becomes of what a script sends, on paper. The zero Fate takes
// it and says no more.
type Fate struct {
	Code      int           // 401 or 501: it is not taken
	Delivered bool          // SMSDeliveryReport says Delivered
	Lost      bool          // it says Failed
	After     time.Duration // when
}

// An Arrival is a message that comes to the extension of the call.
type Arrival struct {
	At         time.Duration
	Connection string // a number, sms, the name of a user
	From       string // number
	Text       string
}

// messages notes what a script sends on paper, and gives it what comes.
type messages struct{ *Call }

// take tells whether something of that kind is taken, and gives its id.
func (m messages) take(kind string, s ozml.Sender) (id string, err error) {
	switch m.sc.Fates[kind].Code {
	case 401:
		return "", ozml.NoExtension(s.Extension)
	case 501:
		return "", ozml.NoRoute("nothing is configured for "+kind, "")
	}
	m.taken++
	return kind[:1] + itoa(m.taken), nil
}

// tell makes the line of something that was taken.
func (m messages) tell(kind string, s ozml.Sender, e trace.Event) {
	e.Type, e.Name, e.Extension = trace.NotifySent, kind, cmp.Or(s.Extension, s.Own)
	if m.sc.Sensitive {
		e.Text, e.Body = "", "" // it may hold what the caller entered
	}
	m.Emit(e)
}

// Mail implements ozml.Messages. Files are those of the scenario.
func (m messages) Mail(ml ozml.Mail) (string, error) {
	m.did("", "Mail", ml)
	for _, f := range ml.Attachments {
		if d, known := m.sc.Files[f]; known && d < 0 {
			return "", &ozml.ParamError{Param: "Attachments", Command: ml.At.Command, Why: "no such file: " + f}
		}
	}
	id, err := m.take("mail", ml.Sender)
	if err != nil {
		return "", err
	}
	m.tell("mail", ml.Sender, trace.Event{To: strings.Join(ml.To, ", "), From: ml.From, Text: ml.Subject, Body: ml.Text, File: strings.Join(ml.Attachments, ", ")})
	return id, nil
}

// SMS implements ozml.Messages.
func (m messages) SMS(s ozml.SMS) (string, error) {
	m.did("", "SMS", s)
	id, err := m.take("sms", s.Sender)
	if err != nil {
		return "", err
	}
	m.tell("sms", s.Sender, trace.Event{To: s.To, From: s.From, Text: s.Text, URL: s.ReportURL})
	if f := m.sc.Fates["sms"]; s.ReportURL != "" && (f.Delivered || f.Lost) {
		status, why := "Delivered", ""
		if f.Lost {
			status, why = "Failed", "it was not delivered"
		}
		m.insert(act{m.now.Add(f.After), func() {
			m.web.Report(ozml.Notification{Name: "SMSDeliveryReport", URL: s.ReportURL, Fields: url.Values{
				"SmsId": {id}, "Sender": {s.From}, "Recipient": {s.To}, "Status": {status}, "Time": {m.now.Format(ozml.Stamp)}, "Error": {why},
				"ApiExtension": {cmp.Or(s.Extension, s.Own)},
			}})
		}, true})
	}
	return id, nil
}

// Send implements ozml.Messages: every connection exists, unless the scenario
// says otherwise.
func (m messages) Send(msg ozml.Message) error {
	m.did("", "Send", msg)
	if _, err := m.take("message", msg.Sender); err != nil {
		return err
	}
	m.tell("message", msg.Sender, trace.Event{To: msg.Connection, From: msg.Address, Text: msg.Text})
	return nil
}

// Await implements ozml.Messages.
func (m messages) Await(ctx context.Context, a ozml.Await) (ozml.Received, error) {
	m.did("", "Await", a)
	end := m.now.Add(a.Timeout)
	for i, s := range m.sc.Messages {
		if !s.fits(a.From) || m.used[i] {
			continue
		}
		at := epoch.Add(s.At)
		if at.After(end) {
			break
		}
		if err := m.pass(ctx, max(0, at.Sub(m.now))); err != nil {
			return ozml.Received{}, err
		}
		m.used[i] = true
		m.Emit(trace.Event{Type: trace.MessageReceived, Name: s.Connection, From: s.From, Text: s.Text})
		return s.received(i), nil
	}
	if err := m.pass(ctx, end.Sub(m.now)); err != nil {
		return ozml.Received{}, err
	}
	return ozml.Received{}, ozml.ErrNoMessage
}

// fits tells whether a message comes from a connection or number; "" is any.
func (s Arrival) fits(from string) bool {
	return from == "" || strings.EqualFold(from, s.Connection) || from == s.From
}

func (s Arrival) received(i int) ozml.Received {
	at := epoch.Add(s.At)
	return ozml.Received{ID: fmt.Sprintf("in%d", i+1), Connection: s.Connection, From: s.From, Type: "SMS:TEXT", Text: s.Text, Sent: at, Came: at}
}

// Inbox implements ozml.Messages: what has come until now. Folders other than
// inbox are empty.
func (m messages) Inbox(_ context.Context, q ozml.InboxQuery) (all []ozml.Received, err error) {
	m.did("", "Inbox", q)
	for i, s := range m.sc.Messages {
		if q.Folder == "inbox" && !epoch.Add(s.At).After(m.now) && !m.used[i] && len(all) < q.Most {
			all = append(all, s.received(i))
			m.used[i] = q.After != "leave"
		}
	}
	m.Emit(trace.Event{Type: trace.NotifySent, Name: "inbox", Count: int64(len(all)), Reason: q.After, To: q.Folder})
	return all, nil
}

// fate reads "fails 501", "delivered after 5s" or "lost after 5s".
func (s *Scenario) fate(kind string, f []string) (err error) {
	var fate Fate
	switch {
	case len(f) == 2 && f[0] == "fails" && (f[1] == "401" || f[1] == "501"):
		fate.Code = map[string]int{"401": 401, "501": 501}[f[1]]
	case kind == "sms" && (len(f) == 1 || len(f) == 3 && f[1] == "after") && (f[0] == "delivered" || f[0] == "lost"):
		fate.Delivered, fate.Lost = f[0] == "delivered", f[0] == "lost"
		if len(f) == 3 {
			fate.After, err = seconds(f[2])
		}
	default:
		return fmt.Errorf("%s wants fails 401, fails 501, or of an SMS delivered or lost and maybe after a time, got %q", kind, strings.Join(f, " "))
	}
	if s.Fates == nil {
		s.Fates = map[string]Fate{}
	}
	s.Fates[kind] = fate
	return err
}

// message reads "from CONNECTION[:NUMBER] at TIME TEXT", or "fails 501".
func (s *Scenario) message(rest string) error {
	f := strings.Fields(rest)
	if len(f) == 2 && f[0] == "fails" {
		return s.fate("message", f)
	}
	if len(f) < 5 || f[0] != "from" || f[2] != "at" {
		return fmt.Errorf("message wants from CONNECTION at TIME TEXT, got %q", rest)
	}
	at, err := seconds(f[3])
	a := Arrival{At: at, Text: strings.Join(f[4:], " ")}
	var number bool
	if a.Connection, a.From, number = strings.Cut(f[1], ":"); !number {
		a.From = a.Connection
	}
	s.Messages = append(s.Messages, a)
	slices.SortStableFunc(s.Messages, func(a, b Arrival) int { return int(a.At - b.At) })
	return err
}
