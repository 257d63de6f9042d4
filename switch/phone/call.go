package phone

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/media/rtc"
	"ozswitch/switch/call"
)

// A Call is one call of a Phone. Its methods may be called by any goroutine.
type Call struct {
	p        *Phone
	id       call.LegID
	o        Options
	to, from string
	incoming bool
	began    time.Time

	mail   chan call.Event
	asked  chan func() // what other goroutines want done
	hangup chan struct{}
	hung   sync.Once
	up     chan struct{} // closed at the answer
	done   chan struct{} // closed at the end; result is final then
	result Result

	// Owned by the call's goroutine.
	wire     pace.Wire
	web      *rtc.Wire  // below wire, of a call by WebSocket
	broken   chan error // its sound failed
	ear      *ear
	codec    *codec.Codec
	leg      *pace.Leg
	format   call.Codec // of codec, as the far end numbers it
	keys     uint8      // payload type of telephone-event
	local    call.Media // what we said last
	remote   call.Media
	onHold   bool        // by us
	change   chan error  // who waits for the outcome of our re-INVITE
	wanted   *call.Media // what it offered
	replaces *call.Replaces
	answered time.Time
	plan     []task
	pressed  []string // keys by the id of their command, from 1
	leaving  bool     // Hangup was carried out
	over     bool
}

// A task is something to be done at a moment.
type task struct {
	at time.Time
	do func()
}

const mailbox = 64

func (p *Phone) newCall(id call.LegID, o Options) *Call {
	return &Call{p: p, id: id, o: o, began: time.Now(), mail: make(chan call.Event, mailbox), asked: make(chan func()),
		hangup: make(chan struct{}), up: make(chan struct{}), done: make(chan struct{}), broken: make(chan error, 1)}
}

// From is the caller's number, To what was dialled.
func (c *Call) From() string { return c.from }

// To is what was dialled.
func (c *Call) To() string { return c.to }

// post is the leg's mailbox.
func (c *Call) post(ev call.Event) bool {
	select {
	case c.mail <- ev:
		return true
	default:
		return false
	}
}

// Answered waits for the answer. The error is a *Refused when there will be
// none; when ctx ends first the call is given up.
func (c *Call) Answered(ctx context.Context) error {
	select {
	case <-c.up:
		return nil
	case <-c.done:
	case <-ctx.Done():
		c.Hangup()
		<-c.done
	}
	select {
	case <-c.up: // answered as it was given up
		return fmt.Errorf("phone: call %s: %w", c.to, context.Cause(ctx))
	default:
		return &Refused{To: c.to, Code: c.result.Code, Reason: c.result.Reason}
	}
}

// Hangup ends the call, or gives it up; Wait tells when that is done.
func (c *Call) Hangup() { c.hung.Do(func() { close(c.hangup) }) }

// Done is closed when the call has ended.
func (c *Call) Done() <-chan struct{} { return c.done }

// Wait waits for the end of the call, and hangs up itself when ctx ends.
func (c *Call) Wait(ctx context.Context) Result {
	select {
	case <-c.done:
	case <-ctx.Done():
		c.Hangup()
		<-c.done
	}
	return c.result
}

// Press presses keys now. The error says that the call is not up or that the
// far end takes no keys.
func (c *Call) Press(keys string) error {
	return c.ask(func() error { return c.press(keys) })
}

// Say plays src, which must be of finite length, after what is playing.
func (c *Call) Say(src media.Source) error {
	return c.ask(func() error { return c.say(Say{Source: src}) })
}

// ask has the call's goroutine do something.
func (c *Call) ask(f func() error) error {
	answer := make(chan error, 1)
	select {
	case c.asked <- func() { answer <- f() }:
		return <-answer
	case <-c.done:
		return fmt.Errorf("phone: the call to %s has ended", c.to)
	}
}

// outgoing is the life of a call that we make.
func (c *Call) outgoing(target string) {
	offer := c.offer()
	c.local = offer
	c.event(Event{Kind: Dialled, Text: c.to})
	c.p.ua.Dial(call.Invite{Leg: c.id, Target: target, From: c.from, FromName: firstOf(c.o.FromName, c.p.c.Name), Offer: &offer,
		Headers: c.o.Headers, Replaces: c.o.Replaces, Private: c.o.Private}, c.post)
	c.live()
}

// called is the life of a call that comes.
func (c *Call) called(offer *call.Media) {
	c.event(Event{Kind: Ringing, Text: c.from})
	c.p.ua.Do(call.Respond{Leg: c.id, Code: 180})
	if len(c.o.Early) > 0 {
		c.early(offer)
	}
	c.at(time.Now().Add(c.o.RingFor), func() { c.answer(offer) })
	c.live()
}

// live handles what comes until the call is over.
func (c *Call) live() {
	defer c.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	hangup, stop := c.hangup, c.p.stop
	for !c.over {
		var bell <-chan struct{}
		if c.leg != nil {
			bell = c.leg.Bell()
		}
		var due <-chan time.Time
		if len(c.plan) > 0 {
			timer.Reset(time.Until(c.plan[0].at))
			due = timer.C
		}
		select {
		case ev := <-c.mail:
			c.handle(ev)
		case <-bell:
			c.heard()
		case <-due:
			t := c.plan[0]
			c.plan = c.plan[1:]
			t.do()
		case f := <-c.asked:
			f()
		case err := <-c.broken:
			c.failed(err)
			c.leave("the sound failed")
		case <-hangup:
			hangup = nil
			c.leave("hung up")
		case <-stop:
			stop = nil
			c.leave("the phone stopped")
			c.over = true // nobody waits for a far end then
		}
	}
}

