package call

import (
	"slices"
	"time"
)

// A dial is what rings until somebody has answered and is joined with the party
// that stays.
type dial struct {
	DialWanted
	stays   *leg
	leaves  *leg      // whose place is taken; nil when nobody leaves, or has left
	party   Party     // the role of who answers
	legs    []*leg    // that have not answered, oldest first
	waiting []waiting // soonest first
	ringBy  time.Time // zero until one rings

	rung   bool // the party that stays is to hear that it rings
	early  *leg // whose sound it hears instead
	winner *leg // has answered; the party that stays is being answered
	picked *leg // picks up what rang and is being answered itself

	best     Failure // of all that failed
	contacts []string
}

// A waiting target rings later.
type waiting struct {
	Target
	at time.Time
}

func (d *dial) next() time.Time {
	if len(d.waiting) > 0 && (d.ringBy.IsZero() || d.waiting[0].at.Before(d.ringBy)) {
		return d.waiting[0].at
	}
	return d.ringBy
}

// dialled tells whether l is called by the dial and has not won.
func (c *Call) dialled(l *leg) bool { return c.dial != nil && slices.Contains(c.dial.legs, l) }

func (c *Call) dialWanted(e DialWanted) {
	d := &dial{DialWanted: e}
	if f := c.mayDial(d); f.Code != 0 {
		c.settle(e.Ticket, f)
		return
	}
	if d.RingTime == 0 {
		d.RingTime = c.limits.RingTime
	}
	c.dial, c.ringAt = d, time.Time{}
	c.left, c.leftBy = "", time.Time{}
	for _, t := range d.Targets {
		d.waiting = append(d.waiting, waiting{t, c.now.Add(t.After)})
	}
	slices.SortStableFunc(d.waiting, func(a, b waiting) int { return a.at.Compare(b.at) })
	c.mix()
	c.ringNext()
}

// mayDial finds who stays and who leaves, or why it cannot be.
func (c *Call) mayDial(d *dial) Failure {
	switch {
	case c.state == Completed:
		return Failure{487, "the call is over"}
	case c.dial != nil:
		return Failure{491, "another dial is under way"}
	case len(d.Targets) == 0:
		return Failure{404, "there is nobody to ring"}
	case c.hops < 0:
		return Failure{483, "the call was passed on too often"}
	}
	if c.calls != nil {
		d.stays, d.party = c.calls, Callee
		return Failure{}
	}
	switch {
	case d.Instead == "" && c.together():
		return Failure{491, "two are talking: who is to leave?"}
	case d.Instead == "" || d.Instead == c.left:
		if d.stays = c.seats[Caller]; d.stays == nil {
			d.stays = c.seats[Callee]
		}
	default:
		if d.leaves = c.leg(d.Instead); d.leaves != nil {
			d.stays = c.other(d.leaves)
		}
	}
	if d.stays == nil || d.stays.to != nil && !d.stays.up() {
		return Failure{481, "there is nobody to join with"}
	}
	d.party = d.stays.party.Other()
	return Failure{}
}

// ringNext calls the targets whose time has come, and when none rings the next
// one before its time.
func (c *Call) ringNext() {
	d := c.dial
	for len(d.waiting) > 0 && (c.due(d.waiting[0].at) || len(d.legs) == 0) {
		t := d.waiting[0].Target
		d.waiting = d.waiting[1:]
		if t.From == "" {
			t.From = d.stays.number
			if t.FromName == "" {
				t.FromName = d.stays.name
			}
		}
		l := &leg{id: t.Leg, party: d.party, to: &t, number: t.Number, setUpBy: c.now.Add(c.limits.SetUp)}
		c.legs, d.legs = append(c.legs, l), append(d.legs, l)
		c.enter(l, Setup, Failure{})
		c.open(l, OpenMedia{Web: t.Web, Peer: d.stays.speaks(), Codecs: t.Codecs, Security: t.Security})
	}
}

