package command

import (
	"context"

	"ozswitch/ozml"
)

// Hold puts both parties of a call on hold.
func Hold() *ozml.Command {
	return &ozml.Command{
		Name:    "Hold",
		Title:   "put both parties of a call on hold",
		Doc:     "They hear hold music and not each other until Unhold.",
		Notes:   []string{"Hold on a call that is on hold has no effect; over HTTP the code is 200."},
		Example: `<Response><Hold/></Response>`,
		In:      others,
		New: func(p *ozml.Params) ozml.Action {
			var c hold
			callID(p, &c.id)
			return &c
		},
	}
}

type hold struct{ id string }

// Flow implements ozml.Steerer.
func (c *hold) Flow() ozml.Flow { return ozml.Flow{} }

func (c *hold) Do(ctx context.Context, m *ozml.Machine) error {
	call, err := m.On(c.id)
	if err != nil {
		return err
	}
	return m.Result(call, call.Hold(ctx))
}
