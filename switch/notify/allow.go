package notify

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Rules say which addresses may be reached (decisions 9). The zero Rules allow
// nothing.
type Rules struct {
	hosts    map[string]bool // "app.lan" or "app.lan:80", wherever it resolves to
	prefixes []netip.Prefix
	addrs    map[netip.AddrPort]bool
	words    map[Kind]bool // private, loopback, public
}

// A Kind is what sort of address one is.
type Kind string

// The kinds of addresses. Only Private, Loopback and Public are words of
// web.allow; the others must be listed as they are.
const (
	Public    Kind = "public"
	Private   Kind = "private" // RFC 1918, fc00::/7
	Loopback  Kind = "loopback"
	LinkLocal Kind = "link-local"
	Multicast Kind = "multicast"
	Metadata  Kind = "metadata" // where clouds keep the credentials of their machines
	Reserved  Kind = "reserved" // everything else that is not on the public internet
)

// ParseRules reads the words of web.allow: a host or host:port (wherever it
// resolves to), an address or address:port, a CIDR, or one of private, loopback
// and public.
func ParseRules(words []string) (*Rules, error) {
	r := &Rules{hosts: map[string]bool{}, addrs: map[netip.AddrPort]bool{}, words: map[Kind]bool{}}
	for _, w := range words {
		if err := r.add(strings.ToLower(strings.TrimSpace(w))); err != nil {
			return nil, fmt.Errorf("notify: web.allow: %q: %w", w, err)
		}
	}
	return r, nil
}

func (r *Rules) add(w string) error {
	switch k := Kind(w); k {
	case Private, Loopback, Public:
		r.words[k] = true
		return nil
	}
	if strings.Contains(w, "://") {
		return fmt.Errorf("want host:port without http://")
	}
	if strings.Contains(w, "/") {
		p, err := netip.ParsePrefix(w)
		if err != nil {
			return fmt.Errorf("want a network such as 10.0.0.0/8")
		}
		if a := p.Addr(); a.Is4In6() { // compared with unmapped addresses
			if p.Bits() < 96 {
				return fmt.Errorf("want a network such as 10.0.0.0/8")
			}
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		r.prefixes = append(r.prefixes, p.Masked())
		return nil
	}
	if a, err := netip.ParseAddr(strings.Trim(w, "[]")); err == nil {
		a = a.Unmap()
		r.prefixes = append(r.prefixes, netip.PrefixFrom(a.WithZone(""), a.BitLen()))
		return nil
	}
	if a, err := netip.ParseAddrPort(w); err == nil {
		r.addrs[plainAddr(a)] = true
		return nil
	}
	host, port, err := net.SplitHostPort(w)
	if err != nil {
		host, port = w, ""
	}
	if host = plainHost(host); host == "" || strings.ContainsAny(host, " \t*@?#:[]%\\,") {
		return fmt.Errorf("want a host, host:port, address, network, private, loopback or public")
	}
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("port %q: want 1 to 65535", port)
		}
		host += ":" + port
	}
	r.hosts[host] = true
	return nil
}

// Host tells whether the name may be reached on that port, wherever it
// resolves to.
func (r *Rules) Host(name string, port uint16) bool {
	name = plainHost(name)
	return r.hosts[name] || r.hosts[fmt.Sprintf("%s:%d", name, port)]
}

// Addr tells whether the address may be reached.
func (r *Rules) Addr(a netip.AddrPort) bool {
	a = plainAddr(a)
	if r.addrs[a] || r.words[KindOf(a.Addr())] {
		return true
	}
	for _, p := range r.prefixes {
		if p.Contains(a.Addr()) {
			return true
		}
	}
	return false
}

// Line is what an operator adds to the configuration to allow a.
func Line(a netip.AddrPort) string {
	return fmt.Sprintf(`web.allow: ["%s"]`, plainAddr(a))
}

func plainHost(h string) string { return strings.TrimSuffix(strings.ToLower(h), ".") }

// plainAddr drops what does not matter for the rule: a zone, and IPv4 written
// as IPv6.
func plainAddr(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// metadata are the addresses under which clouds hand out credentials; that they
// are public or private by number opens none of them.
var metadata = addrs("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23",
	"100.100.100.200", "168.63.129.16", "192.0.0.192", "fd20:ce::254")

// reserved is what netip has no question for (IANA special-purpose registries).
var reserved = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16")

var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: ends with an IPv4 address
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056: an IPv4 address follows
	global6   = netip.MustParsePrefix("2000::/3")     // all of IPv6 that is public
)

// KindOf says what sort of address a is. An IPv4 address within an IPv6 one
// counts as itself.
func KindOf(a netip.Addr) Kind {
	a = a.Unmap().WithZone("")
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return KindOf(netip.AddrFrom4([4]byte(b[12:16])))
	case sixToFour.Contains(a):
		return KindOf(netip.AddrFrom4([4]byte(b[2:6])))
	}
	for _, m := range metadata {
		if a == m {
			return Metadata
		}
	}
	switch {
	case a.IsLoopback():
		return Loopback
	case a.IsLinkLocalUnicast():
		return LinkLocal
	case a.IsMulticast():
		return Multicast
	case a.IsPrivate():
		return Private
	case !a.IsValid(), a.IsUnspecified(), a.Is6() && !global6.Contains(a):
		return Reserved
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return Reserved
		}
	}
	return Public
}

func addrs(s ...string) (a []netip.Addr) {
	for _, s := range s {
		a = append(a, netip.MustParseAddr(s))
	}
	return a
}

func prefixes(s ...string) (p []netip.Prefix) {
	for _, s := range s {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}
