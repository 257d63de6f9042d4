package command

import (
	"context"

	"ozswitch/ozml"
)

// Speak reads a text aloud.
func Speak() *ozml.Command {
	return &ozml.Command{
		Name:    "Speak",
		Title:   "read a text aloud",
		Doc:     "The next command starts when the last word was heard. Within InitialCommands a key cuts it short.",
		Notes:   []string{"A language or voice that is not installed is replaced by the default one.", "Party is `all` where it is absent in third-party control."},
		Example: `<Response><Speak Language="en-GB">Good morning, $callername.</Speak></Response>`,
		In:      ozml.Extension | ozml.ThirdParty | ozml.API,
		Sounds:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c speak
			p.String(&c.Text, "Text", "what to say", ozml.FromBody, ozml.Required)
			p.String(&c.Language, "Language", "language tag such as en-GB; the voice's own where absent")
			p.String(&c.Voice, "Voice", "name of an installed voice")
			party(p, &c.To)
			callID(p, &c.id)
			return &c
		},
	}
}

type speak struct {
	ozml.Utterance
	id string
}

func (c *speak) Tell() string { return c.Text }

// Says implements ozml.Speaker.
func (c *speak) Says() ozml.Utterance { return c.Utterance }

func (c *speak) Do(ctx context.Context, m *ozml.Machine) error {
	call, err := m.On(c.id)
	if err != nil {
		return err
	}
	if err := m.Sounds(call, c.To); err != nil {
		return err
	}
	return m.Result(call, call.Speak(ctx, c.Utterance))
}
