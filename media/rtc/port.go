package rtc

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"
)

const (
	mtu       = 1500
	kernelBuf = 4 << 20 // bytes, each way; the kernel may give less
	maxPaths  = 16      // far addresses of one wire
)

// A PortConfig says how a Port works; zero values are good.
type PortConfig struct {
	// Advertise is the address of our candidates instead of the socket's own,
	// when valid (NAT).
	Advertise netip.Addr
	// Panicked is told of a panic that was survived; may be nil.
	Panicked func(v any, stack []byte)
}

// A Port is one UDP socket that carries any number of calls.
type Port struct {
	c     PortConfig
	conn  *net.UDPConn
	local netip.AddrPort
	cert  tls.Certificate
	print string
	wg    sync.WaitGroup
	stop  chan struct{}
	once  sync.Once

	mu     sync.RWMutex
	paths  map[netip.AddrPort]*Wire // who is known to send from there
	ufrags map[string]*Wire         // whom a knock is for
	wires  map[*Wire]struct{}
}

// Listen opens a port at a local address; port number 0 is any free one. Close
// ends it. Where the address is taken the error is EADDRINUSE.
func Listen(local netip.AddrPort, c PortConfig) (*Port, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(local))
	if err != nil {
		return nil, fmt.Errorf("rtc: listen at %v: %w", local, err)
	}
	conn.SetReadBuffer(kernelBuf)
	conn.SetWriteBuffer(kernelBuf)
	cert, err := newIdentity(time.Now())
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("rtc: make a certificate: %w", err)
	}
	p := &Port{
		c: c, conn: conn, local: unmap(conn.LocalAddr().(*net.UDPAddr).AddrPort()),
		cert: cert, print: fingerprint(cert.Certificate[0]), stop: make(chan struct{}),
		paths: map[netip.AddrPort]*Wire{}, ufrags: map[string]*Wire{}, wires: map[*Wire]struct{}{},
	}
	p.wg.Go(p.read)
	p.wg.Go(p.watch)
	return p, nil
}

// LocalAddr is where the port listens.
func (p *Port) LocalAddr() netip.AddrPort { return p.local }

// Close closes the wires that are left and the socket, and returns when all
// goroutines of the port have ended.
func (p *Port) Close() error {
	var err error
	p.once.Do(func() {
		p.mu.RLock()
		var all []*Wire
		for w := range p.wires {
			all = append(all, w)
		}
		p.mu.RUnlock()
		for _, w := range all {
			w.Close()
		}
		close(p.stop)
		err = p.conn.Close()
	})
	p.wg.Wait()
	return err
}

// read hands out what comes until the port is closed.
func (p *Port) read() {
	b := make([]byte, mtu+1)
	for !p.readSome(b) {
	}
}

// readSome reads until the port is closed (true), or a packet makes us panic,
// which costs no more than that packet.
func (p *Port) readSome(b []byte) (over bool) {
	defer func() {
		if v := recover(); v != nil {
			p.panicked(v)
		}
	}()
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return true
		}
		if err != nil || n == 0 || n > mtu {
			continue
		}
		p.sort(b[:n], unmap(from))
	}
}

func (p *Port) panicked(v any) {
	if p.c.Panicked != nil {
		p.c.Panicked(v, debug.Stack())
	}
}

// sort tells by the first byte whose a packet is (RFC 7983, 7).
func (p *Port) sort(b []byte, from netip.AddrPort) {
	switch {
	case b[0] >= 128 && b[0] <= 191:
		if w := p.who(from); w != nil {
			w.take(b, time.Now())
		}
	case b[0] < 4:
		p.knock(b, from)
	case b[0] >= 20 && b[0] <= 63:
		if w := p.who(from); w != nil {
			w.shake.put(b)
		}
	}
}

func (p *Port) who(from netip.AddrPort) *Wire {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.paths[from]
}

// learn lets what comes from an address go to w: whoever sends from there has
// shown that he knows w's password, or w has sent there itself.
func (p *Port) learn(from netip.AddrPort, w *Wire) {
	if p.who(from) == w {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, up := p.wires[w]; !up {
		return
	}
	if o := p.paths[from]; o != nil && o.holds(from) {
		return // a caller with a forged source takes nobody's sound away
	}
	n := 0
	for _, o := range p.paths {
		if o == w {
			n++
		}
	}
	if n >= maxPaths {
		for a, o := range p.paths {
			if at := w.path.Load(); o == w && (at == nil || *at != a) {
				delete(p.paths, a)
				break
			}
		}
	}
	p.paths[from] = w
}

// forget lets go of all that led to w.
func (p *Port) forget(w *Wire) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.wires, w)
	for a, o := range p.paths {
		if o == w {
			delete(p.paths, a)
		}
	}
	for u, o := range p.ufrags {
		if o == w {
			delete(p.ufrags, u)
		}
	}
}

// watch looks after the wires' times.
func (p *Port) watch() {
	t := time.NewTicker(tick)
	defer t.Stop()
	var all []*Wire
	for {
		select {
		case <-p.stop:
			return
		case now := <-t.C:
			all = all[:0]
			p.mu.RLock()
			for w := range p.wires {
				all = append(all, w)
			}
			p.mu.RUnlock()
			for _, w := range all {
				w.look(now)
			}
		}
	}
}

// tick is how often the wires' times are looked at.
const tick = 250 * time.Millisecond

// candidates are ours, as SDP has them (RFC 8839, 5.1).
func (p *Port) candidates() (lines []string) {
	for i, a := range p.addresses() {
		// RFC 8445, 5.1.2.1: type host, the earlier the better, component 1.
		priority := 126<<24 | (65535-i)<<8 | 255
		lines = append(lines, fmt.Sprintf("%d 1 udp %d %s %d typ host", i+1, priority, a, p.local.Port()))
	}
	return lines
}

// addresses are those that the far end may knock at.
func (p *Port) addresses() []netip.Addr {
	switch {
	case p.c.Advertise.IsValid():
		return []netip.Addr{p.c.Advertise}
	case !p.local.Addr().IsUnspecified():
		return []netip.Addr{p.local.Addr()}
	}
	var all, loopback []netip.Addr
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		switch ip, _ := netip.AddrFromSlice(n.IP); {
		case ip.IsLinkLocalUnicast(), p.local.Addr().Is4() && !ip.Unmap().Is4():
		case ip.IsLoopback():
			loopback = append(loopback, ip.Unmap())
		default:
			all = append(all, ip.Unmap())
		}
	}
	return append(all, loopback...)
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
