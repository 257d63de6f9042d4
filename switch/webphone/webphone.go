// Package webphone carries SIP over WebSockets (RFC 7118), the only way a web
// page can speak it: Sockets takes them by HTTP and makes them, and each is a
// flow.Flow like a TCP connection. It reads no SIP; what comes goes to
// Config.Receive.
//
// Start reading at Sockets.Handler, then socket.read.
package webphone

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"ozswitch/switch/sip/flow"
)

// The limits of a socket; those of a TCP connection (switch/sip/flow) where
// both have one.
const (
	finishWithin = 30 * time.Second  // a message, from its first fragment
	idleFor      = 120 * time.Second // without SIP; longer once Keep said so
	writeWithin  = 5 * time.Second
	closeWithin  = 2 * time.Second // for the far end to say goodbye
	dialWithin   = 5 * time.Second
	maxUnsent    = 1 << 20 // bytes that wait for a far end that does not read

	defaultConns        = 10_000
	defaultConnsPerAddr = 256
)

// A Config says who uses Sockets. Only Receive is needed.
type Config struct {
	Conns        int // at once; 0 = 10,000
	ConnsPerAddr int // at once from one address (an IPv6 /64 counts as one); 0 = 256

	Dial func(ctx context.Context, network, addr string) (net.Conn, error) // of sockets that we make; nil = net.Dialer
	TLS  *tls.Config                                                       // what sockets that we make trust; nil = the system's roots

	// Receive gets the messages of a socket one after another; b is its only
	// until it returns. With a fault the message is refused and the socket ends
	// after the answer.
	Receive func(f flow.Flow, b []byte, fault *flow.Fault)
	// Lost is told of each socket that has ended.
	Lost func(f flow.Flow, err error)
	// Panicked is told of a bug that was caught; it ended one socket.
	Panicked func(remote netip.AddrPort, cause any)
}

// Sockets are all WebSockets of an endpoint, those that came and those we made.
type Sockets struct {
	c       Config
	ctx     context.Context // of dialling
	stop    context.CancelFunc
	wg      sync.WaitGroup
	buffers sync.Pool // of *[flow.MaxMessage+1]byte, while a message is read

	mu     sync.Mutex
	all    map[*socket]struct{}
	made   map[place]*socket  // those we made
	from   map[netip.Addr]int // sockets that came from there
	closed bool
}

// A place is where a socket that we made leads to.
type place struct {
	transport string
	remote    netip.AddrPort
}

// New gives Sockets without a socket. It starts nothing.
func New(c Config) *Sockets {
	c.Conns = cmp.Or(c.Conns, defaultConns)
	c.ConnsPerAddr = cmp.Or(c.ConnsPerAddr, defaultConnsPerAddr)
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	s := &Sockets{c: c, all: map[*socket]struct{}{}, made: map[place]*socket{}, from: map[netip.Addr]int{}}
	s.buffers.New = func() any { return new([flow.MaxMessage + 1]byte) }
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Len is the number of sockets.
func (s *Sockets) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// Close ends all sockets, takes no more and waits for their goroutines: two
// seconds at most for far ends that do not say goodbye.
func (s *Sockets) Close() {
	s.stop()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cut(errLeaving)
	s.wg.Wait()
}

// Cut ends all sockets, as a network that breaks does; others may follow.
func (s *Sockets) Cut() { s.cut(net.ErrClosed) }

func (s *Sockets) cut(why error) {
	s.mu.Lock()
	all := make([]*socket, 0, len(s.all))
	for k := range s.all {
		all = append(all, k)
	}
	s.mu.Unlock()
	for _, k := range all {
		k.end(why)
	}
}

// errLeaving is why sockets end when we stop.
var errLeaving = errors.New("the switch is stopping")

// The reasons why one more is not taken.
var (
	errMany  = errors.New("too many WebSockets")
	errTaken = errors.New("there is a WebSocket")
)

// admit counts a socket in.
func (s *Sockets) admit(k *socket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errLeaving
	case len(s.all) >= s.c.Conns, !k.dialled && s.from[network(k.remote)] >= s.c.ConnsPerAddr:
		return errMany
	}
	if old := s.made[place{k.transport, k.remote}]; k.dialled && old != nil && old.Open() {
		return errTaken
	}
	s.wg.Add(1) // until it is dismissed
	s.all[k] = struct{}{}
	if k.dialled {
		s.made[place{k.transport, k.remote}] = k
	} else {
		s.from[network(k.remote)]++
	}
	return nil
}

func (s *Sockets) dismiss(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wg.Done()
	delete(s.all, k)
	if p := (place{k.transport, k.remote}); s.made[p] == k {
		delete(s.made, p)
	}
	if !k.dialled {
		a := network(k.remote)
		if s.from[a]--; s.from[a] == 0 {
			delete(s.from, a)
		}
	}
}

// network is who shares the limit of an address: of IPv6 a whole /64, which is
// what one subscriber has.
func network(at netip.AddrPort) netip.Addr {
	a := at.Addr()
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}
