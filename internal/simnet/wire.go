package simnet

import (
	"errors"
	"net/netip"
	"time"
)

// Wire opens a wire for package media/pace at an address; port 0 is any free one.
func (n *Net) Wire(at string) (*Wire, error) {
	e, err := n.endpoint(at)
	if err != nil {
		return nil, err
	}
	return &Wire{e: e}, nil
}

// A Wire is a pace.Wire on this network.
type Wire struct {
	e    *endpoint
	to   netip.AddrPort
	came []time.Time // of the last Recv
}

var errNoAim = errors.New("simnet: the wire was not aimed yet")

// Send sends one packet to where the wire was aimed or bound.
func (w *Wire) Send(b []byte) error {
	if !w.to.IsValid() {
		return errNoAim
	}
	w.e.net.send(w.e.local, w.to, b)
	return nil
}

// Recv takes what has come; it never waits.
func (w *Wire) Recv(bufs [][]byte, from []netip.AddrPort) int {
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	n := 0
	w.came = w.came[:0]
	for n < len(bufs) {
		p, ok := w.e.take()
		if !ok {
			break
		}
		if b := bufs[n][:cap(bufs[n])]; len(p.b) <= len(b) {
			bufs[n], from[n] = b[:copy(b, p.b)], p.from
			w.came = append(w.came, p.at)
			n++
		}
	}
	return n
}

// Came is when the i-th packet of the last Recv arrived.
func (w *Wire) Came(i int) time.Time { return w.came[i] }

// Aim sends to an address and hears everybody.
func (w *Wire) Aim(to netip.AddrPort) error { return w.point(to, netip.AddrPort{}) }

// Rebind sends to an address and hears nobody else.
func (w *Wire) Rebind(peer netip.AddrPort) error { return w.point(peer, peer) }

func (w *Wire) point(to, peer netip.AddrPort) error {
	if !to.IsValid() {
		return errNoAim
	}
	w.to = to
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	w.e.peer = peer
	return nil
}

// LocalAddr is the wire's own address.
func (w *Wire) LocalAddr() netip.AddrPort { return w.e.local }

// Close frees the address.
func (w *Wire) Close() error { return w.e.close() }
