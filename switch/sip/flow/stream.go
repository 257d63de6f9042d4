package flow

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// IdleFor is how long a connection may be without a byte; longer once Keep said so.
const IdleFor = 120 * time.Second

// The limits of a connection.
const (
	finishWithin = 30 * time.Second // a message, from its first byte
	writeWithin  = 5 * time.Second
	shakeWithin  = 10 * time.Second // the TLS handshake
	dialWithin   = 3 * time.Second
	maxUnsent    = 2 << 20 // bytes that wait for a far end that does not read

	defaultConns        = 10_000
	defaultConnsPerAddr = 256
)

// StreamConfig says how Streams makes connections. All may be zero but Receive.
type StreamConfig struct {
	Listen       func(network, addr string) (net.Listener, error)                  // nil = net.Listen
	Dial         func(ctx context.Context, network, addr string) (net.Conn, error) // nil = net.Dialer
	TLS          *tls.Config                                                       // what we show and trust; nil = no tls:// listener, the system's roots
	Conns        int                                                               // at once; 0 = 10,000
	ConnsPerAddr int                                                               // at once that one address opened; 0 = 256

	// Receive gets the messages of a connection one after another; b is its only
	// until it returns. With a fault the message could not be framed and the
	// connection ends after the answer.
	Receive func(f Flow, b []byte, fault *Fault)
	// Lost is told of a connection that ended after we sent a request by it.
	Lost func(f Flow, err error)
	// Panicked is told of a bug that was caught; it ended one connection.
	Panicked func(remote netip.AddrPort, cause any)
}

// Streams are all TCP and TLS connections, those that came and those we made.
type Streams struct {
	c   StreamConfig
	ctx context.Context
	end context.CancelFunc
	wg  sync.WaitGroup

	mu     sync.Mutex
	conns  map[place]*conn
	total  int
	from   map[netip.Addr]int // connections that an address opened
	closed bool
}

// A place is what a connection is found by.
type place struct {
	transport string
	remote    netip.AddrPort
}

// NewStreams gives a Streams without connections. It starts nothing.
func NewStreams(c StreamConfig) *Streams {
	c.Conns = cmp.Or(c.Conns, defaultConns)
	c.ConnsPerAddr = cmp.Or(c.ConnsPerAddr, defaultConnsPerAddr)
	if c.Listen == nil {
		c.Listen = net.Listen
	}
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	s := &Streams{c: c, conns: map[place]*conn{}, from: map[netip.Addr]int{}}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// Len is the number of connections.
func (s *Streams) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// Listen binds a "tcp" or "tls" address.
func (s *Streams) Listen(transport, addr string) (Listener, error) {
	if transport == "tls" && (s.c.TLS == nil || len(s.c.TLS.Certificates) == 0 && s.c.TLS.GetCertificate == nil) {
		return nil, errors.New("there is no certificate")
	}
	l, err := s.c.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	local, err := addrPort(l.Addr())
	if err != nil {
		l.Close()
		return nil, err
	}
	return &streamListener{s, transport, l, local}, nil
}

// To is the connection to a far end, made when something is sent by it; local
// is where we listen for that transport, name what its certificate must say.
func (s *Streams) To(transport string, remote, local netip.AddrPort, name string) Flow {
	s.mu.Lock()
	c := s.conns[place{transport, remote}]
	s.mu.Unlock()
	if c != nil && c.Open() {
		return c
	}
	return &conn{s: s, transport: transport, remote: remote, local: local, name: name, dialled: true}
}

// Close ends all connections and waits for their goroutines.
func (s *Streams) Close() {
	s.end()
	s.mu.Lock()
	s.closed = true
	all := make([]*conn, 0, len(s.conns))
	for _, c := range s.conns {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		c.close(net.ErrClosed)
	}
	s.wg.Wait()
}

// admit counts a connection in, unless there are too many, or one that we would
// make is there already.
func (s *Streams) admit(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.total >= s.c.Conns || !c.dialled && s.from[c.remote.Addr()] >= s.c.ConnsPerAddr {
		return errTooMany
	}
	if old := s.conns[place{c.transport, c.remote}]; c.dialled && old != nil && old.Open() {
		return errTaken
	}
	s.total++
	if !c.dialled {
		s.from[c.remote.Addr()]++
	}
	s.conns[place{c.transport, c.remote}] = c
	return nil
}

func (s *Streams) dismiss(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	if a := c.remote.Addr(); !c.dialled {
		if s.from[a]--; s.from[a] == 0 {
			delete(s.from, a)
		}
	}
	if p := (place{c.transport, c.remote}); s.conns[p] == c {
		delete(s.conns, p)
	}
}

// A streamListener takes connections.
type streamListener struct {
	s         *Streams
	transport string
	l         net.Listener
	local     netip.AddrPort
}

func (l *streamListener) Transport() string     { return l.transport }
func (l *streamListener) Local() netip.AddrPort { return l.local }
func (l *streamListener) Close() error          { return l.l.Close() }
func (l *streamListener) To(remote netip.AddrPort) Flow {
	return l.s.To(l.transport, remote, l.local, "")
}

// Serve takes connections until Close; each has a reader of its own.
func (l *streamListener) Serve() error {
	failures := 0
	for {
		nc, err := l.l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil: // too many descriptors, say
			if failures++; failures > 16 {
				time.Sleep(10 * time.Millisecond)
			}
			continue
		}
		failures = 0
		remote, err := addrPort(nc.RemoteAddr())
		if err != nil {
			nc.Close()
			continue
		}
		c := &conn{s: l.s, transport: l.transport, remote: remote, local: l.local, nc: nc, started: true}
		if l.transport == "tls" {
			c.nc = tls.Server(nc, l.s.c.TLS)
		}
		if l.s.admit(c) != nil {
			nc.Close()
			continue
		}
		l.s.wg.Go(c.live)
	}
}

// dial makes the connection of c, whose first bytes wait.
func (c *conn) dial() (net.Conn, error) {
	ctx, stop := context.WithTimeout(c.s.ctx, dialWithin)
	defer stop()
	nc, err := c.s.c.Dial(ctx, "tcp", c.remote.String())
	if err != nil || c.transport != "tls" {
		return nc, err
	}
	cfg := &tls.Config{}
	if c.s.c.TLS != nil {
		cfg = c.s.c.TLS.Clone()
	}
	cfg.ServerName = cmp.Or(c.name, c.remote.Addr().String())
	secure := tls.Client(nc, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return secure, nil
}

var (
	errTooMany = errors.New("too many connections")
	errTaken   = errors.New("there is a connection")
)

func (c *conn) wrap(err error) error {
	return fmt.Errorf("sip: send to %s %s: %w", c.transport, c.remote, err)
}
