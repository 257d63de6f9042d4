package message

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"

	"ozswitch/switch/queue"
	"ozswitch/switch/store"
)

// A Kind of message.
type Kind string

// The kinds.
const (
	KindMail Kind = "mail"
	KindSMS  Kind = "sms"
)

// An Outcome of an attempt.
type Outcome string

// The outcomes of an attempt.
const (
	Sent   Outcome = "sent"   // the server has it
	Retry  Outcome = "retry"  // it is tried again later
	Failed Outcome = "failed" // it will not be sent
)

// A Result tells of one attempt.
type Result struct {
	Kind    Kind
	ID      string // as Outbox.Mail and Outbox.SMS gave it
	Call    string // the call that asked for it, "" = none
	Outcome Outcome
	Try     int    // from 1, counted across restarts
	Remote  string // the service's id of a text message
	Err     error  // why not, nil when Sent; a *Fault as a rule
	Mail    *Mail  // what it was: one of both
	SMS     *SMS
}

// OutboxConfig is what an Outbox needs.
type OutboxConfig struct {
	Store   queue.Store   // nil = memory: nothing survives a restart
	Mailer  *Mailer       // nil = no mail
	Sender  Sender        // nil = no text messages
	NewID   func() string // nil = a random UUID
	Told    func(Result)  // after each attempt; may be nil; from several goroutines
	Workers int           // attempts at the same time; 0 = 8, half of them for each kind
	Max     int           // messages that wait; 0 = 10,000
	Log     *slog.Logger  // nil = slog.Default
}

// An Outbox sends messages in the background. What fails in a way that can
// become better is tried again after 1, 2, 4 … s, up to each 10 min, for a day
// (switch/queue), across a restart. Use NewOutbox, then Run.
//
// A message arrives at least once: after a crash, or a connection that broke
// before the answer, it may arrive twice.
type Outbox struct {
	cfg   OutboxConfig
	queue *queue.Queue

	mu     sync.Mutex
	mailer *Mailer
	sender Sender
}

// saved is what the store keeps. Names are only added.
type saved struct {
	Mail *Mail `json:"mail,omitempty"`
	SMS  *SMS  `json:"sms,omitempty"`
}

// NewOutbox starts nothing. Mail and SMS may be used at once.
func NewOutbox(cfg OutboxConfig) *Outbox {
	if cfg.Store == nil {
		cfg.Store = store.NewMem()
	}
	if cfg.NewID == nil {
		cfg.NewID = UUID
	}
	if cfg.Workers <= 0 {
		cfg.Workers = 8
	}
	if cfg.Max <= 0 {
		cfg.Max = 10_000
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	o := &Outbox{cfg: cfg, mailer: cfg.Mailer, sender: cfg.Sender}
	o.queue = queue.New(queue.Config{Store: rows{cfg.Store, true}, Deliver: o.deliver, GaveUp: o.gaveUp,
		Workers: cfg.Workers, Share: max(cfg.Workers/2, 1), Max: cfg.Max, Log: cfg.Log})
	return o
}

// Run sends until ctx ends, and returns when all attempts have ended.
func (o *Outbox) Run(ctx context.Context) error { return o.queue.Run(ctx) }

// Use changes by whom messages are sent, after a reload; nil = not at all.
func (o *Outbox) Use(m *Mailer, s Sender) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mailer, o.sender = m, s
}

func (o *Outbox) using() (*Mailer, Sender) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.mailer, o.sender
}

// Len says how many messages wait or are under way.
func (o *Outbox) Len() int { return o.queue.Len() }

// Mail takes m for sending and returns at once with its id. The error, a
// *Fault, says what is wrong with m, that no mail server is configured, or that
// too much waits.
func (o *Outbox) Mail(m Mail) (string, error) {
	mailer, _ := o.using()
	if mailer == nil {
		return "", noMail()
	}
	if err := mailer.Check(m); err != nil {
		return "", err
	}
	m.ID = o.cfg.NewID()
	return m.ID, o.put(queue.Item{ID: prefix + m.ID, Group: string(KindMail)}, saved{Mail: &m})
}

