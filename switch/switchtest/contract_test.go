package switchtest

import (
	"context"
	"testing"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// TestCallContract: the live call does what ozml.Call must. The contract runs
// as a command of a script, with the script's own call and context.
func TestCallContract(t *testing.T) {
	const slack = 60 * time.Millisecond // a frame here, one there, the network
	ozmltest.TestCall(t, slack, func(t *testing.T, sc *ozmltest.Scenario, do func(ctx context.Context, c ozml.Call)) {
		Run(t, func(w *World) {
			ran := false
			w.Commands = with("Contract", func(ctx context.Context, m *ozml.Machine) error {
				ran = true
				do(ctx, m.Call)
				return nil
			})
			w.Web.Serve("/ivr", `<Response><Contract/></Response>`)
			w.Config.Dialplan = nil // so that 4711 is nobody's number
			soundFile(w, "x.wav", time.Second)
			o := phone.Options{HangupAfter: time.Hour}
			for _, a := range sc.Acts {
				if a.Hangup {
					o.HangupAfter = a.At
				} else {
					o.Keys = append(o.Keys, phone.Press{At: a.At, Keys: string(rune(a.Key))})
				}
			}
			for _, a := range sc.Alarms { // it is confirmed when that was said
				const takes = 16*110*time.Millisecond + 250*time.Millisecond + 850*time.Millisecond
				o.Say = append(o.Say, phone.Say{At: a.At - takes, Source: tones(t, a.Digits())})
			}
			w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "1002", Type: "phone", Contact: "sip:1002@" + PhoneHost(1)})
			first, second := w.Phone("1001"), w.Phone("1002")
			second.Reply = func() phone.Reply { return phone.Reply{Options: phone.Options{HangupAfter: time.Minute}} }
			first.Place("9000", o).Over()
			w.Pass(time.Second)
			if !ran {
				t.Error("the contract was not run")
			}
		})
	})
}

// with gives all commands and one more.
func with(name string, do func(ctx context.Context, m *ozml.Machine) error) ozml.Table {
	extra := &ozml.Command{
		Name: name, Title: "a command of this test", Doc: "It is only here.", Example: "<Response><" + name + "/></Response>",
		In: ozml.Extension, New: func(*ozml.Params) ozml.Action { return action(do) },
	}
	return ozml.NewTable(append(command.Table().Commands(), extra)...)
}

type action func(ctx context.Context, m *ozml.Machine) error

func (a action) Do(ctx context.Context, m *ozml.Machine) error { return a(ctx, m) }
