package ozmltest

import (
	"context"
	"slices"
	"sort"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// A Call is a call on paper. Its time passes in Wait and the other verbs only,
// and jumps to the next thing that happens.
type Call struct {
	sc     *Scenario
	cfg    Config
	info   ozml.CallInfo
	base   context.Context
	cancel context.CancelCauseFunc // of the script's context

	now    time.Time
	acts   []act // what will happen, by time
	seq    int
	over   bool
	reason string
	dialed int
	dials  []ozml.Dial
	alarms int  // of the scenario, reported
	panel  bool // keys are those of an alarm panel

	router  ozml.Router
	inputs  int       // UserInputs that are open
	waiters []*waiter // contexts of UntilKey, innermost last

	rec     *recording
	sounds  time.Time // since when something is heard; zero when nothing is
	records int
	pending int // RecordCompleted that are not answered yet
	gone    []gone

	held      bool
	transfers []transferred // whose end is to be told

	taken int          // messages that were sent
	used  map[int]bool // messages that came and were read, by their place in the scenario

	web   *Web
	asked []string // see did
}

// An act is something that will happen.
type act struct {
	at  time.Time
	do  func()
	web bool // a delivery, which goes on when the call is over
}

type waiter struct {
	end   context.CancelCauseFunc
	depth int // UserInputs that were open when it began
}

// epoch is when every call on paper begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func newCall(ctx context.Context, cfg Config) *Call {
	sc := cfg.Scenario
	c := &Call{sc: sc, cfg: cfg, info: sc.Info, base: ctx, now: epoch, used: map[int]bool{}}
	c.info.Started = epoch
	if c.info.ID == "" {
		c.info.ID = "paper"
	}
	if c.info.Direction == "" {
		c.info.Direction = "Inbound"
	}
	c.web = &Web{c: c, answers: append([]Answer(nil), sc.Web...)}
	for _, a := range sc.Acts {
		switch {
		case a.Key != 0:
			c.at(a.At, func() { c.press(a.Key, a.Source) })
		case a.Hangup:
			c.at(a.At, func() { c.end("caller") })
		}
	}
	leaves := sc.Leaves
	if leaves == 0 {
		leaves = time.Hour
	}
	c.at(leaves, func() { c.end("caller") })
	return c
}

// at says what will happen at a time of the call; of equal times the first said
// comes first.
func (c *Call) at(d time.Duration, do func()) { c.insert(act{epoch.Add(d), do, false}) }

func (c *Call) insert(a act) {
	i := sort.Search(len(c.acts), func(i int) bool { return c.acts[i].at.After(a.at) })
	c.acts = slices.Insert(c.acts, i, a)
}

func (c *Call) after(d time.Duration, do func()) { c.at(c.now.Add(d).Sub(epoch), do) }

// Context gives the context of a script on this call; the one before is spent.
func (c *Call) Context() context.Context {
	ctx, cancel := context.WithCancelCause(c.base)
	c.cancel = cancel
	if c.over {
		cancel(ozml.ErrGone)
	}
	return ctx
}

// Emit stamps an event and hands it on.
func (c *Call) Emit(e trace.Event) {
	c.seq++
	e.T, e.Seq, e.Call = c.now, c.seq, c.info.ID
	if c.cfg.Sink != nil {
		c.cfg.Sink.Emit(e)
	}
}

// step lets the next thing happen.
func (c *Call) step() {
	a := c.acts[0]
	c.acts = c.acts[1:]
	if a.at.After(c.now) {
		c.now = a.at
	}
	a.do()
}

// drain lets everything happen that is still to come.
func (c *Call) drain() {
	for len(c.acts) > 0 {
		c.step()
	}
}

// stopped tells why nothing more can be done, nil when it can.
func (c *Call) stopped(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if c.over {
		return ozml.ErrGone
	}
	return nil
}

// pass lets time pass, unless ctx ends first.
func (c *Call) pass(ctx context.Context, d time.Duration) error {
	end := c.now.Add(d)
	for {
		if err := c.stopped(ctx); err != nil {
			return err
		}
		if len(c.acts) == 0 || !c.acts[0].at.Before(end) {
			break
		}
		c.step()
	}
	if end.After(c.now) {
		c.now = end
	}
	return nil
}

// end ends the call.
func (c *Call) end(reason string) {
	if c.over {
		return
	}
	c.over, c.reason = true, reason
	c.endRecord("hangup", 0)
	c.Emit(trace.Event{Type: trace.CallEnded, Reason: reason, Seconds: c.now.Sub(epoch).Seconds()})
	c.acts = slices.DeleteFunc(c.acts, func(a act) bool { return !a.web })
	c.tellTransfers()
	if c.cancel != nil {
		c.cancel(ozml.ErrGone)
	}
}

// press is a key that arrives.
func (c *Call) press(k ozml.Key, src ozml.KeySource) {
	if c.over || c.panel || !c.router.Fresh(c.now, k, src) {
		return
	}
	ev := trace.Event{Type: trace.Key, Key: string(rune(k)), Source: src.String()}
	if c.sc.Sensitive {
		ev.Key = ""
	}
	c.Emit(ev)
	if c.router.Press(k, c.recordKey(k)) {
		c.wake()
	}
}

// wake ends the innermost UntilKey, if no UserInput within it takes the keys.
func (c *Call) wake() {
	if n := len(c.waiters); n > 0 && c.waiters[n-1].depth == c.inputs {
		c.waiters[n-1].end(ozml.ErrKey)
	}
}

