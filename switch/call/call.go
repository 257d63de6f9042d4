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

// A Call is the life of one call. It begins with one leg: someone calls a
// script, or a script calls someone. More legs come by DialWanted and LegGiven;
// two of them are the parties, who hear each other. It has one owner, who calls
// Handle.
type Call struct {
	limits  Limits
	first   LegID
	state   State
	result  Result
	hops    int  // Max-Forwards for those that we call; 0 = unknown, below 0 = call nobody
	private bool // the caller wants nobody told who it is
	cause   int  // Q.850, that a far end gave for the end of its leg; 0 = none

	legs  []*leg  // that are there, oldest first
	seats [2]*leg // the parties; nil = nobody has that role now
	dial  *dial   // what rings; nil = nothing
	onAir mix     // who hears what
	held  bool    // HoldWanted put the parties on hold

	script  bool         // a script runs, ScriptEnded is owed
	stopped bool         // and was told to stop
	serving *ServeWanted // waits for its end; nil = nothing does
	over    bool         // Over was said

	ticket   Ticket        // of the Answer or Originate that is under way
	calls    *leg          // of an Originate without a leg, whom those who are called see; nil = not so, or somebody has answered
	ringTime time.Duration // of an Originate

	ringAt, ringBy, endBy time.Time // deadlines; zero = none
	left                  LegID     // who asked to be replaced and hung up before anybody was dialled
	leftBy                time.Time // how long that is waited for

	now time.Time
	out []Effect
}

// New gives a call that nothing has happened to yet.
func New(l Limits) *Call { return &Call{limits: l.withDefaults()} }

// State tells where the call stands.
func (c *Call) State() State { return c.state }

// Result tells how it ended; None while it lives.
func (c *Call) Result() Result { return c.result }

// Leg names the leg that the call began with.
func (c *Call) Leg() LegID { return c.first }

// Handle takes an event at the instant now and returns what must be done, in
// order. The slice is valid until the next call.
func (c *Call) Handle(now time.Time, e Event) []Effect {
	c.now, c.out = now, c.out[:0]
	armed := c.next()
	c.handle(e)
	if at := c.next(); !at.Equal(armed) {
		c.do(Arm{at})
	}
	if c.state == Completed && !c.script && !c.over {
		c.over = true
		c.do(Over{}) // after all else: who waits is told
	}
	return c.out
}

func (c *Call) handle(e Event) {
	switch e := e.(type) {
	case Invited:
		c.invited(e)
	case Originate:
		c.originate(e)
	case RingAwaited:
		c.ringAwaited(e)
	case AnswerWanted:
		c.answerWanted(e)
	case RejectWanted:
		c.rejectWanted(e)
	case HangupWanted:
		c.end(e.By, Failure{487, "hung up"}, e.Reason)
		c.settle(e.Ticket, Failure{})
	case KeysWanted:
		c.keysWanted(e)
	case DialWanted:
		c.dialWanted(e)
	case DialGivenUp:
		c.dialGivenUp(e)
	case ServeWanted:
		c.serveWanted(e)
	case HoldWanted:
		c.holdWanted(e)
	case TransferRefused:
		c.transferRefused(e)
	case GiveWanted:
		c.giveWanted(e)
	case LegGiven:
		c.legGiven(e)
	case ScriptEnded:
		c.scriptEnded()
	case Tick:
		c.tick()
	default:
		c.legEvent(e)
	}
}

// legEvent is what befalls one leg. One that is not ours any more is not
// listened to.
func (c *Call) legEvent(e Event) {
	id := LegOf(e)
	l := c.leg(id)
	if l == nil {
		if _, late := e.(MediaOpened); late {
			c.do(CloseMedia{id}) // it ended while the socket was being opened
		}
		return
	}
	switch e := e.(type) {
	case Provisional:
		c.provisional(l, e)
	case Accepted:
		c.cause = 0
		c.accepted(l, e)
	case Refused:
		c.cause = e.Q850
		c.refused(l, e)
	case Acked:
		c.acked(l, e)
	case Cancelled:
		c.hungUp(l, by(l), Failure{487, "the caller gave up"})
	case Ended:
		c.cause = e.Q850
		c.hungUp(l, by(l), Failure{487, "the far end hung up"})
	case Lost:
		c.hungUp(l, NetworkGone, e.Failure)
	case Reoffered:
		c.reoffered(l, e)
	case Reaccepted:
		if l.up() && e.Media != nil {
			holds := l.holds
			c.connect(l, *e.Media)
			if c.held { // it answered our hold, and need not hold by itself
				c.listens(l, holds)
				c.mix()
			}
		}
	case Rerefused: // all stands as it was
	case KeyInfo:
		c.pressed(l, e)
	case KeyAnswered:
		c.keyAnswered(l, e)
	case Referred:
		c.referred(l, e)
	case MediaOpened:
		c.mediaOpened(l, e)
	case MediaAgreed:
		c.agreed(l, e)
	case MediaDisagreed:
		c.disagreed(l, e)
	case MediaFailed:
		c.mediaFailed(l, e)
	case MediaLost:
		if d := c.dial; !l.up() || d != nil && d.leaves == l {
			return // nobody need send before the answer, or after he asked to be replaced
		}
		c.end(MediaGone, Failure{408, "no sound arrived"}, "no sound arrived")
	default: // LegOf names no leg of the others
		return
	}
}

