package rtc

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// This file stands between the port's socket and pion's agents: for those it is
// an ice.UDPMux of which each has a conn that carries STUN only.

// knock takes a STUN message. No agent sees one whose sender does not know the
// wire's password, and none that cannot be read.
func (p *Port) knock(b []byte, from netip.AddrPort) {
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if !stun.IsMessage(b) || m.Decode() != nil {
		return
	}
	var w *Wire
	switch m.Type.Class {
	case stun.ClassRequest:
		name, err := m.Get(stun.AttrUsername)
		if err != nil {
			return
		}
		p.mu.RLock()
		w = p.ufrags[before(string(name), ':')]
		p.mu.RUnlock()
	case stun.ClassSuccessResponse:
		w = p.who(from)
	}
	if w == nil || !w.knows(m) {
		return
	}
	if m.Type.Class == stun.ClassRequest {
		p.learn(from, w)
	}
	w.consented(from)
	w.mux.put(m.Raw, from)
}

func before(s string, c byte) string {
	for i := range len(s) {
		if s[i] == c {
			return s[:i]
		}
	}
	return s
}

// A mux is the ice.UDPMux of one wire.
type mux struct {
	w *Wire

	mu    sync.Mutex
	conns map[string]*muxConn // by ufrag, and "6" for IPv6
}

// GetConn implements ice.UDPMux.
func (m *mux) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &muxConn{w: m.w, six: addr.(*net.UDPAddr).IP.To4() == nil, in: make(chan message, 16), closed: make(chan struct{})}
	key := ufrag
	if c.six {
		key += "|6"
	}
	if m.conns == nil {
		m.conns = map[string]*muxConn{}
	}
	m.conns[key] = c
	return c, nil
}

// RemoveConnByUfrag implements ice.UDPMux.
func (m *mux) RemoveConnByUfrag(ufrag string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range []string{ufrag, ufrag + "|6"} {
		if c := m.conns[key]; c != nil {
			c.Close()
			delete(m.conns, key)
		}
	}
}

// GetListenAddresses implements ice.UDPMux: one for each family is enough, since
// what we say in SDP is not the agent's business.
func (m *mux) GetListenAddresses() []net.Addr {
	local := m.w.p.local
	four, six := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	at := func(a netip.Addr) net.Addr { return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, local.Port())) }
	switch a := local.Addr(); {
	case !a.IsUnspecified():
		return []net.Addr{at(a)}
	case a.Is4():
		return []net.Addr{at(four)}
	}
	return []net.Addr{at(four), at(six)}
}

// Close implements ice.UDPMux; the port outlives the agent.
func (m *mux) Close() error { return nil }

// put gives a message to the agent's conns of its family; a full one drops it, and
// the far end asks again.
func (m *mux) put(b []byte, from netip.AddrPort) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.conns {
		if c.six == from.Addr().Is4() {
			continue
		}
		select {
		case c.in <- message{b, from}:
		default:
		}
	}
}

type message struct {
	b    []byte
	from netip.AddrPort
}

// A muxConn is what an agent reads STUN from.
type muxConn struct {
	w      *Wire
	six    bool
	in     chan message
	closed chan struct{}
	once   sync.Once
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter.
func (c *muxConn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case m := <-c.in:
		return copy(b, m.b), m.from, nil
	case <-c.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (c *muxConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	to = unmap(to)
	c.w.p.learn(to, c.w)
	return c.w.p.conn.WriteToUDPAddrPort(b, to)
}

func (c *muxConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromAddrPort(b)
	return n, net.UDPAddrFromAddrPort(from), err
}

func (c *muxConn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, os.ErrInvalid
	}
	return c.WriteToAddrPort(b, a.AddrPort())
}

func (c *muxConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func (c *muxConn) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(c.w.p.local) }

// SetDeadline ends reading: the agent sets one only to leave.
func (c *muxConn) SetDeadline(time.Time) error      { return c.Close() }
func (c *muxConn) SetReadDeadline(time.Time) error  { return nil }
func (c *muxConn) SetWriteDeadline(time.Time) error { return nil }
