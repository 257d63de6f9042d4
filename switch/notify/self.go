package notify

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// self knows the switch's own addresses: what leads there is never dialled
// (decisions 9), because the switch trusts itself more than it trusts a script.
type self struct {
	public *url.URL // nil = none
	listen []netip.AddrPort
}

func newSelf(public string, listen []string) (*self, error) {
	s := &self{}
	if public != "" {
		u, err := url.Parse(public)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("notify: http.public_url: %q is no URL such as https://pbx.example.com", Blank(public))
		}
		s.public = u
	}
	for _, l := range listen {
		host, port, err := net.SplitHostPort(l)
		n, perr := strconv.ParseUint(port, 10, 16)
		if err != nil || perr != nil {
			return nil, fmt.Errorf("notify: http.listen: %q is no address such as 127.0.0.1:9509", l)
		}
		switch a, err := netip.ParseAddr(host); {
		case host == "":
			s.listen = append(s.listen, netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(n)))
		case err == nil:
			s.listen = append(s.listen, plainAddr(netip.AddrPortFrom(a, uint16(n))))
		case host == "localhost":
			s.listen = append(s.listen, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(n)),
				netip.AddrPortFrom(netip.IPv6Loopback(), uint16(n)))
		default:
			return nil, fmt.Errorf("notify: http.listen: %q: want an address, not a name", l)
		}
	}
	return s, nil
}

// owns tells whether the URL is below the public URL or names a listen address.
func (s *self) owns(u *url.URL) bool {
	if s.public != nil && plainHost(u.Hostname()) == plainHost(s.public.Hostname()) && portOf(u) == portOf(s.public) &&
		strings.HasPrefix(u.EscapedPath()+"/", strings.TrimSuffix(s.public.EscapedPath(), "/")+"/") {
		return true
	}
	host := u.Hostname()
	if plainHost(host) == "localhost" {
		host = "127.0.0.1"
	}
	a, err := netip.ParseAddr(host)
	return err == nil && s.is(netip.AddrPortFrom(a, portOf(u)))
}

// is tells whether the address is one that the switch listens on.
func (s *self) is(a netip.AddrPort) bool {
	a = plainAddr(a)
	for _, l := range s.listen {
		switch {
		case a.Port() != l.Port():
		case a.Addr() == l.Addr(), a.Addr().IsUnspecified():
			return true
		case l.Addr().IsUnspecified() && (a.Addr().IsLoopback() || isLocal(a.Addr())):
			return true
		}
	}
	return false
}

// isLocal tells whether an interface of this machine has the address. It is
// asked when the port is ours already, so rarely.
func isLocal(a netip.Addr) bool {
	all, _ := net.InterfaceAddrs()
	for _, i := range all {
		if n, ok := i.(*net.IPNet); ok {
			if l, ok := netip.AddrFromSlice(n.IP); ok && l.Unmap() == a {
				return true
			}
		}
	}
	return false
}

// portOf gives the port of an http or https URL.
func portOf(u *url.URL) uint16 {
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return 0 // no port at all: readURL refuses it
		}
		return uint16(n)
	}
	if u.Scheme == "https" {
		return 443
	}
	return 80
}
