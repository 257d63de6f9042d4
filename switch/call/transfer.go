package call

import (
	"slices"
	"time"
)

// patience is how long the call waits for somebody to be dialled in place of a
// party who asked for that and has hung up already.
const patience = 10 * time.Second

// referred: a far end wants to be replaced. Who is asked for is the shell's to
// find out.
func (c *Call) referred(l *leg, e Referred) {
	no := func(code int, why string) { c.do(ReferProgress{Leg: l.id, Code: code, Reason: why}) }
	switch {
	case !l.up() || c.dial != nil:
		no(491, "Request Pending")
	case e.Replaces == nil && c.other(l) == nil:
		no(603, "Decline")
	default:
		l.referred = true
		c.do(TransferAsked{Leg: l.id, To: e.To, Replaces: e.Replaces})
	}
}

// transferRefused: nobody will be dialled in place of a leg.
func (c *Call) transferRefused(e TransferRefused) {
	if l := c.leg(e.Leg); l != nil && l.referred {
		l.referred = false
		c.do(ReferProgress{Leg: l.id, Code: e.Code, Reason: e.Reason})
	} else if e.Leg == c.left && c.left != "" {
		c.end(c.leftAs(), e.Failure, "nobody takes the place of who left")
	}
}

// left tells whether the far end of l asked to be replaced before it hung up, so
// that the call goes on without it.
func (c *Call) leaves(l *leg) bool {
	d := c.dial
	switch {
	case d != nil && d.leaves == l:
		d.leaves = nil
	case d == nil && l.referred && c.other(l) != nil:
		c.left, c.leftBy = l.id, c.now.Add(patience)
	default:
		return false
	}
	c.drop(l, Failure{})
	return true
}

// leftAs is how a call ends that nobody goes on with after one party left.
func (c *Call) leftAs() Result {
	if c.seats[Callee] == nil {
		return ByCallee
	}
	return ByCaller
}

// refer tells the far end that asked to be replaced how it goes.
func (c *Call) refer(code int, reason string) {
	if l := c.dial.leaves; l != nil && l.referred {
		c.do(ReferProgress{Leg: l.id, Code: code, Reason: reason})
		l.referred = code < 200
	}
}

// giveWanted hands a leg over to another call and ends this one.
func (c *Call) giveWanted(e GiveWanted) {
	l := c.leg(e.Leg)
	switch {
	case l == nil || c.seats[l.party] != l || l.to != nil && !l.up():
		c.settle(e.Ticket, Failure{481, "there is nobody to hand over"})
		return
	case c.dial != nil || l.opening || c.ticket != 0:
		c.settle(e.Ticket, Failure{491, "something is under way"})
		return
	}
	c.unhold(c.other(l))
	c.remove(l)
	c.mix()
	c.keysDone(l, Failure{487, "it left"})
	c.tell(l, LegChanged{State: Completed})
	c.do(Give{Leg: l.id, To: e.To, Given: &Given{leg: l}, Instead: e.Instead})
	c.settle(e.Ticket, Failure{})
	for _, o := range c.legs {
		if o.referred {
			c.do(ReferProgress{Leg: o.id, Code: 200, Reason: "OK"})
		}
	}
	c.end(Transferred, Failure{487, "the other party went to another call"}, "transferred")
}

// legGiven takes a leg of another call.
func (c *Call) legGiven(e LegGiven) {
	l, d := e.Given.leg, c.dial
	out := c.leg(e.Instead)
	switch {
	case c.state == Completed:
	case e.Instead == "" && d != nil && d.winner == nil && d.picked == nil:
		c.pickUp(l)
		return
	case out != nil && c.seats[out.party] == out && l.up() && (d == nil || d.stays == out):
		c.replace(out, l)
		return
	case e.Instead == "" && d == nil && l.up() && !c.together() && (c.state == InCall || c.state == Held):
		c.seat(l)
		return
	}
	if bye := l.goodbye("there is nobody to talk to"); bye != nil {
		c.do(bye)
	}
	if l.opened {
		c.do(CloseMedia{l.id})
	}
}

// seat gives l, which is up, the place that nobody has: the script that was there
// instead is over.
func (c *Call) seat(l *leg) {
	l.party = Caller
	if c.seats[Caller] != nil {
		l.party = Callee
	}
	c.legs, c.seats[l.party] = append(c.legs, l), l
	c.left, c.leftBy = "", time.Time{}
	c.tell(l, LegChanged{State: InCall})
	c.mix()
	if c.script && !c.stopped {
		c.stopped = true
		c.do(StopScript{Transferred})
	}
}

// replace puts l, which is up, into the place of who leaves.
func (c *Call) replace(out, l *leg) {
	l.party = out.party
	c.unhold(out)
	c.legs, c.seats[l.party] = append(c.legs, l), l
	c.tell(l, LegChanged{State: InCall, Instead: out.id})
	if out.id == c.first {
		c.ringAt = time.Time{}
		c.settlePending(Failure{487, "somebody else is there now"})
	}
	if c.dial != nil {
		c.dial.stays = l
	}
	c.mix()
	c.leave(out)
	switch d := c.dial; {
	case d != nil && d.winner != nil:
		c.joined()
	case d != nil:
		c.mix()
	}
	c.become(c.talks())
}

// pickUp gives the dial to l, whose far end wants what rings.
func (c *Call) pickUp(l *leg) {
	d := c.dial
	l.party = d.party
	c.legs = append(c.legs, l)
	d.waiting, d.ringBy = nil, time.Time{}
	c.giveUpAll(Failure{487, Elsewhere}, "", true)
	c.tell(l, LegChanged{State: l.state})
	if l.up() {
		c.answeredBy(l)
		return
	}
	d.picked = l
	c.answer(l, d.stays.speaks())
}

// remove takes a leg out of the call.
func (c *Call) remove(l *leg) {
	c.legs = slices.DeleteFunc(slices.Clone(c.legs), func(o *leg) bool { return o == l })
	if c.seats[l.party] == l {
		c.seats[l.party] = nil
	}
}
