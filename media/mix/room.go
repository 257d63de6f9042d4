package mix

import (
	"slices"
	"sync"

	"ozswitch/media"
	"ozswitch/media/codec"
)

// The rates of a room: the higher one as soon as a member has it. All codecs of
// the switch are of one of the two.
const (
	narrow = media.Rate(8000)
	wide   = media.Rate(16000)
)

// A Room is the sound of one conference. Turn belongs to one goroutine; the rest
// may come from anywhere.
type Room struct {
	mu      sync.Mutex // guards what follows; a turn is a fraction of a millisecond
	rate    media.Rate
	members []*Member
	bells   [][]int16 // at the room's rate, what is left to be heard by everybody
	heard   func(rate media.Rate, pcm []int16)

	// Of one turn.
	sum   []int32
	total []int16 // of all who speak, clipped
	own   []int16 // total without one
	low   []int16 // total at the lower rate
	down  *halver // made low
	coded []sheet // total, coded
}

// A sheet is what all hear who are silent, in a codec without state.
type sheet struct {
	codec *codec.Codec
	enc   codec.Encoder
	data  []byte
	n     int // 0 = not made in this turn
}

// New gives an empty Room.
func New() *Room {
	r := &Room{down: newHalver()}
	most := wide.Frame()
	r.sum, r.total, r.own = make([]int32, most), make([]int16, most), make([]int16, most)
	r.low = make([]int16, narrow.Frame())
	for _, c := range []*codec.Codec{codec.PCMU, codec.PCMA} {
		r.coded = append(r.coded, sheet{codec: c, enc: c.NewEncoder(), data: make([]byte, codec.MaxFrame)})
	}
	r.retune()
	return r
}

// Join makes a member that speaks and hears in a codec.
func (r *Room) Join(c *codec.Codec) *Member {
	m := newMember(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = append(r.members, m)
	r.retune()
	return m
}

// Leave takes a member out.
func (r *Room) Leave(m *Member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = slices.DeleteFunc(r.members, func(o *Member) bool { return o == m })
	r.retune()
}

// Change lets a member go on in another codec (a re-INVITE).
func (r *Room) Change(m *Member, c *codec.Codec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m.speak(c)
	r.retune()
}

// retune sets the rate that the members want. It needs mu.
func (r *Room) retune() {
	rate := narrow
	for _, m := range r.members {
		rate = max(rate, m.codec.Rate)
	}
	if rate == r.rate {
		return
	}
	r.rate, r.bells = rate, nil // a bell that is cut off here is followed by the newcomer's
	r.down.forget()
}

// Bell lets everybody hear a sound, from now on. It copies nothing: src is read
// here, at the rate that the room has.
func (r *Room) Bell(src media.Source) error {
	r.mu.Lock()
	rate := r.rate
	r.mu.Unlock()
	pcm, err := media.ReadAll(media.Resample(src, rate))
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if rate == r.rate {
		r.bells = append(r.bells, pcm)
	}
	return nil
}

// Listen names who gets each turn's mix of all, for a recording; nil = nobody. f
// must not block and may not keep pcm.
func (r *Room) Listen(f func(rate media.Rate, pcm []int16)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = f
}

// Turn mixes one frame. It allocates nothing.
//
// Those who are silent hear one and the same thing, which is resampled and, where
// the codec has no state, coded once for all of them: a room of fifty in which
// three speak costs little more than one of five.
func (r *Room) Turn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.rate.Frame()
	sum, total := r.sum[:n], r.total[:n]
	clear(sum)
	for _, m := range r.members {
		if m.listen(r.rate); m.loud {
			for i, v := range m.pcm[:n] {
				sum[i] += int32(v)
			}
		}
	}
	r.ring(sum)
	for i, v := range sum {
		total[i] = clip(v)
	}
	if r.rate == wide {
		r.down.halve(r.low, total)
	}
	for i := range r.coded {
		r.coded[i].n = 0
	}
	for _, m := range r.members {
		r.tell(m, sum, total)
	}
	if r.heard != nil {
		r.heard(r.rate, total)
	}
}

// ring adds the bells.
func (r *Room) ring(sum []int32) {
	left := r.bells[:0]
	for _, b := range r.bells {
		n := min(len(b), len(sum))
		for i, v := range b[:n] {
			sum[i] += int32(v)
		}
		if n < len(b) {
			left = append(left, b[n:])
		}
	}
	clear(r.bells[len(left):])
	r.bells = left
}

// tell gives a member what it hears in this turn.
func (r *Room) tell(m *Member, sum []int32, total []int16) {
	pcm, half := total, r.rate > m.codec.Rate
	switch {
	case m.loud:
		pcm = r.own[:len(sum)]
		for i, v := range m.pcm[:len(sum)] {
			pcm[i] = clip(sum[i] - int32(v))
		}
		if half {
			m.down.halve(m.low, pcm)
			pcm = m.low
		}
	case half:
		m.down.as(r.down) // so that nothing clicks when it begins to speak
		pcm = r.low
	}
	if !m.loud {
		for i := range r.coded {
			if s := &r.coded[i]; s.codec == m.codec {
				if s.n == 0 {
					s.n = s.enc.Encode(s.data, pcm)
				}
				m.out.put(m.codec, s.data[:s.n])
				return
			}
		}
	}
	m.out.put(m.codec, m.data[:m.enc.Encode(m.data, pcm)])
}

// clip saturates.
func clip(v int32) int16 { return int16(min(max(v, -32768), 32767)) }
