package pace

import "testing"

// layer is a Coder of letters: of two frames it makes the upper one in capitals, and
// says so when it has nothing above.
type layer struct {
	heard byte
	even  bool
}

func (c *layer) Begin([]byte)  {}
func (c *layer) Hear(f []byte) { c.heard = f[0] }
func (c *layer) Leap(f []byte) { c.heard = f[0] }
func (c *layer) Even() bool    { return c.even }
func (c *layer) Say(dst, over []byte) int {
	c.even = len(over) == 0
	b := c.heard
	if len(over) > 0 {
		b = over[0] - 'a' + 'A'
	}
	for i := range 160 {
		dst[i] = b
	}
	return 160
}

// What lies over goes its own way: the clip below goes on unheard, and neither
// Flush touches the other's.
func TestOver(t *testing.T) {
	r := newRig(t, nil)
	r.ok(r.l.Enqueue(1, clip("abcdefgh")))
	r.frames(2)
	c := &layer{}
	r.ok(r.l.EnqueueOver(2, clip("xy"), c))
	r.ok(r.l.EnqueueOver(3, clip("z"), c))
	r.frames(4)
	r.want("sent", r.heard(), "Ma b X Y Z f")
	r.want("results", r.results(), "Started@0#1, Started@40#2, Ended@60#2, Started@80#3, Ended@80#3")
	r.ok(r.l.EnqueueOver(4, clip("uvw"), c))
	r.frames(1)
	r.ok(r.l.Flush())
	r.frames(1)
	r.ok(r.l.FlushOver())
	r.ok(r.l.Enqueue(5, clip("k")))
	r.frames(2)
	r.want("sent then", r.heard(), "Ma b X Y Z f U V k _")
	if n := r.l.cmds.n.Load(); n != 0 {
		t.Errorf("%d commands are still counted as waiting, want 0", n)
	}
}
