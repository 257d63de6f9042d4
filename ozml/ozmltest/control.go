package ozmltest

import (
	"context"
	"net/url"
	"time"

	"ozswitch/ozml"
)

// Call control on paper: who is called answers at once, unless the scenario
// says otherwise.

// transferred is a transfer whose end is to be told.
type transferred struct {
	url, caller, callee string
	since               time.Time
}

// There tells whether a party is there to hear something.
func (c *Call) There(p ozml.Party) error {
	if c.over {
		return ozml.ErrGone
	}
	return c.there(p)
}

// FindPrompt tells whether the scenario has that file.
func (c *Call) FindPrompt(file string) error {
	if d, known := c.sc.Files[file]; known && d < 0 {
		return &ozml.Fault{Code: ozml.CodeNoFile, Msg: "no such sound file: " + file}
	}
	return ozml.InFolders("AudioFile", file)
}

func (c *Call) there(p ozml.Party) error {
	if p != "" && p == c.sc.Nobody {
		return &ozml.PartyError{Party: p}
	}
	return nil
}

// Transfer rings a number as the scenario says.
func (c *Call) Transfer(ctx context.Context, t ozml.Transfer) error {
	c.did("", "Transfer", t)
	if err := c.ring(ctx, t); err != nil {
		return err
	}
	c.endRecord("transferred", 0)
	if t.Leaves == "" && c.cancel != nil {
		c.cancel(&ozml.Ended{Reason: "transferred"})
	}
	return nil
}

func (c *Call) ring(ctx context.Context, t ozml.Transfer) error {
	if err := c.stopped(ctx); err != nil {
		return err
	}
	caller := c.info.Caller
	switch t.Leaves {
	case ozml.Caller: // the callee stays
		if err := c.there(ozml.Callee); err != nil {
			return err
		}
		caller = c.info.Dialed
	case ozml.Callee:
		if err := c.there(ozml.Caller); err != nil {
			return err
		}
	}
	d, failed := c.sc.Dial[t.To], &ozml.CallError{To: t.To}
	if failed.State = d.State; failed.State == "NotFound" {
		return failed
	}
	if t.Placed != nil {
		t.Placed()
	}
	rings := t.RingTime
	if rings == 0 {
		rings = time.Minute
	}
	if failed.State == "NoAnswer" || d.After > rings {
		d.After, failed.State = rings, "NoAnswer"
	}
	if err := c.pass(ctx, d.After); err != nil {
		return err
	}
	if failed.State != "" {
		return failed
	}
	if t.FinishedURL != "" {
		c.transfers = append(c.transfers, transferred{t.FinishedURL, caller, t.To, c.now})
	}
	return nil
}

// tellTransfers reports the end of the call to who asked for it.
func (c *Call) tellTransfers() {
	for _, t := range c.transfers {
		c.web.Report(ozml.Notification{Name: "TransferCompleted", URL: t.url, Fields: url.Values{
			"Caller": {t.caller}, "Callee": {t.callee}, "Duration": {ozml.Decimals(c.now.Sub(t.since))},
		}})
	}
	c.transfers = nil
}

// handedOn ends a call whose script has handed the caller on, unless the
// scenario says what the caller does then.
func (c *Call) handedOn() {
	for _, a := range c.sc.Acts {
		if a.Hangup {
			return
		}
	}
	c.end("transferred")
}

// Merge takes the other call into this one.
func (c *Call) Merge(ctx context.Context, m ozml.Merge) error {
	c.did("", "Merge", m)
	if err := c.stopped(ctx); err != nil {
		return err
	}
	if m.Leaves != "" {
		if err := c.there(m.Leaves); err != nil {
			return err
		}
	}
	if o, ok := m.With.(other); ok {
		o.leave()
	}
	c.held = false
	c.endRecord("transferred", 0)
	return nil
}

// Hold notes that the call is on hold.
func (c *Call) Hold(ctx context.Context) error {
	c.did("", "Hold")
	c.held = true
	return c.stopped(ctx)
}

// Unhold takes that back.
func (c *Call) Unhold(ctx context.Context) error {
	c.did("", "Unhold")
	c.held = false
	return c.stopped(ctx)
}

// Forward needs a call that rings, see Scenario.Rings.
func (c *Call) Forward(ctx context.Context, to string) error {
	c.did("", "Forward", to)
	return c.forward(ctx, to)
}

func (c *Call) forward(ctx context.Context, to string) error {
	if err := c.stopped(ctx); err != nil {
		return err
	}
	if !c.sc.Rings {
		return ozml.ErrNotRinging
	}
	if d := c.sc.Dial[to]; d.State == "NotFound" {
		return &ozml.CallError{To: to, State: d.State}
	}
	return nil
}

// state is what ListActiveCalls tells.
func (c *Call) state() string {
	switch {
	case c.sc.Rings:
		return "Ringing"
	case c.held:
		return "Hold"
	}
	return "InCall"
}

// other is another call; its verbs take the time of this one.
type other struct {
	*Call
	id string
}

// Info knows the id only.
func (o other) Info() ozml.CallInfo { return ozml.CallInfo{ID: o.id, Started: epoch} }

// Hangup ends the other call, not this one.
func (o other) Hangup(ctx context.Context) error {
	o.did(o.id, "Hangup")
	o.leave()
	return o.stopped(ctx)
}

// leave takes the other call off the list.
func (o other) leave() {
	for i, id := range o.sc.Others {
		if id == o.id {
			o.sc.Others = append(o.sc.Others[:i:i], o.sc.Others[i+1:]...)
			return
		}
	}
}

// Transfer leaves the recording of this call alone.
func (o other) Transfer(ctx context.Context, t ozml.Transfer) error {
	o.did(o.id, "Transfer", t)
	return o.ring(ctx, t)
}

// Merge ends the other call, which becomes one with m.With.
func (o other) Merge(ctx context.Context, m ozml.Merge) error {
	o.did(o.id, "Merge", m)
	if with, ok := m.With.(other); ok {
		with.leave()
	} else {
		o.leave()
	}
	return o.stopped(ctx)
}

// Hold does nothing to this call.
func (o other) Hold(ctx context.Context) error {
	o.did(o.id, "Hold")
	return o.stopped(ctx)
}

// Unhold does nothing to this call.
func (o other) Unhold(ctx context.Context) error {
	o.did(o.id, "Unhold")
	return o.stopped(ctx)
}

// Speak takes the time of this call.
func (o other) Speak(ctx context.Context, u ozml.Utterance) error {
	o.did(o.id, "Speak", u)
	return o.speak(ctx, u)
}

// Beep takes the time of this call.
func (o other) Beep(ctx context.Context) error {
	o.did(o.id, "Beep")
	return o.beep(ctx)
}

// Play takes the time of this call.
func (o other) Play(ctx context.Context, p ozml.Prompt) error {
	o.did(o.id, "Play", p)
	return o.play(ctx, p)
}

// SendKeys takes the time of this call.
func (o other) SendKeys(ctx context.Context, to ozml.Party, keys string) error {
	o.did(o.id, "SendKeys", to, keys)
	return o.sendKeys(ctx, to, keys)
}

// StartRecord records this call.
func (o other) StartRecord(ctx context.Context, r ozml.RecordSpec) error {
	o.did(o.id, "Record", r)
	return o.startRecord(ctx, r)
}

// Forward needs a call that rings, as that of this one.
func (o other) Forward(ctx context.Context, to string) error {
	o.did(o.id, "Forward", to)
	return o.forward(ctx, to)
}

var _, _ ozml.Call = (*Call)(nil), other{}
