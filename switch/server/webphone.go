package server

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"

	"ozswitch/switch/api"
	"ozswitch/switch/webphone"
)

// newSockets makes the WebSockets of browsers, which are flows of the SIP side.
func (s *Server) newSockets() {
	s.sockets = webphone.New(webphone.Config{Receive: s.sip.Receive, Lost: s.sip.Lost, Panicked: func(remote netip.AddrPort, cause any) {
		s.panicked("webphone")
		s.log.Error("a WebSocket is closed", "remote", remote, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	}})
}

// runSockets ends all sockets when ctx does.
func (s *Server) runSockets(ctx context.Context) error {
	<-ctx.Done()
	s.sockets.Close()
	return nil
}

// sipHandler is /sip. A page of the address that public_url names is ours even
// when a proxy on the way changes the Host header.
func (s *Server) sipHandler(access *api.Access, public string) http.Handler {
	own := ""
	if u, err := url.Parse(public); err == nil && u.Host != "" {
		own = u.Scheme + "://" + u.Host
	}
	return s.sockets.Handler(webphone.Gate{Address: access.Address, Secure: access.Secure, Page: func(r *http.Request) bool {
		return access.Page(r) || own != "" && strings.EqualFold(r.Header.Get("Origin"), own)
	}})
}
