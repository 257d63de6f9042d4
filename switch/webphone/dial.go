package webphone

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/coder/websocket"

	"ozswitch/switch/sip/flow"
)

// To is the socket to a switch, made when something is sent by it: remote is
// its HTTP port (HTTPS for "wss"), where /sip is; name is what it is called.
func (s *Sockets) To(transport string, remote netip.AddrPort, name string) flow.Flow {
	s.mu.Lock()
	k := s.made[place{transport, remote}]
	s.mu.Unlock()
	if k != nil && k.Open() {
		return k
	}
	return &socket{s: s, transport: transport, remote: remote, name: name, dialled: true, local: netip.AddrPortFrom(netip.IPv4Unspecified(), 0)}
}

// dial makes the socket, whose first messages wait.
func (k *socket) dial() error {
	ctx, stop := context.WithTimeout(k.s.ctx, dialWithin)
	defer stop()
	nc, err := k.s.c.Dial(ctx, "tcp", k.remote.String())
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	conn := nc
	if k.transport == "wss" {
		if conn, err = k.shake(ctx, nc); err != nil {
			nc.Close()
			return err
		}
	}
	// The connection is there already: the client only asks for it, once.
	one := make(chan net.Conn, 1)
	one <- conn
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case c := <-one:
			return c, nil
		default:
			return nil, errors.New("the switch sent us elsewhere")
		}
	}}}
	host := net.JoinHostPort(strings.Trim(cmp.Or(k.name, k.remote.Addr().String()), "[]"), fmt.Sprint(k.remote.Port()))
	ws, res, err := websocket.Dial(ctx, "ws://"+host+"/sip", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{Protocol}})
	if err != nil {
		nc.Close()
		if res != nil {
			return fmt.Errorf("HTTP %s", res.Status)
		}
		return err
	}
	if ws.Subprotocol() != Protocol {
		_ = ws.CloseNow() // it is of no use
		return fmt.Errorf("%s speaks no SIP over WebSocket", host)
	}
	k.stands(ws, nc)
	return nil
}

func (k *socket) shake(ctx context.Context, nc net.Conn) (net.Conn, error) {
	cfg := &tls.Config{}
	if k.s.c.TLS != nil {
		cfg = k.s.c.TLS.Clone()
	}
	cfg.ServerName = cmp.Or(k.name, k.remote.Addr().String())
	cfg.NextProtos = []string{"http/1.1"} // RFC 8441 is not what we speak
	secure := tls.Client(nc, cfg)
	return secure, secure.HandshakeContext(ctx)
}
