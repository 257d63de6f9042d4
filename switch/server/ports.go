package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"ozswitch/media/pace"
)

// ports hands out even RTP ports of a range, each as far from its last use as
// can be, so that late packets of an old call do not fall into a new one. The
// odd port above is RTCP's (RFC 3550 11).
type ports struct {
	addr        netip.Addr
	other       netip.Addr // of the other family, IPv4 or IPv6; invalid = none
	first, last uint16

	mu   sync.Mutex
	next uint16
}

func newPorts(addr netip.Addr, first, last uint16) *ports {
	first += first % 2
	return &ports{addr: addr, first: first, last: last, next: first}
}

// errNoPorts says that all ports of the range are taken.
var errNoPorts = errors.New("server: every RTP port is taken")

// rtpAddrs are the addresses for sound: the configured one, and for telephones of
// the other family, IPv4 or IPv6, the one where SIP listens for those. When SIP
// listens only there, that one is for all.
func rtpAddrs(configured netip.Addr, listen []Listen) (addr, other netip.Addr) {
	same := len(listen) == 0
	for _, l := range listen {
		a, err := netip.ParseAddrPort(l.Address)
		switch {
		case err != nil || a.Addr().Is4() == configured.Is4():
			same = true
		case !other.IsValid():
			other = a.Addr()
		}
	}
	if !same && !other.IsUnspecified() {
		return other, netip.Addr{}
	}
	return configured, other
}

// listen binds the next free even port.
func (p *ports) listen() (pace.Wire, error) { return p.listenAt(p.addr) }

// listenTo is listen for a leg whose far end is remote: at the other address when
// that is of the other family.
func (p *ports) listenTo(remote netip.Addr) (pace.Wire, error) {
	if !remote.IsValid() || remote.Is4() == p.addr.Is4() || !p.other.IsValid() {
		return p.listen()
	}
	if !p.other.IsUnspecified() {
		return p.listenAt(p.other)
	}
	// Which of this machine's addresses the far end reaches is known to the kernel. Nothing is sent.
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, 9)))
	if err != nil {
		return nil, fmt.Errorf("server: no way to %s for sound: %w", remote, err)
	}
	defer c.Close()
	return p.listenAt(c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap())
}

func (p *ports) listenAt(addr netip.Addr) (pace.Wire, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range (int(p.last)-int(p.first))/2 + 1 {
		port := p.next
		if p.next += 2; p.next > p.last || p.next < p.first {
			p.next = p.first
		}
		w, err := pace.Listen(netip.AddrPortFrom(addr, port))
		if err == nil {
			return w, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("server: sound on %s: %w", netip.AddrPortFrom(addr, port), err)
		}
	}
	return nil, fmt.Errorf("%w (%d-%d)", errNoPorts, p.first, p.last)
}
