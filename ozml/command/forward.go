package command

import (
	"context"
	"errors"
	"strings"

	"ozswitch/ozml"
)

// Forward sends a call that rings to another number.
func Forward() *ozml.Command {
	return &ozml.Command{
		Name:    "Forward",
		Also:    []string{"ForwardCall"},
		Title:   "send a call that still rings to another number",
		Doc:     "The telephones that ring fall silent, and the number is called by the dial plan for the same caller.",
		Notes:   []string{"A call that does not ring, because it is up or because a script answers it, is an error event; over HTTP the code is 303."},
		Example: `<Response><Forward CallId="k7Lm2" Destination="318"/></Response>`,
		In:      others,
		New: func(p *ozml.Params) ozml.Action {
			var c forward
			p.String(&c.to, "Destination", "the number", ozml.Required)
			callID(p, &c.id)
			return &c
		},
	}
}

type forward struct{ to, id string }

func (c *forward) Tell() string { return strings.TrimSpace(c.to) }

// Flow implements ozml.Steerer.
func (c *forward) Flow() ozml.Flow { return ozml.Flow{} }

func (c *forward) Do(ctx context.Context, m *ozml.Machine) error {
	call, err := m.On(c.id)
	if err != nil {
		return err
	}
	err = m.Result(call, call.Forward(ctx, strings.TrimSpace(c.to)))
	if errors.Is(err, ozml.ErrNotRinging) {
		return &ozml.Fault{Code: ozml.CodeNotHere, Msg: "Command 'Forward' cannot be used here", Hint: "the call does not ring; BlindTransfer moves a call that is up", Err: err}
	}
	return err
}
