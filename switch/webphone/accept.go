package webphone

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/coder/websocket"
)

// Protocol is the sub-protocol of SIP over WebSocket (RFC 7118 3).
const Protocol = "sip"

// what is told to who asks for the address by plain HTTP.
const what = `This is where telephones in web pages speak SIP over WebSocket (RFC 7118).
It is not a page. In JsSIP or SIP.js, or with new WebSocket(url, "sip"), use

    `

// A Gate decides about a request before it becomes a socket.
type Gate struct {
	// Page tells whether the web page that asks may; programs, which send no
	// Origin, are not asked about.
	Page func(r *http.Request) bool
	// Address is where the request comes from, behind proxies that are believed.
	Address func(r *http.Request) netip.Addr
	// Secure tells whether the browser speaks TLS, to us or to such a proxy; nil =
	// only what came to us counts.
	Secure func(r *http.Request) bool
}

// Handler takes sockets by HTTP.
func (s *Sockets) Handler(g Gate) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !offers(r.Header, "Upgrade", "websocket"):
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
			refuse(w, http.StatusUpgradeRequired, what+g.scheme(r)+"://"+r.Host+r.URL.Path+"\n")
		case r.Header.Get("Origin") != "" && !g.Page(r):
			refuse(w, http.StatusForbidden, "A page of "+r.Header.Get("Origin")+" may not make calls here: name it in http.origins, or this switch in http.public_url.\n")
		case !offers(r.Header, "Sec-WebSocket-Protocol", Protocol):
			refuse(w, http.StatusBadRequest, "The sub-protocol sip was not offered (Sec-WebSocket-Protocol: sip), which SIP over WebSocket wants (RFC 7118).\n")
		default:
			s.accept(w, r, g)
		}
	})
}

// scheme is what the browser speaks, and so the transport that Via and Contact
// must name (RFC 7118 5.2).
func (g Gate) scheme(r *http.Request) string {
	if r.TLS != nil || g.Secure != nil && g.Secure(r) {
		return "wss"
	}
	return "ws"
}

func refuse(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(why)) // who does not wait for it needs it not
}

// offers tells whether a header that lists words names one.
func offers(h http.Header, name, word string) bool {
	return slices.ContainsFunc(h.Values(name), func(v string) bool {
		for one := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(one), word) {
				return true
			}
		}
		return false
	})
}

// accept makes a socket of a request. The socket has a goroutine of its own, so
// that net/http may forget the request: a thousand idle sockets are to be cheap.
func (s *Sockets) accept(w http.ResponseWriter, r *http.Request, g Gate) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		refuse(w, http.StatusBadRequest, "Nobody knows where this came from.\n")
		return
	}
	k := &socket{s: s, transport: g.scheme(r), remote: netip.AddrPortFrom(g.Address(r), peer.Port())}
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if p, err := netip.ParseAddrPort(a.String()); err == nil {
			k.local = netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
		}
	}
	switch err := s.admit(k); {
	case errors.Is(err, errMany):
		refuse(w, http.StatusTooManyRequests, "Too many WebSockets are open, in all or from this address.\n")
		return
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, "The switch is stopping.\n")
		return
	}
	h := &hijack{ResponseWriter: w}
	ws, err := websocket.Accept(h, r, &websocket.AcceptOptions{Subprotocols: []string{Protocol}, InsecureSkipVerify: true}) // Gate has seen to the Origin
	if err != nil {
		s.dismiss(k) // it was answered
		return
	}
	k.start(ws, h.conn)
}

// A hijack lets us have the connection itself: its deadlines bound whatever a
// far end does, or leaves undone.
type hijack struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack is http.Hijacker.
func (h *hijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	hj, ok := h.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errors.New("webphone: this is no HTTP/1.1 connection")
	}
	c, rw, err := hj.Hijack()
	h.conn = c
	return c, rw, err
}
