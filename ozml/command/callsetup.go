package command

import (
	"context"
	"encoding/xml"
	"strings"

	"ozswitch/ozml"
)

// CallSetup lets two numbers talk.
func CallSetup() *ozml.Command {
	return &ozml.Command{
		Name:  "CallSetup",
		Title: "set up a call between two numbers",
		Doc: `Caller is rung; when he answers, Callee is rung for him, and sees Caller's number. The script does not wait: it goes on at once.

When Callee is busy, does not answer, or is unknown, Caller is hung up. ErrorUrl gets Error notifications.`,
		Notes: []string{
			"Caller is rung first; the public page does not say who is.",
			"An API extension makes the call: that of the present call, over HTTP the first one.",
			"Over HTTP the answer comes once Caller's phone rings; it is 402 when it does not.",
		},
		Example: `<Response><CallSetup Caller="1001" Callee="1002"/></Response>`,
		In:      ozml.Extension | ozml.ThirdParty | ozml.API,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c callSetup
			p.String(&c.caller, "Caller", "the number that is rung first, shown to the other", ozml.Required)
			p.String(&c.callee, "Callee", "the number that it is connected with", ozml.Required)
			p.URL(&c.errorURL, "ErrorUrl", "gets Error notifications")
			return &c
		},
	}
}

type callSetup struct{ caller, callee, errorURL string }

func (c *callSetup) Tell() string { return c.caller + " with " + c.callee }

// Flow implements ozml.Steerer.
func (c *callSetup) Flow() ozml.Flow { return ozml.Flow{} }

func (c *callSetup) Do(ctx context.Context, m *ozml.Machine) error {
	if m.Calls == nil {
		return noCalls()
	}
	d := ozml.Dial{
		To: strings.TrimSpace(c.caller), From: strings.TrimSpace(c.callee), ErrorURL: c.errorURL, Wait: m.Setting() == ozml.API,
		Script: "<Response><BlindTransfer>" + literal(strings.TrimSpace(c.callee)) + "</BlindTransfer></Response>",
	}
	if m.Call != nil {
		d.Extension = m.Call.Info().Extension
	}
	_, err := m.Calls.Dial(ctx, d)
	return err
}

// literal is a text as it stands in a script, without variables.
func literal(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(strings.ReplaceAll(s, "$", "$$"))) // a Builder never fails
	return b.String()
}

func noCalls() error {
	return &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "calls cannot be made from here"}
}
