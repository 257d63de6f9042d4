package server

import (
	"errors"
	"fmt"
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

// listen binds the next free even port.
func (p *ports) listen() (pace.Wire, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range (int(p.last)-int(p.first))/2 + 1 {
		port := p.next
		if p.next += 2; p.next > p.last || p.next < p.first {
			p.next = p.first
		}
		w, err := pace.Listen(netip.AddrPortFrom(p.addr, port))
		if err == nil {
			return w, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("server: sound on %s:%d: %w", p.addr, port, err)
		}
	}
	return nil, fmt.Errorf("%w (%d-%d)", errNoPorts, p.first, p.last)
}
