package bridge

import (
	"errors"

	"ozswitch/media/pace"
	"ozswitch/switch/call"
)

// SendKey sends a key to a leg, as a telephone-event or a tone; nobody waits for
// it. A leg that is not connected has nobody to hear it.
func (b *Bridge) SendKey(id call.LegID, key byte) {
	l := b.Leg(id)
	if l == nil || !l.ready.Load() {
		return
	}
	n, _ := l.expect()
	defer l.drop(n)
	err := l.paced.SendKeys(n, string(rune(key)))
	if errors.Is(err, pace.ErrNoKeys) {
		err = l.sendTones(n, string(rune(key)))
	}
	if err != nil && l.over(err) != ErrClosed {
		l.b.c.Slog.Warn("a key was not passed on", "leg", id, "err", err)
	}
}
