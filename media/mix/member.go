package mix

import (
	"sync/atomic"

	"ozswitch/media"
	"ozswitch/media/codec"
)

// A Member is one leg in a Room. Hear and Say belong to the leg's thread; they
// neither block nor allocate.
type Member struct {
	in, out ring
	muted   atomic.Bool
	talks   atomic.Bool

	// From here on the room's turn only.
	codec *codec.Codec
	dec   *codec.Patcher
	enc   codec.Encoder
	data  []byte  // one coded frame
	pcm   []int16 // what it says in this turn, at the room's rate
	got   []int16 // likewise, at its own
	low   []int16 // what it hears, at the lower rate
	up    *doubler
	down  *halver
	loud  bool // it speaks: pcm counts
	quiet int  // frames since it was last loud
}

// A frame whose peak is below soft is silence: line noise of forty-nine listeners
// would be heard. Speech has pauses, so a speaker stays one for a while.
const (
	soft  = 128 // of 32767: -48 dBFS
	stays = 15  // frames
)

func newMember(c *codec.Codec) *Member {
	m := &Member{
		data: make([]byte, codec.MaxFrame), pcm: make([]int16, wide.Frame()), got: make([]int16, wide.Frame()),
		low: make([]int16, narrow.Frame()), up: newDoubler(), down: newHalver(), quiet: stays,
	}
	m.speak(c)
	return m
}

// speak makes the coders anew.
func (m *Member) speak(c *codec.Codec) {
	m.codec, m.dec, m.enc = c, codec.NewPatcher(c), c.NewEncoder()
}

// Hear takes what came in a frame, in the codec that of names: a payload, or none
// where nothing came, or where a longer one goes on.
func (m *Member) Hear(of any, payload []byte) {
	if c, ok := of.(*codec.Codec); ok {
		m.in.put(c, payload)
	}
}

// Say puts the next frame of what the member hears into dst and returns its
// length; 0 where there is none, or only one of another codec.
func (m *Member) Say(of any, dst []byte) int {
	if m.out.waiting() > most {
		for m.out.waiting() > keeps {
			m.out.take(nil)
		}
	}
	c, n, ok := m.out.take(dst)
	if !ok || c != of {
		return 0
	}
	return n
}

// Mute makes a member unheard, or heard again.
func (m *Member) Mute(on bool) { m.muted.Store(on) }

// Muted reports whether it is.
func (m *Member) Muted() bool { return m.muted.Load() }

// Talks reports whether the member speaks now.
func (m *Member) Talks() bool { return m.talks.Load() }

// listen fills pcm with the next frame of what the member says. One that is late
// is carried on for 60 ms, then it is silence.
func (m *Member) listen(rate media.Rate) {
	if m.in.waiting() > most { // the room, or the leg, stood still
		for m.in.waiting() > keeps {
			m.in.take(nil)
		}
	}
	c, n, ok := m.in.take(m.in.scratch[:])
	payload := m.in.scratch[:n]
	if !ok || c != m.codec {
		payload = nil
	}
	got := m.got[:m.codec.Rate.Frame()]
	clear(got[m.dec.Decode(got, payload):])
	if m.quiet++; peak(got) >= soft {
		m.quiet = 0
	}
	m.loud = m.quiet < stays && !m.muted.Load()
	m.talks.Store(m.loud)
	switch {
	case !m.loud:
		m.up.forget()
	case rate > m.codec.Rate:
		m.up.double(m.pcm, got)
	default:
		copy(m.pcm, got)
	}
}

func peak(pcm []int16) (p int16) {
	for _, v := range pcm {
		p = max(p, v, -max(v, -32767))
	}
	return p
}

// How many frames lie in a ring: a little more than one, since the two ends take
// turns of their own; what would be heard too late is left out.
const (
	places = 8
	most   = 4
	keeps  = 2
	frame  = 1500 // bytes of a place: a packet
)

// ring is a queue of frames between one goroutine that puts and one that takes.
type ring struct {
	head, tail atomic.Uint32 // taken up to head, put up to tail
	of         [places]*codec.Codec
	n          [places]int
	data       [places][frame]byte
	scratch    [frame]byte // the taker's
}

func (r *ring) waiting() int { return int(r.tail.Load() - r.head.Load()) }

// put copies a frame; in a full ring it is lost.
func (r *ring) put(of *codec.Codec, data []byte) {
	t := r.tail.Load()
	if t-r.head.Load() == places {
		return
	}
	i := t % places
	r.of[i], r.n[i] = of, copy(r.data[i][:], data)
	r.tail.Store(t + 1)
}

// take copies the oldest frame to dst; nil = it is dropped.
func (r *ring) take(dst []byte) (of *codec.Codec, n int, ok bool) {
	h := r.head.Load()
	if h == r.tail.Load() {
		return nil, 0, false
	}
	i := h % places
	of, n = r.of[i], copy(dst, r.data[i][:r.n[i]])
	r.head.Store(h + 1)
	return of, n, true
}
