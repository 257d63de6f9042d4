package command

import (
	"context"
	"errors"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// states are what a Request has commands for, and when they run.
var states = []struct{ name, when string }{
	{"Setup", "the number is called"},
	{"Ringing", "its phone rings"},
	{"Answered", "it was answered: on the call"},
	{"InCall", "the two talk: on the call, after OnAnswered"},
	{"Busy", "the number is busy, or was not answered within RingTime"},
	{"Cancelled", "the call was given up while it rang"},
	{"Completed", "the call is over, after it was answered"},
	{"Error", "the call could not be made, or broke off"},
	{"Hold", "the call is put on hold"},
	{"Transferred", "the call was transferred"},
}

// Request calls a number and runs commands for each state of the call.
func Request() *ozml.Command {
	return &ozml.Command{
		Name:  "Request",
		Title: "call a number and run commands for each state of the call",
		Doc: `The script does not wait: it goes on while the other phone rings. The commands of OnAnswered and OnInCall are the script of the new call, at whose end it is hung up. Those of the other states run beside it, one state after the other; when the call is not up they may only be such as need no call.

The variables of the present script are there as they are now; $callid, $caller and the like are those of the new call.`,
		Notes: []string{
			"The public page shows OnSetup and OnError; the other states are those of CallChanged.",
			"`102@localhost` is the number 102.",
			"Without ExtensionAddress the extension of the present call makes the call; over HTTP the first API extension does.",
			"RingTime is 60 s where it is absent, or the dial plan's.",
			"Over HTTP the commands come as RequestOzML, a document with a Request element, of which the attributes do not count. The answer comes once the other phone rings; it is 402 when it does not.",
			"A call on paper (`ozswitch run`) notes the new call and does not make it.",
		},
		Example: `<Request DialedAddress="1001" ExtensionAddress="9000" RingTime="60">
  <OnInCall><Speak>This is the reminder that you asked for</Speak></OnInCall>
  <OnBusy><Call Url="http://app.example/again">1002</Call></OnBusy>
</Request>`,
		In:     ozml.Extension | ozml.ThirdParty | ozml.API,
		NoCall: true,
		New: func(p *ozml.Params) ozml.Action {
			c := request{on: make([]ozml.Block, len(states))}
			p.String(&c.to, "DialedAddress", "the number", ozml.Required)
			p.String(&c.extension, "ExtensionAddress", "number of the extension that calls")
			p.String(&c.from, "CallerPhoneNumber", "number shown to the other side; ExtensionAddress where absent")
			p.String(&c.name, "CallerDisplayName", "name shown to the other side; that of ExtensionAddress where absent")
			p.Seconds(&c.ring, "RingTime", "how long it may ring", ozml.AtMost(p.Limits().Delay.Seconds()))
			p.String(&c.ozml, "RequestOzML", "a document with a Request element, for its commands", ozml.Only(ozml.API))
			for i, s := range states {
				p.Block(&c.on[i], "On"+s.name, "run when "+s.when)
			}
			return &c
		},
	}
}

type request struct {
	to, extension, from, name, ozml string
	ring                            time.Duration
	on                              []ozml.Block // as states
}

func (c *request) Tell() string { return number(c.to) }

// Flow implements ozml.Steerer.
func (c *request) Flow() ozml.Flow { return ozml.Flow{} }

func (c *request) Do(ctx context.Context, m *ozml.Machine) error {
	if m.Calls == nil {
		return noCalls()
	}
	s := &ozml.States{On: map[string]*syntax.File{}, Vars: m.Vars().Own()}
	for i := range states {
		if !c.on[i].Empty() {
			s.On[states[i].name] = c.on[i].File()
		}
	}
	if c.ozml != "" {
		if err := c.read(m, s); err != nil {
			return err
		}
	}
	d := ozml.Dial{
		To: number(c.to), Extension: number(c.extension), From: strings.TrimSpace(c.from), FromName: strings.TrimSpace(c.name),
		RingTime: c.ring, States: s, Wait: m.Setting() == ozml.API,
	}
	if d.Extension == "" && m.Call != nil {
		d.Extension = m.Call.Info().Extension
	}
	_, err := m.Calls.Dial(ctx, d)
	return err
}

// read takes the commands of RequestOzML.
func (c *request) read(m *ozml.Machine, s *ozml.States) error {
	f, err := m.Commands.Parse("RequestOzML", []byte(c.ozml))
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		return &ozml.Fault{Code: e.Code, Msg: e.Error(), Hint: e.Hint, Err: err}
	} else if err != nil {
		return err
	}
	for _, n := range f.Root.Children {
		e, ok := n.(*syntax.Element)
		if !ok || !strings.EqualFold(e.Name, "Request") {
			continue
		}
		for _, state := range states {
			for _, k := range e.Children {
				if k, ok := k.(*syntax.Element); ok && strings.EqualFold(k.Name, "On"+state.name) && s.On[state.name] == nil {
					s.On[state.name] = &syntax.File{Name: f.Name, Root: &syntax.Element{Name: "Response", Children: k.Children}}
				}
			}
		}
		return nil
	}
	return m.BadParam("RequestOzML", "it has no Request element")
}

// number is that of an address of this switch.
func number(address string) string {
	address = strings.TrimSpace(address)
	if user, host, ok := strings.Cut(address, "@"); ok && strings.EqualFold(host, "localhost") {
		return user
	}
	return address
}
