package flow

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func lines(l ...string) []byte { return []byte(strings.Join(l, "\r\n") + "\r\n\r\n") }

func TestParam(t *testing.T) {
	for _, c := range []struct{ v, name, want string }{
		{`"a;tag=no" <sip:x;tag=no>;TAG=yes`, "tag", "yes"},
		{`<sip:x> ; tag = yes ;a`, "tag", "yes"},
		{`sip:x;tag=yes`, "tag", "yes"},
		{`"a\";tag=no" <sip:x>`, "tag", ""},
		{`SIP/2.0/UDP h;rport;branch=b`, "branch", "b"},
	} {
		if got, _ := Param([]byte(c.v), c.name); string(got) != c.want {
			t.Errorf("Param(%s, %s) = %q, want %q", c.v, c.name, got, c.want)
		}
	}
}

// TestServerKey: what makes two requests one transaction (RFC 3261 17.2.3).
func TestServerKey(t *testing.T) {
	key := func(method, via, tag string) string {
		h, ok := Scan(lines(method+" sip:x SIP/2.0", "Via: "+via, "From: <sip:a>;tag=1", "To: <sip:b>"+tag, "Call-ID: c", "CSeq: 1 "+method))
		if !ok {
			t.Fatalf("%s: no message", via)
		}
		if method == "ACK" || method == "CANCEL" {
			method = "INVITE"
		}
		return string(h.ServerKey(nil, method))
	}
	base := key("INVITE", "SIP/2.0/UDP a:5060;branch=z9hG4bKx", "")
	old := key("INVITE", "SIP/2.0/UDP a:5060", "")
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{base, key("ACK", "SIP/2.0/UDP a:5060;branch=z9hG4bKx", ";tag=t"), true},
		{base, key("CANCEL", "SIP/2.0/UDP a:5060;branch=z9hG4bKx", ""), true},
		{base, key("INVITE", "SIP/2.0/UDP a:5060 ; rport; branch=z9hG4bKx, SIP/2.0/UDP y", ""), true},
		{base, key("INVITE", "SIP/2.0/UDP b:5060;branch=z9hG4bKx", ""), false},
		{base, key("INVITE", "SIP/2.0/UDP a:5060;branch=z9hG4bKy", ""), false},
		{base, key("BYE", "SIP/2.0/UDP a:5060;branch=z9hG4bKx", ""), false},
		{old, key("ACK", "SIP/2.0/UDP a:5060", ";tag=t"), true},
		{old, key("INVITE", "SIP/2.0/UDP b:5060", ""), false},
		{old, key("INVITE", "SIP/2.0/UDP a:5060;branch=z9hG4bK", ""), false},
	} {
		if (c.a == c.b) != c.same {
			t.Errorf("%q and %q: same %v, want %v", c.a, c.b, c.a == c.b, c.same)
		}
	}
}

// TestVia: received and rport (RFC 3581 4, RFC 3261 18.2.1); who claims them in
// our place is overruled.
func TestVia(t *testing.T) {
	source := netip.MustParseAddrPort("10.0.0.2:5070")
	for _, c := range []struct{ via, want string }{
		{"SIP/2.0/UDP 10.0.0.2:5070;branch=b", "SIP/2.0/UDP 10.0.0.2:5070;branch=b"},
		{"SIP/2.0/UDP 10.0.0.2:5070;rport;branch=b", "SIP/2.0/UDP 10.0.0.2:5070;branch=b;received=10.0.0.2;rport=5070"},
		{"SIP/2.0/UDP nat.local;branch=b;received=6.6.6.6", "SIP/2.0/UDP nat.local;branch=b;received=10.0.0.2"},
		{"SIP/2.0/UDP [::1]:5060;branch=b", "SIP/2.0/UDP [::1]:5060;branch=b;received=10.0.0.2"},
	} {
		var b strings.Builder
		writeVia(&b, []byte(c.via), source)
		if got := b.String(); got != c.want {
			t.Errorf("%s became %s, want %s", c.via, got, c.want)
		}
	}
}

func TestUnfold(t *testing.T) {
	h, ok := Scan([]byte("OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP\r\n  a;branch=\r\n\tz\r\nCSeq: 1\r\n OPTIONS\r\nl: 2\r\n\r\nab, cut"))
	if !ok || h.Malformed != "" || string(h.Vias[0]) != "SIP/2.0/UDP a;branch= z" || string(h.CSeq) != "1 OPTIONS" || string(h.Body) != "ab" {
		t.Errorf("Scan: via %q, CSeq %q, body %q, malformed %q", h.Vias, h.CSeq, h.Body, h.Malformed)
	}
	if !strings.HasSuffix(string(h.Message), "\r\n\r\nab") {
		t.Errorf("message %q has what follows its body", h.Message)
	}
}

