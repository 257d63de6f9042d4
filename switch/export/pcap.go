package export

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
)

// PCAP writes the SIP messages of a call and the RTP that was kept of it as a
// classic pcap file of IP packets (LINKTYPE_RAW), in the order of time. What went
// over TCP, TLS or WebSocket stands as UDP datagrams between the same addresses,
// and what was encrypted stands readable; secrets are blanked.
func PCAP(w io.Writer, c Call) error {
	out := &pcap{w: bufio.NewWriter(w)}
	out.fileHead()
	var sound iter.Seq2[eventlog.Packet, error] = func(func(eventlog.Packet, error) bool) {}
	if f, err := c.sound(); err == nil {
		defer f.Close()
		sound = eventlog.Packets(f)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	next, stop := iter.Pull2(sound)
	defer stop()
	var rtp ends
	p, err, more := next()
	until := func(t time.Time) {
		for ; more && err == nil && !p.At.After(t); p, err, more = next() {
			if rtp.ours.IsValid() {
				out.packet(p.At, rtp, p.Sent, p.Data)
			}
		}
	}
	fail := c.events(func(e *trace.Event) error {
		switch e.Type {
		case trace.MediaStarted:
			if !startsKept(*e) {
				break
			}
			until(e.T)
			rtp = endsOf(e)
		case trace.SIPReceived, trace.SIPSent:
			until(e.T)
			out.packet(e.T, endsOf(e), e.Type == trace.SIPSent, []byte(measured(e.Text)))
		}
		return out.err
	})
	if fail != nil {
		return fail
	}
	until(time.Unix(1<<40, 0))
	if out.err != nil {
		return out.err
	}
	return out.w.Flush()
}

// measured gives a SIP message whose body was blanked its true Content-Length.
func measured(m string) string {
	head, body, ok := strings.Cut(m, "\r\n\r\n")
	if !ok {
		return m
	}
	lines := strings.Split(head, "\r\n")
	for i, l := range lines {
		name, _, _ := strings.Cut(l, ":")
		if name = strings.TrimSpace(name); strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "l") {
			lines[i] = name + ": " + strconv.Itoa(len(body))
		}
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// ends are the two addresses of an exchange.
type ends struct{ ours, theirs netip.AddrPort }

// endsOf reads the addresses of an event. Where ours is not known (a WebSocket, an
// older log) or on all interfaces it is the loopback address, or an unspecified
// one when theirs is not.
func endsOf(e *trace.Event) ends {
	theirs, err := netip.ParseAddrPort(e.Peer)
	if err != nil {
		theirs = netip.AddrPortFrom(netip.IPv4Unspecified(), 5060)
	}
	ours, err := netip.ParseAddrPort(e.Local)
	if err != nil {
		ours = netip.AddrPortFrom(netip.IPv6Unspecified(), 5060)
	}
	a, b := ours.Addr().Unmap().WithZone(""), theirs.Addr().Unmap().WithZone("")
	if a.IsUnspecified() || a.Is4() != b.Is4() {
		switch {
		case b.IsLoopback():
			a = b
		case b.Is4():
			a = netip.IPv4Unspecified()
		default:
			a = netip.IPv6Unspecified()
		}
	}
	return ends{netip.AddrPortFrom(a, ours.Port()), netip.AddrPortFrom(b, theirs.Port())}
}

// A pcap is the file that is written.
type pcap struct {
	w   *bufio.Writer
	buf []byte
	err error
}

const (
	linkRaw = 101     // LINKTYPE_RAW: an IPv4 or IPv6 header comes first
	snap    = 1 << 18 // no packet is longer
	udp     = 17
)

func (p *pcap) fileHead() {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4) // microseconds
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, snap)
	b = binary.LittleEndian.AppendUint32(b, linkRaw)
	p.write(b)
}

func (p *pcap) write(b []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(b)
	}
}

// packet writes one UDP datagram with its headers.
func (p *pcap) packet(at time.Time, e ends, sent bool, data []byte) {
	from, to := e.theirs, e.ours
	if sent {
		from, to = to, from
	}
	b := append(p.buf[:0], make([]byte, 16)...)
	length := 8 + len(data)
	if from.Addr().Is4() {
		ip := len(b)
		b = append(b, 0x45, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(20+length))
		b = append(b, 0, 0, 0x40, 0, 64, udp, 0, 0) // not to be fragmented, 64 hops
		b = append(append(b, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
		binary.BigEndian.PutUint16(b[ip+10:], ^sum(0, b[ip:]))
	} else {
		b = append(b, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(length))
		b = append(b, udp, 64)
		b = append(append(b, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	}
	head := len(b)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(length))
	b = append(append(b, 0, 0), data...)
	// The pseudo header of RFC 768 and RFC 8200, 8.1: addresses, protocol, length.
	s := sum(sum(0, from.Addr().AsSlice()), to.Addr().AsSlice())
	s = sum(s, []byte{0, udp, byte(length >> 8), byte(length)})
	s = ^sum(s, b[head:])
	if s == 0 {
		s = 0xffff
	}
	binary.BigEndian.PutUint16(b[head+6:], s)
	n := uint32(len(b) - 16)
	binary.LittleEndian.PutUint32(b, uint32(at.Unix()))
	binary.LittleEndian.PutUint32(b[4:], uint32(at.Nanosecond()/1000))
	binary.LittleEndian.PutUint32(b[8:], n)
	binary.LittleEndian.PutUint32(b[12:], n)
	p.buf = b
	p.write(b)
}

// sum adds to an Internet checksum (RFC 1071).
func sum(s uint16, b []byte) uint16 {
	t := uint32(s)
	for ; len(b) > 1; b = b[2:] {
		t += uint32(b[0])<<8 | uint32(b[1])
		t = t&0xffff + t>>16
	}
	if len(b) == 1 {
		t += uint32(b[0]) << 8
	}
	return uint16(t&0xffff + t>>16)
}
