package api

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestSecureBehindProxy(t *testing.T) {
	a := &Access{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, c := range []struct {
		from  string
		proto []string
		tls   bool
		want  bool
	}{
		{"192.0.2.1:5", nil, false, false},
		{"192.0.2.1:5", nil, true, true},
		{"192.0.2.1:5", []string{"https"}, false, false}, // everybody may write that
		{"10.0.0.1:5", []string{"https"}, false, true},
		{"10.0.0.1:5", []string{"HTTPS"}, false, true},
		{"10.0.0.1:5", []string{"http"}, false, false},
		{"10.0.0.1:5", nil, false, false},
		{"10.0.0.1:5", []string{"https, http"}, false, false}, // the browser's own word, then the proxy's
		{"10.0.0.1:5", []string{"http", "https"}, false, true},
	} {
		r := httptest.NewRequest("GET", "/sip", nil)
		r.RemoteAddr = c.from
		r.Header["X-Forwarded-Proto"] = c.proto
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		if got := a.Secure(r); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
