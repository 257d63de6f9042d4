package rtp

import (
	"encoding/binary"
	"errors"
	"time"
)

// Types of RTCP packets (RFC 3550, 12.1).
const (
	typeSR   = 200
	typeRR   = 201
	typeSDES = 202
	typeBye  = 203
)

// A Control is what we say and read in a compound packet of RTCP (RFC 3550, 6).
type Control struct {
	SSRC uint32 // who says it

	Sender          bool // it is a sender report; then:
	NTP             uint64
	TS              uint32 // RTP timestamp of that moment
	Packets, Octets uint32 // sent since the beginning

	About bool  // there is a block about the other end's stream:
	Block Block //

	Bye bool
}

// A Block reports on one stream that is received (RFC 3550, 6.4.1).
type Block struct {
	SSRC     uint32
	Fraction uint8  // of the packets lost since the last report, in parts of 256
	Lost     int32  // since the beginning; 24 bits
	Highest  uint32 // sequence number, extended by how often it wrapped
	Jitter   uint32 // in ticks of the timestamp
	LSR      uint32 // middle 32 bits of the NTP time of the last sender report, 0 = none came
	DLSR     uint32 // since then, in 1/65536 s
}

// ErrControl is what ParseControl says of a packet that is not as RFC 3550 has it.
var ErrControl = errors.New("rtp: malformed RTCP packet")

// ParseControl reads a compound packet by the checks of RFC 3550, A.2, and those
// of the lengths inside; mine is our SSRC, the one whose block is wanted. Of
// several blocks or reports the first counts.
func ParseControl(b []byte, mine uint32) (c Control, err error) {
	if len(b) < 8 || b[1] != typeSR && b[1] != typeRR {
		return c, ErrControl
	}
	c.SSRC = binary.BigEndian.Uint32(b[4:])
	for first := true; len(b) > 0; first = false {
		if len(b) < 4 || b[0]>>6 != 2 {
			return c, ErrControl
		}
		n := 4 * (1 + int(binary.BigEndian.Uint16(b[2:])))
		if n > len(b) {
			return c, ErrControl
		}
		body, last := b[4:n], n == len(b)
		if b[0]&0x20 != 0 { // padding: in the last packet only
			if !last || len(body) == 0 {
				return c, ErrControl
			}
			pad := int(body[len(body)-1])
			if first || pad == 0 || pad%4 != 0 || pad > len(body) {
				return c, ErrControl
			}
			body = body[:len(body)-pad]
		}
		count := int(b[0] & 0x1f)
		ok := true
		switch b[1] {
		case typeSR:
			ok = c.report(body, count, 20, mine, first)
		case typeRR:
			ok = c.report(body, count, 0, mine, first)
		case typeSDES:
			ok = chunks(body, count)
		case typeBye:
			ok = c.bye(body, count)
		}
		if !ok {
			return c, ErrControl
		}
		b = b[n:]
	}
	return c, nil
}

const blockLen = 24

// report reads a sender report (info is 20 bytes) or a receiver report (none).
func (c *Control) report(b []byte, count, info int, mine uint32, first bool) bool {
	if len(b) < 4+info+count*blockLen { // what follows is a profile's
		return false
	}
	from := binary.BigEndian.Uint32(b)
	if b = b[4:]; info > 0 {
		if first {
			c.Sender = true
			c.NTP, c.TS = binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
			c.Packets, c.Octets = binary.BigEndian.Uint32(b[12:]), binary.BigEndian.Uint32(b[16:])
		}
		b = b[info:]
	}
	for ; count > 0; count-- {
		if !c.About && from == c.SSRC && binary.BigEndian.Uint32(b) == mine {
			c.About = true
			c.Block = Block{
				SSRC: mine, Fraction: b[4],
				Lost:    int32(binary.BigEndian.Uint32(b[4:])<<8) >> 8,
				Highest: binary.BigEndian.Uint32(b[8:]), Jitter: binary.BigEndian.Uint32(b[12:]),
				LSR: binary.BigEndian.Uint32(b[16:]), DLSR: binary.BigEndian.Uint32(b[20:]),
			}
		}
		b = b[blockLen:]
	}
	return true
}

// chunks walks through source descriptions (RFC 3550, 6.5): an SSRC, items, and
// zeros up to a multiple of four.
func chunks(b []byte, count int) bool {
	for ; count > 0; count-- {
		if len(b) < 8 {
			return false
		}
		at := 4
		for b[at] != 0 {
			if at+2 > len(b) || at+2+int(b[at+1]) >= len(b) {
				return false
			}
			at += 2 + int(b[at+1])
		}
		at = at/4*4 + 4
		b = b[at:]
	}
	return len(b) == 0
}

// bye reads who leaves, and steps over why.
func (c *Control) bye(b []byte, count int) bool {
	if len(b) < 4*count || len(b) > 4*count && 4*count+1+int(b[4*count]) > len(b) {
		return false
	}
	for ; count > 0; count-- {
		c.Bye = c.Bye || binary.BigEndian.Uint32(b) == c.SSRC
		b = b[4:]
	}
	return true
}

// MaxControl is the most that PutControl writes.
const MaxControl = 28 + blockLen + 12 + maxName + 8

// maxName is how much of a name is sent.
const maxName = 40

// PutControl writes c as a compound packet, with name as the CNAME, into b, which
// has room for MaxControl bytes, and returns its length.
func PutControl(b []byte, c Control, name string) int {
	be := binary.BigEndian
	b[0], b[1] = 2<<6, typeRR
	be.PutUint32(b[4:], c.SSRC)
	n := 8
	if c.Sender {
		b[1] = typeSR
		be.PutUint64(b[8:], c.NTP)
		be.PutUint32(b[16:], c.TS)
		be.PutUint32(b[20:], c.Packets)
		be.PutUint32(b[24:], c.Octets)
		n = 28
	}
	if c.About {
		b[0]++
		k := &c.Block
		be.PutUint32(b[n:], k.SSRC)
		be.PutUint32(b[n+4:], uint32(k.Lost)&0xffffff|uint32(k.Fraction)<<24)
		be.PutUint32(b[n+8:], k.Highest)
		be.PutUint32(b[n+12:], k.Jitter)
		be.PutUint32(b[n+16:], k.LSR)
		be.PutUint32(b[n+20:], k.DLSR)
		n += blockLen
	}
	be.PutUint16(b[2:], uint16(n/4-1))

	s := b[n:]
	name = name[:min(len(name), maxName)]
	s[0], s[1] = 2<<6|1, typeSDES
	be.PutUint32(s[4:], c.SSRC)
	s[8], s[9] = 1, byte(len(name)) // CNAME
	m := 10 + copy(s[10:], name)
	for zero := true; zero || m%4 != 0; zero = false { // one zero at least
		s[m] = 0
		m++
	}
	be.PutUint16(s[2:], uint16(m/4-1))
	n += m

	if c.Bye {
		b[n], b[n+1] = 2<<6|1, typeBye
		be.PutUint16(b[n+2:], 1)
		be.PutUint32(b[n+4:], c.SSRC)
		n += 8
	}
	return n
}

// NTP is t as RFC 3550, 4 has it: seconds since 1900, in parts of 2^-32.
func NTP(t time.Time) uint64 {
	const since1900 = 2208988800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/1e9
}
