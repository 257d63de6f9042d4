package command

import (
	"context"
	"strings"

	"ozswitch/ozml"
)

// Route says where a call goes.
func Route() *ozml.Command {
	return &ozml.Command{
		Name:  "Route",
		Title: "say where a call goes, in an answer to RoutingInterception",
		Doc: `Destination is an extension, or the name of an outside line. When it is busy, does not answer within RingTime, is unknown or fails, the web application is asked again with LastCallState, so that it can try one after the other; at most 20 times a call.

Without a Destination the dial plan decides; an empty one refuses the caller.`,
		Notes: []string{
			"Only the first Route of an answer counts.",
		},
		Example: `<Response><Route Destination="2001" RingTime="20"/></Response>`,
		In:      ozml.Routing,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c route
			p.String(&c.Destination, "Destination", "extension, or name of an outside line; empty = refuse the caller, absent = the dial plan", ozml.FromBody)
			p.Seconds(&c.RingTime, "RingTime", "how long it may ring", ozml.Default("90"), ozml.AtMost(p.Limits().Delay.Seconds()))
			p.String(&c.CallerID, "CallerId", "shown to the callee; the caller's own where absent")
			p.String(&c.DialedNumber, "DialedNumber", "what is dialled through an outside line; what the caller dialled where absent")
			c.given = p.Given("Destination")
			return &c
		},
	}
}

type route struct {
	ozml.Routed
	given bool // a Destination is written, be it empty
}

func (c *route) Tell() string { return strings.TrimSpace(c.Destination) }

// Ends implements ozml.Ender: the first Route counts.
func (c *route) Ends(ozml.Setting) bool { return true }

// Flow implements ozml.Steerer.
func (c *route) Flow() ozml.Flow { return ozml.Flow{Leaves: true} }

func (c *route) Do(_ context.Context, m *ozml.Machine) error {
	r := c.Routed
	r.Destination = strings.TrimSpace(r.Destination)
	r.Reject = c.given && r.Destination == ""
	m.Reply(r)
	return ozml.Stop
}
