// Package rtp is the packets of sound (RFC 3550) and the keys in them (RFC 4733).
//
// All of it is pure: packets are read and written in the caller's memory, and
// what depends on time is told it. [Parse] and [PutHeader] are the packet,
// [Reception] the figures of a stream, [Jitter] the buffer that puts packets
// back in order and in time, [KeyReceiver] and [KeySender] the telephone-events,
// [Reporter] and [Control] the reports (RTCP). Nothing here allocates once it is
// made.
//
// It is not: sockets and pacing (media/pace), encryption.
// Start reading at packet.go.
package rtp

import (
	"encoding/binary"
	"errors"
)

// HeaderLen is the length of the header that PutHeader writes.
const HeaderLen = 12

// Packet is one packet as it came. Payload lies in the bytes given to Parse.
type Packet struct {
	PT      uint8
	Marker  bool
	Seq     uint16
	TS      uint32
	SSRC    uint32
	Payload []byte
}

// Why Parse refuses a packet. They are values, so that refusing costs nothing.
var (
	ErrShort   = errors.New("rtp: packet is too short")
	ErrVersion = errors.New("rtp: not version 2")
	ErrRTCP    = errors.New("rtp: an RTCP packet")
	ErrPadding = errors.New("rtp: padding is longer than the payload")
)

// Parse reads a packet (RFC 3550, 5.1) with its contributing sources, extension
// and padding stepped over. An RTCP packet on the same port (RFC 5761, 4) is
// ErrRTCP.
func Parse(b []byte) (p Packet, err error) {
	if len(b) < HeaderLen {
		return p, ErrShort
	}
	if b[0]>>6 != 2 {
		return p, ErrVersion
	}
	if b[1] >= 192 && b[1] <= 223 {
		return p, ErrRTCP
	}
	at := HeaderLen + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 { // header extension, 5.3.1
		if len(b) < at+4 {
			return p, ErrShort
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	if len(b) < at {
		return p, ErrShort
	}
	end := len(b)
	if b[0]&0x20 != 0 { // the last byte counts the padding, itself included
		pad := int(b[end-1])
		if pad == 0 || pad > end-at {
			return p, ErrPadding
		}
		end -= pad
	}
	return Packet{
		PT:      b[1] & 0x7f,
		Marker:  b[1]&0x80 != 0,
		Seq:     binary.BigEndian.Uint16(b[2:]),
		TS:      binary.BigEndian.Uint32(b[4:]),
		SSRC:    binary.BigEndian.Uint32(b[8:]),
		Payload: b[at:end:end],
	}, nil
}

// PutHeader writes p's header, all but the payload, to the first HeaderLen bytes of b.
func PutHeader(b []byte, p Packet) {
	_ = b[HeaderLen-1]
	b[0] = 2 << 6
	b[1] = p.PT & 0x7f
	if p.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.Seq)
	binary.BigEndian.PutUint32(b[4:], p.TS)
	binary.BigEndian.PutUint32(b[8:], p.SSRC)
}
