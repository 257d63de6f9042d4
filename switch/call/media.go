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

	// Crypto are the a=crypto lines (SDES, RFC 4568) of a description whose sound
	// goes by SRTP; Secure says that its profile was RTP/SAVP, so nothing else will
	// do. An answer has one line or none.
	Crypto []Crypto
	Secure bool

	// Web is set where the sound goes by WebRTC (ICE and DTLS-SRTP); Addr then
	// means little (RFC 8829 5.2.1: 0.0.0.0 and port 9). It is shared, and read-only.
	Web *WebMedia
}

// A Crypto is one a=crypto line. Key is "inline:..." as it stands; it is never
// logged.
type Crypto struct {
	Tag   int
	Suite string // "AES_CM_128_HMAC_SHA1_80"
	Key   string
}

// A WebMedia is what a description says of a WebRTC path: who may knock (ICE,
// RFC 8839), where, and whose certificate will be shown (DTLS-SRTP, RFC 8842).
type WebMedia struct {
	Ufrag, Pwd      string
	Options         string   // a=ice-options, "" = none
	Lite            bool     // a=ice-lite: it answers knocks and sends none
	Fingerprints    []string // "sha-256 AB:CD:..", any of which will do
	Setup           string   // "actpass", "active", "passive", "holdconn"
	Candidates      []string // values of a=candidate: "1 1 udp 2130706431 127.0.0.1 19998 typ host"
	EndOfCandidates bool
	Mid             string // a=mid, "" = none
	Bundle          bool   // the session groups its media (a=group:BUNDLE) and Mid is of the group
}

// The values of WebMedia.Setup.
const (
	ActPass  = "actpass"
	Active   = "active"
	Passive  = "passive"
	HoldConn = "holdconn"
)

// Restarts tells whether w, said after old, begins ICE anew (RFC 8445 9).
func (w *WebMedia) Restarts(old *WebMedia) bool {
	return w != nil && old != nil && (w.Ufrag != old.Ufrag || w.Pwd != old.Pwd)
}

// Nowhere tells whether the address is unspecified (c=0.0.0.0), which held a
// call before there were directions (RFC 3264 8.4). WebRTC writes it always.
func (m *Media) Nowhere() bool { return m.Web == nil && m.Addr.Addr().IsUnspecified() }

// Mirror is the direction that answers m, which was offered (RFC 3264 6.1).
func (m *Media) Mirror() MediaDir {
	switch {
	case m.Dir == SendOnly:
		return RecvOnly
	case m.Dir == RecvOnly:
		return SendOnly
	case m.Dir == SendRecv && m.Nowhere():
		return RecvOnly
	}
	return m.Dir
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