// at plans a task.
func (c *Call) at(when time.Time, do func()) {
	i, _ := slices.BinarySearchFunc(c.plan, when, func(t task, at time.Time) int {
		if t.at.After(at) {
			return 1
		}
		return -1
	})
	c.plan = slices.Insert(c.plan, i, task{when, do})
}

// leave hangs up, gives up or refuses, whatever fits.
func (c *Call) leave(why string) {
	if c.leaving || c.over {
		return
	}
	c.leaving = true
	switch {
	case !c.answered.IsZero():
		c.p.ua.Do(call.Bye{Leg: c.id})
		c.end(HungUp, 0, why)
	case c.incoming:
		c.p.ua.Do(call.Respond{Leg: c.id, Code: 480})
		c.end(GaveUp, 480, why)
	default:
		c.result.Cause = GaveUp
		c.p.ua.Do(call.Cancel{Leg: c.id}) // Refused follows
	}
}

// handle takes an event of the leg.
func (c *Call) handle(ev call.Event) {
	switch v := ev.(type) {
	case call.Provisional:
		c.event(Event{Kind: Ringing, Code: v.Code, Text: v.Reason})
		if v.Media != nil && c.connect(*v.Media) {
			c.event(Event{Kind: Early})
		}
	case call.Accepted:
		c.accepted(v.Media)
	case call.Refused:
		cause := WasRefused
		if c.leaving {
			cause = GaveUp
		}
		c.end(cause, v.Code, v.Failure.Reason)
	case call.Acked:
		if v.Media != nil {
			c.connect(*v.Media)
		}
	case call.Cancelled:
		c.end(TheyHungUp, 487, v.Reason)
	case call.Ended:
		c.end(TheyHungUp, 0, v.Reason)
	case call.Lost:
		c.end(WasLost, v.Code, v.Failure.Reason)
	case call.Reoffered:
		c.reoffered(v.Offer)
	case call.Reaccepted:
		c.reaccepted(v.Media)
	case call.Rerefused:
		c.changed(&Refused{To: c.to, Code: v.Code, Reason: v.Failure.Reason})
	case call.KeyInfo:
		c.event(Event{Kind: KeyHeard, Key: v.Key})
	default:
		c.p.log.Warn("phone: an event that no leg has", "event", fmt.Sprintf("%T", ev))
	}
}

// accepted: they answered.
func (c *Call) accepted(m *call.Media) {
	c.result.Setup = time.Since(c.began)
	c.event(Event{Kind: Answered})
	c.begin()
	if m == nil || !c.connect(*m) {
		c.leave("no codec in common")
	}
}

// begin sets the clock of Options going.
func (c *Call) begin() {
	c.answered = time.Now()
	close(c.up)
	for _, k := range c.o.Keys {
		c.at(c.answered.Add(k.At), func() { c.failed(c.press(k.Keys)) })
	}
	for _, s := range c.o.Say {
		c.at(c.answered.Add(s.At), func() { c.failed(c.say(s)) })
	}
	if c.o.HangupAfter > 0 {
		c.at(c.answered.Add(c.o.HangupAfter), func() { c.leave("hung up") })
	}
}

// failed reports what could not be done as an event.
func (c *Call) failed(err error) {
	if err != nil {
		c.event(Event{Kind: Trouble, Text: err.Error()})
	}
}

// end settles how the call ended.
func (c *Call) end(cause Cause, code int, reason string) {
	if c.over {
		return
	}
	c.over = true
	c.result.Cause, c.result.Code, c.result.Reason = cause, code, reason
}

// close frees the sound and makes the result final.
func (c *Call) close() {
	ended := time.Now()
	if c.leg != nil {
		c.p.pacer.Remove(c.leg)
		c.result.Stats = c.leg.Stats()
	}
	if c.ear != nil {
		c.ear.drain()
	}
	if c.wire != nil {
		c.wire.Close()
	}
	if c.ear != nil && c.codec != nil {
		c.result.Heard = c.ear.heard(c.codec, c.began)
	}
	c.changed(errOver)
	if !c.answered.IsZero() {
		c.result.Length = ended.Sub(c.answered)
	}
	c.eventAt(ended, Event{Kind: Over, Code: c.result.Code, Text: c.result.String()})
	close(c.done)
}

// recovered is the recover boundary of a call's goroutine: a bug ends one call.
func (c *Call) recovered() {
	r := recover()
	if r == nil {
		return
	}
	c.p.panics.Add(1)
	c.p.log.Error("phone: bug caught, the call is dropped", "leg", string(c.id), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
	c.p.ua.Do(call.Cancel{Leg: c.id})
	c.p.ua.Do(call.Bye{Leg: c.id})
	select {
	case <-c.done:
	default:
		c.result.Cause, c.result.Reason = WasLost, "internal error"
		close(c.done)
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
