package command

import (
	"context"
	"strings"

	"ozswitch/ozml"
)

// Enqueue puts the caller into a call queue.
func Enqueue() *ozml.Command {
	return &ozml.Command{
		Name:  "Enqueue",
		Title: "let the caller wait in a call queue",
		Doc: `The caller waits for an agent of the queue, with music, and hears its place now and then. When an agent has answered the two are connected and the script is over, as after a BlindTransfer: what stands after an Enqueue is what happens when nobody answered.

It goes on there after Timeout, when a key of LeaveKey is pressed, when the queue is full, and when no agent is there. Then $queueresult says which: ` + "`timeout`, `left`, `full` or `empty`" + `.`,
		Notes: []string{
			"Queue is the number of a queue of the configuration, which says who the agents are and whose turn it is. Another number is an error event, and the script goes on.",
			"The queue's overflow does not count here: the script decides.",
			"At Timeout an agent whose telephone rings already may still answer; LeaveKey acts at once.",
			"When an agent answers, a recording of the call ends with reason `transferred`, and OnHangup runs.",
			"Without LeaveKey the keys are kept for the next UserInput.",
		},
		Example: `<Response>
  <Speak>All lines are busy, press star to leave a message</Speak>
  <Enqueue Timeout="120" Announce="30" LeaveKey="*">9500</Enqueue>
  <Speak>Leave a message</Speak>
  <Record Duration="60"/>
</Response>`,
		In:     ozml.Extension,
		Sounds: true,
		Ours:   true,
		New: func(p *ozml.Params) ozml.Action {
			var c enqueue
			most := ozml.AtMost(p.Limits().Delay.Seconds())
			p.String(&c.Queue, "Queue", "number of the queue", ozml.FromBody, ozml.Required)
			p.String(&c.Music, "Music", "file below media/ for who waits; the queue's where absent")
			p.Seconds(&c.Timeout, "Timeout", "the longest wait; the queue's `wait_limit` where absent", most)
			p.Seconds(&c.Announce, "Announce", "how often the place is spoken; the queue's `announce` where absent", most)
			p.Keys(&c.Leave, "LeaveKey", "any of these keys ends the wait")
			return &c
		},
	}
}

type enqueue struct{ ozml.Queueing }

func (c *enqueue) Tell() string { return strings.TrimSpace(c.Queue) }

// Flow implements ozml.Steerer.
func (c *enqueue) Flow() ozml.Flow {
	return ozml.Flow{Waits: true, Heard: true, MayCut: true, Leaves: true, Sets: "queueresult"}
}

func (c *enqueue) Do(ctx context.Context, m *ozml.Machine) error {
	call, ok := m.Call.(ozml.Queuer)
	if !ok {
		return &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "there are no call queues here"}
	}
	q := c.Queueing
	q.Queue, q.At = strings.TrimSpace(q.Queue), m.Place()
	how, err := call.Enqueue(ctx, q)
	if err != nil {
		return err
	}
	if how == ozml.QueueAnswered {
		return &ozml.Ended{Reason: "transferred"}
	}
	m.Vars().Set("queueresult", how)
	return nil
}
