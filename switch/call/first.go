package call

import "time"

// This file is the life of a leg by itself: set up, answered, offered anew. What
// a dial makes of it is in ring.go.

func (c *Call) invited(e Invited) {
	l := &leg{id: e.Leg, party: Caller, number: e.From, name: e.FromName, offer: e.Offer, security: e.Security}
	l.keys.info = e.Info
	c.first, c.hops, c.private = e.Leg, e.Hops, e.Private
	c.legs, c.seats[Caller] = append(c.legs, l), l
	c.ringAt, c.endBy = c.now.Add(c.limits.RingAt), c.now.Add(c.limits.Length)
	c.enter(l, Setup, Failure{})
	c.become(Setup)
	c.script = true
	c.do(StartScript{})
}

func (c *Call) originate(e Originate) {
	if e.Leg == "" {
		c.calls, c.ticket, c.endBy = &leg{number: e.From, name: e.FromName}, e.Ticket, c.now.Add(c.limits.Length)
		c.become(Setup)
		return
	}
	l := &leg{id: e.Leg, party: Callee, number: e.To}
	l.to = &Target{Leg: e.Leg, URI: e.Target, Phone: e.Phone, From: e.From, FromName: e.FromName, Web: e.Web, Number: e.To, Security: e.Security}
	c.first, c.ticket, c.ringTime = e.Leg, e.Ticket, e.RingTime
	if c.ringTime == 0 {
		c.ringTime = c.limits.RingTime
	}
	c.legs, c.seats[Callee] = append(c.legs, l), l
	l.setUpBy, c.endBy = c.now.Add(c.limits.SetUp), c.now.Add(c.limits.Length)
	c.enter(l, Setup, Failure{})
	c.become(Setup)
	c.open(l, OpenMedia{Web: e.Web, Security: e.Security})
}

func (c *Call) ringAwaited(e RingAwaited) {
	switch {
	case c.state == Completed:
		c.settle(e.Ticket, Failure{487, "the call is over"})
	case c.state != Setup:
		c.settle(e.Ticket, Failure{})
	case c.ticket != 0:
		c.settle(e.Ticket, Failure{491, "somebody else waits"})
	default:
		c.ticket = e.Ticket
	}
}

func (c *Call) open(l *leg, o OpenMedia) {
	o.Leg, l.opening = l.id, true
	c.do(o)
}

func (c *Call) provisional(l *leg, e Provisional) {
	if l.to == nil || l.state > Ringing || e.Code < 180 {
		return
	}
	if l.state == Setup {
		c.rings(l)
	}
	if c.dialled(l) {
		c.progress(l, e.Media)
	}
}

// rings notes that the phone of a leg that we call rings.
func (c *Call) rings(l *leg) {
	l.setUpBy = time.Time{}
	c.enter(l, Ringing, Failure{})
	if c.dialled(l) {
		return
	}
	c.ringBy = c.now.Add(c.ringTime)
	c.become(Ringing)
	c.settlePending(Failure{})
}

// ringing lets the caller, who was not answered, hear that something rings.
func (c *Call) ringing(l *leg) {
	if l == nil || l.state != Setup || l.to != nil {
		return
	}
	c.do(Respond{Leg: l.id, Code: 180})
	c.enter(l, Ringing, Failure{})
	c.become(Ringing)
}

// neverRang gives up a leg that we call.
func (c *Call) neverRang(l *leg) {
	f := Failure{408, "it did not ring in time"}
	if c.dialled(l) {
		c.giveUp(l, f, l.goodbye("no ringing"))
		return
	}
	c.end(NoAnswer, f, "no ringing")
}

func (c *Call) accepted(l *leg, e Accepted) {
	if l.to == nil || l.state > Ringing {
		return
	}
	l.keys.info = e.Info
	if e.Media == nil || len(e.Media.Codecs) == 0 {
		f, bye := Failure{488, "the callee answered without sound"}, Bye{Leg: l.id, Reason: "no sound was agreed"}
		if c.dialled(l) {
			c.giveUp(l, f, bye)
			return
		}
		c.say(l, bye)
		c.end(Failed, f, "")
		return
	}
	if l.state == Setup {
		c.rings(l) // some phones pick up without ringing
	}
	if c.dialled(l) {
		c.won(l, *e.Media)
		return
	}
	c.ringBy = time.Time{}
	c.connect(l, *e.Media)
	c.enter(l, InCall, Failure{})
	c.become(InCall)
	c.script = true
	c.do(StartScript{Connected: true})
}

func (c *Call) refused(l *leg, e Refused) {
	c.say(l, nil)
	f := e.failure()
	if c.dialled(l) {
		if e.Code < 400 && c.dial.contacts == nil {
			c.dial.contacts = e.Contacts
		}
		c.giveUp(l, f, nil)
		return
	}
	c.end(refusal(f.Code), f, "")
}

// hungUp: the far end of a leg has left.
func (c *Call) hungUp(l *leg, r Result, f Failure) {
	c.say(l, nil)
	switch {
	case c.dialled(l):
		c.giveUp(l, f, nil)
	case c.unpicked(l, f), c.leaves(l):
	default:
		c.end(r, f, "")
	}
}