// The verbs of ozml.Call.

// Info returns what is known from the start.
func (c *Call) Info() ozml.CallInfo { return c.info }

// Now returns the time of the call, which begins on 2000-01-01.
func (c *Call) Now() time.Time { return c.now }

// Answer does nothing but note that the call is up.
func (c *Call) Answer(ctx context.Context) error { return c.stopped(ctx) }

// Reject ends the call.
func (c *Call) Reject(ctx context.Context, r ozml.Rejection) error {
	if err := c.stopped(ctx); err != nil {
		return err
	}
	c.did("", "Reject", r)
	c.end("rejected")
	return nil
}

// Hangup ends the call.
func (c *Call) Hangup(ctx context.Context) error {
	if err := c.stopped(ctx); err != nil {
		return err
	}
	c.did("", "Hangup")
	c.end("script")
	return nil
}

// Speak takes as long as the scenario, Config.SpeakLength or Estimate says.
func (c *Call) Speak(ctx context.Context, u ozml.Utterance) error {
	c.did("", "Speak", u)
	return c.speak(ctx, u)
}

func (c *Call) speak(ctx context.Context, u ozml.Utterance) error {
	d, known := c.sc.Spoken[u.Text]
	switch {
	case known:
	case c.cfg.SpeakLength == nil:
		d = Estimate(u.Text)
	default:
		var err error
		if d, err = c.cfg.SpeakLength(u); err != nil {
			return err
		}
	}
	if err := c.there(u.To); err != nil {
		return err
	}
	return c.sound(ctx, d, Sound{Speak: &u})
}

// Play takes as long as the scenario or Config.PlayLength says; else 3 s.
func (c *Call) Play(ctx context.Context, p ozml.Prompt) error {
	c.did("", "Play", p)
	return c.play(ctx, p)
}

func (c *Call) play(ctx context.Context, p ozml.Prompt) error {
	if err := c.there(p.To); err != nil {
		return err
	}
	d, known := c.sc.Files[p.File]
	switch {
	case !known && c.cfg.PlayLength != nil:
		var err error
		if d, err = c.cfg.PlayLength(p); err != nil {
			return err
		}
	case !known:
		d = 3 * time.Second
	case d < 0:
		return &ozml.Fault{Code: ozml.CodeNoFile, Msg: "no such sound file: " + p.File, Hint: "put it below media/"}
	}
	if p.Repeat {
		d = 1000 * time.Hour
	}
	if p.Timeout > 0 {
		d = min(d, p.Timeout)
	}
	return c.sound(ctx, d, Sound{Play: &p})
}

// Beep takes half a second.
func (c *Call) Beep(ctx context.Context) error {
	c.did("", "Beep")
	return c.beep(ctx)
}

func (c *Call) beep(ctx context.Context) error {
	return c.sound(ctx, 500*time.Millisecond, Sound{Beep: true})
}

func (c *Call) sound(ctx context.Context, d time.Duration, s Sound) error {
	begun := c.now
	c.sounds = begun
	err := c.pass(ctx, d)
	c.sounds = time.Time{}
	if c.rec != nil {
		c.rec.heard = append(c.rec.heard, stretch{begun, c.now})
	}
	if c.cfg.Heard != nil {
		s.At, s.Heard = begun.Sub(epoch), c.now.Sub(begun)
		c.cfg.Heard(s)
	}
	return err
}

// Input opens a UserInput.
func (c *Call) Input(ctx context.Context) (done func()) {
	c.router.Open(c.now)
	c.inputs++
	open := true
	return func() {
		if !open {
			return
		}
		open = false
		c.router.Close(c.now)
		c.inputs--
		if c.router.Waiting() {
			c.wake()
		}
	}
}

// UntilKey gives a context that ends with ErrKey once a key waits.
func (c *Call) UntilKey(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	w := &waiter{end, c.inputs}
	c.waiters = append(c.waiters, w)
	if c.router.Waiting() {
		end(ozml.ErrKey)
	}
	return ctx, func() {
		for i := len(c.waiters) - 1; i >= 0; i-- {
			if c.waiters[i] == w {
				c.waiters = append(c.waiters[:i], c.waiters[i+1:]...)
			}
		}
		end(context.Canceled)
	}
}

// Key takes the next key.
func (c *Call) Key(ctx context.Context, d time.Duration) (ozml.Key, error) {
	end := c.now.Add(d)
	for {
		if err := c.stopped(ctx); err != nil {
			return 0, err
		}
		if k, ok := c.router.Next(); ok {
			return k, nil
		}
		if len(c.acts) == 0 || c.acts[0].at.After(end) {
			break
		}
		c.step()
	}
	c.now = end
	return 0, ozml.ErrNoKey
}

// SendKeys takes 0.16 s a key, as sending events does.
func (c *Call) SendKeys(ctx context.Context, to ozml.Party, keys string) error {
	c.did("", "SendKeys", to, keys)
	return c.sendKeys(ctx, to, keys)
}

func (c *Call) sendKeys(ctx context.Context, to ozml.Party, keys string) error {
	if err := c.there(to); err != nil {
		return err
	}
	if err := c.pass(ctx, time.Duration(len(keys))*160*time.Millisecond); err != nil {
		return err
	}
	c.Emit(trace.Event{Type: trace.KeySent, Key: keys, Source: ozml.KeyEvent.String()})
	return nil
}

// Wait lets time pass.
func (c *Call) Wait(ctx context.Context, d time.Duration) error { return c.pass(ctx, d) }
