package ozmltest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// Conferences and call queues on paper: the scenario says what a room or a queue
// is like; else a room is empty, and an agent answers at once.

// room reads NAME STATE.
func (s *Scenario) room(f []string) error {
	if len(f) != 2 || f[1] != ozml.RoomFull && f[1] != ozml.RoomLocked {
		return fmt.Errorf("room wants a name, and full or locked, got %q", strings.Join(f, " "))
	}
	s.Rooms[f[0]] = f[1]
	return nil
}

// queue reads NUMBER STATE [after TIME].
func (s *Scenario) queue(f []string) error {
	if len(f) != 2 && (len(f) != 4 || f[1] != "answers" || f[2] != "after") {
		return fmt.Errorf("queue wants a number, and answers after a time, waits, full, empty or unknown, got %q", strings.Join(f, " "))
	}
	var d Dialed
	var err error
	switch f[1] {
	case "answers":
	case "waits", "unknown", ozml.QueueFull, ozml.QueueEmpty:
		d.State = f[1]
	default:
		return fmt.Errorf("queue wants answers, waits, full, empty or unknown, got %q", f[1])
	}
	if len(f) == 4 {
		d.After, err = seconds(f[3])
	}
	s.Queues[f[0]] = d
	return err
}

// Confer lets the caller be in the room until a key of Leave.
func (c *Call) Confer(ctx context.Context, r ozml.Conference) (how string, err error) {
	c.did("", "Confer", r)
	if err := c.stopped(ctx); err != nil {
		return "", err
	}
	told := trace.Event{Type: trace.Conference, Name: r.Room, Reason: "refused"}
	if how = c.sc.Rooms[r.Room]; how != "" {
		told.Text = how
		c.Emit(told)
		return how, nil
	}
	told.Reason = "joined"
	c.Emit(told)
	if r.Muted {
		told.Reason = "muted"
		c.Emit(told)
	}
	err = c.untilKey(ctx, r.Leave, 1000*time.Hour)
	told.Reason = "left"
	c.Emit(told)
	return ozml.RoomLeft, err
}

// untilKey passes time until one of the keys is pressed; ErrNoKey when none was.
func (c *Call) untilKey(ctx context.Context, keys ozml.Keys, d time.Duration) error {
	if keys == "" {
		if err := c.pass(ctx, d); err != nil {
			return err
		}
		return ozml.ErrNoKey
	}
	defer c.Input(ctx)()
	for end := c.now.Add(d); ; {
		k, err := c.Key(ctx, end.Sub(c.now))
		if err != nil {
			return err
		}
		if strings.IndexByte(string(keys), byte(k)) >= 0 {
			return nil
		}
	}
}

// Enqueue waits as the scenario says.
func (c *Call) Enqueue(ctx context.Context, q ozml.Queueing) (how string, err error) {
	c.did("", "Enqueue", q)
	if err := c.stopped(ctx); err != nil {
		return "", err
	}
	told := func(reason, why string) {
		c.Emit(trace.Event{Type: trace.Queue, Name: q.Queue, Reason: reason, Text: why})
	}
	d := c.sc.Queues[q.Queue]
	switch d.State {
	case "unknown":
		return "", &ozml.Fault{Code: ozml.CodeQueue, Msg: "no such queue: " + q.Queue}
	case ozml.QueueFull, ozml.QueueEmpty:
		told("left", d.State)
		return d.State, nil
	}
	wait, how := d.After, ozml.QueueAnswered
	if d.State == "waits" {
		wait = 1000 * time.Hour
	}
	if q.Timeout > 0 && wait > q.Timeout {
		wait, how = q.Timeout, ozml.QueueTimeout
	}
	c.Emit(trace.Event{Type: trace.Queue, Name: q.Queue, Reason: "joined", Count: 1})
	switch err = c.untilKey(ctx, q.Leave, wait); err {
	case nil:
		how = ozml.QueueLeft
	case ozml.ErrNoKey:
	default:
		told("left", "")
		return "", err
	}
	if how != ozml.QueueAnswered {
		told("left", how)
		return how, nil
	}
	told("answered", "")
	c.endRecord("transferred", 0)
	if c.cancel != nil {
		c.cancel(&ozml.Ended{Reason: "transferred"})
	}
	return how, nil
}

var (
	_ ozml.Conferee = (*Call)(nil)
	_ ozml.Queuer   = (*Call)(nil)
)
