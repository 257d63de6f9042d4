package ozmltest

import (
	"context"
	"errors"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/contactid"
)

// A check is one thing every Call must do.
type check struct {
	name   string
	caller string // what the caller does, as in Parse
	do     func(t TB, ctx context.Context, c ozml.Call)
}

// TestCall states what every ozml.Call must do. make must set up an answered
// call whose caller does what the scenario says, run do with the call and the
// context of a script on it (which ends with ErrGone when the call is over),
// and take it down again; for a live call all of that in a bubble of its own.
//
// Verbs that end early return context.Cause of their context; times are exact
// to slack, the length of a frame and what the network needs.
func TestCall[T Tester[T]](t T, slack time.Duration, make func(t T, sc *Scenario, do func(ctx context.Context, c ozml.Call))) {
	for _, k := range checks(slack) {
		t.Run(k.name, func(t T) {
			sc, err := Parse("caller", k.caller, nil)
			if err != nil {
				t.Fatalf("%v", err)
			}
			ran := false
			make(t, sc, func(ctx context.Context, c ozml.Call) {
				ran = true
				k.do(t, ctx, c)
			})
			if !ran {
				t.Errorf("the call was never made")
			}
		})
	}
}

func checks(slack time.Duration) []check {
	is := func(t TB, what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) || want == nil && got != nil {
			t.Errorf("%s = %v, want %v", what, got, want)
		}
	}
	took := func(t TB, what string, c ozml.Call, from time.Time, want time.Duration) {
		t.Helper()
		if got := c.Now().Sub(from); got < want-slack || got > want+slack {
			t.Errorf("%s took %v, want %v", what, got, want)
		}
	}
	key := func(t TB, ctx context.Context, c ozml.Call, d time.Duration, want ozml.Key) {
		t.Helper()
		if got, err := c.Key(ctx, d); err != nil || got != want {
			t.Errorf("Key = %c, %v, want %c", got, err, want)
		}
	}
	return []check{
		{"wait takes its time", "", func(t TB, ctx context.Context, c ozml.Call) {
			from := c.Now()
			is(t, "Wait", c.Wait(ctx, 90*time.Second), nil)
			took(t, "Wait", c, from, 90*time.Second)
		}},
		{"wait of nothing returns", "", func(t TB, ctx context.Context, c ozml.Call) {
			from := c.Now()
			is(t, "Wait(0)", c.Wait(ctx, 0), nil)
			took(t, "Wait(0)", c, from, 0)
		}},
		{"a key ends UntilKey", "at 2s press 5", func(t TB, ctx context.Context, c ozml.Call) {
			from := c.Now()
			defer c.Input(ctx)()
			k, stop := c.UntilKey(ctx)
			defer stop()
			is(t, "Wait", c.Wait(k, time.Minute), ozml.ErrKey)
			took(t, "Wait", c, from, 2*time.Second)
			key(t, ctx, c, 0, '5')
		}},
		{"a waiting key ends UntilKey at once", "at 1s press 5", func(t TB, ctx context.Context, c ozml.Call) {
			defer c.Input(ctx)()
			is(t, "Wait", c.Wait(ctx, 2*time.Second), nil)
			k, stop := c.UntilKey(ctx)
			defer stop()
			if context.Cause(k) != ozml.ErrKey {
				t.Errorf("cause of UntilKey = %v, want ErrKey at once", context.Cause(k))
			}
		}},
		{"a key does not end what follows UntilKey", "at 2s press 5", func(t TB, ctx context.Context, c ozml.Call) {
			defer c.Input(ctx)()
			_, stop := c.UntilKey(ctx)
			stop()
			is(t, "Wait", c.Wait(ctx, 5*time.Second), nil)
		}},
		{"Key gives up", "", func(t TB, ctx context.Context, c ozml.Call) {
			defer c.Input(ctx)()
			from := c.Now()
			_, err := c.Key(ctx, 4*time.Second)
			is(t, "Key", err, ozml.ErrNoKey)
			took(t, "Key", c, from, 4*time.Second)
		}},
		{"Key of no time returns", "", func(t TB, ctx context.Context, c ozml.Call) {
			defer c.Input(ctx)()
			_, err := c.Key(ctx, 0)
			is(t, "Key", err, ozml.ErrNoKey)
		}},
		{"keys come in order", "at 1s press 12", func(t TB, ctx context.Context, c ozml.Call) {
			defer c.Input(ctx)()
			key(t, ctx, c, 10*time.Second, '1')
			key(t, ctx, c, 10*time.Second, '2')
		}},
		{"keys before the first Input are dropped", "at 1s press 1", func(t TB, ctx context.Context, c ozml.Call) {
			is(t, "Wait", c.Wait(ctx, 2*time.Second), nil)
			defer c.Input(ctx)()
			_, err := c.Key(ctx, time.Second)
			is(t, "Key", err, ozml.ErrNoKey)
		}},
		{"keys dialled ahead are kept", "at 2s press 7", func(t TB, ctx context.Context, c ozml.Call) {
			c.Input(ctx)()
			is(t, "Wait", c.Wait(ctx, 4*time.Second), nil)
			defer c.Input(ctx)()
			key(t, ctx, c, 0, '7')
		}},
		{"old keys dialled ahead are not kept", "at 1s press 7", func(t TB, ctx context.Context, c ozml.Call) {
			c.Input(ctx)()
			is(t, "Wait", c.Wait(ctx, 8*time.Second), nil)
			defer c.Input(ctx)()
			_, err := c.Key(ctx, 0)
			is(t, "Key", err, ozml.ErrNoKey)
		}},
		{"a key belongs to the innermost", "at 1s press 3", func(t TB, ctx context.Context, c ozml.Call) {
			defer c.Input(ctx)()
			outer, stop := c.UntilKey(ctx)
			defer stop()
			done := c.Input(outer)
			key(t, outer, c, 5*time.Second, '3')
			done()
			is(t, "Wait", c.Wait(outer, time.Second), nil)
		}},
		{"an inner Input leaves the outer open", "at 2s press 3", func(t TB, ctx context.Context, c ozml.Call) {
			defer c.Input(ctx)()
			c.Input(ctx)()
			is(t, "Wait", c.Wait(ctx, 10*time.Second), nil)
			key(t, ctx, c, 0, '3')
		}},
		{"after the end every verb says so", "at 3s hangup", func(t TB, ctx context.Context, c ozml.Call) {
			from := c.Now()
			is(t, "Wait", c.Wait(ctx, time.Minute), ozml.ErrGone)
			took(t, "Wait", c, from, 3*time.Second)
			is(t, "cause", context.Cause(ctx), ozml.ErrGone)
			for range 2 {
				is(t, "Speak", c.Speak(ctx, ozml.Utterance{Text: "x"}), ozml.ErrGone)
				is(t, "Play", c.Play(ctx, ozml.Prompt{File: "x.wav"}), ozml.ErrGone)
				is(t, "Beep", c.Beep(ctx), ozml.ErrGone)
				is(t, "Wait", c.Wait(ctx, 0), ozml.ErrGone)
				is(t, "StartRecord", c.StartRecord(ctx, ozml.RecordSpec{Format: "wav"}), ozml.ErrGone)
				is(t, "Recording", c.Recording(ctx), ozml.ErrGone)
				is(t, "SendKeys", c.SendKeys(ctx, ozml.All, "1"), ozml.ErrGone)
				is(t, "Hangup", c.Hangup(ctx), ozml.ErrGone)
				is(t, "Transfer", c.Transfer(ctx, ozml.Transfer{To: "4711"}), ozml.ErrGone)
				is(t, "Merge", c.Merge(ctx, ozml.Merge{With: c}), ozml.ErrGone)
				is(t, "Hold", c.Hold(ctx), ozml.ErrGone)
				is(t, "Unhold", c.Unhold(ctx), ozml.ErrGone)
				is(t, "Forward", c.Forward(ctx, "4711"), ozml.ErrGone)
				_, err := c.Key(ctx, time.Second)
				is(t, "Key", err, ozml.ErrGone)
			}
		}},
		{"Hangup ends the script's context", "", func(t TB, ctx context.Context, c ozml.Call) {
			is(t, "Hangup", c.Hangup(ctx), nil)
			is(t, "cause", context.Cause(ctx), ozml.ErrGone)
			is(t, "Wait", c.Wait(ctx, time.Second), ozml.ErrGone)
		}},
		{"a cancelled verb returns the cause", "", func(t TB, ctx context.Context, c ozml.Call) {
			why := errors.New("why")
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(why)
			is(t, "Wait", c.Wait(ctx, time.Second), why)
			is(t, "Speak", c.Speak(ctx, ozml.Utterance{Text: "x"}), why)
			_, err := c.Key(ctx, time.Second)
			is(t, "Key", err, why)
		}},
		{"a recording ends by itself", "", func(t TB, ctx context.Context, c ozml.Call) {
			from := c.Now()
			is(t, "StartRecord", c.StartRecord(ctx, ozml.RecordSpec{Format: "wav", Duration: 5 * time.Second}), nil)
			took(t, "StartRecord", c, from, 0)
			is(t, "Recording", c.Recording(ctx), nil)
			took(t, "the recording", c, from, 5*time.Second)
			is(t, "Recording", c.Recording(ctx), nil)
		}},
		{"a key ends a recording and nothing else", "at 2s press #", func(t TB, ctx context.Context, c ozml.Call) {
			from := c.Now()
			is(t, "StartRecord", c.StartRecord(ctx, ozml.RecordSpec{Format: "wav", FinishDigits: "#"}), nil)
			is(t, "Wait", c.Wait(ctx, 4*time.Second), nil)
			is(t, "Recording", c.Recording(ctx), nil)
			took(t, "Wait and Recording", c, from, 4*time.Second)
		}},
		{"a transfer to nowhere leaves all as it was", "dial 4711 NotFound", func(t TB, ctx context.Context, c ozml.Call) {
			placed := false
			err := c.Transfer(ctx, ozml.Transfer{To: "4711", Placed: func() { placed = true }})
			if e, ok := errors.AsType[*ozml.CallError](err); !ok || e.To != "4711" || e.State != "NotFound" {
				t.Errorf("Transfer to nowhere = %v, want a *CallError of 4711 with state NotFound", err)
			}
			if placed {
				t.Errorf("Transfer to nowhere was placed")
			}
			is(t, "Wait", c.Wait(ctx, time.Second), nil)
		}},
		{"a transfer that succeeds ends the script", "dial 1002 answers", func(t TB, ctx context.Context, c ozml.Call) {
			err := c.Transfer(ctx, ozml.Transfer{To: "1002"})
			if e, ended := errors.AsType[*ozml.Ended](err); err != nil && (!ended || e.Reason != "transferred") {
				t.Errorf("Transfer = %v, want nil or that the script is over", err)
			}
			for _, err := range []error{context.Cause(ctx), c.Wait(ctx, time.Second)} {
				if e, ok := errors.AsType[*ozml.Ended](err); !ok || e.Reason != "transferred" {
					t.Errorf("afterwards the context says %v, want that the script ended as transferred", err)
				}
			}
		}},
		{"a call that is up is not forwarded", "", func(t TB, ctx context.Context, c ozml.Call) {
			is(t, "Forward", c.Forward(ctx, "4711"), ozml.ErrNotRinging)
			is(t, "Wait", c.Wait(ctx, time.Second), nil)
		}},
		{"Hold twice and Unhold without Hold do nothing", "", func(t TB, ctx context.Context, c ozml.Call) {
			is(t, "Unhold", c.Unhold(ctx), nil)
			is(t, "Hold", c.Hold(ctx), nil)
			is(t, "Hold", c.Hold(ctx), nil)
			is(t, "Unhold", c.Unhold(ctx), nil)
			is(t, "Wait", c.Wait(ctx, time.Second), nil)
		}},
		{"without a panel no alarm is received", "at 40s hangup", func(t TB, ctx context.Context, c ozml.Call) {
			from := c.Now()
			err := alarms(t, c).ReceiveAlarms(ctx, func(m contactid.Message) error {
				t.Errorf("received %v", m)
				return nil
			})
			if e, ok := errors.AsType[*ozml.AlarmError](err); !ok || e.Sent || e.Msg == "" {
				t.Errorf("ReceiveAlarms = %v, want an *AlarmError with the reason", err)
			}
			took(t, "ReceiveAlarms", c, from, 22500*time.Millisecond)
			is(t, "Wait", c.Wait(ctx, time.Minute), ozml.ErrGone)
			is(t, "ReceiveAlarms", alarms(t, c).ReceiveAlarms(ctx, nil), ozml.ErrGone)
		}},
		{"alarms are received one after another", "alarm 1234 18 1110 01 015 at 6s\nalarm 1234 18 3110 01 015 at 12s", func(t TB, ctx context.Context, c ozml.Call) {
			var got []string
			err := alarms(t, c).ReceiveAlarms(ctx, func(m contactid.Message) error {
				got = append(got, m.Digits())
				return c.Wait(ctx, 2*time.Second) // the next comes all the same
			})
			is(t, "ReceiveAlarms", err, nil)
			if want := "1234181110010151 123418311001015E"; strings.Join(got, " ") != want {
				t.Errorf("received %q, want %s", got, want)
			}
		}},
		{"a panel that hangs up has been heard", "alarm 1234 18 1110 01 015 at 6s\nat 7s hangup", func(t TB, ctx context.Context, c ozml.Call) {
			n := 0
			is(t, "ReceiveAlarms", alarms(t, c).ReceiveAlarms(ctx, func(contactid.Message) error { n++; return nil }), ozml.ErrGone)
			if n != 1 {
				t.Errorf("received %d alarms, want 1", n)
			}
		}},
		{"a fault of the script ends receiving", "alarm 1234 18 1110 01 015 at 6s", func(t TB, ctx context.Context, c ozml.Call) {
			why := errors.New("why")
			is(t, "ReceiveAlarms", alarms(t, c).ReceiveAlarms(ctx, func(contactid.Message) error { return why }), why)
			is(t, "Wait", c.Wait(ctx, time.Second), nil)
		}},
		{"keys are the panel's while alarms are received", "at 3s press 5", func(t TB, ctx context.Context, c ozml.Call) {
			defer c.Input(ctx)()
			_ = alarms(t, c).ReceiveAlarms(ctx, func(contactid.Message) error { return nil })
			_, err := c.Key(ctx, 0)
			is(t, "Key", err, ozml.ErrNoKey)
		}},
		{"Answer does nothing to a call that is up", "", func(t TB, ctx context.Context, c ozml.Call) {
			is(t, "Answer", c.Answer(ctx), nil)
			is(t, "Wait", c.Wait(ctx, time.Second), nil)
		}},
		{"Info tells who calls", "", func(t TB, ctx context.Context, c ozml.Call) {
			if i := c.Info(); i.ID == "" || i.Direction == "" || i.Started.IsZero() {
				t.Errorf("Info = %+v, want an id, a direction and a start", i)
			}
		}},
	}
}

// alarms is the call as one that takes alarms.
func alarms(t TB, c ozml.Call) ozml.AlarmReceiver {
	t.Helper()
	r, ok := c.(ozml.AlarmReceiver)
	if !ok {
		t.Fatalf("%T takes no alarms", c)
	}
	return r
}

// NewCall makes a call on paper by itself, without a script. Its Context is
// that of the script it would have.
func NewCall(ctx context.Context, sc *Scenario) *Call {
	return newCall(ctx, Config{Scenario: sc})
}