func (c *Call) connect(l *leg, remote Media) {
	l.heard = true
	l.agreedOn(remote)
	l.keys.agreed(remote, l.local)
	c.do(ConnectMedia{l.id, remote})
	c.listens(l, holding(remote))
	c.mix()
}

func (c *Call) answerWanted(e AnswerWanted) {
	l := c.leg(c.first)
	switch {
	case l != nil && l.up(), l == nil && (c.state == InCall || c.state == Held): // it was answered, and went on without who came
		c.settle(e.Ticket, Failure{})
	case l == nil, l.to != nil, c.ticket != 0, c.dial != nil && c.dial.winner != nil:
		c.settle(e.Ticket, Failure{487, "there is nothing to answer"})
	default:
		c.ticket = e.Ticket
		c.answer(l, nil)
	}
}

// answer picks up a leg that came; peer is what the other party speaks. It is
// up when the sound was opened.
func (c *Call) answer(l *leg, peer *Media) {
	switch {
	case l.opened: // by a 183
		c.pickedUp(l)
	case !l.opening:
		c.open(l, OpenMedia{Remote: l.offer, Peer: peer, Security: l.security})
	}
}

func (c *Call) mediaOpened(l *leg, e MediaOpened) {
	l.opening, l.opened, l.local = false, true, e.Media
	local := e.Media
	if t := l.to; t != nil {
		c.do(Invite{
			Leg: l.id, Target: t.URI, Phone: t.Phone, From: t.From, FromName: t.FromName, Offer: &local, Line: t.Line, Headers: t.Headers,
			Hops: c.hops, Private: c.private,
		})
		return
	}
	if d := c.dial; c.ticket == 0 && d != nil && d.early != nil && d.winner == nil && d.stays == l {
		c.soundEarly(l)
		return
	}
	c.pickedUp(l)
}

// pickedUp answers a leg whose sound is open.
func (c *Call) pickedUp(l *leg) {
	c.ringAt, c.cause = time.Time{}, 0
	local := l.local
	c.do(Respond{Leg: l.id, Code: 200, Media: &local})
	if l.offer != nil && !l.heard {
		c.connect(l, *l.offer)
		l.agreedOn(local)
	}
	c.enter(l, InCall, Failure{})
	c.become(InCall)
	if l.id == c.first && (l.offer != nil || l.heard) {
		c.settlePending(Failure{}) // else sound begins with the answer in the ACK, and so does the script
	}
	if c.dial != nil {
		c.answered(l)
	}
}

func (c *Call) mediaFailed(l *leg, e MediaFailed) {
	if c.dialled(l) {
		c.giveUp(l, e.Failure, l.goodbye(e.Reason))
		return
	}
	if !l.up() && l.to == nil {
		c.say(l, Respond{Leg: l.id, Code: e.Code, Warning: e.Reason})
	}
	if c.unpicked(l, e.Failure) {
		return
	}
	c.end(Failed, e.Failure, e.Reason)
}

func (c *Call) acked(l *leg, e Acked) {
	if !l.up() {
		return
	}
	if l.heard {
		if e.Media != nil && len(e.Media.Codecs) > 0 { // a re-INVITE without SDP asked for our offer
			c.connect(l, *e.Media)
		}
		return
	}
	if e.Media == nil || len(e.Media.Codecs) == 0 {
		c.end(Failed, Failure{488, "the ACK brought no answer to our offer"}, "no sound was agreed")
		return
	}
	c.connect(l, *e.Media)
	c.settlePending(Failure{})
}

func (c *Call) reoffered(l *leg, e Reoffered) {
	if !l.up() || l.reoffer != nil {
		c.do(Respond{Leg: l.id, Code: 491})
		return
	}
	if e.Offer == nil {
		c.do(Respond{Leg: l.id, Code: 200, Media: l.anew(SendRecv)}) // the far end is free to hold us still
		return
	}
	l.reoffer = e.Offer
	c.do(AgreeMedia{l.id, *e.Offer})
}

// agreed is the answer to the offer that a re-INVITE brought.
func (c *Call) agreed(l *leg, e MediaAgreed) {
	if l.reoffer == nil || !l.up() {
		return
	}
	remote, local := *l.reoffer, e.Media
	l.reoffer, l.local = nil, local
	remote.Codecs = local.Codecs // so that the sound goes by what we answer
	c.connect(l, remote)
	c.do(Respond{Leg: l.id, Code: 200, Media: &local})
}

func (c *Call) disagreed(l *leg, e MediaDisagreed) {
	if l.reoffer == nil || !l.up() {
		return
	}
	l.reoffer = nil
	c.do(Respond{Leg: l.id, Code: 488, Warning: e.Reason})
}

func (c *Call) rejectWanted(e RejectWanted) {
	l := c.leg(c.first)
	if l == nil || l.up() || l.to != nil {
		c.settle(e.Ticket, Failure{400, "the call was answered already"})
		return
	}
	c.say(l, Respond{Leg: l.id, Code: e.Code, Reason: e.Reason})
	r := refusal(e.Code)
	if r == Failed && e.Code < 500 {
		r = Rejected
	}
	c.end(r, e.Failure, "")
	c.settle(e.Ticket, Failure{})
}
