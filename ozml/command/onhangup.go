package command

import (
	"context"

	"ozswitch/ozml"
)

// OnHangup says what to do after the call.
func OnHangup() *ozml.Command {
	return &ozml.Command{
		Name:  "OnHangup",
		Title: "say what to do once the call is over",
		Doc: `Its commands run once, after the call has ended in whatever way, and for at most 30 seconds. There is no call any more, so only those run that need none: Call, Var, Array, ForEach, If, SendSms, SendEmail, SendMsg, MoveFile, DeleteFile.

It may stand anywhere in the document; where the script comes to it, nothing happens. Of several documents the last one that has an OnHangup counts.`,
		Notes: []string{"When the caller was handed on by a transfer, the call is over for the script, and OnHangup runs then."},
		Example: `<Response>
  <OnHangup><Call Url="http://app.example/after">1001</Call></OnHangup>
  <Speak>We will call you back</Speak>
</Response>`,
		In:     ozml.Extension,
		NoCall: true,
		Ours:   true,
		New: func(p *ozml.Params) ozml.Action {
			var c onHangup
			p.Commands(&c.after, "what to do after the call")
			return c
		},
	}
}

type onHangup struct{ after ozml.Block }

// Last implements ozml.Last.
func (c onHangup) Last() ozml.Block { return c.after }

// Do does nothing: the machine finds the block when the document begins.
func (onHangup) Do(context.Context, *ozml.Machine) error { return nil }
