package command

import (
	"context"
	"errors"
	"strings"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// Call calls a number.
func Call() *ozml.Command {
	return &ozml.Command{
		Name:  "Call",
		Title: "call a number and run a script there",
		Doc: `When the call is answered, CallConnected is posted to Url and the commands of the answer are the script of the new call; ResponseOzML gives that script at once. The present script does not wait: it goes on while the other phone rings.

ErrorUrl gets Error notifications of the new call, FinishedUrl gets CallCompleted when it is over, however it ended.`,
		Notes: []string{
			"One of Url and ResponseOzML is needed; ResponseOzML wins.",
			"Without ApiExtension the extension of the present call makes the call; over HTTP the first API extension does. `NULL` is the same as none.",
			"Over HTTP the answer comes once the other phone rings, with the extra element CallId; it is 402 when the call is refused.",
			"RingTime is 60 s where it is absent, or the dial plan's.",
			"SipHeaders may have the names that `sip.headers` of the configuration allows, `X-*` where it is silent; another name is an error like a wrong parameter, over HTTP 302, and nobody is called. At most 10 headers, each value at most 256 bytes. What a variable holds stays within its value.",
			"The other way round, such headers of an INVITE that comes are fields of IncomingCall, `SipHeader_X-Order`, and variables: `$sip_x_order`.",
		},
		Example: `<Response><Call ApiExtension="9000" CallerDisplayName="Wake-up" Url="http://app.example/connected">1001</Call></Response>`,
		In:      ozml.Extension | ozml.ThirdParty | ozml.API,
		NoCall:  true,
		New: func(p *ozml.Params) ozml.Action {
			var c call
			p.String(&c.To, "Dialed", "the number", ozml.FromBody, ozml.Required, ozml.Also("Dialled"))
			p.String(&c.Extension, "ApiExtension", "number of the extension that calls")
			p.String(&c.From, "CallerId", "number shown to the other side; ApiExtension where absent")
			p.String(&c.FromName, "CallerDisplayName", "name shown to the other side; ApiExtension where absent")
			p.URL(&c.URL, "Url", "gets CallConnected")
			p.String(&c.Script, "ResponseOzML", "the script of the new call, instead of asking Url")
			p.URL(&c.ErrorURL, "ErrorUrl", "gets Error notifications of the new call")
			p.URL(&c.FinishedURL, "FinishedUrl", "gets CallCompleted")
			p.Seconds(&c.RingTime, "RingTime", "how long it may ring", ozml.AtMost(p.Limits().Delay.Seconds()))
			p.SIPHeaders(&c.Headers, "SipHeaders", "more headers of the INVITE: `X-Order: 17; X-Ref: $id`", ozml.Ours)
			if p.OK() && !p.Has("Url") && !p.Has("ResponseOzML") {
				p.Invalid("Url", "Url or ResponseOzML is needed")
			}
			return &c
		},
	}
}

type call struct{ ozml.Dial }

func (c *call) Tell() string { return c.To }

func (c *call) Do(ctx context.Context, m *ozml.Machine) error {
	if m.Calls == nil {
		return noCalls()
	}
	d := c.Dial
	d.To, d.Wait = strings.TrimSpace(d.To), m.Setting() == ozml.API
	if strings.EqualFold(d.Extension, "NULL") {
		d.Extension = ""
	}
	if d.Extension == "" && m.Call != nil {
		d.Extension = m.Call.Info().Extension
	}
	if d.Script != "" {
		if _, err := m.Commands.Parse("ResponseOzML", []byte(d.Script)); err != nil {
			if e, ok := errors.AsType[*syntax.Error](err); ok {
				return &ozml.Fault{Code: e.Code, Msg: e.Error(), Hint: e.Hint, Err: err}
			}
			return err
		}
	}
	id, err := m.Calls.Dial(ctx, d)
	if err != nil {
		return err
	}
	m.Reply(ozml.Started{CallID: id})
	return nil
}
