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
	case d == nil && a != nil && b != nil && (c.held || a.holds || b.holds):
		for i, l := range c.seats {
			if !l.holds {
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
