package pace

import "time"

// BlockFrames is how many frames of each direction a full Block holds: 100 ms.
const BlockFrames = 5

// TapConfig says how large a tap is; zero means the number in the comment.
type TapConfig struct {
	Blocks int           // how many blocks may wait for the reader: 16, i.e. 1.6 s
	Frame  int           // bytes of the largest coded frame: 160
	Bell   chan struct{} // rung for each full block, with room for one; several taps may share it
}

// A Tap copies what a leg sends and hears, as coded frames, for a recorder. The
// memory is made beforehand; a reader that is too slow loses blocks and is told
// so, and the leg never waits. One goroutine reads.
type Tap struct {
	bell       chan struct{}
	frame      int
	full, free ring[*Block]
	cur        *Block
	last       *Block // kept back, so that the end is always told
	dropped    int    // frames lost since the last block
}

// NewTap makes a tap; leg.SetTap starts it.
func NewTap(c TapConfig) *Tap {
	if c.Blocks <= 0 {
		c.Blocks = 16
	}
	if c.Frame <= 0 {
		c.Frame = 160
	}
	if c.Bell == nil {
		c.Bell = make(chan struct{}, 1)
	}
	size := 1
	for size < c.Blocks+1 {
		size *= 2
	}
	t := &Tap{bell: c.Bell, frame: c.Frame, last: &Block{}}
	t.full.buf, t.free.buf = make([]*Block, size), make([]*Block, size)
	for range c.Blocks {
		t.free.put(&Block{data: make([]byte, 2*BlockFrames*c.Frame), cell: c.Frame})
	}
	return t
}

// Bell has something in it when there may be blocks: take them all with Next.
func (t *Tap) Bell() <-chan struct{} { return t.bell }

// Next takes the oldest full block, if there is one. Give it back with Release.
func (t *Tap) Next() (*Block, bool) { return t.full.take() }

// Release gives a block back for reuse; it may not be looked at any more.
func (t *Tap) Release(b *Block) {
	if b.data != nil { // not the kept-back one, which serves once
		t.free.put(b)
	}
}

// A Block is up to 100 ms of both directions.
type Block struct {
	At      time.Time // due time of its first frame
	N       int       // frames of each direction, BlockFrames unless Last
	Dropped int       // frames lost just before this block, because blocks were not released in time
	Last    bool      // nothing comes after it

	out, in [BlockFrames]int // bytes of each frame
	data    []byte
	cell    int
}

// Out is the i-th frame we sent; nil when nothing was sent, which is silence.
func (b *Block) Out(i int) []byte { return b.at(2*i, b.out[i]) }

// In is the i-th frame that came; nil when nothing came, which is silence.
func (b *Block) In(i int) []byte { return b.at(2*i+1, b.in[i]) }

func (b *Block) at(cell, n int) []byte {
	if n == 0 {
		return nil
	}
	return b.data[cell*b.cell:][:n]
}

// put copies one frame of each direction.
func (t *Tap) put(at time.Time, out, in []byte) {
	if t.cur == nil {
		b, ok := t.free.take()
		if !ok {
			t.dropped++
			return
		}
		t.cur = b
		b.At, b.N, b.Last = at, 0, false
		b.Dropped, t.dropped = t.dropped, 0
	}
	b := t.cur
	b.out[b.N] = copy(b.data[2*b.N*b.cell:][:b.cell], out)
	b.in[b.N] = copy(b.data[(2*b.N+1)*b.cell:][:b.cell], in)
	if b.N++; b.N == BlockFrames {
		t.hand(b)
	}
}

// end hands out what there is, marked as the last.
func (t *Tap) end(at time.Time) {
	b := t.cur
	if b == nil {
		b = t.last
		b.At, b.Dropped = at, t.dropped
	}
	b.Last = true
	t.hand(b)
}

func (t *Tap) hand(b *Block) {
	t.cur = nil
	t.full.put(b) // has room for all blocks there are
	ding(t.bell)
}
