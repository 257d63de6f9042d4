package pace

import "time"

// BlockFrames is how many frames of each direction a full Block holds: 100 ms.
const BlockFrames = 5

// TapConfig says how large a tap is; zero means the number in the comment.
type TapConfig struct {
	Blocks int           // how many blocks may wait for the reader: 16, i.e. 1.6 s
	Frame  int           // bytes of a coded frame: 160. Larger ones make blocks of fewer frames
	Bell   chan struct{} // rung for each full block, with room for one; several taps may share it
}

// A Tap copies what a leg sends and hears, as coded frames, for a recorder. The
// memory is made beforehand; a reader that is too slow loses blocks and is told
// so, and the leg never waits. One goroutine reads.
type Tap struct {
	bell       chan struct{}
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
	t := &Tap{bell: c.Bell, last: &Block{}}
	t.full.buf, t.free.buf = make([]*Block, size), make([]*Block, size)
	for range c.Blocks {
		t.free.put(&Block{data: make([]byte, 2*BlockFrames*c.Frame)})
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
	N       int       // frames of each direction, BlockFrames at most
	Dropped int       // frames lost just before this block, because blocks were not released in time
	Last    bool      // nothing comes after it
	Of      any       // Format.Of of all its frames

	end  [2 * BlockFrames]int // of each frame in data: what we sent and what came, in turn
	data []byte
}

// Out is the i-th frame we sent; nil when nothing was sent, which is silence.
func (b *Block) Out(i int) []byte { return b.at(2 * i) }

// In is the i-th frame that came; nil when nothing came: silence, or the rest of a
// payload longer than a frame.
func (b *Block) In(i int) []byte { return b.at(2*i + 1) }

func (b *Block) at(n int) []byte {
	from := 0
	if n > 0 {
		from = b.end[n-1]
	}
	if from == b.end[n] {
		return nil
	}
	return b.data[from:b.end[n]]
}

// put copies one frame of each direction, in the format that of names.
func (t *Tap) put(at time.Time, of any, out, in []byte) {
	if c := t.cur; c != nil && (c.Of != of || c.N > 0 && c.used()+len(out)+len(in) > len(c.data)) {
		t.hand(c)
	}
	if t.cur == nil {
		b, ok := t.free.take()
		if !ok {
			t.dropped++
			return
		}
		t.cur = b
		b.At, b.N, b.Last, b.Of = at, 0, false, of
		b.Dropped, t.dropped = t.dropped, 0
	}
	b := t.cur
	n := b.used()
	if len(out)+len(in) > len(b.data)-n { // larger than a whole block: a piece of it would be noise
		out, in = nil, nil
	}
	n += copy(b.data[n:], out)
	b.end[2*b.N] = n
	n += copy(b.data[n:], in)
	b.end[2*b.N+1] = n
	if b.N++; b.N == BlockFrames {
		t.hand(b)
	}
}

// used is how much of data is full.
func (b *Block) used() int {
	if b.N == 0 {
		return 0
	}
	return b.end[2*b.N-1]
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
