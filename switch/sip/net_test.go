package sip

import (
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// A testNet carries datagrams between its sockets after a delay, or loses
// them. It is for bubbles: only channels and timers wait.
type testNet struct {
	delay time.Duration
	lose  func(from netip.AddrPort, b []byte) bool // nil = nothing is lost

	mu    sync.Mutex
	socks map[netip.AddrPort]*testSocket
}

func newNet(delay time.Duration) *testNet {
	return &testNet{delay: delay, socks: map[netip.AddrPort]*testSocket{}}
}

type testPacket struct {
	b    []byte
	from netip.AddrPort
}

type testSocket struct {
	net  *testNet
	at   netip.AddrPort
	in   chan testPacket
	done chan struct{}
	once sync.Once
}

func (n *testNet) listen(_, addr string) (net.PacketConn, error) {
	s := &testSocket{net: n, at: netip.MustParseAddrPort(addr), in: make(chan testPacket, 1<<14), done: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.socks[s.at] = s
	return s, nil
}

func (s *testSocket) WriteTo(b []byte, to net.Addr) (int, error) {
	n := s.net
	n.mu.Lock()
	peer := n.socks[to.(*net.UDPAddr).AddrPort()]
	lost := n.lose != nil && n.lose(s.at, b)
	n.mu.Unlock()
	if peer == nil || lost {
		return len(b), nil
	}
	p := testPacket{append([]byte(nil), b...), s.at}
	put := func() {
		select {
		case peer.in <- p:
		default:
		}
	}
	if n.delay == 0 {
		put()
	} else {
		time.AfterFunc(n.delay, put)
	}
	return len(b), nil
}

func (s *testSocket) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case p := <-s.in:
		return copy(b, p.b), net.UDPAddrFromAddrPort(p.from), nil
	case <-s.done:
		return 0, nil, net.ErrClosed
	}
}

func (s *testSocket) Close() error                     { s.once.Do(func() { close(s.done) }); return nil }
func (s *testSocket) LocalAddr() net.Addr              { return net.UDPAddrFromAddrPort(s.at) }
func (s *testSocket) SetDeadline(time.Time) error      { return nil }
func (s *testSocket) SetReadDeadline(time.Time) error  { return nil }
func (s *testSocket) SetWriteDeadline(time.Time) error { return nil }

// testLog shows what is logged only when the test fails.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) { w.t.Logf("%s", b); return len(b), nil }

func seeded(n uint64) rand.Source { return rand.NewPCG(n, n) }
