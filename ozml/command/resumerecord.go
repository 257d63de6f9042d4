package command

import (
	"context"

	"ozswitch/ozml"
)

// ResumeRecord goes on with the recording.
func ResumeRecord() *ozml.Command {
	return &ozml.Command{
		Name:  "ResumeRecord",
		Title: "go on with the recording",
		Doc:   `The recording that PauseRecord interrupted takes sound again.`,
		Notes: []string{
			"Without a pause it has no effect; over HTTP the code is 200. When no recording runs it is an error event, over HTTP 303.",
			"Inactivity begins anew: whoever was silent before the pause has all of it again.",
		},
		Example: pauseExample,
		In:      ozml.Extension | ozml.ThirdParty | ozml.API,
		Ours:    true,
		New: func(p *ozml.Params) ozml.Action {
			var c resumeRecord
			callID(p, &c.id)
			return &c
		},
	}
}

type resumeRecord struct{ id string }

// Flow implements ozml.Steerer.
func (c *resumeRecord) Flow() ozml.Flow { return ozml.Flow{} }

func (c *resumeRecord) Do(ctx context.Context, m *ozml.Machine) error {
	call, r, err := pauser(m, c.id)
	if err != nil {
		return err
	}
	return m.Result(call, r.ResumeRecord(ctx, m.Place()))
}