func TestLimit(t *testing.T) {
	l := Limit{PerSecond: 10}
	now := time.Unix(0, 0)
	let := func() (n int) {
		for range 100 {
			if l.Take(now) {
				n++
			}
		}
		return n
	}
	if got := let(); got != 10 {
		t.Errorf("at once: %d let in, want 10", got)
	}
	now = now.Add(500 * time.Millisecond)
	if got := let(); got != 5 {
		t.Errorf("after half a second: %d, want 5", got)
	}
	now = now.Add(time.Hour)
	if got := let(); got != 10 {
		t.Errorf("after an hour: %d, want 10", got)
	}
	if none := (&Limit{}); !none.Take(now) {
		t.Error("the zero limit lets nothing in")
	}
}

func FuzzScan(f *testing.F) {
	f.Add(lines("INVITE sip:x SIP/2.0", "v: SIP/2.0/UDP a;branch=z9hG4bKb;rport, SIP/2.0/TCP c", "From: \"x\" <sip:a>;tag=1", "t: <sip:b>", "i: c", "CSeq: 1 INVITE", "l: 0"))
	f.Add(lines("SIP/2.0 200 OK", "Via: SIP/2.0/UDP a", "CSeq: 1\r\n\tBYE"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ok := Scan(b)
		if !ok {
			return
		}
		h.ServerKey(nil, "INVITE")
		h.ClientKey(nil)
		o := h.Origin(netip.MustParseAddrPort("10.0.0.2:5070"))
		if a, ok := Scan(o.Answer(Reply{Code: 200, Tag: "t"})); !ok || a.Code != 200 {
			t.Fatalf("answer to %q does not scan", b)
		}
	})
}

// BenchmarkRefuse is a new call refused without parsing: scan and 503. Budget:
// 5 us (the design measured 1.4 us for copying lines alone).
func BenchmarkRefuse(b *testing.B) {
	b.ReportAllocs()
	m := lines("INVITE sip:9000@10.0.0.1 SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.2:5070;branch=z9hG4bKa;rport", "Max-Forwards: 70", "From: <sip:1001@10.0.0.2>;tag=a",
		"To: <sip:9000@10.0.0.1>", "Call-ID: c", "CSeq: 1 INVITE", "Contact: <sip:1001@10.0.0.2:5070>", "Content-Length: 0")
	source := netip.MustParseAddrPort("10.0.0.2:5070")
	for b.Loop() {
		h, _ := Scan(m)
		o := h.Origin(source)
		o.Answer(Reply{Code: 503, Tag: "t", Extra: "Retry-After: 5\r\n"})
	}
}

// slowConn has a packet whenever half a millisecond has passed.
type slowConn struct {
	net.PacketConn
	next time.Time
	left int
}

func (c *slowConn) ReadFrom(b []byte) (int, net.Addr, error) {
	if c.left--; c.left < 0 {
		return 0, nil, net.ErrClosed
	}
	c.next = c.next.Add(500 * time.Microsecond)
	<-time.After(time.Until(c.next))
	return copy(b, "x"), &net.UDPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 1}, nil
}

func (c *slowConn) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 5060} }
func (c *slowConn) Close() error        { return nil }

// TestBehind: a reader that needs twice as long as messages take to come is
// behind; one that waits for each is not.
func TestBehind(t *testing.T) {
	for _, c := range []struct {
		work time.Duration
		want time.Duration
	}{{time.Millisecond, 299 * time.Millisecond}, {100 * time.Microsecond, 0}} {
		synctest.Test(t, func(t *testing.T) {
			conn := &slowConn{next: time.Now(), left: 300}
			var behind time.Duration
			l, err := ListenUDP("10.0.0.1:5060", func(string, string) (net.PacketConn, error) { return conn, nil }, func(f Flow, _ []byte) {
				behind = f.Behind()
				time.Sleep(c.work)
			})
			if err != nil {
				t.Fatal(err)
			}
			l.Serve()
			if behind != c.want {
				t.Errorf("work of %v a message: behind %v, want %v", c.work, behind, c.want)
			}
		})
	}
}