// SMS takes s for sending, as Mail does. Messages to one number are sent in the
// order of the calls.
func (o *Outbox) SMS(s SMS) (string, error) {
	if _, sender := o.using(); sender == nil {
		return "", noSMS()
	}
	if err := checkSMS(s); err != nil {
		return "", err
	}
	s.ID = o.cfg.NewID()
	return s.ID, o.put(queue.Item{ID: prefix + s.ID, Lane: "sms\n" + s.To, Group: string(KindSMS)}, saved{SMS: &s})
}

func noMail() *Fault {
	return wrong("mail", `set mail: {server: "smtp.example.org:587"} in the configuration`, "no mail server is configured")
}

func noSMS() *Fault {
	return wrong("sms", `set sms: {type: smpp, address: "…"} in the configuration`, "no SMS service is configured")
}

func (o *Outbox) put(it queue.Item, s saved) error {
	b, err := json.Marshal(s)
	if err != nil {
		return wrong("message", "", "%v", err)
	}
	it.Payload = b
	if err := o.queue.Put(it); err != nil {
		return &Fault{Place: "outbox", Cause: err.Error(), Cure: "see why nothing is sent", Err: err}
	}
	return nil
}

// deliver is one attempt. The queue is its recover boundary.
func (o *Outbox) deliver(ctx context.Context, a queue.Attempt) queue.Outcome {
	s, r, ok := o.read(a)
	if !ok {
		return queue.Outcome{}
	}
	mailer, sender := o.using()
	switch {
	case s.Mail != nil && mailer == nil:
		r.Err = noMail()
	case s.Mail != nil:
		r.Err = mailer.Send(ctx, *s.Mail)
	case sender == nil:
		r.Err = noSMS()
	default:
		r.Remote, r.Err = sender.Send(ctx, *s.SMS)
	}
	switch {
	case r.Err == nil:
		r.Outcome = Sent
	case ctx.Err() != nil:
		return queue.Outcome{Again: true} // stopped: the attempt does not count
	case IsFinal(r.Err):
		r.Outcome = Failed
	default:
		r.Outcome = Retry
	}
	tell(o.cfg.Log, o.cfg.Told, r)
	if r.Outcome == Retry {
		return queue.Outcome{Again: true, Why: r.Err.Error()}
	}
	return queue.Outcome{}
}

// gaveUp tells of a message that could not be sent for a day.
func (o *Outbox) gaveUp(a queue.Attempt) {
	if _, r, ok := o.read(a); ok {
		r.Outcome = Failed
		r.Err = &Fault{Place: string(r.Kind), Cause: "given up after a day: " + a.Last, Final: true}
		tell(o.cfg.Log, o.cfg.Told, r)
	}
}

func (o *Outbox) read(a queue.Attempt) (saved, Result, bool) {
	var s saved
	err := json.Unmarshal(a.Payload, &s)
	if err == nil && s.Mail == nil && s.SMS == nil {
		err = fmt.Errorf("neither a mail nor a text message")
	}
	if err != nil {
		o.cfg.Log.Error("message: a message cannot be read and is dropped", "id", a.ID, "err", err)
		return s, Result{}, false
	}
	r := Result{ID: strings.TrimPrefix(a.ID, prefix), Try: a.N, Mail: s.Mail, SMS: s.SMS, Kind: KindSMS}
	if s.Mail != nil {
		r.Kind, r.Call = KindMail, s.Mail.Call
	} else {
		r.Call = s.SMS.Call
	}
	return s, r, true
}

// UUID gives a random one (RFC 9562, 5.4).
func UUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0F|0x40, b[8]&0x3F|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// prefix begins the ids of messages in the store. The store holds the reports of
// switch/notify in the same table.
const prefix = "msg-"

// rows is the part of the store's outbox that is ours, or the rest.
type rows struct {
	queue.Store
	ours bool
}

// Others gives the rows of s that are no messages. switch/notify must be given
// this when s is also that of an Outbox, else it takes messages for its own.
func Others(s queue.Store) queue.Store { return rows{s, false} }

// Reports gives those of one side.
func (r rows) Reports(ctx context.Context) iter.Seq2[store.Report, error] {
	return func(yield func(store.Report, error) bool) {
		for row, err := range r.Store.Reports(ctx) {
			if err == nil && strings.HasPrefix(row.ID, prefix) != r.ours {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
