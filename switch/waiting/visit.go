package waiting

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// A visitor is one caller of a queue.
type visitor struct {
	q      *queue
	cfg    Config
	line   *exchange.Line
	call   ozml.Call
	id     string
	since  time.Time
	offers chan []string // agents that are to be rung
	empty  chan struct{} // closed when no agent is there any more
	passes bool          // the agent takes the place of the script: it does not watch
	exit   ozml.Keys     // any of these ends the wait
}

// visit is the whole visit, to the end of the talk with an agent.
func (v *visitor) visit(ctx context.Context) error {
	v.since = time.Now()
	place, err := v.q.enter(v)
	if err != nil {
		return v.overflow(ctx, err.Error())
	}
	defer v.q.leave(v)
	if err := v.call.Answer(ctx); err != nil {
		return err
	}
	v.emit(trace.Event{Reason: "joined", Count: int64(place)})
	agent, why, err := v.wait(ctx)
	switch {
	case err != nil:
		v.emit(trace.Event{Reason: "left", Seconds: time.Since(v.since).Seconds()})
		return err
	case agent == "":
		return v.overflow(ctx, why.Error())
	}
	v.talk(ctx, agent)
	v.q.each(func(s *State) { s.Ended(time.Now(), agent) })
	<-ctx.Done() // the script goes on as long as the call does
	return nil
}

// wait is the time until an agent has answered; why tells that it was no use, and
// errLeft that a key of exit was pressed.
func (v *visitor) wait(ctx context.Context) (agent string, why, err error) {
	ctx, leave := context.WithCancelCause(ctx)
	entertained, hush := context.WithCancelCause(ctx)
	var music sync.WaitGroup
	music.Go(func() { v.entertain(entertained) })
	if v.exit != "" {
		music.Go(func() { v.keys(ctx, leave) })
	}
	defer music.Wait() // one voice at a time
	defer leave(errHush)
	defer hush(errHush)
	var late <-chan time.Time
	if v.cfg.WaitLimit > 0 {
		t := time.NewTimer(v.cfg.WaitLimit)
		defer t.Stop()
		late = t.C
	}
	for {
		select {
		case agents := <-v.offers:
			if agent = v.ring(ctx, agents, func() { hush(errHush) }); agent != "" {
				return agent, nil, nil
			}
		case <-late:
			return "", fmt.Errorf("%w within %v", errLate, v.cfg.WaitLimit), nil
		case <-v.empty:
			return "", ErrEmpty, nil
		case <-ctx.Done():
			return "", nil, context.Cause(ctx)
		}
	}
}

// ring rings agents and gives the one who answered, "" when none did.
func (v *visitor) ring(ctx context.Context, agents []string, hush func()) string {
	var targets []call.Target
	for _, a := range agents {
		targets = append(targets, v.q.all.p.Targets(a, v.line)...)
	}
	if len(targets) == 0 { // its telephone has gone since
		v.missed(agents)
		return ""
	}
	v.emit(trace.Event{Reason: "offered", To: strings.Join(agents, " ")})
	err := v.line.Dial(ctx, call.DialWanted{Targets: targets, RingTime: v.cfg.RingTime, Quiet: true, Keep: !v.passes})
	agent := v.callee(targets)
	if err != nil && !(v.passes && agent != "" && ctx.Err() != nil) { // it ends the script as well, maybe before it is told
		if ctx.Err() == nil {
			v.missed(agents)
		}
		return ""
	}
	hush()
	if agent == "" {
		agent = targets[0].Extension // it has left already
	}
	v.q.each(func(s *State) { s.Answered(v.id, agent) })
	v.q.leave(v)
	v.emit(trace.Event{Reason: "answered", To: agent, Seconds: time.Since(v.since).Seconds()})
	return agent
}

func (v *visitor) missed(agents []string) {
	v.q.each(func(s *State) { s.Missed(time.Now(), v.id) })
	v.emit(trace.Event{Reason: "missed", To: strings.Join(agents, " ")})
}

// callee tells whose telephone the caller talks to now; "" = nobody's.
func (v *visitor) callee(targets []call.Target) string {
	for _, g := range v.line.Legs() {
		up := g.State == call.InCall || g.State == call.Held
		if i := slices.IndexFunc(targets, func(t call.Target) bool { return t.Leg == g.ID }); i >= 0 && up {
			return targets[i].Extension
		}
	}
	return ""
}

// glance is how often a talk is looked at: an agent may pass the caller on, and
// then is free.
const glance = time.Second

// talk returns when the agent has left the call, or the call is over.
func (v *visitor) talk(ctx context.Context, agent string) {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			there := false
			for _, l := range v.line.Legs() {
				there = there || l.Extension == agent && l.State != call.Completed
			}
			if !there {
				return
			}
		}
	}
}

var errHush = errors.New("waiting: the wait is over")

// entertain plays music, and says the place now and then.
func (v *visitor) entertain(ctx context.Context) {
	defer v.caught("music")
	for ctx.Err() == nil {
		v.play(ctx)
		if ctx.Err() == nil {
			_ = v.call.Speak(ctx, ozml.Utterance{Text: place(v.place())}) // the voice tells its faults itself; the wait goes on
		}
	}
}

// play plays music until it is time to say the place.
func (v *visitor) play(ctx context.Context) {
	if v.cfg.Announce > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, v.cfg.Announce)
		defer cancel()
	}
	if v.cfg.Music != "" {
		if err := v.call.Play(ctx, ozml.Prompt{File: v.cfg.Music, Repeat: true}); err != nil && ctx.Err() == nil {
			v.line.Sink().Emit(trace.Event{Type: trace.ScriptWarning, Text: err.Error()})
			v.cfg.Music = ""
		}
	}
	if leg := v.line.Talks(); v.cfg.Music == "" && ctx.Err() == nil {
		v.q.all.p.Music(leg, true)
		defer v.q.all.p.Music(leg, false)
	}
	<-ctx.Done()
}

func (v *visitor) place() int {
	v.q.mu.Lock()
	defer v.q.mu.Unlock()
	return v.q.state.Place(v.id)
}

func place(n int) string {
	if n <= 1 {
		return "You are next. Please hold the line."
	}
	return fmt.Sprintf("You are number %d in the queue. Please hold the line.", n)
}

// overflow sends a caller who cannot wait, or wait longer, elsewhere.
func (v *visitor) overflow(ctx context.Context, why string) error {
	v.q.leave(v)
	v.emit(trace.Event{Reason: "overflow", To: v.cfg.Overflow, Text: why})
	if v.cfg.Overflow != "" {
		err := v.call.Transfer(ctx, ozml.Transfer{To: v.cfg.Overflow})
		if err == nil || ctx.Err() != nil {
			return err
		}
		v.line.Sink().Emit(trace.Event{Type: trace.Error, Code: trace.CodeSound, Text: fmt.Sprintf("queue %s: overflow to %s: %v", v.cfg.Number, v.cfg.Overflow, err)})
	}
	if err := v.call.Answer(ctx); err != nil {
		return err
	}
	if err := v.call.Speak(ctx, ozml.Utterance{Text: "Nobody can take your call now. Please call again later. Goodbye."}); err != nil && ctx.Err() != nil {
		return err
	}
	return v.call.Hangup(ctx)
}

func (v *visitor) emit(e trace.Event) {
	e.Type, e.Name = trace.Queue, v.cfg.Number
	v.line.Sink().Emit(e)
}
