package command

import (
	"context"
	"time"

	"ozswitch/ozml"
)

// Delay lets time pass.
func Delay() *ozml.Command {
	return &ozml.Command{
		Name:  "Delay",
		Title: "wait before the next command",
		Doc:   "The caller hears nothing meanwhile. Keys are kept for the next UserInput; within InitialCommands a key ends the Delay.",
		Notes: []string{"Decimals are taken: `0.5` is half a second.", "The cap is 24 hours (`limits:` in the configuration)."},
		Example: `<Response>
  <Speak>One</Speak>
  <Delay>2</Delay>
  <Speak>Two</Speak>
</Response>`,
		In:     ozml.Extension,
		Sounds: true,
		New: func(p *ozml.Params) ozml.Action {
			var c delay
			p.Seconds(&c.d, "Time", "how long", ozml.FromBody, ozml.Required, ozml.AtMost(p.Limits().Delay.Seconds()))
			return &c
		},
	}
}

type delay struct{ d time.Duration }

func (c *delay) Do(ctx context.Context, m *ozml.Machine) error { return m.Call.Wait(ctx, c.d) }
