package call

// keys is how the far end takes keys. By telephone-events or, where those were
// not agreed, by INFO if it lists that in Allow; otherwise it may hear tones.
type keys struct {
	info   bool // it lists INFO
	events bool // telephone-events were agreed

	left   string // not answered yet, the one under way first
	ticket Ticket // of who waits; 0 = nobody
	taken  bool   // one at least was taken
}

// BySound is the code with which KeysWanted is settled when keys must go by
// telephone-events or tones: both are the sound's.
const BySound = 415

// agreed notes what both said of telephone-events; local is ours.
func (k *keys) agreed(remote, local Media) {
	k.events = false
	if len(local.Codecs) == 1 { // our answer chose
		_, k.events = remote.KeysFor(local.Codecs[0])
	} else if len(remote.Codecs) > 0 {
		_, k.events = remote.KeysFor(remote.Codecs[0])
	}
}

// keysWanted sends the first key, and each further one when the last was
// answered: two requests that are under way at once may overtake each other.
func (c *Call) keysWanted(e KeysWanted) {
	l := c.leg(e.Leg)
	if e.Leg == "" {
		if l = c.seats[Caller]; l == nil {
			l = c.seats[Callee]
		}
	}
	if l == nil || !l.up() {
		c.settle(e.Ticket, Failure{487, "there is nobody to send keys to"})
		return
	}
	k := &l.keys
	switch {
	case k.events || !k.info:
		c.settle(e.Ticket, Failure{BySound, "keys go by sound"})
	case k.ticket != 0:
		c.settle(e.Ticket, Failure{491, "other keys are under way"})
	case e.Keys == "":
		c.settle(e.Ticket, Failure{})
	default:
		k.left, k.ticket, k.taken = e.Keys, e.Ticket, false
		c.do(Info{Leg: l.id, Key: k.left[0]})
	}
}

// keyAnswered goes on with the next key. Who refuses the very first takes none
// by INFO, whatever it lists: the sound must do. One that is not answered was
// perhaps taken, and is not sent twice.
func (c *Call) keyAnswered(l *leg, e KeyAnswered) {
	k := &l.keys
	lost := e.Code == 408
	switch {
	case k.ticket == 0:
	case e.Code != 0 && !lost && !k.taken:
		k.info = false
		c.keysDone(l, Failure{BySound, "keys go by sound: INFO was refused"})
	case e.Code != 0 && !lost:
		c.keysDone(l, e.Failure)
	case len(k.left) > 1:
		k.left, k.taken = k.left[1:], true
		c.do(Info{Leg: l.id, Key: k.left[0]})
	default:
		c.keysDone(l, e.Failure)
	}
}

// keysDone tells who waits for keys, if anybody does.
func (c *Call) keysDone(l *leg, f Failure) {
	c.settle(l.keys.ticket, f)
	l.keys.ticket, l.keys.left = 0, ""
}
