package server

import (
	"net/netip"
	"testing"
)

// TestRTPAddrs: each family gets the address where its telephones reach SIP.
func TestRTPAddrs(t *testing.T) {
	for _, c := range []struct {
		configured  string
		listen      []string
		addr, other string // other "" = none
	}{
		{"127.0.0.1", nil, "127.0.0.1", ""},
		{"127.0.0.1", []string{"127.0.0.1:5060"}, "127.0.0.1", ""},
		{"192.0.2.1", []string{"0.0.0.0:5060", "[2001:db8::1]:5060"}, "192.0.2.1", "2001:db8::1"},
		{"192.0.2.1", []string{"[::]:5060", "0.0.0.0:5060"}, "192.0.2.1", "::"},
		{"127.0.0.1", []string{"[::1]:5060"}, "::1", ""},
		{"2001:db8::1", []string{"[::]:5060", "192.0.2.1:5060"}, "2001:db8::1", "192.0.2.1"},
		{"127.0.0.1", []string{"localhost:5060"}, "127.0.0.1", ""},
	} {
		var listen []Listen
		for _, a := range c.listen {
			listen = append(listen, Listen{"udp", a})
		}
		addr, other := rtpAddrs(netip.MustParseAddr(c.configured), listen)
		if got := other.String(); addr.String() != c.addr || got != c.other && (other.IsValid() || c.other != "") {
			t.Errorf("rtp.address %s, SIP at %v: %v and %v, want %s and %q", c.configured, c.listen, addr, other, c.addr, c.other)
		}
	}
}

// TestListenTo: a far end of the other family is answered from an address that it reaches.
func TestListenTo(t *testing.T) {
	for _, other := range []string{"::1", "::"} {
		p := newPorts(netip.MustParseAddr("127.0.0.1"), 30000, 39998)
		p.other = netip.MustParseAddr(other)
		for remote, want := range map[string]string{"127.0.0.1": "127.0.0.1", "::1": "::1", "0.0.0.0": "127.0.0.1"} {
			w, err := p.listenTo(netip.MustParseAddr(remote))
			if err != nil {
				t.Fatalf("to %s: %v", remote, err)
			}
			if got := w.LocalAddr(); got.Addr().String() != want || got.Port()%2 != 0 {
				t.Errorf("to %s: %v, want an even port of %s", remote, got, want)
			}
			w.Close()
		}
	}
}
