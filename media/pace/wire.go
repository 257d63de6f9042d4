package pace

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// A Wire carries the packets of one leg. It has two moods: aimed, when it sends
// to one address and hears everybody, and bound, when it hears only its peer.
// Send and Recv never block. Its methods are called by one goroutine at a time;
// only Close and LocalAddr may come from anywhere, and Close only after the leg
// was removed.
type Wire interface {
	// Send sends one packet to where the wire was last aimed or bound. A full
	// buffer or a peer that refuses is an error; the packet is lost then.
	Send(b []byte) error

	// Recv takes what has come: it fills bufs[i] up to its capacity, reslices it
	// to the packet's length and puts the sender in from[i]. It returns the
	// number of packets, 0 when there are none. Packets longer than the buffer
	// are dropped. from is as long as bufs.
	Recv(bufs [][]byte, from []netip.AddrPort) int

	// Aim makes packets go to an address, and ends a Rebind.
	Aim(to netip.AddrPort) error

	// Rebind ties the wire to a peer: packets go there, and from elsewhere no
	// longer arrive.
	Rebind(peer netip.AddrPort) error

	LocalAddr() netip.AddrPort
	Close() error
}

// A stamper is a Wire that knows when packets came: a leg looks for them each
// 20 ms only, which is too coarse for its reports.
type stamper interface {
	// Came is when the i-th packet of the last Recv arrived, by the wall clock;
	// zero when that is not known.
	Came(i int) time.Time
}

// stamps is what w tells of arrivals, nil if it tells nothing.
func stamps(w Wire) stamper {
	s, _ := w.(stamper)
	return s
}

// A waiter is a Wire that cannot carry anything before it is Ready, such as one that
// agrees on keys first. Its leg begins then, so that no prompt loses its first word.
type waiter interface{ Ready() bool }

// waits reports whether a leg on w has to wait.
func waits(w Wire) bool {
	r, ok := w.(waiter)
	return ok && !r.Ready()
}

// ListenAbove opens a wire of the same kind as w at the port above it, where RTCP
// has its place (RFC 3550, 11). The error is ErrUnsupported for kinds that this
// package does not know.
func ListenAbove(w Wire) (Wire, error) {
	a := w.LocalAddr()
	if a.Port() == 0xffff {
		return nil, fmt.Errorf("pace: listen above %v: %w", a, errors.ErrUnsupported)
	}
	a = netip.AddrPortFrom(a.Addr(), a.Port()+1)
	if _, ok := w.(*portableWire); ok {
		return ListenPortable(a)
	}
	if native(w) {
		return Listen(a)
	}
	return nil, fmt.Errorf("pace: listen at %v: %w", a, errors.ErrUnsupported)
}
