package command

import (
	"context"

	"ozswitch/ozml"
)

// PauseRecord interrupts the recording.
func PauseRecord() *ozml.Command {
	return &ozml.Command{
		Name:  "PauseRecord",
		Title: "interrupt the recording",
		Doc:   `The recording that runs on the call takes no more sound until ResumeRecord. What is said in between, such as the number of a credit card, is in no file.`,
		Notes: []string{
			"The recording goes on without a gap: the file does not show how long the pause was. Duration counts what was recorded, and Inactivity does not run in a pause.",
			"Pausing twice has no effect; over HTTP the code is 200. When no recording runs it is an error event, over HTTP 303.",
			"Any end of the recording ends a paused one, too: a key of FinishDigits, the end of the call, a transfer, another Record.",
			"It is the recording of the call, whoever started it: a script can interrupt one that was started over HTTP, and the other way round.",
		},
		Example: pauseExample,
		In:      ozml.Extension | ozml.ThirdParty | ozml.API,
		Ours:    true,
		New: func(p *ozml.Params) ozml.Action {
			var c pauseRecord
			callID(p, &c.id)
			return &c
		},
	}
}

type pauseRecord struct{ id string }

// Flow implements ozml.Steerer.
func (c *pauseRecord) Flow() ozml.Flow { return ozml.Flow{} }

func (c *pauseRecord) Do(ctx context.Context, m *ozml.Machine) error {
	call, r, err := pauser(m, c.id)
	if err != nil {
		return err
	}
	return m.Result(call, r.PauseRecord(ctx, m.Place()))
}

// pauseExample shows PauseRecord and ResumeRecord.
const pauseExample = `<Response>
  <Record Duration="600" FinishedUrl="http://app.example/rec"/>
  <Speak>Say your number now, it is not recorded</Speak>
  <PauseRecord/>
  <Delay>10</Delay>
  <ResumeRecord/>
  <Speak>Thank you</Speak>
</Response>`

// pauser finds the call whose recording is interrupted, or goes on.
func pauser(m *ozml.Machine, id string) (ozml.Call, ozml.Pauser, error) {
	call, err := m.On(id)
	if err != nil {
		return nil, nil, err
	}
	r, ok := call.(ozml.Pauser)
	if !ok {
		return nil, nil, &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "recordings of this call cannot be interrupted"}
	}
	return call, r, nil
}
