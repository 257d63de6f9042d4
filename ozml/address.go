package ozml

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// inward says of what sort the host of a URL is when it is no public one as far
// as its text tells: such an address is refused unless web.allow lists it
// (decisions 9). "" when it is public, or a name that only a name server knows.
// line is what an operator writes to allow it.
func inward(u *url.URL) (sort, line string) {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	port := u.Port()
	if port == "" {
		if port = "80"; strings.EqualFold(u.Scheme, "https") {
			port = "443"
		}
	}
	line = `web.allow: ["` + net.JoinHostPort(host, port) + `"]`
	switch {
	case host == "localhost" || strings.HasSuffix(host, ".localhost"):
		return "loopback", line
	case host == "metadata" || host == "metadata.google.internal":
		return "metadata", line
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return "", ""
	}
	a = a.Unmap().WithZone("")
	switch {
	case a == netip.AddrFrom4([4]byte{169, 254, 169, 254}), a == netip.AddrFrom4([4]byte{100, 100, 100, 200}), a == netip.AddrFrom4([4]byte{168, 63, 129, 16}):
		return "metadata", line
	case a.IsLoopback():
		return "loopback", line
	case a.IsLinkLocalUnicast():
		return "link-local", line
	case a.IsMulticast():
		return "multicast", line
	case a.IsPrivate():
		return "private", line
	case a.IsUnspecified():
		return "reserved", line
	}
	return "", ""
}

// reaches notes a URL of an address that not every switch lets a script reach.
func (p *Params) reaches(d *Param, s string) {
	if p.el == nil || p.b.refs == nil || p.b.in == API { // only to check, and what comes by HTTP is another matter
		return
	}
	u, err := url.Parse(s)
	if err != nil {
		return
	}
	if sort, line := inward(u); sort != "" {
		p.remark(Info, CodeNotAllowed, d.Name, p.span(d), u.Hostname()+" is a "+sort+" address, which serve refuses unless the configuration allows it", line)
	}
}