func (c *Call) dialTick() {
	d := c.dial
	if !c.due(d.ringBy) {
		c.ringNext()
		return
	}
	f := Failure{480, "nobody answered"}
	d.waiting = nil
	c.giveUpAll(f, "no answer", false)
	d.fail(f)
	c.dialFailed(d.best)
}

// progress: a target rings, or lets us hear something. The first word of it
// reaches the party that stays.
func (c *Call) progress(l *leg, sound *Media) {
	d, s := c.dial, c.dial.stays
	if d.ringBy.IsZero() {
		d.ringBy = c.now.Add(d.RingTime)
		c.refer(180, "Ringing")
	}
	switch {
	case d.early != nil:
	case sound != nil && len(sound.Codecs) > 0 && len(d.Targets) == 1 && !d.Quiet && (s.up() || s.offer != nil):
		d.early = l
		c.connect(l, *sound)
		if !s.opened && !s.opening {
			c.open(s, OpenMedia{Remote: s.offer, Peer: l.speaks(), Security: s.security})
		}
	default:
		d.rung = true
		if s == c.calls {
			c.become(Ringing)
			c.settlePending(Failure{})
		} else if !s.heard {
			c.ringing(s)
		}
		c.mix()
	}
}

// soundEarly lets the caller, who is not answered, hear the target's sound.
func (c *Call) soundEarly(s *leg) {
	local := s.local
	c.do(Respond{Leg: s.id, Code: 183, Media: &local})
	c.connect(s, *s.offer)
	s.agreedOn(local)
	if s.state == Setup {
		c.enter(s, Ringing, Failure{})
	}
	c.become(Ringing)
}

// won: somebody answered. The others need not ring any more; the party that
// stays is answered with what the winner speaks, if that was not done.
func (c *Call) won(l *leg, remote Media) {
	d := c.dial
	d.legs = slices.DeleteFunc(d.legs, func(o *leg) bool { return o == l })
	c.connect(l, remote)
	c.answeredBy(l)
}

// answeredBy lets l, which is up, have the dial.
func (c *Call) answeredBy(l *leg) {
	d := c.dial
	l.state, d.winner, d.waiting, d.ringBy = InCall, l, nil, time.Time{}
	c.giveUpAll(Failure{487, Elsewhere}, "", true)
	switch {
	case d.stays == c.calls:
		c.reached()
		return
	case d.stays.up():
		c.joined()
		return
	}
	c.answer(d.stays, l.speaks())
}

// answered: a leg that came was picked up while something rings.
func (c *Call) answered(l *leg) {
	switch d := c.dial; {
	case d.picked == l:
		d.picked = nil
		c.answeredBy(l)
		return
	case d.stays == l && d.winner != nil:
		c.joined()
		return
	}
	c.mix()
}

// joined ends the dial: the two hear each other, the script is over.
func (c *Call) joined() {
	d := c.dial
	c.dial = nil
	c.unhold(d.leaves)
	c.seats[d.party] = d.winner
	if d.winner.to != nil || d.Instead != "" { // one that came has told it
		c.tell(d.winner, LegChanged{State: InCall, Instead: d.Instead})
	}
	c.mix()
	c.leave(d.leaves)
	c.settle(d.Ticket, Failure{})
	if c.script && !c.stopped && !d.Keep {
		c.stopped = true
		c.do(StopScript{Transferred})
	}
}

// reached ends the dial of a call of ours: who answered talks with a script.
func (c *Call) reached() {
	d := c.dial
	c.dial, c.calls, c.seats[Callee] = nil, nil, d.winner
	c.enter(d.winner, InCall, Failure{})
	c.mix()
	c.become(InCall)
	c.settlePending(Failure{})
	c.settle(d.Ticket, Failure{})
	c.script = true
	c.do(StartScript{Connected: true})
}

