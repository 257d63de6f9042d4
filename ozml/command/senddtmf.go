package command

import (
	"context"

	"ozswitch/ozml"
)

// SendDTMF sends keys to a party.
func SendDTMF() *ozml.Command {
	return &ozml.Command{
		Name:  "SendDTMF",
		Title: "send keys to a party of the call",
		Doc:   "The next command starts when the last key was sent. The keys go as the other side takes them: as telephone-events (RFC 4733), by SIP INFO, or as tones.",
		Notes: []string{
			"The public pages give it to third-party control only; in the script of an extension it sends to the other side of the call, and Party is ignored.",
			"A key lasts 100 ms, with 60 ms after it.",
		},
		Example: `<Response><SendDTMF Party="callee" Keys="42#"/></Response>`,
		In:      ozml.Extension | ozml.ThirdParty | ozml.API,
		New: func(p *ozml.Params) ozml.Action {
			var c sendDTMF
			p.Keys(&c.keys, "Keys", "which ones", ozml.Required)
			p.Party(&c.to, "Party", "who gets them", ozml.Only(others), ozml.MustIn(others))
			callID(p, &c.id)
			return &c
		},
	}
}

type sendDTMF struct {
	keys ozml.Keys
	to   ozml.Party
	id   string
}

func (c *sendDTMF) Tell() string { return string(c.keys) }

// Flow implements ozml.Steerer.
func (c *sendDTMF) Flow() ozml.Flow { return ozml.Flow{Waits: true} }

func (c *sendDTMF) Do(ctx context.Context, m *ozml.Machine) error {
	call, err := m.On(c.id)
	if err != nil {
		return err
	}
	to := c.to
	if to == "" {
		to = ozml.All
	}
	if err := m.Sounds(call, to); err != nil {
		return err
	}
	return m.Result(call, call.SendKeys(ctx, to, string(c.keys)))
}
