package call

import (
	"net/netip"
	"strings"
	"time"
)

// A Codec is one payload format of an offer or answer, as SDP names it
// (RFC 4566 a=rtpmap).
type Codec struct {
	PT        uint8  // RTP payload type
	Name      string // "PCMU"; compared without regard to case
	ClockRate int    // ticks a second of the RTP timestamp
	Channels  int    // 0 and 1 mean one
	Fmtp      string // a=fmtp parameters as they stand, may be empty
}

// Is tells whether c is the format of that name and clock rate.
func (c Codec) Is(name string, rate int) bool {
	return strings.EqualFold(c.Name, name) && c.ClockRate == rate
}

// A MediaDir says which way sound may flow, seen by the one who wrote the
// description (RFC 3264).
type MediaDir uint8

// The four directions; SendRecv is the default.
const (
	SendRecv MediaDir = iota
	SendOnly
	RecvOnly
	Inactive
)

// A Media is one party's description of its audio: where it wants packets and
// which formats it takes, in order of preference. It is what remains of an SDP
// body once switch/sip has read it. An Addr whose address is unspecified
// (c=0.0.0.0) means held (RFC 3264 8.4).
type Media struct {
	Addr   netip.AddrPort
	Codecs []Codec       // without telephone-event
	Keys   []Codec       // telephone-event formats (RFC 4733), in order
	Ptime  time.Duration // 0 when not said
	Dir    MediaDir
	Mux    bool // a=rtcp-mux
}

// KeysFor gives the telephone-event format whose clock is that of c; ok is
// false when there is none (RFC 4733 2.1 wants the clocks equal).
func (m *Media) KeysFor(c Codec) (Codec, bool) {
	for _, k := range m.Keys {
		if k.ClockRate == c.ClockRate {
			return k, true
		}
	}
	return Codec{}, false
}
