package sip

import (
	"cmp"
	"net"
	"net/netip"
	"strconv"
	"strings"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/sip/flow"
)

// A hop is where a request goes.
type hop struct {
	transport string // "udp", "tcp", "tls"; "ws", "wss"
	addr      netip.AddrPort
	name      string // of the host, for its certificate; may be ""

	way flow.Flow // instead of all that, when it is known
}

// flowTo is the way to a far end: by the first listener of that transport and
// address family. A connection can be made without one. nil = there is no way.
func (e *Endpoint) flowTo(h hop) flow.Flow {
	var local netip.AddrPort
	for _, l := range e.listeners {
		a := l.Local().Addr()
		if l.Transport() != h.transport || a.Is4() != h.addr.Addr().Is4() && !(a.Is6() && a.IsUnspecified()) {
			continue
		}
		if h.transport == "udp" {
			return l.To(h.addr)
		}
		local = l.Local()
		break
	}
	switch {
	case h.transport == "udp":
		return nil
	case webTransport(h.transport):
		if e.c.Way == nil {
			return nil
		}
		return e.c.Way(h.transport, h.addr, h.name)
	}
	if !local.IsValid() {
		local = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return e.streams.To(h.transport, h.addr, local, h.name)
}

// transportOf is what a URI says of its transport; "" = nothing.
func transportOf(u *msg.Uri) string {
	t, _ := u.UriParams.Get("transport")
	switch t = strings.ToLower(t); {
	case u.IsEncrypted() && (t == "" || t == "tcp"):
		return "tls"
	default:
		return t
	}
}

// portOf is the port of a URI, or its transport's.
func portOf(u *msg.Uri, transport string) uint16 {
	switch {
	case u.Port > 0 && u.Port < 65536:
		return uint16(u.Port)
	case transport == "tls":
		return 5061
	case transport == "ws":
		return 80
	case transport == "wss":
		return 443
	}
	return 5060
}

// next is the way to the next hop of a dialog. While the connection by which
// its last message came stands, that is the way. A name, or a private address
// that a far end behind NAT gave as its Contact, is not where the far end can
// be reached: there the way that its last message came is taken. A browser is
// reached by its socket or not at all.
func (e *Endpoint) next(uri string, routed bool, came flow.Flow) flow.Flow {
	var u msg.Uri
	if msg.ParseUri(uri, &u) != nil || web(came) || came.Reliable() && came.Open() {
		return came
	}
	addr, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	if err != nil {
		return came
	}
	addr = addr.Unmap()
	source := came.Remote().Addr()
	hidden := addr.IsLoopback() || addr.IsUnspecified() || addr.IsPrivate() && !source.IsPrivate()
	if !routed && addr != source && hidden {
		return came
	}
	t := cmp.Or(transportOf(&u), "udp")
	if t != "udp" && t != "tcp" && t != "tls" {
		return came
	}
	if f := e.flowTo(hop{transport: t, addr: netip.AddrPortFrom(addr, portOf(&u, t))}); f != nil {
		return f
	}
	return came
}

// host is our address as a far end should see it, with the port; an IPv6
// address has its brackets.
func (e *Endpoint) host(f flow.Flow) string {
	if e.c.WebName != "" && web(f) {
		return e.c.WebName
	}
	host := bracket(e.address(f))
	if p := f.Local().Port(); p != 0 {
		host += ":" + strconv.Itoa(int(p))
	}
	return host
}

func bracket(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// address is our address towards a far end: the one configured, the one bound,
// or where we listen on all addresses, the one that the system would send from.
func (e *Endpoint) address(f flow.Flow) string {
	remote := f.Remote().Addr()
	if e.c.External != "" && !remote.IsLoopback() {
		return e.c.External
	}
	if a := f.Local().Addr(); !a.IsUnspecified() {
		return a.WithZone("").String()
	}
	e.mu.Lock()
	a, ok := e.routes[remote]
	e.mu.Unlock()
	if ok {
		return a.String()
	}
	a = towards(f.Remote())
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.routes) >= 4096 { // addresses may be forged: never let it grow
		clear(e.routes)
	}
	e.routes[remote] = a
	return a.String()
}

// towards asks the system which of our addresses it would send from. Nothing
// is sent.
func towards(to netip.AddrPort) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().WithZone("")
}

func (e *Endpoint) contact(f flow.Flow) string { return e.contactAs(e.c.User, f) }

// contactAs is our Contact by that flow, with a user part of its own; "" = none.
func (e *Endpoint) contactAs(user string, f flow.Flow) string {
	if user != "" {
		user = Escape(user) + "@"
	}
	uri := "sip:" + user + e.host(f)
	switch t := f.Transport(); t {
	case "udp":
	case "wss": // RFC 7118 5.2: the parameter is ws for both
		uri += ";transport=ws"
	default:
		uri += ";transport=" + t
	}
	return "<" + uri + ">"
}

func (e *Endpoint) via(f flow.Flow, branch string) string {
	return "SIP/2.0/" + strings.ToUpper(f.Transport()) + " " + e.host(f) + ";branch=" + branch + ";rport"
}

// Escape makes any text fit to be the user part of a SIP URI (RFC 3261 25.1).
func Escape(user string) string {
	const plain = "-_.!~*'()&=+$,;?/"
	var b strings.Builder
	for i := 0; i < len(user); i++ {
		switch c := user[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(plain, c) >= 0:
			b.WriteByte(c)
		default:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
