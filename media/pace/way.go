package pace

import (
	"encoding/binary"
	"sync/atomic"

	"ozswitch/media/rtp"
)

// A Way carries the packets that one leg hears to the leg that says them, from
// shard to shard: a queue of bytes with one writer and one reader, without a lock.
// What finds no room is lost, as on a network. It serves one Join.
type Way struct {
	from Format // of what is on it

	buf        [waySize]byte
	head, tail atomic.Uint32 // in bytes since the start: taken, and put
	held       uint32        // reader's: the size of the record that was taken last
	left       uint16        // writer's: how many packets of the stream were not put

	// Who takes, so that a writer of the same shard can have it done at once.
	reader atomic.Pointer[Leg]
}

// waySize has room for 45 packets of G.711: 900 ms of a call whose other end's
// thread stands still. It is a multiple of wayAlign, and a power of two.
const (
	waySize  = 8 << 10
	wayHead  = 16 // length, flags, number, -, timestamp, SSRC
	wayAlign = 8
	wayFill  = 0xffff // a length: nothing more up to the end of the buffer
)

const (
	flagMarker = 1 << iota
	flagEvent
)

// NewWay makes a way for what is heard in a format.
func NewWay(from Format) *Way { return &Way{from: from} }

// put copies a packet; event says that it is a telephone-event.
func (w *Way) put(p rtp.Packet, event bool) {
	tail := w.tail.Load()
	at := tail % waySize
	need := (wayHead + uint32(len(p.Payload)) + wayAlign - 1) / wayAlign * wayAlign
	fill := uint32(0)
	if at+need > waySize {
		fill = waySize - at
	}
	if waySize-(tail-w.head.Load()) < fill+need {
		return // by its number the far end sees that it is missing
	}
	if fill > 0 {
		binary.NativeEndian.PutUint16(w.buf[at:], wayFill)
		at = 0
	}
	b := w.buf[at : at+need]
	binary.NativeEndian.PutUint16(b, uint16(len(p.Payload)))
	b[2] = 0
	if p.Marker {
		b[2] |= flagMarker
	}
	if event {
		b[2] |= flagEvent
	}
	binary.NativeEndian.PutUint16(b[4:], p.Seq-w.left)
	binary.NativeEndian.PutUint32(b[8:], p.TS)
	binary.NativeEndian.PutUint32(b[12:], p.SSRC)
	copy(b[wayHead:], p.Payload)
	w.tail.Store(tail + fill + need)
}

// leave counts a packet that the other end shall not miss.
func (w *Way) leave() { w.left++ }

// take gives the oldest packet. Its payload may be looked at until the next one is
// taken; that of the last one stays (see last).
func (w *Way) take() (p rtp.Packet, event, ok bool) {
	at := w.head.Load() + w.held
	if at == w.tail.Load() {
		return p, false, false
	}
	if binary.NativeEndian.Uint16(w.buf[at%waySize:]) == wayFill {
		at += waySize - at%waySize
	}
	w.head.Store(at)
	b := w.buf[at%waySize:]
	n := int(binary.NativeEndian.Uint16(b))
	w.held = (wayHead + uint32(n) + wayAlign - 1) / wayAlign * wayAlign
	return rtp.Packet{
		Marker: b[2]&flagMarker != 0, Seq: binary.NativeEndian.Uint16(b[4:]),
		TS: binary.NativeEndian.Uint32(b[8:]), SSRC: binary.NativeEndian.Uint32(b[12:]),
		Payload: b[wayHead : wayHead+n : wayHead+n],
	}, b[2]&flagEvent != 0, true
}

// last is the payload that was taken last, if it was sound.
func (w *Way) last() []byte {
	b := w.buf[w.head.Load()%waySize:]
	if w.held == 0 || b[2]&flagEvent != 0 {
		return nil
	}
	n := wayHead + int(binary.NativeEndian.Uint16(b))
	return b[wayHead:n:n]
}

// clear throws away what waits; the reader does it.
func (w *Way) clear() {
	w.head.Store(w.tail.Load())
	w.held = 0
}
