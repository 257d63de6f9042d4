package webphone

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ozswitch/switch/sip/flow"
)

// TestIdleSockets: a thousand sockets that say nothing stand, can be spoken to,
// and cost little. What they cost is printed; it decides nothing.
func TestIdleSockets(t *testing.T) {
	const count = 1000
	var came atomic.Int64
	got := make(chan flow.Flow, count)
	s := New(Config{ConnsPerAddr: count, Receive: func(f flow.Flow, b []byte, _ *flow.Fault) {
		came.Add(1)
		got <- f
	}})
	srv := httptest.NewServer(s.Handler(Gate{Address: peer}))
	defer srv.Close()
	defer s.Close()
	conns := make([]net.Conn, 0, count)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	knock := func() {
		c, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		fmt.Fprintf(c, "GET /sip HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
		r := bufio.NewReaderSize(c, 512)
		for first := true; ; first = false {
			line, err := r.ReadString('\n')
			if err != nil || first && !strings.HasPrefix(line, "HTTP/1.1 101") {
				t.Fatalf("socket %d: %q, %v", len(conns), line, err)
			}
			if line == "\r\n" {
				return
			}
		}
	}
	use := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	knock() // what the first one needs is not counted
	before, goroutines := use(), runtime.NumGoroutine()
	for len(conns) < count {
		knock()
	}
	after := use()
	t.Logf("%d idle sockets: %.1f kB each, of these the clients' ends some 0.5 kB; %.2f goroutines each", count,
		float64(after-before)/float64(count-1)/1000, float64(runtime.NumGoroutine()-goroutines)/float64(count-1))
	if n := s.Len(); n != count {
		t.Errorf("%d sockets stand, want %d", n, count)
	}
	for _, c := range conns { // a masked text frame of two bytes
		if _, err := c.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}); err != nil {
			t.Fatal(err)
		}
	}
	for range conns {
		f := <-got
		if err := f.Send([]byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range conns {
		b := make([]byte, 7)
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := c.Read(b); err != nil || string(b) != "\x81\x05hello" {
			t.Fatalf("socket %d heard %q, %v", i, b, err)
		}
	}
}

// TestSecure: a socket that we make, by TLS, to one that we take: the flow says
// wss, and a certificate that is not trusted is refused.
func TestSecure(t *testing.T) {
	heard := make(chan string, 1)
	taker := New(Config{Receive: func(f flow.Flow, b []byte, _ *flow.Fault) {
		heard <- f.Transport() + " " + string(b)
		_ = f.Send([]byte("and back"))
	}})
	srv := httptest.NewTLSServer(taker.Handler(Gate{Address: peer, Page: func(*http.Request) bool { return false }}))
	defer srv.Close()
	defer taker.Close()
	at := srv.Listener.Addr().(*net.TCPAddr).AddrPort()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())

	back := make(chan string, 1)
	maker := New(Config{TLS: &tls.Config{RootCAs: roots}, Receive: func(f flow.Flow, b []byte, _ *flow.Fault) { back <- f.Transport() + " " + string(b) }})
	defer maker.Close()
	if err := maker.To("wss", at, "127.0.0.1").Send([]byte("there")); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "wss there" {
		t.Errorf("there: %q", got)
	}
	if got := <-back; got != "wss and back" {
		t.Errorf("back: %q", got)
	}

	lost := make(chan error, 1)
	doubter := New(Config{Receive: func(flow.Flow, []byte, *flow.Fault) {}, Lost: func(_ flow.Flow, err error) { lost <- err }})
	defer doubter.Close()
	if err := doubter.To("wss", at, "127.0.0.1").Send([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-lost; !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
}

// TestBehindProxy: what the browser speaks counts, if a proxy that is believed
// tells; then Via and Contact must say wss.
func TestBehindProxy(t *testing.T) {
	for _, believed := range []bool{false, true} {
		heard := make(chan string, 1)
		taker := New(Config{Receive: func(f flow.Flow, _ []byte, _ *flow.Fault) { heard <- f.Transport() }})
		srv := httptest.NewServer(taker.Handler(Gate{Address: peer, Secure: func(r *http.Request) bool {
			return believed && r.Header.Get("X-Forwarded-Proto") == "https"
		}}))
		at := srv.Listener.Addr().(*net.TCPAddr).AddrPort()
		c, err := net.Dial("tcp", at.String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET /sip HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-Proto: https\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 101") {
			t.Fatalf("%q, %v", line, err)
		}
		if _, err := c.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}); err != nil {
			t.Fatal(err)
		}
		if got, want := <-heard, map[bool]string{false: "ws", true: "wss"}[believed]; got != want {
			t.Errorf("a proxy that is believed: %v; the flow is %s, want %s", believed, got, want)
		}
		c.Close()
		taker.Close()
		srv.Close()
	}
}

