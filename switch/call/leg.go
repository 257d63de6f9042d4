package call

import "time"

// A leg is what a Call knows of one dialog.
type leg struct {
	id           LegID
	party        Party
	state        State   // Setup, Ringing, InCall, Completed
	to           *Target // of a leg that we call; nil of one that came
	number, name string  // of who is there, for another party to see

	security Security // of one that came

	offer   *Media // that came with the INVITE; nil when our 200 must offer
	local   Media  // what we said
	spoken  *Media // the one codec that was agreed, and its telephone-events; nil before that
	reoffer *Media // a re-INVITE's, until the sound has said what we answer

	opening  bool // OpenMedia has no answer yet
	opened   bool // a socket exists
	heard    bool // ConnectMedia was done
	holds    bool // its far end holds us
	referred bool // its far end asked to be replaced
	gone     bool // its far end has left, or was told our last word
	keys     keys

	setUpBy time.Time // when it must ring; zero = it need not
}

func (l *leg) up() bool { return l.state == InCall }

// speaks is what was agreed, for the other party to begin with; what it offered
// while nothing is agreed.
func (l *leg) speaks() *Media {
	if l.spoken != nil {
		return l.spoken
	}
	return l.offer
}

// agreedOn notes what an answer, ours or the far end's, chose.
func (l *leg) agreedOn(answer Media) {
	if len(answer.Codecs) > 0 {
		l.spoken = &Media{Codecs: answer.Codecs[:1], Keys: answer.Keys}
	}
}

// anew is our description for a later offer of ours.
func (l *leg) anew(d MediaDir) *Media {
	m := l.local
	m.Dir = d
	if m.Web != nil {
		web := *m.Web
		web.Setup, m.Web = ActPass, &web // RFC 8842 5.2
	}
	return &m
}

// goodbye is the message that ends the dialog as it stands now, nil when there
// is nobody to tell.
func (l *leg) goodbye(why string) Effect {
	switch {
	case l.gone:
		return nil
	case l.up():
		return Bye{Leg: l.id, Reason: why}
	case l.to == nil:
		return Respond{Leg: l.id, Code: 603}
	case l.opened:
		return Cancel{Leg: l.id, Reason: why}
	}
	return nil
}

// leg finds a leg; nil when it is not, or no longer, one of ours.
func (c *Call) leg(id LegID) *leg {
	for _, l := range c.legs {
		if l.id == id {
			return l
		}
	}
	return nil
}

// enter notes what became of a leg.
func (c *Call) enter(l *leg, s State, f Failure) {
	l.state = s
	c.tell(l, LegChanged{State: s, Failure: f})
}

func (c *Call) tell(l *leg, e LegChanged) {
	e.Leg, e.Party = l.id, l.party
	if l.id != c.first {
		e.Target = l.to
	}
	c.do(e)
}

// say gives the far end our last word.
func (c *Call) say(l *leg, last Effect) {
	l.gone = true
	if last != nil {
		c.do(last)
	}
}

// drop forgets a leg while the call goes on. f tells why it never came about;
// zero where it was up.
func (c *Call) drop(l *leg, f Failure) {
	c.remove(l)
	c.mix()
	c.keysDone(l, Failure{487, "it left"})
	if l.opened {
		c.do(CloseMedia{l.id})
	}
	c.enter(l, Completed, f)
}
