package call

import "time"

// Limits of one call. Zero values are the defaults.
type Limits struct {
	Length   time.Duration // of the whole call; 4 h (decisions 3.7)
	RingTime time.Duration // of an outgoing call; 60 s (decisions 11)
	SetUp    time.Duration // until an outgoing call must ring; 10 s (decisions 11)
	RingAt   time.Duration // silence before the caller hears ringing; 1 s (decisions 2)
}

func (l Limits) withDefaults() Limits {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	set(&l.Length, 4*time.Hour)
	set(&l.RingTime, 60*time.Second)
	set(&l.SetUp, 10*time.Second)
	set(&l.RingAt, time.Second)
	return l
}

// A Call is the life of one call with one leg: someone calls a script, or a
// script calls someone. It has one owner, who calls Handle.
type Call struct {
	limits   Limits
	leg      LegID
	outgoing bool
	state    State
	result   Result

	offer   *Media // what the caller offered; nil when our 200 must offer
	local   Media  // what we said
	reoffer *Media // a re-INVITE's, until the sound has said what we answer
	opened  bool   // a socket exists
	heard   bool   // ConnectMedia was done
	script  bool   // a script runs, ScriptEnded is owed
	keys    keys

	ticket  Ticket // of the Answer or Originate that is under way
	pending Originate

	ringAt, setUpBy, ringBy, endBy time.Time // deadlines; zero = none

	now time.Time
	out []Effect
}

// New gives a call that nothing has happened to yet.
func New(l Limits) *Call { return &Call{limits: l.withDefaults()} }

// State tells where the call stands.
func (c *Call) State() State { return c.state }

// Result tells how it ended; None while it lives.
func (c *Call) Result() Result { return c.result }

// Leg names the call's leg.
func (c *Call) Leg() LegID { return c.leg }

// Handle takes an event at the instant now and returns what must be done, in
// order. The slice is valid until the next call.
func (c *Call) Handle(now time.Time, e Event) []Effect {
	c.now, c.out = now, c.out[:0]
	armed := c.next()
	switch e := e.(type) {
	case Invited:
		c.invited(e)
	case Originate:
		c.originate(e)
	case Provisional:
		c.provisional(e)
	case Accepted:
		c.keys.info = e.Info
		c.accepted(e)
	case Refused:
		c.end(refusal(e.Code), e.Failure, nil)
	case Acked:
		c.acked(e)
	case Cancelled:
		c.end(ByCaller, Failure{487, "the caller gave up"}, nil)
	case Ended:
		c.end(c.far(), Failure{487, "the far end hung up"}, nil)
	case Lost:
		c.end(NetworkGone, e.Failure, nil)
	case Reoffered:
		c.reoffered(e)
	case Reaccepted:
		if c.state == InCall && e.Media != nil {
			c.connect(*e.Media)
		}
	case Rerefused: // all stands as it was
	case KeyInfo:
		c.do(PressKey{e.Leg, e.Key})
	case KeysWanted:
		c.keysWanted(e)
	case KeyAnswered:
		c.keyAnswered(e)
	case MediaOpened:
		c.mediaOpened(e)
	case MediaAgreed:
		c.agreed(e)
	case MediaDisagreed:
		c.disagreed(e)
	case MediaFailed:
		c.mediaFailed(e)
	case MediaLost:
		c.end(MediaGone, Failure{408, "no sound arrived"}, c.goodbye("no sound arrived"))
	case AnswerWanted:
		c.answerWanted(e)
	case RejectWanted:
		c.rejectWanted(e)
	case HangupWanted:
		c.end(e.By, Failure{487, "hung up"}, c.goodbye(e.Reason))
		c.settle(e.Ticket, Failure{})
	case ScriptEnded:
		c.scriptEnded()
	case Tick:
		c.tick()
	}
	if at := c.next(); !at.Equal(armed) {
		c.do(Arm{at})
	}
	return c.out
}

func (c *Call) do(e Effect) { c.out = append(c.out, e) }

func (c *Call) settle(t Ticket, f Failure) {
	if t != 0 {
		c.do(Settle{Ticket: t, Failure: f})
	}
}

// settlePending answers the Answer or Originate that is under way, if any.
func (c *Call) settlePending(f Failure) {
	c.settle(c.ticket, f)
	c.ticket = 0
}

