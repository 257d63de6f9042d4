package server

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"ozswitch/switch/extension"
	"ozswitch/switch/sip"
	"ozswitch/switch/store"
)

// The limits of text messages.
const (
	mostInLane  = 32              // texts that are under way to one extension
	mostWaiting = 200             // that wait for one extension
	mostKept    = 5000            // that wait in all
	textWithin  = 4 * time.Second // a telephone has the text, or is away
	textPatient = 6 * time.Second // how long a text may be in its lane; then it is kept, since its sender waits
)

// texts are the text messages from one telephone to another (RFC 3428). Each
// extension has a lane, a goroutine for as long as there is something in it, so
// that texts keep their order; those for a telephone that is away wait in the store.
type texts struct {
	wg   sync.WaitGroup
	ctx  context.Context // ends with the Phones
	stop context.CancelFunc

	mu      sync.Mutex
	lanes   map[string][]errand
	waiting map[string]int // how many wait in the store, by extension: never less than there are
	kept    int

	// SMS takes a text to an API or script extension; nil = nobody does. It answers
	// as sip.Texts does, and must not wait.
	SMS func(e extension.Extension, t sip.Text, answer func(code int, reason string))
}

// An errand is one text on its way; with no answer the texts that wait are to be
// delivered.
type errand struct {
	text   sip.Text
	answer func(code int, reason string)
}

// load counts what an earlier run has kept.
func (p *Phones) load(from store.Store) error {
	all, err := from.Texts(context.Background(), "", mostKept)
	for _, t := range all {
		p.texts.waiting[t.To]++
		p.texts.kept++
	}
	return err
}

// Text is sip.Texts.
func (p *Phones) Text(t sip.Text, answer func(code int, reason string)) {
	e, ok := p.s.state.Load().exts.Find(t.To)
	switch {
	case !ok:
		answer(404, "")
	case e.RunsScript() && p.texts.SMS != nil:
		p.texts.SMS(e, t, answer)
	case e.Type != extension.Phone:
		answer(488, "Not Acceptable Here (no phone)")
	case !p.lane(t.To, errand{t, answer}):
		answer(503, "")
	}
}

// arrived lets what waits for an extension be delivered: a telephone of it has
// registered.
func (p *Phones) arrived(number string) {
	p.texts.mu.Lock()
	waits := p.texts.waiting[number] > 0
	p.texts.mu.Unlock()
	if waits {
		p.lane(number, errand{})
	}
}

// lane puts an errand behind the others of an extension; false = there are too many.
func (p *Phones) lane(number string, e errand) bool {
	p.texts.mu.Lock()
	defer p.texts.mu.Unlock()
	queue, runs := p.texts.lanes[number]
	if len(queue) >= mostInLane {
		return false
	}
	p.texts.lanes[number] = append(queue, e)
	if !runs {
		p.texts.wg.Go(func() {
			for e, ok := p.next(number); ok; e, ok = p.next(number) {
				p.guard("texts", func() {
					if e.answer != nil {
						defer e.answer(500, "") // counts when nothing else was answered
					}
					p.run1(number, e)
				})
			}
		})
	}
	return true
}

// next takes the first errand of a lane, which ends with the last.
func (p *Phones) next(number string) (e errand, ok bool) {
	p.texts.mu.Lock()
	defer p.texts.mu.Unlock()
	queue := p.texts.lanes[number]
	if len(queue) == 0 {
		delete(p.texts.lanes, number)
		return e, false
	}
	p.texts.lanes[number] = queue[1:]
	return queue[0], true
}

// run1 does one errand: what waits goes first.
func (p *Phones) run1(number string, e errand) {
	late := e.answer != nil && time.Since(e.text.Sent) > textPatient
	there := !late && p.deliver(number)
	if e.answer == nil {
		return
	}
	if there {
		code := p.relay(number, e.text)
		if code/100 == 2 {
			e.answer(200, "")
			return
		}
		if final(code) {
			e.answer(code, "")
			return
		}
	}
	if err := p.keep(e.text); err != nil {
		p.s.log.Warn("a text was not kept", "from", e.text.From, "to", number, "err", err)
		e.answer(480, "")
		return
	}
	e.answer(202, "")
	if late {
		p.arrived(number)
	}
}

// final tells whether a telephone will never take a text that it refused so.
func final(code int) bool {
	switch code {
	case 401, 403, 407, 408, 480, 486, 487, 491:
		return false // who is away, busy, or not himself
	}
	return code/100 == 4 || code/100 == 6
}

// relay sends a text to all telephones of an extension at once, and gives 200 when
// one took it; else the answer of one that will never take it, or 480.
func (p *Phones) relay(number string, t sip.Text) int {
	ctx, cancel := context.WithTimeout(p.texts.ctx, textWithin)
	defer cancel()
	bindings := p.s.sip.Bindings(number)
	codes := make(chan int, len(bindings))
	for _, b := range bindings {
		p.texts.wg.Go(func() {
			code := 500
			defer func() { codes <- code }()
			p.guard("texts", func() { code = p.s.sip.SendText(ctx, b, t).Code })
		})
	}
	best := 480
	for range bindings {
		switch code := <-codes; {
		case code/100 == 2 || best/100 == 2:
			best = 200
		case final(code):
			best = code
		}
	}
	return best
}

// keep lets a text wait for its telephone.
func (p *Phones) keep(t sip.Text) error {
	p.texts.mu.Lock()
	defer p.texts.mu.Unlock()
	if p.texts.waiting[t.To] >= mostWaiting || p.texts.kept >= mostKept {
		return errors.New("too many wait")
	}
	err := p.s.store.PutText(store.Text{ID: rand.Text(), From: t.From, FromName: t.FromName, To: t.To, Type: t.Type, Body: t.Body, Came: t.Sent})
	if err == nil {
		p.texts.waiting[t.To]++
		p.texts.kept++
	}
	return err
}

// deliver sends what waits for an extension, the oldest first, and tells whether
// nothing is left of it.
func (p *Phones) deliver(number string) bool {
	for {
		p.texts.mu.Lock()
		n := p.texts.waiting[number]
		p.texts.mu.Unlock()
		if n == 0 {
			return true
		}
		all, err := p.s.store.Texts(p.texts.ctx, number, 16)
		if err != nil {
			p.s.log.Error("texts that wait cannot be read", "extension", number, "err", err)
			return false
		}
		if len(all) == 0 { // they were swept
			p.less(number, n)
			return true
		}
		for _, t := range all {
			code := p.relay(number, sip.Text{From: t.From, FromName: t.FromName, To: t.To, Type: t.Type, Body: t.Body, Sent: t.Came})
			if code/100 != 2 && !final(code) {
				return false
			}
			if final(code) {
				p.s.log.Warn("a text that waited was refused by its phone, and is gone", "from", t.From, "to", number, "code", code)
			}
			if err := p.s.store.DropText(t.ID); err != nil { // it may come twice
				p.s.log.Warn("a text that was delivered is still kept", "to", number, "err", err)
				return false
			}
			p.less(number, 1)
		}
	}
}

// less counts texts that wait no longer.
func (p *Phones) less(number string, n int) {
	p.texts.mu.Lock()
	defer p.texts.mu.Unlock()
	p.texts.kept = max(0, p.texts.kept-n)
	if p.texts.waiting[number] -= n; p.texts.waiting[number] <= 0 {
		delete(p.texts.waiting, number)
	}
}
