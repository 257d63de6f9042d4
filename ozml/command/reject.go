package command

import (
	"context"

	"ozswitch/ozml"
)

// Reject refuses an incoming call.
func Reject() *ozml.Command {
	return &ozml.Command{
		Name:    "Reject",
		Title:   "refuse the call instead of answering it",
		Doc:     "Only as the first command of the answer to IncomingCall; Var and Array may stand before it. The call is not picked up, and nothing else runs.",
		Notes:   []string{"The caller gets SIP status 603.", "Elsewhere, when the call is up, Reject is an error event and the script goes on; use Hangup there."},
		Example: `<Response><Reject/></Response>`,
		In:      ozml.Extension,
		New:     func(p *ozml.Params) ozml.Action { return reject{} },
	}
}

type reject struct{}

func (reject) Ends(ozml.Setting) bool { return true }

func (reject) Do(ctx context.Context, m *ozml.Machine) error {
	if !m.Ringing() {
		return &ozml.Fault{Code: ozml.CodeLateReject, Msg: "Reject comes too late: the call is up", Hint: "make it the first command, or use Hangup"}
	}
	if err := m.Call.Reject(ctx, ozml.Rejection{}); err != nil {
		return err
	}
	return &ozml.Ended{Reason: "rejected"}
}
