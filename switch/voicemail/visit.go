package voicemail

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/message"
	"ozswitch/switch/script"
)

// A Box is the mailbox of a telephone, as configured.
type Box struct {
	Number   string
	Name     string // of its owner
	PIN      string // "" = only the telephone itself gets in
	Email    string // gets each message; "" = nobody
	Greeting string // a file below media/; "" = none
}

// Parts are what voicemail needs of the switch. The functions must be safe for
// concurrent use, and quick.
type Parts struct {
	Scripts *script.Runner
	Boxes   *Boxes
	Find    func(number string) (Box, bool)                        // the mailbox of a telephone
	Mail    func(message.Mail) (id string, err error)              // sends in the background
	Filing  func(l *exchange.Line, saved func(e trace.Event) bool) // saved is given the call's recording.saved events from now on, and tells whether it has taken the file
}

// A Service is the voicemail of a switch.
type Service struct{ p Parts }

// New gives a Service.
func New(p Parts) *Service { return &Service{p} }

// Names are the scripts that run: files, or LeaveName and MenuName.
type Names struct{ Leave, Menu string }

// Script gives what runs on a call to voicemail.
func (s *Service) Script(l *exchange.Line, n Names) exchange.Script {
	return s.p.Scripts.Serve(l, script.Task{Sensitive: true}, func(ctx context.Context, c ozml.Call) error {
		v := &visit{s: s, line: l, call: c, names: n}
		if b, ok := v.missed(); ok {
			return v.leave(ctx, b)
		}
		return v.menu(ctx)
	})
}

// visit is one call to voicemail.
type visit struct {
	s     *Service
	line  *exchange.Line
	call  ozml.Call
	names Names
}

// missed tells in whose stead voicemail was reached: of the telephone that was
// dialled, or else of the first that rang; of nobody when the caller dialled
// voicemail, or himself.
func (v *visit) missed() (Box, bool) {
	i := v.line.Info()
	numbers := []string{i.Dialed}
	for _, g := range v.line.Legs() {
		if g.Party == call.Callee {
			numbers = append(numbers, g.Extension)
		}
	}
	for _, n := range numbers {
		if b, ok := v.s.p.Find(n); ok {
			return b, n != i.User
		}
	}
	return Box{}, false
}

// leave lets a caller leave a message: what the script records is one.
func (v *visit) leave(ctx context.Context, b Box) error {
	v.s.p.Filing(v.line, func(e trace.Event) bool { return v.s.file(v.line, b, e, time.Now()) })
	if err := v.call.Answer(ctx); err != nil {
		return err
	}
	t := v.task(b, v.names.Leave)
	own := b.Greeting
	if g := v.s.p.Boxes.Greeting(b.Number); g != "" {
		own = g
	}
	name := b.Name
	if name == "" {
		name = "number " + b.Number
	}
	lists := map[string][]ozml.Item{"greeting": nil, "standardgreeting": {{Text: name + " is not available. Please leave a message after the tone."}}}
	if own != "" {
		lists = map[string][]ozml.Item{"greeting": {{Text: own}}, "standardgreeting": nil}
	}
	t.Arrays = func(name string) ([]ozml.Item, bool) { a, ok := lists[name]; return a, ok }
	t.Sensitive = false
	return &script.Then{Task: t}
}

// task is what both scripts are given.
func (v *visit) task(b Box, name string) script.Task {
	return script.Task{File: name, Sensitive: true, Vars: map[string]string{
		"mailbox": b.Number, "username": b.Name, "newmessagepath": dir(b.Number, true), "oldmessagepath": dir(b.Number, false),
	}}
}

// shortest is the least that is worth keeping: a click of somebody who hangs up.
const shortest = time.Second

// file makes a recording a message, and tells who wants to know.
func (s *Service) file(l *exchange.Line, b Box, e trace.Event, at time.Time) bool {
	i := l.Info()
	told := trace.Event{Type: trace.Voicemail, Name: b.Number, Reason: "left", Seconds: e.Seconds}
	if e.Seconds < shortest.Seconds() {
		if err := s.p.Boxes.Remove(e.File); err != nil {
			told.Text = err.Error()
		}
		told.Reason = "empty"
		l.Sink().Emit(told)
		return true
	}
	m, err := s.p.Boxes.Put(b.Number, i.From, string(i.ID), e.File, at)
	if err != nil { // it stays where it is
		l.Sink().Emit(trace.Event{Type: trace.Error, Code: trace.CodeSound, Text: err.Error(), File: e.File})
		return false
	}
	told.File, told.Size = m.File, e.Size
	l.Sink().Emit(told)
	if b.Email != "" {
		s.mail(l, b, m)
	}
	return true
}

