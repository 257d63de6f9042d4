package rtc

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestSender: packets reach IPv4 and IPv6 from sockets of one kind or both.
func TestSender(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"127.0.0.1", "127.0.0.1"}, {"0.0.0.0", "127.0.0.1"}, {"[::]", "127.0.0.1"}, {"[::]", "[::1]"}, {"[::1]", "[::1]"},
	} {
		open := func(at string) *net.UDPConn {
			conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at+":0")))
			if err != nil {
				t.Skip("no IPv6 here:", err)
			}
			return conn
		}
		to := open(c.to)
		from := open(c.from)
		s, err := newSender(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send([]byte("sound"), unmap(to.LocalAddr().(*net.UDPAddr).AddrPort())); err != nil {
			t.Errorf("from %s to %s: %v", c.from, c.to, err)
		}
		b := make([]byte, 16)
		to.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := to.Read(b); err != nil || string(b[:n]) != "sound" {
			t.Errorf("from %s to %s came %q, %v", c.from, c.to, b[:n], err)
		}
		from.Close()
		to.Close()
		if s.Send([]byte("x"), netip.MustParseAddrPort("127.0.0.1:9")) == nil {
			t.Error("sent by a socket that is closed")
		}
	}
}
