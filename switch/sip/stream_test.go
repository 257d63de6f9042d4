package sip

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
)

func (n *testNet) listenStream(_, addr string) (net.Listener, error) { return n.Listen(addr) }

// dialFrom is Config.DialStream of a host.
func (n *testNet) dialFrom(addr string) func(context.Context, string, string) (net.Conn, error) {
	return n.DialContext(netip.MustParseAddrPort(addr).Addr())
}

// startStream runs an endpoint that listens by TCP, and by UDP when told so.
func startStream(t *testing.T, ctx context.Context, n *testNet, addr string, seed uint64, change func(*Config)) *phones {
	p := &phones{events: map[call.LegID][]string{}}
	c := Config{Listen: []string{"tcp://" + addr}, ListenPacket: n.listen, ListenStream: n.listenStream, DialStream: n.dialFrom(addr),
		Rand: seeded(seed), Log: testLog(t)}
	if change != nil {
		change(&c)
	}
	p.e = New(c, p)
	if err := p.e.Bind(); err != nil {
		t.Fatal(err)
	}
	go p.e.Run(ctx)
	return p
}

// dial opens a stream to our endpoint.
func (n *testNet) dial(t *testing.T, from string) net.Conn {
	t.Helper()
	c, err := n.Dial(t.Context(), netip.MustParseAddr(from), ourAddr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answerOn reads one answer: its first line and its headers, "" at the end.
func answerOn(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			return b.String()
		}
		b.WriteString(line)
	}
}

func first(s string) string {
	l, _, _ := strings.Cut(s, "\r\n")
	return strings.TrimPrefix(l, "SIP/2.0 ")
}

var tcpOptions = strings.NewReplacer("INVITE", "OPTIONS", "SIP/2.0/UDP", "SIP/2.0/TCP").Replace(plainInvite)

// TestTCPCalls: 100 calls between two endpoints by one connection; when all is
// over nothing is left behind.
func TestTCPCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(10*time.Millisecond, 0)
		ctx, stop := context.WithCancel(t.Context())
		a := startStream(t, ctx, n, ourAddr, 1, nil)
		b := startStream(t, ctx, n, peerAddr, 2, nil)
		const calls = 100
		for i := range calls {
			id := call.LegID(fmt.Sprint(i))
			m := testMedia
			a.e.Dial(call.Invite{Leg: id, Target: "sip:x@" + peerAddr + ";transport=tcp", From: "a", Offer: &m}, a.post(id))
		}
		time.Sleep(time.Second)
		for i := range calls {
			id := call.LegID(fmt.Sprint(i))
			if got := a.of(id); got != "Provisional Accepted" {
				t.Errorf("caller %d saw %q", i, got)
			}
			a.e.Do(call.Bye{Leg: id})
		}
		if got := [2]int{a.e.streams.Len(), b.e.streams.Len()}; got != [2]int{1, 1} {
			t.Errorf("%v connections, want one", got)
		}
		time.Sleep(time.Minute)
		for _, p := range []*phones{a, b} {
			if got := p.e.Legs(); got != 0 {
				t.Errorf("%d legs left", got)
			}
		}
		stop()
	})
}

