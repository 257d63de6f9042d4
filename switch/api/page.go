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