// leave sends away who was replaced.
func (c *Call) leave(l *leg) {
	if l == nil {
		return
	}
	if l.referred {
		c.do(ReferProgress{Leg: l.id, Code: 200, Reason: "OK"})
	}
	last := l.goodbye("replaced")
	if _, early := last.(Respond); early {
		last = Respond{Leg: l.id, Code: 487}
	}
	c.say(l, last)
	c.drop(l, Failure{})
}

// giveUp: a target will not answer.
func (c *Call) giveUp(l *leg, f Failure, last Effect) {
	d := c.dial
	if !l.gone {
		c.say(l, last)
	}
	d.fail(f)
	c.lose(l, f)
	if len(d.legs) > 0 {
		return
	}
	if len(d.waiting) > 0 {
		c.ringNext()
		return
	}
	c.dialFailed(d.best)
}

// giveUpAll cancels what rings.
func (c *Call) giveUpAll(f Failure, why string, elsewhere bool) {
	for _, l := range slices.Clone(c.dial.legs) {
		last := l.goodbye(why)
		if k, ok := last.(Cancel); ok {
			k.Elsewhere = elsewhere
			last = k
		}
		c.say(l, last)
		c.lose(l, f)
	}
}

// lose forgets a leg that rang.
func (c *Call) lose(l *leg, f Failure) {
	d := c.dial
	d.legs = slices.DeleteFunc(d.legs, func(o *leg) bool { return o == l })
	if d.early == l {
		d.early = nil
	}
	if len(d.legs) == 0 {
		d.rung = false
	}
	c.drop(l, f)
}

// dialFailed ends the dial: all is as it was before, and whoever asked is told.
func (c *Call) dialFailed(f Failure) {
	d := c.dial
	if !d.More {
		c.refer(f.Code, f.Reason)
	}
	c.dial = nil
	c.mix()
	if d.stays.state == Setup && d.stays != c.calls {
		c.ringAt = c.now.Add(c.limits.RingAt)
	}
	if d.Ticket != 0 {
		c.do(Settle{Ticket: d.Ticket, Failure: f, Contacts: d.contacts})
	}
	switch gone := d.Instead != "" && d.leaves == nil && (!c.script || c.stopped); {
	case gone && d.More:
		c.left, c.leftBy = d.Instead, c.now.Add(patience)
	case gone:
		c.end(c.leftAs(), f, "nobody answered")
	}
}

func (c *Call) dialGivenUp(e DialGivenUp) {
	if d := c.dial; d != nil && d.Ticket == e.Ticket && d.winner == nil && d.picked == nil {
		f := Failure{487, "given up"}
		d.waiting = nil
		c.giveUpAll(f, "given up", false)
		c.dialFailed(f)
	}
}

// fail keeps the failure that says most: somebody who is busy is there.
func (d *dial) fail(f Failure) {
	rank := func(code int) int {
		switch refusal(code) {
		case Busy:
			return 5
		case NoAnswer:
			return 4
		case Rejected:
			return 3
		case NotFound:
			return 2
		case None:
			return 0
		}
		return 1
	}
	if d.best.Code == 0 || rank(f.Code) > rank(d.best.Code) {
		d.best = f
	}
}

// failure is why our INVITE was refused. Where the status is vague and a gateway
// tells the cause (Q.850), that counts.
func (e Refused) failure() Failure {
	f := e.Failure
	if r := refusal(f.Code); r != Failed && f.Code != 480 || f.Code < 400 {
		return f
	}
	switch e.Q850 {
	case 1, 28:
		f.Code = 404
	case 17:
		f.Code = 486
	case 18, 19:
		f.Code = 480
	case 21:
		f.Code = 603
	}
	return f
}

// unpicked: whoever picked up what rings has left before it was answered.
func (c *Call) unpicked(l *leg, f Failure) bool {
	d := c.dial
	if d == nil || d.picked != l {
		return false
	}
	c.drop(l, f)
	c.dialFailed(Failure{480, "whoever picked it up has left"})
	return true
}