// mail sends a message by mail, with its sound.
func (s *Service) mail(l *exchange.Line, b Box, m Message) {
	from := m.From
	if from == "" {
		from = "an unknown number"
	}
	told := trace.Event{Type: trace.Voicemail, Name: b.Number, Reason: "mailed", To: b.Email}
	_, err := s.p.Mail(message.Mail{
		To: []string{b.Email}, Subject: "Voice message from " + from, Attachments: []string{m.File}, Call: string(l.Info().ID),
		Text: fmt.Sprintf("%s has left a message of %.0f seconds on %s for %s.\n\nIt is attached, and waits in the mailbox.\n",
			from, m.Seconds, m.At.Local().Format("Monday, January 2, 15:04"), b.Number),
	})
	if err != nil {
		told = trace.Event{Type: trace.Error, Code: trace.CodeSound, Text: "voice message: " + err.Error()}
	}
	l.Sink().Emit(told)
}

// menu lets the owner of a mailbox hear the messages.
func (v *visit) menu(ctx context.Context) error {
	if err := v.call.Answer(ctx); err != nil {
		return err
	}
	b, ok, err := v.owner(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return v.goodbye(ctx, "You cannot be let in. Goodbye.")
	}
	t := v.task(b, v.names.Menu)
	look := v.s.p.Boxes.watch(b.Number)
	t.Arrays = v.s.arrays(b.Number, look)
	v.s.p.Filing(v.line, func(e trace.Event) bool {
		file, err := v.s.p.Boxes.PutGreeting(b.Number, e.File)
		if err != nil {
			v.line.Sink().Emit(trace.Event{Type: trace.Error, Code: trace.CodeSound, Text: err.Error(), File: e.File})
			return false
		}
		v.line.Sink().Emit(trace.Event{Type: trace.Voicemail, Name: b.Number, Reason: "greeting", File: file, Seconds: e.Seconds})
		return true
	})
	context.AfterFunc(ctx, look) // once the call is over, or went elsewhere
	return &script.Then{Task: t}
}

// arrays are the messages of a mailbox as they are at the moment; look is called
// when they are asked for, since the script may have moved some.
func (s *Service) arrays(number string, look func()) func(string) ([]ozml.Item, bool) {
	return func(name string) (items []ozml.Item, ok bool) {
		if name != "voicemails" && name != "oldvoicemails" {
			return nil, false
		}
		look()
		for _, m := range s.p.Boxes.List(number, name == "voicemails") {
			from := m.From
			if from == "" {
				from = "unknown"
			}
			items = append(items, ozml.Item{Text: m.File, Fields: map[string]string{
				"from": from, "date": m.At.Local().Format("Monday, January 2, 15:04"), "message": m.File, "seconds": fmt.Sprintf("%.0f", m.Seconds),
			}})
		}
		return items, true
	}
}

// owner finds out whose mailbox the caller may hear: that of the telephone that he
// calls from; with its PIN, if it has one. Who calls from elsewhere names the
// mailbox, and must have its PIN.
func (v *visit) owner(ctx context.Context) (b Box, ok bool, err error) {
	i := v.line.Info()
	b, own := v.s.p.Find(i.User)
	if own && b.PIN == "" {
		return b, true, nil
	}
	for range 3 {
		if !own {
			number, err := v.digits(ctx, "Please enter the number of your mailbox, then the hash key.")
			if err != nil {
				return b, false, err
			}
			b, _ = v.s.p.Find(number)
		}
		pin, err := v.digits(ctx, "Please enter your PIN, then the hash key.")
		if err != nil {
			return b, false, err
		}
		now := time.Now()
		if b.PIN == "" || !v.s.p.Boxes.open(b.Number, now) { // to whoever guesses it looks like a wrong one
			continue
		}
		right := subtle.ConstantTimeCompare([]byte(pin), []byte(b.PIN)) == 1
		if v.s.p.Boxes.tried(b.Number, right, now); right {
			return b, true, nil
		}
	}
	v.line.Sink().Emit(trace.Event{Type: trace.Voicemail, Name: b.Number, Reason: "refused"})
	return b, false, nil
}

// digits says a text, and takes keys up to #, or to a pause.
func (v *visit) digits(ctx context.Context, text string) (string, error) {
	done := v.call.Input(ctx)
	defer done()
	until, stop := v.call.UntilKey(ctx)
	err := v.call.Speak(until, ozml.Utterance{Text: text})
	stop()
	if err != nil && !errors.Is(err, ozml.ErrKey) {
		return "", err
	}
	var got strings.Builder
	for wait := 10 * time.Second; got.Len() < 32; wait = 5 * time.Second {
		k, err := v.call.Key(ctx, wait)
		if errors.Is(err, ozml.ErrNoKey) || err == nil && k == '#' {
			break
		}
		if err != nil {
			return "", err
		}
		got.WriteByte(byte(k))
	}
	return got.String(), nil
}

func (v *visit) goodbye(ctx context.Context, text string) error {
	if err := v.call.Speak(ctx, ozml.Utterance{Text: text}); err != nil {
		return err
	}
	return v.call.Hangup(ctx)
}
