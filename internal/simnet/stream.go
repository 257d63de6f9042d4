package simnet

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// Listen accepts streams at an address such as "10.0.0.1:80"; port 0 is any free
// one.
func (n *Net) Listen(at string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	local, err := n.claim(at, func(a netip.AddrPort) bool { return n.streams[a] != nil })
	if err != nil {
		return nil, err
	}
	l := &listener{net: n, local: local}
	l.cond.L = &l.mu
	n.streams[local] = l
	return l, nil
}

// Dial opens a stream from a host (any port of it) to an address. It returns
// after a round trip, refused (ECONNREFUSED) where nobody listens, or with the
// cause of ctx.
func (n *Net) Dial(ctx context.Context, from netip.Addr, to string) (net.Conn, error) {
	a, err := netip.ParseAddrPort(to)
	if err != nil {
		return nil, fmt.Errorf("simnet: dial %q: %w", to, err)
	}
	n.mu.Lock()
	local := n.free(from, func(netip.AddrPort) bool { return false })
	there, back := n.link(from, a.Addr()).Delay, n.link(a.Addr(), from).Delay
	near := newConn(n, local, a, there)
	far := newConn(n, a, local, back)
	near.peer, far.peer = far, near
	answer := make(chan error, 1)
	n.schedule(time.Now().Add(there), func() {
		err := error(syscall.ECONNREFUSED)
		if l := n.streams[a]; l != nil {
			err = l.arrive(far)
		}
		n.schedule(time.Now().Add(back), func() { answer <- err })
	})
	n.mu.Unlock()
	select {
	case err := <-answer:
		if err != nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(a), Err: err}
		}
		return near, nil
	case <-ctx.Done():
		near.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(a), Err: context.Cause(ctx)}
	}
}

// DialContext is Dial from a host, in the shape of http.Transport.DialContext.
func (n *Net) DialContext(from netip.Addr) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, _, addr string) (net.Conn, error) { return n.Dial(ctx, from, addr) }
}

type listener struct {
	net   *Net
	local netip.AddrPort

	mu     sync.Mutex
	cond   sync.Cond
	queue  []*conn
	closed bool
}

// backlog is how many connections may wait to be accepted.
const backlog = 128

func (l *listener) arrive(c *conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.queue) == backlog {
		return syscall.ECONNREFUSED
	}
	l.queue = append(l.queue, c)
	l.cond.Broadcast()
	return nil
}

func (l *listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) == 0 && !l.closed {
		l.cond.Wait()
	}
	if l.closed {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
	}
	c := l.queue[0]
	l.queue = l.queue[1:]
	return c, nil
}

func (l *listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.local) }

// Close ends Accept, and the connections nobody accepted.
func (l *listener) Close() error {
	l.net.mu.Lock()
	if l.net.streams[l.local] == l {
		delete(l.net.streams, l.local)
	}
	l.net.mu.Unlock()
	l.mu.Lock()
	queue := l.queue
	l.queue, l.closed = nil, true
	l.cond.Broadcast()
	l.mu.Unlock()
	for _, c := range queue {
		c.Close()
	}
	return nil
}

// window is how many bytes may be on the way or unread before a write waits.
const window = 256 << 10

// conn is one end of a stream. What it has received lies here; what it sends
// goes to peer after delay.
type conn struct {
	net           *Net
	local, remote netip.AddrPort
	delay         time.Duration
	peer          *conn

	mu       sync.Mutex
	cond     sync.Cond
	received []byte
	eof      bool // the peer will send no more
	reset    bool // the peer is closed: writing is in vain
	closed   bool
	shut     bool // CloseWrite was called
	unread   int  // of ours, sent and not yet read by the peer
	read     deadline
	write    deadline
}

func newConn(n *Net, local, remote netip.AddrPort, delay time.Duration) *conn {
	c := &conn{net: n, local: local, remote: remote, delay: delay}
	c.cond.L = &c.mu
	return c
}

func (c *conn) Read(b []byte) (int, error) {
	c.mu.Lock()
	for !c.closed && !c.read.over() && len(c.received) == 0 && !c.eof && len(b) > 0 {
		c.cond.Wait()
	}
	var n int
	var err error
	switch {
	case c.closed:
		err = c.fail("read", net.ErrClosed)
	case c.read.over():
		err = c.fail("read", os.ErrDeadlineExceeded)
	case len(c.received) > 0:
		n = copy(b, c.received)
		c.received = c.received[n:]
	case c.eof:
		err = io.EOF
	}
	c.mu.Unlock()
	if n > 0 { // never both locks at once: the peer may be doing the same
		c.peer.acknowledge(n)
	}
	return n, err
}

func (c *conn) acknowledge(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unread -= n
	c.cond.Broadcast()
}

func (c *conn) Write(b []byte) (int, error) {
	done := 0
	for first := true; first || done < len(b); first = false {
		n, err := c.reserve(len(b) - done)
		if err != nil {
			return done, err
		}
		part := append([]byte(nil), b[done:done+n]...)
		c.later(func(p *conn) { p.received = append(p.received, part...) })
		done += n
	}
	return done, nil
}

// reserve waits for room and takes up to n bytes of it.
func (c *conn) reserve(n int) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed || c.shut:
			return 0, c.fail("write", net.ErrClosed)
		case c.write.over():
			return 0, c.fail("write", os.ErrDeadlineExceeded)
		case c.reset:
			return 0, c.fail("write", syscall.EPIPE)
		case n == 0 || c.unread < window:
			n = min(n, window-c.unread)
			c.unread += n
			return n, nil
		}
		c.cond.Wait()
	}
}

// later changes the peer after the delay of the way there.
func (c *conn) later(do func(peer *conn)) {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	c.net.schedule(time.Now().Add(c.delay), func() {
		c.peer.mu.Lock()
		defer c.peer.mu.Unlock()
		do(c.peer)
		c.peer.cond.Broadcast()
	})
}

// CloseWrite ends what we send; reading goes on.
func (c *conn) CloseWrite() error {
	c.mu.Lock()
	already := c.closed || c.shut
	c.shut = true
	c.mu.Unlock()
	if !already {
		c.later(func(p *conn) { p.eof = true })
	}
	return nil
}

func (c *conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return c.fail("close", net.ErrClosed)
	}
	c.closed = true
	c.read.set(&c.cond, time.Time{})
	c.write.set(&c.cond, time.Time{})
	c.mu.Unlock()
	c.later(func(p *conn) { p.eof, p.reset = true, true })
	return nil
}

func (c *conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

func (c *conn) LocalAddr() net.Addr  { return net.TCPAddrFromAddrPort(c.local) }
func (c *conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

func (c *conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *conn) SetReadDeadline(t time.Time) error  { return c.setDeadline(&c.read, t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.write, t) }

func (c *conn) setDeadline(d *deadline, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.fail("set deadline", net.ErrClosed)
	}
	d.set(&c.cond, t)
	return nil
}
