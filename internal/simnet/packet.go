package simnet

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// errInUse is what a real socket says, so that callers can look for it.
var errInUse = syscall.EADDRINUSE

type packet struct {
	from netip.AddrPort
	b    []byte
	at   time.Time // of its arrival
}

// room is how many packets a socket holds before it drops what comes.
const room = 4096

// endpoint is a packet socket of either kind.
type endpoint struct {
	net   *Net
	local netip.AddrPort

	mu       sync.Mutex
	cond     sync.Cond
	queue    []packet
	peer     netip.AddrPort // the only one heard, when valid
	closed   bool
	deadline deadline
}

func (n *Net) endpoint(at string) (*endpoint, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	local, err := n.claim(at, func(a netip.AddrPort) bool { return n.packets[a] != nil })
	if err != nil {
		return nil, err
	}
	e := &endpoint{net: n, local: local}
	e.cond.L = &e.mu
	n.packets[local] = e
	return e, nil
}

func (e *endpoint) arrive(p packet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || len(e.queue) == room || e.peer.IsValid() && p.from != e.peer {
		return
	}
	p.at = time.Now()
	e.queue = append(e.queue, p)
	e.cond.Broadcast()
}

// take returns the oldest packet; ok is false when there is none.
func (e *endpoint) take() (p packet, ok bool) {
	for len(e.queue) > 0 && !ok {
		p = e.queue[0]
		e.queue = e.queue[1:]
		ok = !e.peer.IsValid() || p.from == e.peer
	}
	return p, ok
}

func (e *endpoint) close() error {
	e.net.mu.Lock()
	if e.net.packets[e.local] == e {
		delete(e.net.packets, e.local)
	}
	e.net.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	e.closed = true
	e.deadline.set(&e.cond, time.Time{})
	e.cond.Broadcast()
	return nil
}

// PacketConn opens a packet socket at an address such as "10.0.0.1:5060"; port 0
// is any free one. An address that is taken is EADDRINUSE.
func (n *Net) PacketConn(at string) (net.PacketConn, error) {
	e, err := n.endpoint(at)
	if err != nil {
		return nil, err
	}
	return (*packetConn)(e), nil
}

// packetConn is an endpoint as package net has it.
type packetConn endpoint

func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	e := (*endpoint)(c)
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		switch p, ok := e.take(); {
		case e.closed:
			return 0, nil, c.fail("read", net.ErrClosed)
		case e.deadline.over():
			return 0, nil, c.fail("read", os.ErrDeadlineExceeded)
		case ok:
			return copy(b, p.b), net.UDPAddrFromAddrPort(p.from), nil
		}
		e.cond.Wait()
	}
}

func (c *packetConn) WriteTo(b []byte, to net.Addr) (int, error) {
	e := (*endpoint)(c)
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		return 0, c.fail("write", net.ErrClosed)
	}
	a, err := netip.ParseAddrPort(to.String())
	if err != nil {
		return 0, c.fail("write", err)
	}
	e.net.send(e.local, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), b)
	return len(b), nil
}

func (c *packetConn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: c.LocalAddr(), Err: err}
}

func (c *packetConn) Close() error        { return (*endpoint)(c).close() }
func (c *packetConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.local) }

func (c *packetConn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

func (c *packetConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.deadline.set(&c.cond, t)
	}
	return nil
}

// SetWriteDeadline does nothing: a write never waits.
func (c *packetConn) SetWriteDeadline(time.Time) error { return nil }

// deadline wakes those who wait for a cond when its moment comes. The cond's
// lock guards it.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(c *sync.Cond, at time.Time) {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.at, d.timer = at, nil
	if !at.IsZero() {
		d.timer = time.AfterFunc(time.Until(at), func() {
			c.L.Lock()
			defer c.L.Unlock()
			c.Broadcast()
		})
	}
	c.Broadcast()
}

func (d *deadline) over() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
