package server

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
	"ozswitch/switch/presence"
	"ozswitch/switch/sip"
)

// The event packages that telephones may subscribe to.
const (
	eventDialog = "dialog"
	eventBox    = "message-summary"
)

// Mailboxes know how many messages wait in the mailbox of an extension: new ones
// and those that were heard.
type Mailboxes interface {
	Counts(number string) (fresh, old int)
}

// Phones tells telephones of each other: who is in a call (the lamps beside the
// keys of a desk telephone), how many voice messages wait, and the texts that they
// send to one another. It implements sip.Events; who changes something only notes
// what, and one goroutine tells it.
type Phones struct {
	s    *Server
	bell chan struct{}

	mu    sync.Mutex
	boxes Mailboxes                    // nil = there is no voicemail
	calls map[string]map[string]*watch // by extension, then by call and leg
	known map[string][2]int            // what mailboxes hold, of those that are watched
	news  map[sip.Watch]bool           // what has changed and was not told

	texts texts
}

// A watch is one call of an extension as others are told of it.
type watch struct {
	presence.Dialog
	since    time.Time // it was called or calls
	answered time.Time
}

func newPhones(s *Server) *Phones {
	p := &Phones{
		s: s, bell: make(chan struct{}, 1), calls: map[string]map[string]*watch{}, known: map[string][2]int{}, news: map[sip.Watch]bool{},
		texts: texts{lanes: map[string][]errand{}, waiting: map[string]int{}},
	}
	p.texts.ctx, p.texts.stop = context.WithCancel(context.Background())
	return p
}

// Phones tells telephones of each other.
func (s *Server) Phones() *Phones { return s.phones }

// SetMailboxes says who knows of voice messages; call it before Run.
func (p *Phones) SetMailboxes(m Mailboxes) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.boxes = m
}

// MailboxChanged is to be called when the voice messages of an extension have
// changed. It does not wait.
func (p *Phones) MailboxChanged(number string) { p.tell(eventBox, number) }

// tell notes that somebody is to be told.
func (p *Phones) tell(event, number string) {
	p.mu.Lock()
	p.news[sip.Watch{Event: event, Number: number}] = true
	p.mu.Unlock()
	select {
	case p.bell <- struct{}{}:
	default:
	}
}

// run tells what has changed, until ctx ends.
func (p *Phones) run(ctx context.Context) error {
	defer p.texts.wg.Wait()
	defer p.texts.stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.bell:
		}
		p.mu.Lock()
		news := p.news
		p.news = map[sip.Watch]bool{}
		p.mu.Unlock()
		for w := range news {
			p.guard("phones", func() { p.told(w) })
		}
	}
}

