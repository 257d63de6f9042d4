package pace

import "testing"

// lateWire is one that is not ready at first.
type lateWire struct {
	*fakeWire
	ready bool
}

func (w *lateWire) Ready() bool { return w.ready }

// A leg begins when its wire is ready, and no letter of its prompt is lost.
func TestWireNotReady(t *testing.T) {
	var w *lateWire
	r := newRig(t, func(c *LegConfig) {
		w = &lateWire{fakeWire: c.Wire.(*fakeWire)}
		c.Wire, c.Silence = w, false
	})
	r.ok(r.l.Enqueue(1, clip("abc")))
	r.frames(10)
	r.want("sent before it is ready", r.heard(), "")
	w.ready = true
	r.frames(5)
	r.want("sent", r.heard(), "Ma b c")
}