// do gives an effect; goodbyes with the cause that the other side gave for the end.
func (c *Call) do(e Effect) {
	if f, ok := e.(Bye); ok {
		f.Q850 = c.cause
		e = f
	}
	if f, ok := e.(Respond); ok && f.Code >= 300 {
		f.Q850 = c.cause
		e = f
	} else if ok && f.Code >= 200 {
		c.cause = 0 // of whoever was called before
	}
	c.out = append(c.out, e)
}

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
	sooner := func(d time.Time) {
		if !d.IsZero() && (at.IsZero() || d.Before(at)) {
			at = d
		}
	}
	for _, d := range [...]time.Time{c.ringAt, c.ringBy, c.endBy, c.leftBy} {
		sooner(d)
	}
	for _, l := range c.legs {
		sooner(l.setUpBy)
	}
	if c.dial != nil {
		sooner(c.dial.next())
	}
	return at
}

func (c *Call) due(d time.Time) bool { return !d.IsZero() && !c.now.Before(d) }

func (c *Call) become(s State) {
	if c.state == s && s != Setup {
		return
	}
	c.state = s
	c.do(Changed{s})
}

// together tells whether there are two parties, who need no script.
func (c *Call) together() bool { return c.seats[Caller] != nil && c.seats[Callee] != nil }

// other is the party whom l talks to; nil when that is a script.
func (c *Call) other(l *leg) *leg {
	if c.seats[l.party] != l {
		return nil
	}
	return c.seats[l.party.Other()]
}

func (c *Call) scriptEnded() {
	c.script = false
	if c.state == Completed {
		return
	}
	if e := c.serving; e != nil {
		c.serving = nil
		if c.serveWanted(*e); c.script {
			return
		}
	}
	if c.together() || c.leftBy != (time.Time{}) {
		return // the parties go on by themselves
	}
	c.end(ByScript, Failure{487, "the script ended"}, "")
}

func (c *Call) tick() {
	switch {
	case c.due(c.endBy):
		c.end(TooLong, Failure{487, "the longest time for a call is over"}, "longest call time reached")
	case c.due(c.ringBy):
		c.end(NoAnswer, Failure{480, "nobody answered"}, "no answer")
	case c.due(c.leftBy):
		c.end(c.leftAs(), Failure{487, "nobody took the place of who left"}, "")
	case c.due(c.ringAt):
		c.ringAt = time.Time{}
		c.ringing(c.leg(c.first))
	}
	for _, l := range c.legs {
		if c.due(l.setUpBy) && c.state != Completed {
			c.neverRang(l)
			break // the next tick is at once
		}
	}
	if c.dial != nil {
		c.dialTick()
	}
}

// end is the one way a call ends: tell the far ends and the world (a recording
// ends by that), stop the script, close the sound.
func (c *Call) end(r Result, f Failure, why string) {
	if c.state == Completed {
		return
	}
	c.result = r
	c.ringAt, c.ringBy, c.endBy, c.leftBy = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	d, legs := c.dial, c.legs
	c.dial, c.legs, c.seats, c.onAir = nil, nil, [2]*leg{}, mix{}
	for _, l := range legs {
		c.say(l, l.goodbye(why))
	}
	for _, l := range legs {
		was := f
		if l.up() {
			was = Failure{}
		}
		c.enter(l, Completed, was)
	}
	c.become(Completed) // before the script notices, which may still do something
	if c.script && !c.stopped {
		c.do(StopScript{r})
	}
	for _, l := range legs {
		if l.opened {
			c.do(CloseMedia{l.id})
		}
	}
	c.settlePending(f)
	if c.serving != nil {
		c.settle(c.serving.Ticket, f)
		c.serving = nil
	}
	if d != nil {
		c.settle(d.Ticket, f)
	}
	for _, l := range legs {
		c.keysDone(l, f)
	}
}

// by is who hung up when the far end of a leg did.
func by(l *leg) Result {
	if l.party == Callee {
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