// TestTCPOrder: 180, 183 and 200 in one write are three events in that order,
// 1,000 times of 1,000.
func TestTCPOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		l, err := n.Listen(peerAddr)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			for {
				var head []string
				length := 0
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					if line = strings.TrimSpace(line); line == "" {
						break
					}
					fmt.Sscanf(line, "Content-Length: %d", &length)
					head = append(head, line)
				}
				io.CopyN(io.Discard, r, int64(length))
				if !strings.HasPrefix(head[0], "INVITE") {
					continue
				}
				copied := ""
				for _, line := range head {
					switch name, _, _ := strings.Cut(line, ":"); name {
					case "To":
						line += ";tag=x"
						fallthrough
					case "Via", "From", "Call-ID", "CSeq":
						copied += line + "\r\n"
					}
				}
				all := ""
				for _, code := range []int{180, 183, 200} {
					all += fmt.Sprintf("SIP/2.0 %d x\r\n%sContact: <sip:p@%s;transport=tcp>\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
						code, copied, peerAddr, len(testSDP), testSDP)
				}
				io.WriteString(c, all)
			}
		}()
		p := startStream(t, ctx, n, ourAddr, 1, nil)
		const calls = 1000
		for i := range calls {
			id := call.LegID(fmt.Sprint(i))
			m := testMedia
			p.e.Dial(call.Invite{Leg: id, Target: "sip:x@" + peerAddr + ";transport=tcp", From: "a", Offer: &m}, p.post(id))
		}
		time.Sleep(time.Second)
		wrong := 0
		for i := range calls {
			if got := p.of(call.LegID(fmt.Sprint(i))); got != "Provisional Provisional Accepted" {
				wrong++
				t.Logf("call %d: %s", i, got)
			}
		}
		if wrong > 0 {
			t.Errorf("%d of %d calls out of order, want 0", wrong, calls)
		}
		stop()
		l.Close()
	})
}

// TestStreamFaults: what is wrong on a connection gets its answer; the
// connection goes on where the next message can be found, and ends where not.
func TestStreamFaults(t *testing.T) {
	edit := func(old, new string) string { return strings.Replace(tcpOptions, old, new, 1) }
	for _, c := range []struct {
		name, in, want string
		goesOn         bool
	}{
		{"good", tcpOptions, "200 OK", true},
		{"no From", edit("From: <sip:1001@10.0.0.2>;tag=a\r\n", ""), "400 Bad Request (Via, From, To, Call-ID or CSeq is missing)", true},
		{"broken header", edit("Call-ID: c", "Call-ID: c\r\nX"), "400 Bad Request (broken header line)", true},
		{"201 headers", edit("Max-Forwards", strings.Repeat("X: y\r\n", 200)+"Max-Forwards"), "400 Bad Request (too many headers)", true},
		{"two lengths", edit("Content-Length: 0", "Content-Length: 0\r\nl: 0"), "400 Bad Request (more than one Content-Length)", false},
		{"no length", edit("Content-Length: 0\r\n", ""), "400 Bad Request (no Content-Length on a stream)", false},
		{"negative length", edit("Content-Length: 0", "Content-Length: -1"), "400 Bad Request (bad Content-Length)", false},
		{"too long", edit("Content-Length: 0", "Content-Length: 99999"), "513 Message Too Large", false},
		{"not finished", edit("Content-Length: 0", "Content-Length: 9"), "408 Request Timeout (the message was not finished in time)", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNet(time.Millisecond, 0)
				ctx, stop := context.WithCancel(t.Context())
				p := startStream(t, ctx, n, ourAddr, 1, nil)
				synctest.Wait()
				conn := n.dial(t, "10.0.0.2")
				r := bufio.NewReader(conn)
				io.WriteString(conn, c.in)
				if got := first(answerOn(t, r)); got != c.want {
					t.Errorf("answered %q, want %q", got, c.want)
				}
				io.WriteString(conn, strings.Replace(tcpOptions, "z9hG4bKa", "z9hG4bKb", 1))
				conn.SetReadDeadline(time.Now().Add(time.Second))
				if got := first(answerOn(t, r)) == "200 OK"; got != c.goesOn {
					t.Errorf("the connection went on: %v, want %v", got, c.goesOn)
				}
				conn.Close()
				time.Sleep(10 * time.Second)
				if got := p.e.streams.Len(); got != 0 {
					t.Errorf("%d connections left", got)
				}
				stop()
			})
		})
	}
}

