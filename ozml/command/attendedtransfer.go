package command

import (
	"context"

	"ozswitch/ozml"
)

// AttendedTransfer connects the parties of two calls.
func AttendedTransfer() *ozml.Command {
	return &ozml.Command{
		Name:  "AttendedTransfer",
		Title: "connect the party of one call with the party of another",
		Doc: `Somebody has put one call on hold, has called a second number, and now leaves both: the party of the first call and that of the second are connected.

TransferredCallId is the call whose party is moved, TargetCallId the one it is brought to. Who leaves is whoever is in both calls.`,
		Notes: []string{
			"TransferorParty says which party of the transferred call leaves; it is only needed where nobody is known to be in both calls. Then whoever made the target call leaves that one.",
			"The transferred call need not be on hold.",
			"A recording of either call ends with reason `transferred`.",
		},
		Example: `<Response><AttendedTransfer TargetCallId="Qz81x"/></Response>`,
		In:      others,
		New: func(p *ozml.Params) ozml.Action {
			var c attendedTransfer
			p.String(&c.from, "TransferredCallId", "id of the call whose party is moved; in an answer to a notification that of the notification where absent", ozml.Also("TranferredCallId"), ozml.MustIn(ozml.API))
			p.String(&c.to, "TargetCallId", "id of the call it is brought to", ozml.Required)
			side(p, &c.leaves)
			return &c
		},
	}
}

type attendedTransfer struct {
	from, to string
	leaves   ozml.Party
}

func (c *attendedTransfer) Tell() string { return c.to }

// Flow implements ozml.Steerer.
func (c *attendedTransfer) Flow() ozml.Flow { return ozml.Flow{Waits: true, MayCut: true} }

func (c *attendedTransfer) Do(ctx context.Context, m *ozml.Machine) error {
	from, err := m.On(c.from)
	if err != nil {
		return err
	}
	to, err := m.On(c.to)
	if err != nil {
		return err
	}
	if from.Info().ID == to.Info().ID {
		return m.BadParam("TargetCallId", "it is the transferred call itself")
	}
	err = from.Merge(ctx, ozml.Merge{With: to, Leaves: c.leaves})
	return transferor(m, m.Result(from, err), err)
}
