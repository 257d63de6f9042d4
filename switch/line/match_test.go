package line

import (
	"net/netip"
	"strings"
	"testing"

	"ozswitch/switch/sip"
)

func TestMatch(t *testing.T) {
	place := func(transport, addr string) []sip.Place {
		return []sip.Place{{Transport: transport, Addr: netip.MustParseAddrPort(addr)}}
	}
	lines := []Known{
		{Name: "a", Token: "tokA", User: "ua", Places: append(place("udp", "10.0.0.1:5060"), place("udp", "10.0.0.2:5060")...)},
		{Name: "b", Token: "tokB", User: "ub", CallerID: "+3612", Places: place("udp", "10.0.0.3:5060")},
		{Name: "c", Token: "tokC", User: "uc", CallerID: "+3613", Places: place("udp", "10.0.0.3:5070")},
		{Name: "d", Token: "tokD", Places: place("udp", "10.0.0.3:5080")},
		{Name: "e", Token: "tokE", Places: place("tcp", "10.0.0.4:5060")},
		{Name: "none"},
	}
	for _, c := range []struct{ source, transport, to, want, err string }{
		{"10.0.0.1:5060", "udp", "100", "a", ""},
		{"10.0.0.2:31000", "udp", "", "a", ""},                // another port, and the second address
		{"[::ffff:10.0.0.1]:5060", "udp", "100", "a", ""},     // the same in IPv6's clothes
		{"10.0.0.1:5060", "tcp", "100", "", ""},               // not by that transport
		{"10.0.0.9:5060", "udp", "100", "", ""},               // nobody's
		{"10.0.0.9:5060", "udp", "tokB", "b", ""},             // its token, from wherever
		{"10.0.0.9:5060", "udp", "TOKB", "", ""},              // not quite
		{"10.0.0.9:5060", "udp", "", "", ""},                  // an empty token is none
		{"10.0.0.1:5060", "udp", "tokB", "b", ""},             // more than the address
		{"10.0.0.3:31000", "udp", "ub", "b", ""},              // by its user
		{"10.0.0.3:31000", "udp", "3613", "c", ""},            // by its number
		{"10.0.0.3:5070", "udp", "+3612", "b", ""},            // which says more than the port
		{"10.0.0.3:5080", "udp", "999", "d", ""},              // by its port
		{"10.0.0.3:31000", "udp", "999", "", "lines b, c, d"}, // by nothing
		{"10.0.0.4:5060", "tcp", "999", "e", ""},
	} {
		got, err := Match(lines, netip.MustParseAddrPort(c.source), c.transport, c.to)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s %s to %q: %q, %v; want %q, %q", c.transport, c.source, c.to, got, err, c.want, c.err)
		}
	}
}
