package script

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
)

// What parties of a call hear.

// A prompt is a sound that can be had in any codec.
type prompt = func(*codec.Codec) iter.Seq2[*pace.Clip, error]

// An ear is the leg of a party.
type ear struct {
	*bridge.Leg
	id call.LegID
}

// legs gives the legs of a party that can hear something now; of all who are
// there for All, the caller's first. There is at least one, else the error is
// a *ozml.PartyError, ErrGone, or tells that nobody has answered.
func (c *live) legs(ctx context.Context, p ozml.Party) ([]ear, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var there bool
	var legs []ear
	for _, role := range []call.Party{call.Caller, call.Callee} {
		if p != "" && p != ozml.All && party(p) != role {
			continue
		}
		id := c.line.Leg(role)
		if id == "" {
			continue
		}
		there = true
		if leg := c.r.c.Bridge.Leg(id); leg != nil && !errors.Is(leg.Usable(), bridge.ErrClosed) {
			legs = append(legs, ear{leg, id})
		}
	}
	s := c.line.Status().State
	switch {
	case len(legs) > 0:
		return legs, nil
	case s == call.Completed:
		return nil, ozml.ErrGone
	case !there && p != "" && p != ozml.All:
		return nil, &ozml.PartyError{Party: p}
	case s == call.Setup || s == call.Ringing:
		return nil, &ozml.Fault{Code: ozml.CodeNotHere, Msg: "nobody can hear it: the call is not answered yet"}
	}
	return nil, ozml.ErrGone
}

// There implements ozml.Roll.
func (c *live) There(p ozml.Party) error {
	_, err := c.legs(context.Background(), p)
	return err
}

// hear lets a party hear something, both at once for All; over says that it lies
// over what the call's script has them hear. It returns when all have heard it.
func (c *live) hear(ctx context.Context, p ozml.Party, sound prompt, over bool) error {
	legs, err := c.legs(ctx, p)
	if err != nil {
		return err
	}
	errs := make([]error, len(legs))
	one := func(i int) { errs[i] = playOn(ctx, legs[i].Leg, sound, over) }
	var wg sync.WaitGroup
	for i := range legs[1:] {
		wg.Go(func() {
			defer c.r.guard(c.line.Sink(), "sound of a party")
			one(i + 1)
		})
	}
	one(0)
	wg.Wait()
	closed := 0
	for _, err := range errs {
		if errors.Is(err, bridge.ErrClosed) {
			closed++
		} else if err != nil {
			return c.sounded(ctx, err)
		}
	}
	if closed == len(legs) {
		return c.sounded(ctx, bridge.ErrClosed)
	}
	return nil
}

// playOn plays on one leg.
func playOn(ctx context.Context, l *bridge.Leg, sound prompt, over bool) error {
	play := l.PlayIn
	if over {
		play = l.PlayOver
	}
	_, err := play(ctx, sound)
	return err
}

// Speak reads a text aloud.
func (c *live) Speak(ctx context.Context, u ozml.Utterance) error { return c.speak(ctx, u, false) }

func (c *live) speak(ctx context.Context, u ozml.Utterance, over bool) error {
	return c.hear(ctx, u.To, func(co *codec.Codec) iter.Seq2[*pace.Clip, error] {
		return c.r.speech(ctx, co, u, c.line.Sink())
	}, over)
}

// Play plays a sound file.
func (c *live) Play(ctx context.Context, p ozml.Prompt) error { return c.play(ctx, p, false) }

func (c *live) play(ctx context.Context, p ozml.Prompt, over bool) error {
	play := ctx
	if p.Timeout > 0 {
		var cancel context.CancelFunc
		play, cancel = context.WithTimeoutCause(ctx, p.Timeout, errTimeout)
		defer cancel()
	}
	err := c.hear(play, p.To, func(co *codec.Codec) iter.Seq2[*pace.Clip, error] {
		return c.r.prompt(play, co, p, c.line.Sink())
	}, over)
	switch {
	case err != nil && ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, errTimeout):
		return nil
	}
	return err
}

// FindPrompt implements ozml.Finder.
func (c *live) FindPrompt(file string) error {
	if low := strings.ToLower(file); strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://") {
		return nil
	}
	f, err := c.r.c.Prompts.Open(context.Background(), file)
	if err != nil {
		return err
	}
	return f.Close()
}

// errTimeout is the cause that Play's own Timeout has.
var errTimeout = errors.New("script: timeout of Play")

// Beep is heard by all.
func (c *live) Beep(ctx context.Context) error { return c.beep(ctx, false) }

func (c *live) beep(ctx context.Context, over bool) error {
	return c.hear(ctx, ozml.All, c.r.beep, over)
}

// SendKeys sends keys to a party, to both at once for All.
func (c *live) SendKeys(ctx context.Context, to ozml.Party, keys string) error {
	legs, err := c.legs(ctx, to)
	if err != nil {
		return err
	}
	sources, errs := make([]ozml.KeySource, len(legs)), make([]error, len(legs))
	one := func(i int) { sources[i], errs[i] = c.sendKeys(ctx, legs[i], keys) }
	var wg sync.WaitGroup
	for i := range legs[1:] {
		wg.Go(func() {
			defer c.r.guard(c.line.Sink(), "keys to a party")
			one(i + 1)
		})
	}
	one(0)
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return err
		}
		if i == 0 || sources[i] != sources[0] {
			c.line.Sink().Emit(trace.Event{T: time.Now(), Type: trace.KeySent, Key: keys, Source: sources[i].String()})
		}
	}
	return nil
}

// sendKeys sends keys to one leg: by INFO, RFC 4733 or as tones, as the call
// decides.
func (c *live) sendKeys(ctx context.Context, leg ear, keys string) (source ozml.KeySource, err error) {
	err = c.line.Ask(ctx, func(t call.Ticket) call.Event { return call.KeysWanted{Ticket: t, Leg: leg.id, Keys: keys} })
	if a, ok := errors.AsType[*exchange.AskError](err); !ok || a.Code != call.BySound {
		return ozml.KeyInfo, failure(ctx, err)
	}
	source = ozml.KeyInband
	if leg.TakesEvents() {
		source = ozml.KeyEvent
	}
	return source, c.sounded(ctx, leg.SendKeys(ctx, keys))
}
