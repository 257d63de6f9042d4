package command

import (
	"context"
	"errors"
	"strings"
	"time"

	"ozswitch/ozml"
)

// BlindTransfer connects a party of the call with a number.
func BlindTransfer() *ozml.Command {
	return &ozml.Command{
		Name:  "BlindTransfer",
		Title: "connect the caller with a number",
		Doc: `The number is called by the dial plan, and the caller hears it ring. When it is answered the two are connected and the script is over: what stands after a BlindTransfer is what happens when nobody could be reached. The script goes on there when the number is busy, does not answer within RingTime, is unknown, or has no way in the dial plan.

In third-party control one party makes the transfer and leaves, TransferorParty, and the other is connected with the number. Until it answers the two stay connected. The script goes on either way. FinishedUrl gets TransferCompleted once the transferred call is over.`,
		Notes: []string{
			"TransferorParty is who makes the transfer and leaves, as the parameter's description says and as SIP has it; one vendor example reads the other way.",
			"RingTime is 60 s where it is absent, or the dial plan's.",
			"A successful transfer ends a recording with reason `transferred`.",
			"Over HTTP the answer comes once the number is known to lead somewhere.",
		},
		Example: `<Response>
  <Speak>One moment, I connect you</Speak>
  <BlindTransfer RingTime="20">1001</BlindTransfer>
  <Speak>Nobody is there, please call later</Speak>
</Response>`,
		In:     ozml.Extension | ozml.ThirdParty | ozml.API,
		Sounds: true, // it rings
		New: func(p *ozml.Params) ozml.Action {
			c := blindTransfer{in: p.In()}
			p.String(&c.To, "Target", "the number", ozml.FromBody, ozml.Required)
			side(p, &c.Leaves, ozml.MustIn(others))
			p.URL(&c.FinishedURL, "FinishedUrl", "gets TransferCompleted when the transferred call is over", ozml.Only(others))
			ringTime(p, &c.RingTime)
			callID(p, &c.id)
			return &c
		},
	}
}

type blindTransfer struct {
	ozml.Transfer
	in ozml.Setting
	id string
}

func (c *blindTransfer) Tell() string { return strings.TrimSpace(c.To) }

// Flow implements ozml.Steerer.
func (c *blindTransfer) Flow() ozml.Flow {
	return ozml.Flow{Waits: true, Heard: true, MayCut: true, Leaves: c.in == ozml.Extension}
}

func (c *blindTransfer) Do(ctx context.Context, m *ozml.Machine) error {
	call, err := m.On(c.id)
	if err != nil {
		return err
	}
	t := c.Transfer
	t.To, t.At, t.Placed = strings.TrimSpace(t.To), m.Place(), m.Accepted
	err = call.Transfer(ctx, t)
	if err == nil && c.in == ozml.Extension {
		return &ozml.Ended{Reason: "transferred"}
	}
	return transferor(m, m.Result(call, err), err)
}

// side declares who makes a transfer.
func side(p *ozml.Params, v *ozml.Party, o ...ozml.Option) {
	o = append([]ozml.Option{ozml.OneOf(string(ozml.Caller), string(ozml.Callee)), ozml.Only(others), ozml.Also("TranferorParty")}, o...)
	p.Party(v, "TransferorParty", "who makes the transfer and leaves", o...)
}

// transferor names the parameter that is wrong when a party is not there. result
// is what err came to.
func transferor(m *ozml.Machine, result, err error) error {
	_, nobody := errors.AsType[*ozml.PartyError](err)
	if nobody || errors.Is(err, ozml.ErrNoTransferor) {
		return m.BadParam("TransferorParty", err.Error())
	}
	return result
}

// ringTime declares how long a number may ring.
func ringTime(p *ozml.Params, v *time.Duration) {
	p.Seconds(v, "RingTime", "how long it may ring", ozml.AtMost(p.Limits().Delay.Seconds()))
}