// TestStreamLimits: signs of life, silence, slowness, and too many connections.
func TestStreamLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		p := startStream(t, ctx, n, ourAddr, 1, func(c *Config) { c.Conns, c.ConnsPerAddr = 3, 2 })
		synctest.Wait()
		begun := time.Now()
		ended := func(c net.Conn) time.Duration {
			io.Copy(io.Discard, c)
			c.Close()
			return time.Since(begun)
		}
		alive, slow := n.dial(t, "10.0.0.2"), n.dial(t, "10.0.0.2")
		synctest.Wait()
		if got := ended(n.dial(t, "10.0.0.2")); got != 0 {
			t.Errorf("the third connection of an address ended after %v, want 0", got)
		}
		silent := n.dial(t, "10.0.0.3")
		synctest.Wait()
		if got := ended(n.dial(t, "10.0.0.4")); got != 0 {
			t.Errorf("the fourth connection of all ended after %v, want 0", got)
		}
		go func() {
			for i := range tcpOptions {
				if _, err := io.WriteString(slow, tcpOptions[i:i+1]); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		go func() {
			for range 10 {
				time.Sleep(50 * time.Second)
				io.WriteString(alive, "\r\n\r\n")
			}
		}()
		if got := ended(slow); got < 30*time.Second || got > 36*time.Second {
			t.Errorf("a byte a second: ended after %v, want 30 s", got)
		}
		if got := ended(silent); got != 120*time.Second {
			t.Errorf("silence ended after %v, want 120 s", got)
		}
		alive.SetReadDeadline(time.Now().Add(time.Hour))
		pong, _ := io.ReadAll(alive)
		if got := time.Since(begun); string(pong) != strings.Repeat("\r\n", 10) || got != 620*time.Second {
			t.Errorf("signs of life were answered %q, ended after %v; want ten blank lines and 620 s", pong, got)
		}
		alive.Close()
		synctest.Wait()
		if got := p.e.streams.Len(); got != 0 {
			t.Errorf("%d connections left", got)
		}
		stop()
	})
}

// TestLargeGoesByTCP: an INVITE too long for UDP goes by TCP where the far end
// has it, and by UDP where not (RFC 3261 18.1.1).
func TestLargeGoesByTCP(t *testing.T) {
	for _, tcp := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			n := newNet(time.Millisecond, 0)
			ctx, stop := context.WithCancel(t.Context())
			a := startStream(t, ctx, n, ourAddr, 1, func(c *Config) { c.Listen = append(c.Listen, "udp://"+ourAddr) })
			b := startStream(t, ctx, n, peerAddr, 2, func(c *Config) {
				c.Listen = []string{"udp://" + peerAddr}
				if tcp {
					c.Listen = append(c.Listen, "tcp://"+peerAddr)
				}
			})
			synctest.Wait()
			m := testMedia
			for i := range 30 {
				m.Codecs = append(m.Codecs, call.Codec{PT: uint8(96 + i), Name: "a-long-name-of-a-codec", ClockRate: 8000})
			}
			a.e.Dial(call.Invite{Leg: "x", Target: "sip:x@" + peerAddr, From: "a", Offer: &m}, a.post("x"))
			time.Sleep(5 * time.Second)
			if got := a.of("x"); got != "Provisional Accepted" {
				t.Errorf("tcp %v: caller saw %q", tcp, got)
			}
			if got := b.e.streams.Len() == 1; got != tcp {
				t.Errorf("by TCP: %v, want %v", got, tcp)
			}
			a.e.Do(call.Bye{Leg: "x"})
			time.Sleep(time.Minute)
			if got := a.e.Legs() + b.e.Legs(); got != 0 {
				t.Errorf("%d legs left", got)
			}
			stop()
		})
	}
}

// TestNobodyByTCP: a call to where nobody listens fails at once.
func TestNobodyByTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(time.Millisecond, 0)
		ctx, stop := context.WithCancel(t.Context())
		a := startStream(t, ctx, n, ourAddr, 1, nil)
		a.e.Dial(call.Invite{Leg: "x", Target: "sip:x@" + peerAddr + ";transport=tcp", From: "a"}, a.post("x"))
		time.Sleep(time.Second)
		if got := a.of("x"); got != "Refused" {
			t.Errorf("saw %q, want Refused", got)
		}
		if got := a.e.Legs() + a.e.streams.Len(); got != 0 {
			t.Errorf("%d legs and connections left", got)
		}
		stop()
	})
}

