package switchtest

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/mediatest"
	"ozswitch/media/pace"
	"ozswitch/media/rtp"
)

// An ear is a wire that decodes what comes by it.
type ear struct {
	pace.Wire

	mu    sync.Mutex
	codec *codec.Codec
	dec   codec.Decoder
	next  uint32  // timestamp of the sample after pcm
	pcm   []int16 // not understood yet
	said  strings.Builder
	first time.Time // when the first packet came
}

// Recv passes on what came.
func (e *ear) Recv(bufs [][]byte, from []netip.AddrPort) int {
	n := e.Wire.Recv(bufs, from)
	if n == 0 {
		return 0
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range bufs[:n] {
		if p, err := rtp.Parse(b); err == nil {
			e.take(p)
		}
	}
	return n
}

// take appends a packet where its timestamp says; what did not come is silence,
// what came too late is lost.
func (e *ear) take(p rtp.Packet) {
	if e.codec == nil {
		for _, c := range codec.Table {
			if c.PT == p.PT {
				e.codec, e.dec, e.next, e.first = c, c.NewDecoder(), p.TS, time.Now()
			}
		}
	}
	if e.codec == nil || p.PT != e.codec.PT {
		return // keys
	}
	gap := int32(p.TS - e.next)
	if gap < 0 || int(gap) > e.codec.ClockRate*60 {
		return
	}
	frame := make([]int16, e.codec.Rate.Frame())
	e.pcm = append(e.pcm, make([]int16, int(gap)*int(e.codec.Rate)/e.codec.ClockRate)...)
	e.pcm = append(e.pcm, frame[:e.dec.Decode(frame, p.Payload)]...)
	e.next = p.TS + uint32(e.codec.Ticks())
}

// text is everything understood so far. What lies before a pause is understood
// once; what follows is looked at anew each time.
func (e *ear) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.codec == nil {
		return ""
	}
	tail := strings.Join(mediatest.Hear(e.pcm, e.codec.Rate), " ")
	if quiet(e.pcm, e.codec.Rate.N(300*time.Millisecond)) {
		if tail != "" {
			e.said.WriteString(tail + " ")
		}
		e.pcm, tail = e.pcm[len(e.pcm):], ""
	}
	return e.said.String() + tail
}

// quiet tells whether the last n samples are silence.
func quiet(pcm []int16, n int) bool {
	if len(pcm) < n {
		return false
	}
	for _, v := range pcm[len(pcm)-n:] {
		if v > 64 || v < -64 {
			return false
		}
	}
	return true
}
