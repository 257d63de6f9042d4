package command

import (
	"context"

	"ozswitch/ozml"
)

// Hangup ends a call.
func Hangup() *ozml.Command {
	return &ozml.Command{
		Name:  "Hangup",
		Title: "end the call",
		Doc: `Nothing that follows is run. The end of an extension's script hangs up as well, but only after a recording has ended; Hangup ends a recording at once.

In third-party control another call can be ended by its CallId; then the script goes on.`,
		Example: `<Response><Speak>Goodbye</Speak><Hangup/></Response>`,
		In:      ozml.Extension | ozml.ThirdParty | ozml.API,
		New: func(p *ozml.Params) ozml.Action {
			var c hangup
			callID(p, &c.id)
			return &c
		},
	}
}

type hangup struct{ id string }

func (c *hangup) Ends(in ozml.Setting) bool { return c.id == "" && in == ozml.Extension }

func (c *hangup) Do(ctx context.Context, m *ozml.Machine) error {
	call, err := m.On(c.id)
	if err != nil {
		return err
	}
	if call == m.Call {
		return m.Hangup(ctx)
	}
	return m.Result(call, call.Hangup(ctx))
}