// TestAnswerByNewConnection: the connection of the INVITE is gone when the
// answer is ready; it comes by one to the port that Via names (RFC 3261 18.2.2).
func TestAnswerByNewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(time.Millisecond, 0)
		ctx, stop := context.WithCancel(t.Context())
		far, err := n.Listen(peerAddr)
		if err != nil {
			t.Fatal(err)
		}
		var leg call.LegID
		asked := make(chan call.LegID, 1)
		c := Config{Listen: []string{"tcp://" + ourAddr}, ListenStream: n.listenStream, DialStream: n.dialFrom(ourAddr), Rand: seeded(1), Log: testLog(t)}
		e := New(c, asker(asked))
		go e.Run(ctx)
		synctest.Wait()
		conn := n.dial(t, "10.0.0.2")
		io.WriteString(conn, strings.NewReplacer("SIP/2.0/UDP", "SIP/2.0/TCP", "Content-Type: application/sdp\r\n", "").Replace(plainInvite))
		leg = <-asked
		conn.Close()
		time.Sleep(time.Second)
		e.Do(call.Respond{Leg: leg, Code: 486})
		back, err := far.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := first(answerOn(t, bufio.NewReader(back))); got != "486 Busy Here" {
			t.Errorf("answered %q, want 486", got)
		}
		back.Close()
		far.Close()
		stop()
	})
}

// asker is an Exchange that lets every call wait.
type asker chan call.LegID

func (a asker) Invited(in call.Invited) (func(call.Event) bool, *call.Respond) {
	a <- in.Leg
	return func(call.Event) bool { return true }, nil
}

// certificate makes one for 127.0.0.1 and ::1, and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ozswitch test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// TestRealStreams is one call by each transport and address family over real
// sockets; TLS with an unknown certificate is refused.
func TestRealStreams(t *testing.T) {
	cert, pool := certificate(t)
	for _, c := range []struct {
		listen string
		trust  bool
		want   string
	}{
		{"tcp://127.0.0.1:0", true, "Accepted"},
		{"tls://127.0.0.1:0", true, "Accepted"},
		{"tls://127.0.0.1:0", false, "Refused"},
		{"udp://[::1]:0", true, "Accepted"},
		{"tcp://[::1]:0", true, "Accepted"},
		{"tls://[::1]:0", true, "Accepted"},
	} {
		t.Run(fmt.Sprint(c.listen, c.trust), func(t *testing.T) {
			if l, err := net.Listen("tcp", "[::1]:0"); strings.Contains(c.listen, "::1") && err != nil {
				t.Skip("no IPv6 here:", err)
			} else if err == nil {
				l.Close()
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var ends []*phones
			var wg sync.WaitGroup
			for i := range 2 {
				p := &phones{events: map[call.LegID][]string{}}
				cfg := Config{Listen: []string{c.listen}, Log: testLog(t), TLS: &tls.Config{Certificates: []tls.Certificate{cert}}}
				if c.trust || i == 1 {
					cfg.TLS.RootCAs = pool
				} else {
					cfg.TLS.RootCAs = x509.NewCertPool()
				}
				p.e = New(cfg, p)
				if err := p.e.Bind(); err != nil {
					t.Fatal(err)
				}
				wg.Go(func() {
					if err := p.e.Run(ctx); err != nil {
						t.Errorf("Run = %v", err)
					}
				})
				ends = append(ends, p)
			}
			got := make(chan call.Event, 10)
			m := testMedia
			transport, _, _ := strings.Cut(c.listen, ":")
			ends[0].e.Dial(call.Invite{Leg: "x", Target: fmt.Sprintf("sip:9000@%s;transport=%s", ends[1].e.Addr(), transport), From: "a", Offer: &m},
				func(ev call.Event) bool { got <- ev; return true })
			for ev := range got {
				if name := strings.TrimPrefix(fmt.Sprintf("%T", ev), "call."); name != "Provisional" {
					if name != c.want {
						t.Errorf("event %s %+v, want %s", name, ev, c.want)
					}
					break
				}
			}
			ends[0].e.Do(call.Bye{Leg: "x"})
			stop()
			wg.Wait()
		})
	}
}
