package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ozswitch/ozml"
)

// WaitForMsg waits for a message to the extension of the call.
func WaitForMsg() *ozml.Command {
	return &ozml.Command{
		Name:  "WaitForMsg",
		Title: "wait for a message and keep its text in a variable",
		Doc: `It waits for a text to the extension whose script runs: a text message of a mobile phone, one of a phone of this switch, or one of another script (SendMsg). It gets the oldest of those that came since the call began and that no other WaitForMsg took.

When none comes within Timeout the variable is empty, and the script goes on.`,
		Notes: []string{
			"The public pages name the command and do not describe it: the attributes, and what follows, are our choice.",
			"FromConnection is where the message comes from: the number of an extension, `sms` for all mobile phones, or the number of one; with `@localhost` or without. Absent: from anywhere.",
			"A message that a script waits for is not posted to `sms_url`. Of those that nobody waits for, the last 32 of the last ten minutes are kept for a WaitForMsg of the calls that are up.",
			"Of several scripts of one extension the one that has waited longest gets the message.",
			"A key ends it within InitialCommands, as it ends Speak there.",
		},
		Example: `<Response>
  <SendMsg ToConnection="1001">Let $caller in?</SendMsg>
  <WaitForMsg FromConnection="1001" ID="answer" Timeout="30"/>
  <Speak>The answer is $answer</Speak>
</Response>`,
		In: ozml.Extension,
		New: func(p *ozml.Params) ozml.Action {
			var c waitForMsg
			p.Name(&c.id, "ID", "name of the variable for the text", ozml.Required)
			p.String(&c.from, "FromConnection", "where it comes from; from anywhere where absent")
			p.Seconds(&c.timeout, "Timeout", "how long to wait", ozml.Default("60"), ozml.AtMost(p.Limits().Delay.Seconds()))
			return &c
		},
	}
}

type waitForMsg struct {
	id, from string
	timeout  time.Duration
}

func (c *waitForMsg) Tell() string {
	if c.from == "" {
		return ""
	}
	return "from " + number(c.from)
}

// Flow implements ozml.Steerer.
func (c *waitForMsg) Flow() ozml.Flow {
	return ozml.Flow{Waits: c.timeout > 0, Takes: c.timeout, Sets: c.id}
}

func (c *waitForMsg) Do(ctx context.Context, m *ozml.Machine) error {
	if m.Messages == nil {
		return noMessages()
	}
	from := number(c.from)
	if n, ok := telephone(from); ok {
		from = n
	}
	i := m.Call.Info()
	got, err := m.Messages.Await(ctx, ozml.Await{Call: i.ID, Extension: i.Extension, Since: i.Started, From: from, Timeout: c.timeout})
	if errors.Is(err, ozml.ErrNoMessage) {
		m.Warn(ozml.CodeNoMessage, fmt.Sprintf("no message came within %g s", c.timeout.Seconds()), "")
		err = nil
	}
	if err == nil {
		m.Vars().Set(c.id, strings.TrimSpace(got.Text))
	}
	return err
}
