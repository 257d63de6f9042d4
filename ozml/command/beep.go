package command

import (
	"context"

	"ozswitch/ozml"
)

// Beep sounds a short tone.
func Beep() *ozml.Command {
	return &ozml.Command{
		Name:    "Beep",
		Title:   "sound a short tone",
		Doc:     "The next command starts when the tone has ended.",
		Notes:   []string{"The public pages name the command only; ours is a tone of 1000 Hz that lasts 0.5 s, without parameters."},
		Example: `<Response><Speak>Talk after the tone</Speak><Beep/><Record Duration="30"/></Response>`,
		In:      ozml.Extension,
		Sounds:  true,
		New:     func(p *ozml.Params) ozml.Action { return beep{} },
	}
}

type beep struct{}

func (beep) Do(ctx context.Context, m *ozml.Machine) error { return m.Call.Beep(ctx) }
