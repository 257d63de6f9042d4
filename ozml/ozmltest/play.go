package ozmltest

import (
	"context"
	"strconv"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// A Config says what to play.
type Config struct {
	Table    ozml.Table
	File     *syntax.File
	Scenario *Scenario  // nil: a caller who listens for an hour
	Sink     trace.Sink // gets all events; may be nil
	Web      ozml.Web   // instead of the scenario's

	SpeakLength func(ozml.Utterance) (time.Duration, error) // nil: Estimate
	PlayLength  func(ozml.Prompt) (time.Duration, error)    // of files the scenario does not name; nil: 3 s
	Heard       func(Sound)                                 // told of every sound, when it has ended; may be nil
}

// A Sound is something the caller heard; one of Speak, Play and Beep.
type Sound struct {
	At, Heard time.Duration // since the beginning, and how long
	Speak     *ozml.Utterance
	Play      *ozml.Prompt
	Beep      bool
}

// A Result is what came of it.
type Result struct {
	End     ozml.End      // of the script
	Reason  string        // why the call ended: script, caller, rejected
	Length  time.Duration // of the call
	Err     error         // of the one command of an API request
	Posted  []Posted      // what the scenario's web application was told
	Dials   []ozml.Dial   // calls that were made
	Replies []any
	Did     []string // what the script asked of calls and of the world, see did
}

// Play runs a script on paper until the call and all that follows it is over.
// It returns early only if ctx ends.
func Play(ctx context.Context, cfg Config) Result {
	if cfg.Scenario == nil {
		cfg.Scenario = &Scenario{}
	}
	c := newCall(ctx, cfg)
	sc := cfg.Scenario
	if sc.Show {
		c.Emit(trace.Event{Type: trace.CallStarted, From: sc.Info.Caller, To: sc.Info.Dialed, Direction: c.info.Direction})
	}
	var r Result
	w := ozml.World{Call: c, Calls: directory{c}, Web: c.theWeb(), Files: files{c}, Messages: messages{c}, Lists: lists{}, Configs: configs{c, new([]*ozml.ExtensionConfig)}, Trace: c, Limits: sc.Limits}
	o := ozml.Options{
		Setting: sc.Setting, Ringing: !sc.Connected, Info: c.info, ErrorURL: sc.ErrorURL, Sensitive: sc.Sensitive,
		Renew: c.Context,
		Reply: func(v any) { r.Replies = append(r.Replies, v) },
	}
	if sc.Setting == ozml.API {
		r.Err = ozml.Do(c.Context(), w, cfg.Table, cfg.File, o)
	} else {
		r.End = ozml.Run(c.Context(), w, cfg.Table, cfg.File, o)
	}
	if r.End.Reason == "transferred" {
		c.handedOn()
	}
	c.drain() // a third-party script ends before its call; reports come later
	for len(c.gone) > 0 {
		f := c.gone[0].file
		c.gone = c.gone[1:]
		w.Call = nil
		ozml.Run(ctx, w, cfg.Table, f, o)
		c.drain()
	}
	r.Reason, r.Length = c.reason, c.now.Sub(epoch)
	r.Posted, r.Dials, r.Did = c.web.Posted, c.dials, c.asked
	return r
}

func (c *Call) theWeb() ozml.Web {
	if c.cfg.Web != nil {
		return c.cfg.Web
	}
	return c.web
}

// directory is the other calls on paper.
type directory struct{ c *Call }

// Find finds a call that the scenario names.
func (d directory) Find(id string) (ozml.Call, error) {
	if id == d.c.info.ID {
		return d.c, nil
	}
	for _, o := range d.c.sc.Others {
		if o == id {
			return other{d.c, id}, nil
		}
	}
	return nil, ozml.NoCall(id)
}

// Dial rings every number but those of which the scenario says otherwise.
func (d directory) Dial(ctx context.Context, dial ozml.Dial) (string, error) {
	d.c.dials = append(d.c.dials, dial)
	d.c.did("", "Dial", dial)
	if state := d.c.sc.Dial[dial.To].State; state != "" {
		return "", &ozml.CallError{To: dial.To, State: state}
	}
	d.c.dialed++
	return d.c.info.ID + "-" + itoa(d.c.dialed), nil
}

// Active lists this call and the scenario's others.
func (d directory) Active() []ozml.ActiveCall {
	list := []ozml.ActiveCall{{ID: d.c.info.ID, Source: d.c.info.Caller, CallerID: d.c.info.Caller, Destination: d.c.info.Dialed,
		CallerDialed: d.c.info.Dialed, CalleeDialed: d.c.info.Dialed, Started: epoch, Talk: d.c.now.Sub(epoch), State: d.c.state()}}
	for _, o := range d.c.sc.Others {
		list = append(list, ozml.ActiveCall{ID: o, Started: epoch, State: "InCall"})
	}
	return list
}

func itoa(n int) string { return strconv.Itoa(n) }