// next is the earliest deadline; zero when there is none.
func (c *Call) next() (at time.Time) {
	for _, d := range [...]time.Time{c.ringAt, c.setUpBy, c.ringBy, c.endBy} {
		if !d.IsZero() && (at.IsZero() || d.Before(at)) {
			at = d
		}
	}
	return at
}

func (c *Call) due(d time.Time) bool { return !d.IsZero() && !c.now.Before(d) }

func (c *Call) become(s State) {
	c.state = s
	c.do(Changed{s})
}

func (c *Call) invited(e Invited) {
	c.leg, c.offer, c.keys.info = e.Leg, e.Offer, e.Info
	c.ringAt, c.endBy = c.now.Add(c.limits.RingAt), c.now.Add(c.limits.Length)
	c.become(Setup)
	c.script = true
	c.do(StartScript{})
}

func (c *Call) originate(e Originate) {
	c.leg, c.outgoing, c.pending, c.ticket = e.Leg, true, e, e.Ticket
	if c.pending.RingTime == 0 {
		c.pending.RingTime = c.limits.RingTime
	}
	c.setUpBy, c.endBy = c.now.Add(c.limits.SetUp), c.now.Add(c.limits.Length)
	c.become(Setup)
	c.do(OpenMedia{Leg: c.leg, Web: e.Web})
}

func (c *Call) provisional(e Provisional) {
	if c.state != Setup || !c.outgoing || e.Code < 180 {
		return
	}
	c.ring()
}

// ring notes that the callee's phone rings.
func (c *Call) ring() {
	c.setUpBy, c.ringBy = time.Time{}, c.now.Add(c.pending.RingTime)
	c.become(Ringing)
	c.settlePending(Failure{})
}

func (c *Call) accepted(e Accepted) {
	if c.state > Ringing || !c.outgoing {
		return
	}
	if e.Media == nil || len(e.Media.Codecs) == 0 {
		c.end(Failed, Failure{488, "the callee answered without sound"}, Bye{Leg: c.leg, Reason: "no sound was agreed"})
		return
	}
	if c.state == Setup {
		c.ring() // some phones pick up without ringing
	}
	c.ringBy = time.Time{}
	c.connect(*e.Media)
	c.become(InCall)
	c.script = true
	c.do(StartScript{Connected: true})
}

func (c *Call) connect(remote Media) {
	c.heard = true
	c.keys.agreed(remote, c.local)
	c.do(ConnectMedia{c.leg, remote})
}

func (c *Call) answerWanted(e AnswerWanted) {
	switch {
	case c.state == InCall:
		c.settle(e.Ticket, Failure{})
	case c.state == Completed, c.outgoing, c.ticket != 0:
		c.settle(e.Ticket, Failure{487, "there is nothing to answer"})
	default:
		c.ticket = e.Ticket
		c.do(OpenMedia{Leg: c.leg, Remote: c.offer})
	}
}

func (c *Call) mediaOpened(e MediaOpened) {
	if c.state == Completed {
		c.do(CloseMedia{c.leg}) // it ended while the socket was being opened
		return
	}
	c.opened, c.local = true, e.Media
	local := e.Media
	if c.outgoing {
		c.do(Invite{Leg: c.leg, Target: c.pending.Target, Phone: c.pending.Phone, From: c.pending.From, FromName: c.pending.FromName, Offer: &local})
		return
	}
	c.ringAt = time.Time{}
	c.do(Respond{Leg: c.leg, Code: 200, Media: &local})
	if c.offer == nil {
		c.become(InCall) // sound begins with the answer in the ACK, and so does the script
		return
	}
	c.connect(*c.offer)
	c.become(InCall)
	c.settlePending(Failure{})
}

func (c *Call) mediaFailed(e MediaFailed) {
	var goodbye Effect
	switch {
	case c.state == InCall || c.outgoing:
		goodbye = c.goodbye(e.Reason)
	default:
		goodbye = Respond{Leg: c.leg, Code: e.Code, Warning: e.Reason}
	}
	c.end(Failed, e.Failure, goodbye)
}

func (c *Call) acked(e Acked) {
	if c.state != InCall {
		return
	}
	if c.heard {
		if e.Media != nil && len(e.Media.Codecs) > 0 { // a re-INVITE without SDP asked for our offer
			c.connect(*e.Media)
		}
		return
	}
	if e.Media == nil || len(e.Media.Codecs) == 0 {
		c.end(Failed, Failure{488, "the ACK brought no answer to our offer"}, c.goodbye("no sound was agreed"))
		return
	}
	c.connect(*e.Media)
	c.settlePending(Failure{})
}

