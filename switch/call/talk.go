package call

// A mix is who hears what, besides what scripts play.
type mix struct {
	a, b  LegID    // hear each other
	ring  LegID    // hears the ringing tone
	music [2]LegID // hear music
}

// wanted is the mix that fits to how the call stands.
func (c *Call) wanted() (m mix) {
	pair := func(x, y *leg) mix {
		if x.party == Callee {
			x, y = y, x
		}
		return mix{a: x.id, b: y.id}
	}
	d, a, b := c.dial, c.seats[Caller], c.seats[Callee]
	switch {
	case d != nil && d.early != nil:
		if d.stays.heard {
			return pair(d.stays, d.early)
		}
	case d != nil && d.winner == nil && d.rung && d.stays.heard && !d.Quiet:
		m.ring = d.stays.id
	case d != nil && d.winner == nil && d.leaves != nil && d.leaves.holds && !d.stays.holds:
		m.music[d.stays.party] = d.stays.id // until it rings
	case d == nil && (c.held || a != nil && b != nil && (a.holds || b.holds)):
		for i, l := range c.seats {
			if l != nil && l.up() && !l.holds {
				m.music[i] = l.id
			}
		}
	case d == nil && a != nil && b != nil:
		return pair(a, b)
	}
	return m
}

// mix lets everybody hear what fits to how the call stands now.
func (c *Call) mix() {
	was, is := c.onAir, c.wanted()
	c.onAir = is
	joined := was.a == is.a && was.b == is.b
	if was.a != "" && !joined {
		c.do(Part{was.a, was.b})
	}
	if was.ring != "" && was.ring != is.ring {
		c.do(Ringback{was.ring, false})
	}
	for i, l := range was.music {
		if l != "" && l != is.music[i] {
			c.do(Music{l, false})
		}
	}
	if is.ring != "" && was.ring != is.ring {
		c.do(Ringback{is.ring, true})
	}
	for i, l := range is.music {
		if l != "" && l != was.music[i] {
			c.do(Music{l, true})
		}
	}
	if is.a != "" && !joined {
		c.do(Join{is.a, is.b})
	}
	if c.dial == nil && (c.state == InCall || c.state == Held) {
		c.become(c.talks())
	}
}

// talks is the state of a call whose parties are there.
func (c *Call) talks() State {
	if a, b := c.seats[Caller], c.seats[Callee]; c.held || a != nil && b != nil && (a.holds || b.holds) {
		return Held
	}
	return InCall
}

// holding tells whether a description says that its writer does not listen.
func holding(m Media) bool {
	return m.Dir == SendOnly || m.Dir == Inactive || m.Dir == SendRecv && m.Nowhere()
}

// listens notes whether a far end holds its party.
func (c *Call) listens(l *leg, holds bool) {
	if l.holds == holds {
		return
	}
	if l.holds = holds; l.up() && c.other(l) != nil {
		c.tell(l, LegChanged{State: map[bool]State{true: Held, false: InCall}[holds]})
	}
}

// holdWanted tells the far ends that they are on hold. Whether they believe it
// or not, they hear music and not each other.
func (c *Call) holdWanted(e HoldWanted) {
	switch {
	case c.state != InCall && c.state != Held:
		c.settle(e.Ticket, Failure{487, "nobody talks"})
		return
	case c.dial != nil:
		c.settle(e.Ticket, Failure{491, "another telephone rings"})
		return
	case !e.On:
		c.unhold(nil)
		c.mix()
	case !c.held:
		c.held = true
		for _, l := range c.seats {
			if l != nil && l.up() {
				c.do(Reinvite{l.id, l.anew(l.dir(true))})
			}
		}
		c.mix()
	}
	c.settle(e.Ticket, Failure{})
}

// unhold takes back the parties that we hold, but for one who leaves.
func (c *Call) unhold(leaves *leg) {
	if !c.held {
		return
	}
	c.held = false
	for _, l := range c.seats {
		if l != nil && l != leaves && l.up() {
			c.do(Reinvite{l.id, l.anew(l.dir(false))})
		}
	}
}

// dir is the direction of an offer of ours: on hold we play music to who listens.
func (l *leg) dir(held bool) MediaDir {
	switch {
	case held && l.holds:
		return Inactive
	case held:
		return SendOnly
	case l.holds:
		return RecvOnly
	}
	return SendRecv
}

// pressed: a key came by signalling. One of a party is for the other, as it
// takes keys, else for the script.
func (c *Call) pressed(l *leg, e KeyInfo) {
	o := c.other(l)
	switch {
	case o != nil && (c.dial != nil || !o.up()):
	case o != nil && o.keys.info && !o.keys.events:
		c.do(Info{Leg: o.id, Key: e.Key, Duration: e.Duration})
	case o != nil:
		c.do(SendKey{o.id, e.Key})
	case c.seats[l.party] == l && c.script && !c.stopped:
		c.do(PressKey{l.id, e.Key})
	}
}
