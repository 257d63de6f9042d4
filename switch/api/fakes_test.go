package api

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"ozswitch/ozml"
)

// An exchange is a small true Directory: calls that are up, numbers that can be
// dialled.
type exchange struct {
	calls  map[string]*oneCall
	dialed ozml.Dial
	alarm  ozml.AlarmCall
}

type oneCall struct {
	ozml.Call
	id   string
	hung atomic.Bool
}

func (c *oneCall) Info() ozml.CallInfo { return ozml.CallInfo{ID: c.id} }
func (c *oneCall) Hangup(context.Context) error {
	c.hung.Store(true)
	return nil
}

func (x *exchange) Find(id string) (ozml.Call, error) {
	if c := x.calls[id]; c != nil && !c.hung.Load() {
		return c, nil
	}
	return nil, ozml.NoCall(id)
}

// b81Qx is a call of two who talk, Nt3uh one whose callee rings; neither has
// anybody in common with the other.

func (c *oneCall) There(p ozml.Party) error {
	switch {
	case c.id == "b81Qx":
		return nil
	case p == ozml.Callee:
		return &ozml.PartyError{Party: p}
	}
	return &ozml.Fault{Code: ozml.CodeNotHere, Msg: "nobody can hear it: the call is not answered yet"}
}

func (c *oneCall) Speak(context.Context, ozml.Utterance) error        { return nil }
func (c *oneCall) Play(context.Context, ozml.Prompt) error            { return nil }
func (c *oneCall) SendKeys(context.Context, ozml.Party, string) error { return nil }
func (c *oneCall) StartRecord(context.Context, ozml.RecordSpec) error { return nil }
func (c *oneCall) PauseRecord(context.Context, ozml.Place) error {
	if c.id != "b81Qx" {
		return ozml.NoRecording("PauseRecord")
	}
	return nil
}
func (c *oneCall) ResumeRecord(context.Context, ozml.Place) error { return nil }
func (c *oneCall) Hold(context.Context) error                     { return nil }
func (c *oneCall) Unhold(context.Context) error                   { return nil }
func (c *oneCall) Merge(_ context.Context, m ozml.Merge) error {
	if m.Leaves == "" {
		return ozml.ErrNoTransferor
	}
	return nil
}

func (c *oneCall) Forward(_ context.Context, to string) error {
	switch {
	case c.id == "b81Qx":
		return ozml.ErrNotRinging
	case to == "777":
		return &ozml.CallError{To: to, State: "NotFound"}
	}
	return nil
}

// Transfer of 777 finds nobody; any other number rings for an hour and is busy.
func (c *oneCall) Transfer(ctx context.Context, t ozml.Transfer) error {
	switch {
	case c.id != "b81Qx" && t.Leaves == ozml.Callee:
		return &ozml.PartyError{Party: t.Leaves}
	case t.To == "777":
		return &ozml.CallError{To: t.To, State: "NotFound"}
	}
	t.Placed()
	return &ozml.CallError{To: t.To, State: "Busy"}
}

func (x *exchange) Active() []ozml.ActiveCall {
	return []ozml.ActiveCall{{
		ID: "b81Qx", Source: "201", CallerID: "Ann & Bob", Destination: "202", CallerDialed: "202", CalleeDialed: "202",
		Started: time.Date(2026, 3, 2, 9, 15, 40, 0, time.UTC), Ring: 1204 * time.Millisecond, State: "Ringing",
	}}
}

func (x *exchange) Dial(ctx context.Context, d ozml.Dial) (string, error) {
	x.dialed = d
	switch {
	case d.Extension == "666":
		return "", &Unavailable{d.Extension}
	case d.To == "100":
		return "q7Lx2", nil
	case d.To == "busy":
		return "", fmt.Errorf("exchange: %w", &ozml.CallError{To: d.To, State: "Busy"})
	case d.To == "broken":
		return "", errors.New("exchange: on fire")
	case d.To == "panics":
		panic("on fire")
	}
	<-ctx.Done() // rings for ever without a sign
	return "", context.Cause(ctx)
}
