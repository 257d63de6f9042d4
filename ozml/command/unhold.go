package command

import (
	"context"

	"ozswitch/ozml"
)

// Unhold takes both parties of a call back from hold.
func Unhold() *ozml.Command {
	return &ozml.Command{
		Name:    "Unhold",
		Title:   "take both parties of a call back from hold",
		Doc:     "They hear each other again.",
		Notes:   []string{"Unhold on a call that is not on hold has no effect; over HTTP the code is 200."},
		Example: `<Response><Unhold/></Response>`,
		In:      others,
		New: func(p *ozml.Params) ozml.Action {
			var c unhold
			callID(p, &c.id)
			return &c
		},
	}
}

type unhold struct{ id string }

// Flow implements ozml.Steerer.
func (c *unhold) Flow() ozml.Flow { return ozml.Flow{} }

func (c *unhold) Do(ctx context.Context, m *ozml.Machine) error {
	call, err := m.On(c.id)
	if err != nil {
		return err
	}
	return m.Result(call, call.Unhold(ctx))
}
