package phone

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/media/rtp"
)

// An ear keeps every packet that comes by a wire. Recv belongs to the pacer's
// thread; heard is called when that has let go.
type ear struct {
	pace.Wire
	mu      sync.Mutex
	packets []heardPacket
	codecs  map[uint8]*codec.Codec
}

// speaks tells what a payload type means. A nil ear does not care.
func (e *ear) speaks(pt uint8, k *codec.Codec) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.codecs == nil {
		e.codecs = map[uint8]*codec.Codec{}
	}
	e.codecs[pt] = k
}

type heardPacket struct {
	at time.Time
	rtp.Packet
}

// Recv passes on what came, and keeps a copy.
func (e *ear) Recv(bufs [][]byte, from []netip.AddrPort) int {
	n := e.Wire.Recv(bufs, from)
	if n == 0 {
		return 0
	}
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range bufs[:n] {
		if p, err := rtp.Parse(b); err == nil {
			p.Payload = slices.Clone(p.Payload)
			e.packets = append(e.packets, heardPacket{now, p})
		}
	}
	return n
}

// drain takes what lies in the socket after the leg was removed: a BYE comes at
// once, but the packets before it wait for a tick.
func (e *ear) drain() {
	bufs, from := make([][]byte, 16), make([]netip.AddrPort, 16)
	for i := range bufs {
		bufs[i] = make([]byte, 2048)
	}
	for range 64 { // whoever floods us does not keep the call alive
		if e.Recv(bufs, from) == 0 {
			return
		}
	}
}

// longest is how much sound heard lays out at most: a broken timestamp must not
// take all memory.
const longest = 4 * time.Hour

// heard decodes what came, each packet where its timestamp says: that of the
// first codec, and of others whose clock is the same.
func (e *ear) heard(k *codec.Codec, began time.Time) *Heard {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.packets) > 0 {
		if first := e.codecs[e.packets[0].PT]; first != nil {
			k = first
		}
	}
	h := &Heard{Rate: k.Rate}
	decoders := map[uint8]codec.Decoder{}
	frame := make([]int16, k.Rate.N(time.Second))
	var first uint32
	var ssrc uint32
	for i, p := range e.packets {
		h.Packets = append(h.Packets, Packet{At: p.at.Sub(began), Seq: p.Seq, TS: p.TS, PT: p.PT, Marker: p.Marker, Len: len(p.Payload)})
		if i == 0 {
			h.From = p.at.Sub(began)
			first, ssrc = p.TS, p.SSRC
		}
		is := e.codecs[p.PT]
		if is == nil || is.ClockRate != k.ClockRate || is.Rate != k.Rate || p.SSRC != ssrc {
			continue // keys, or another stream
		}
		dec := decoders[p.PT]
		if dec == nil {
			dec = is.NewDecoder()
			decoders[p.PT] = dec
		}
		// Signed: a packet may have been overtaken by the first one.
		at := int(int64(int32(p.TS-first)) * int64(k.Rate) / int64(k.ClockRate))
		if at < 0 || at > k.Rate.N(longest) {
			continue
		}
		n := dec.Decode(frame, p.Payload)
		if need := at + n; need > len(h.PCM) {
			h.PCM = append(h.PCM, make([]int16, need-len(h.PCM))...)
		}
		copy(h.PCM[at:], frame[:n])
	}
	return h
}
