package api

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Address gives where a request comes from, behind proxies that are believed;
// the zero Addr when nobody knows.
func (a *Access) Address(r *http.Request) netip.Addr { return a.address(r) }

// Secure tells whether a request came by HTTPS: to us, or to a proxy that is
// believed (X-Forwarded-Proto, of which the last word is the nearest proxy's).
func (a *Access) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !within(a.Proxies, peer.Addr().Unmap().WithZone("")) {
		return false
	}
	said := strings.Join(r.Header.Values("X-Forwarded-Proto"), ",")
	return strings.EqualFold(strings.TrimSpace(said[strings.LastIndexByte(said, ',')+1:]), "https")
}

// Page tells whether the web page that makes a request, by its Origin header, is
// one of this switch or of Origins. A name that was bent to our address (DNS
// rebinding) makes no page ours.
func (a *Access) Page(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if a.known(origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) && a.own(r.Host)
}