// guard keeps a fault of ours to itself.
func (p *Phones) guard(where string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			p.s.panicked(where)
			p.s.log.Error("panic where phones are told", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	f()
}

// told tells one change to all who watch.
func (p *Phones) told(w sip.Watch) {
	if w.Event == eventBox {
		p.count(w.Number)
	}
	p.s.sip.Notify(w.Event, w.Number)
	if w.Event == eventDialog {
		p.mu.Lock()
		defer p.mu.Unlock()
		for id, c := range p.calls[w.Number] { // that it is over was told
			if c.State == presence.Terminated && !p.news[w] {
				delete(p.calls[w.Number], id)
			}
		}
		if len(p.calls[w.Number]) == 0 {
			delete(p.calls, w.Number)
		}
	}
}

// count asks for what a mailbox holds, if somebody wants to know.
func (p *Phones) count(number string) {
	p.mu.Lock()
	boxes := p.boxes
	p.mu.Unlock()
	watched := p.s.sip.Watched(eventBox, number)
	var n [2]int
	if watched && boxes != nil {
		n[0], n[1] = boxes.Counts(number)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if delete(p.known, number); watched {
		p.known[number] = n
	}
}

// Watch implements sip.Events: who has logged in sees all calls inside, and his own
// mailbox, which he may also name by the number of voicemail.
func (p *Phones) Watch(w sip.Watch) (number string, code int, reason string) {
	e, ok := p.s.state.Load().exts.Find(w.Number)
	switch {
	case !ok:
		return "", 404, "Not Found"
	case w.Event == eventDialog:
		return w.Number, 0, ""
	case w.Number == w.User || e.Type == extension.Voicemail:
		return w.User, 0, ""
	}
	return "", 403, "Forbidden (not your mailbox)"
}

// Document implements sip.Events.
func (p *Phones) Document(w sip.Watch, version uint32) []byte {
	domain := p.s.state.Load().cfg.SIP.Domain
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.Event == eventBox {
		n, ok := p.known[w.Number]
		if !ok { // who knows may have to look on a disk
			p.news[w.Topic()] = true
			select {
			case p.bell <- struct{}{}:
			default:
			}
			return nil
		}
		return presence.Summary(w.Number, domain, n[0], n[1])
	}
	var list []*watch
	for _, c := range p.calls[w.Number] {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *watch) int { return a.since.Compare(b.since) })
	var all []presence.Dialog
	for _, c := range list {
		d := c.Dialog
		if !c.answered.IsZero() {
			d.Duration = int(time.Since(c.answered) / time.Second)
		}
		all = append(all, d)
	}
	return presence.DialogInfo(w.Number, domain, version, all)
}

// LegChanged is exchange.Config.LegChanged. What is told of one leg may name
// another, so all of the call are looked at.
func (p *Phones) LegChanged(l *exchange.Line, _ exchange.Leg) {
	legs, info := l.Legs(), l.Info()
	for _, g := range legs {
		if g.Extension != "" {
			p.leg(info, g, other(info, legs, g))
		}
	}
}

// other is who is at the other end of a leg; nobody is said for a caller who wants
// nobody told.
func other(info exchange.Info, legs []exchange.Leg, of exchange.Leg) (who presence.Identity) {
	if info.Private && of.ID != info.Leg {
		return who // whom it calls was not told either
	}
	for _, g := range legs {
		if g.ID != of.ID && g.Party == of.Party.Other() && (g.Ended.IsZero() || who.Number == "") {
			who = presence.Identity{Number: g.Number, Name: g.Name}
		}
	}
	switch {
	case who.Number != "":
	case of.ID != info.Leg:
		who = presence.Identity{Number: info.From, Name: info.FromName}
	case info.Outgoing:
		who.Number = info.From
	default:
		who.Number = info.Dialed
	}
	return who
}

// leg notes where a leg stands now.
func (p *Phones) leg(info exchange.Info, g exchange.Leg, who presence.Identity) {
	d := presence.Dialog{
		ID: fmt.Sprintf("%s.%s", info.ID, g.ID), Calls: g.ID == info.Leg && !info.Outgoing, Held: g.State == call.Held,
		Local: presence.Identity{Number: g.Extension}, Remote: who,
	}
	switch g.State {
	case call.Setup:
		d.State = presence.Trying
	case call.Ringing:
		d.State = presence.Early
	case call.InCall, call.Held:
		d.State = presence.Confirmed
	case call.Completed:
		d.State = presence.Terminated
	}
	if e, ok := p.s.state.Load().exts.Find(g.Extension); ok {
		d.Local.Name = e.Name
	}
	p.mu.Lock()
	c := p.calls[g.Extension][d.ID]
	if c == nil && d.State == presence.Terminated || c != nil && (c.Dialog == d || c.State == presence.Terminated) {
		p.mu.Unlock()
		return
	}
	if c == nil {
		c = &watch{since: g.Started}
		if p.calls[g.Extension] == nil {
			p.calls[g.Extension] = map[string]*watch{}
		}
		p.calls[g.Extension][d.ID] = c
	}
	c.Dialog, c.answered = d, g.Answered
	p.mu.Unlock()
	p.tell(eventDialog, g.Extension)
}

// finished ends what is told of a call that has left, however it did.
func (p *Phones) finished(l *exchange.Line) {
	info := l.Info()
	for _, g := range l.Legs() {
		if g.Extension != "" {
			g.State = call.Completed
			p.leg(info, g, presence.Identity{})
		}
	}
}
