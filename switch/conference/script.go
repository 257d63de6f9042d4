package conference

import (
	"context"
	"errors"

	"ozswitch/media/pace"
	"ozswitch/ozml"
	"ozswitch/switch/bridge"
	"ozswitch/switch/exchange"
)

// Confer puts the caller of a script into a room, and returns when he has come out
// of it (ozml.Conferee). Nobody is asked for a PIN: the script decides who comes in.
func (r *Rooms) Confer(ctx context.Context, l *exchange.Line, call ozml.Call, c Config, o ozml.Conference) (how string, err error) {
	if c.Max <= 0 {
		c.Max = 50
	}
	v := &visitor{rooms: r, line: l, call: call, cfg: c, admin: c.AdminPIN == "", muted: o.Muted, exit: o.Leave}
	err = v.be(ctx)
	switch {
	case errors.Is(err, errLeft):
		return ozml.RoomLeft, nil
	case errors.Is(err, errFull):
		return ozml.RoomFull, nil
	case errors.Is(err, errLocked):
		return ozml.RoomLocked, nil
	case err != nil && ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, bridge.ErrClosed), errors.Is(err, pace.ErrGone):
		return "", ozml.ErrGone
	case err != nil:
		return "", &ozml.Fault{Code: ozml.CodeRoom, Msg: "conference " + o.Room + ": " + err.Error(), Err: err}
	}
	return ozml.RoomLeft, nil
}