// TestMakeAgain: what goes to a switch whose socket has ended makes another one;
// two senders share one.
func TestMakeAgain(t *testing.T) {
	heard := make(chan flow.Flow, 2)
	taker := New(Config{Receive: func(f flow.Flow, _ []byte, _ *flow.Fault) { heard <- f }})
	srv := httptest.NewServer(taker.Handler(Gate{Address: peer}))
	defer srv.Close()
	defer taker.Close()
	at := srv.Listener.Addr().(*net.TCPAddr).AddrPort()
	lost := make(chan error, 2)
	maker := New(Config{Receive: func(flow.Flow, []byte, *flow.Fault) {}, Lost: func(_ flow.Flow, err error) { lost <- err }})
	defer maker.Close()
	one, two := maker.To("ws", at, ""), maker.To("ws", at, "")
	for _, f := range []flow.Flow{one, two} {
		if err := f.Send([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	first, second := <-heard, <-heard
	if first != second {
		t.Error("two sockets were made, want one")
	}
	first.(*socket).end(errIdle)
	<-lost
	if err := one.Send([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if again := <-heard; again == first {
		t.Error("the socket that ended was used again")
	}

	nobody := maker.To("ws", netip.MustParseAddrPort("127.0.0.1:1"), "")
	if err := nobody.Send([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := <-lost; !strings.Contains(err.Error(), "refused") {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestBugEndsOneSocket: a bug in whoever gets the messages ends one socket.
func TestBugEndsOneSocket(t *testing.T) {
	caught, lost := make(chan any, 1), make(chan error, 1)
	taker := New(Config{Receive: func(flow.Flow, []byte, *flow.Fault) { panic("a bug") },
		Lost: func(_ flow.Flow, err error) { lost <- err }, Panicked: func(_ netip.AddrPort, v any) { caught <- v }})
	srv := httptest.NewServer(taker.Handler(Gate{Address: peer}))
	defer srv.Close()
	defer taker.Close()
	maker := New(Config{Receive: func(flow.Flow, []byte, *flow.Fault) {}})
	defer maker.Close()
	if err := maker.To("ws", srv.Listener.Addr().(*net.TCPAddr).AddrPort(), "").Send([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if v := <-caught; v != "a bug" {
		t.Errorf("caught %v", v)
	}
	if err := <-lost; !strings.Contains(err.Error(), "a fault of the switch") {
		t.Errorf("lost: %v", err)
	}
}

// TestCloseWaits: Close leaves no goroutine, also when far ends say nothing.
func TestCloseWaits(t *testing.T) {
	before := runtime.NumGoroutine()
	s := New(Config{Receive: func(flow.Flow, []byte, *flow.Fault) {}})
	srv := httptest.NewServer(s.Handler(Gate{Address: peer}))
	m := New(Config{Receive: func(flow.Flow, []byte, *flow.Fault) {}})
	at := srv.Listener.Addr().(*net.TCPAddr).AddrPort()
	_ = m.To("ws", at, "").Send([]byte("x"))
	m.Close()
	s.Close()
	srv.Close()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	for runtime.NumGoroutine() > before && ctx.Err() == nil {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
}
