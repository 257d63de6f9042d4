package script

import (
	"context"

	"ozswitch/ozml"
)

// Conferences and call queues, which a script puts its caller into. They are Go
// code on the script's own call (Config.Confer, Config.Enqueue).

// Confer implements ozml.Conferee.
func (c *live) Confer(ctx context.Context, o ozml.Conference) (how string, err error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if c.r.c.Confer == nil || !c.scripted() {
		return "", &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "there are no conferences here"}
	}
	return c.r.c.Confer(ctx, c.line, c, o)
}

// Enqueue implements ozml.Queuer. When an agent has answered, the script has left
// the call, and ctx has ended.
func (c *live) Enqueue(ctx context.Context, o ozml.Queueing) (how string, err error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if c.r.c.Enqueue == nil || !c.scripted() {
		return "", &ozml.Fault{Code: ozml.CodeNotOffered, Msg: "there are no call queues here"}
	}
	return c.r.c.Enqueue(ctx, c.line, c, o)
}

var (
	_ ozml.Conferee = (*live)(nil)
	_ ozml.Queuer   = (*live)(nil)
)