func (c *Call) reoffered(e Reoffered) {
	if c.state != InCall || c.reoffer != nil {
		c.do(Respond{Leg: c.leg, Code: 491})
		return
	}
	if e.Offer == nil {
		local := c.local
		local.Dir = SendRecv // the far end is free to hold us still
		if local.Web != nil {
			web := *local.Web
			web.Setup, local.Web = ActPass, &web // RFC 8842 5.2
		}
		c.do(Respond{Leg: c.leg, Code: 200, Media: &local})
		return
	}
	c.reoffer = e.Offer
	c.do(AgreeMedia{c.leg, *e.Offer})
}

// agreed is the answer to the offer that a re-INVITE brought.
func (c *Call) agreed(e MediaAgreed) {
	if c.reoffer == nil || c.state != InCall {
		return
	}
	remote, local := *c.reoffer, e.Media
	c.reoffer, c.local = nil, local
	remote.Codecs = local.Codecs // so that the sound goes by what we answer
	c.connect(remote)
	c.do(Respond{Leg: c.leg, Code: 200, Media: &local})
}

func (c *Call) disagreed(e MediaDisagreed) {
	if c.reoffer == nil || c.state != InCall {
		return
	}
	c.reoffer = nil
	c.do(Respond{Leg: c.leg, Code: 488, Warning: e.Reason})
}

func (c *Call) rejectWanted(e RejectWanted) {
	if c.state > Ringing || c.outgoing {
		c.settle(e.Ticket, Failure{400, "the call was answered already"})
		return
	}
	c.end(Rejected, e.Failure, Respond{Leg: c.leg, Code: e.Code, Reason: e.Reason})
	c.settle(e.Ticket, Failure{})
}

func (c *Call) scriptEnded() {
	c.script = false
	if c.state == Completed {
		c.do(Over{})
		return
	}
	c.end(ByScript, Failure{487, "the script ended"}, c.goodbye(""))
}

func (c *Call) tick() {
	switch {
	case c.due(c.endBy):
		c.end(TooLong, Failure{487, "the longest time for a call is over"}, c.goodbye("longest call time reached"))
	case c.due(c.setUpBy):
		c.end(NoAnswer, Failure{408, "it did not ring in time"}, Cancel{Leg: c.leg, Reason: "no ringing"})
	case c.due(c.ringBy):
		c.end(NoAnswer, Failure{480, "nobody answered"}, Cancel{Leg: c.leg, Reason: "no answer"})
	case c.due(c.ringAt):
		c.ringAt = time.Time{}
		c.do(Respond{Leg: c.leg, Code: 180})
		c.become(Ringing)
	}
}

// goodbye is the message that ends the dialog as it stands now.
func (c *Call) goodbye(why string) Effect {
	switch {
	case c.state == Completed:
		return nil
	case c.state == InCall:
		return Bye{Leg: c.leg, Reason: why}
	case !c.outgoing:
		return Respond{Leg: c.leg, Code: 603}
	case c.opened:
		return Cancel{Leg: c.leg, Reason: why}
	}
	return nil
}

// end is the one way a call ends: tell the far end and the world (a recording
// ends by that), stop the script, close the sound.
func (c *Call) end(r Result, f Failure, goodbye Effect) {
	if c.state == Completed {
		return
	}
	c.result = r
	c.ringAt, c.setUpBy, c.ringBy, c.endBy = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	if goodbye != nil {
		c.do(goodbye)
	}
	c.become(Completed) // before the script notices, which may still do something
	if c.script {
		c.do(StopScript{r})
	}
	if c.opened {
		c.do(CloseMedia{c.leg})
	}
	c.settlePending(f)
	c.keysDone(f)
	if !c.script {
		c.do(Over{})
	}
}

// far is who hung up when a BYE came.
func (c *Call) far() Result {
	if c.outgoing {
		return ByCallee
	}
	return ByCaller
}

// refusal is the result that a SIP status of 300 and above stands for.
func refusal(code int) Result {
	switch code {
	case 486, 600:
		return Busy
	case 404, 410, 484, 604:
		return NotFound
	case 408, 480, 487:
		return NoAnswer
	case 403, 603:
		return Rejected
	}
	return Failed
}
