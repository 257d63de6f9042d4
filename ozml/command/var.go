package command

import (
	"context"

	"ozswitch/ozml"
)

// Var sets a variable.
func Var() *ozml.Command {
	return &ozml.Command{
		Name:  "Var",
		Title: "set a variable",
		Doc: `Afterwards $name stands for the value, in every text and attribute, until the call ends: also in the documents of GoTo and DtmfEntered. Names are case-insensitive and consist of letters, digits and _, the first no digit.

A value is replaced once: a $ that comes out of a variable means nothing. $$ is a dollar sign. An unknown name stays as typed, with a warning.

Known from the start: $callid, $caller, $callername, $dialed, $extension, $direction, and $digits, the last complete entry of a UserInput.`,
		Notes:   []string{"A second Var of the same ID overwrites the first.", "All values are texts; there are no expressions."},
		Example: `<Response><Var ID="desk">1005</Var><Speak>Your desk is $desk</Speak></Response>`,
		In:      ozml.Extension | ozml.ThirdParty,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c variable
			p.Name(&c.id, "ID", "the name", ozml.Required)
			p.String(&c.value, "Value", "the value", ozml.FromBody)
			return &c
		},
	}
}

type variable struct{ id, value string }

func (c *variable) Do(_ context.Context, m *ozml.Machine) error {
	m.Vars().Set(c.id, c.value)
	return nil
}
