// Package flow is where SIP's bytes come in and go out: listeners and their
// flows, the framing of a message with its limits, answers made from the bytes
// of their request without parsing it, and the rate limit for new calls.
//
// It is not a transport layer in the sense of RFC 3261 section 18: no name is
// resolved and no request is repeated here. Start reading at Listen, then Scan.
package flow

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// A Flow is a way to one far end: the source of datagrams, a TCP or TLS
// connection, a WebSocket.
type Flow interface {
	Transport() string      // "udp", "tcp", "tls", "ws", "wss"; lower case
	Remote() netip.AddrPort // where the far end is
	Local() netip.AddrPort  // where we listen; port 0 = nowhere for that transport
	Reliable() bool         // nothing sent is lost
	Send(msg []byte) error  // does not wait and does not keep msg

	// Behind is for how long the reader of what comes has not caught up: the
	// machine has more to do than it can. 0 = all is read as it comes.
	Behind() time.Duration

	Open() bool           // it leads somewhere; a connection may have ended
	Keep(d time.Duration) // a connection is not ended for d although nothing comes
	Back(h *Head)         // answers to that request must find back when the connection ends
}

// A Listener is a bound address.
type Listener interface {
	Transport() string
	Local() netip.AddrPort         // as bound
	To(remote netip.AddrPort) Flow // the way to a far end
	Serve() error                  // until Close; returns nil then
	Close() error
}

// Address cuts a spec, "udp://127.0.0.1:5060", into transport and address; a
// port that is not named is 5060, for TLS 5061.
func Address(spec string) (transport, addr string, err error) {
	transport, addr, ok := strings.Cut(spec, "://")
	if !ok {
		return "", "", fmt.Errorf("sip: listen %s: want a transport first, as in udp://%s", spec, spec)
	}
	port := "5060"
	switch transport = strings.ToLower(transport); transport {
	case "udp", "tcp":
	case "tls":
		port = "5061"
	case "ws", "wss":
		return "", "", fmt.Errorf("sip: listen %s: WebSockets come by HTTP, not here", spec)
	default:
		return "", "", fmt.Errorf("sip: listen %s: unknown transport %q", spec, transport)
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		addr = net.JoinHostPort(strings.Trim(addr, "[]"), port)
	}
	return transport, addr, nil
}

// A UDP is a bound UDP socket.
type UDP struct {
	conn  net.PacketConn
	udp   *net.UDPConn // conn, when it is a real socket
	local netip.AddrPort
	busy  atomic.Int64 // nanoseconds since the reader last had to wait

	receive func(f Flow, b []byte)
}

// ListenUDP binds an address; port 0 takes a free one. A nil listen means
// net.ListenPacket. receive gets each datagram, one after another; the bytes
// are its only until it returns.
func ListenUDP(addr string, listen func(network, addr string) (net.PacketConn, error), receive func(f Flow, b []byte)) (*UDP, error) {
	if listen == nil {
		listen = net.ListenPacket
	}
	conn, err := listen("udp", addr)
	if err != nil {
		return nil, err
	}
	l := &UDP{conn: conn, receive: receive}
	l.udp, _ = conn.(*net.UDPConn)
	if l.local, err = addrPort(conn.LocalAddr()); err != nil {
		conn.Close()
		return nil, err
	}
	if b, ok := conn.(interface{ SetReadBuffer(int) error }); ok {
		_ = b.SetReadBuffer(4 << 20) // bursts of new calls wait here; the kernel gives what it allows
	}
	return l, nil
}

// Transport is "udp".
func (l *UDP) Transport() string { return "udp" }

// Local is the bound address.
func (l *UDP) Local() netip.AddrPort { return l.local }

// To is the flow to a far end by way of this listener.
func (l *UDP) To(remote netip.AddrPort) Flow { return source{l, remote} }

// Close ends Serve.
func (l *UDP) Close() error { return l.conn.Close() }

// Serve reads until Close. A failing read (an ICMP error of an earlier datagram,
// say) never ends the listener; it returns nil.
func (l *UDP) Serve() error {
	buf := make([]byte, MaxMessage+1)
	failures, rested, last := 0, time.Now(), time.Now()
	for {
		asked := time.Now()
		n, remote, err := l.read(buf)
		now := time.Now()
		if now.Sub(asked) > waited {
			rested = now
		} else if d := now.Sub(last); d > stall {
			rested = rested.Add(d)
		}
		last = now
		l.busy.Store(int64(now.Sub(rested)))
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			// A socket that fails at every read must not take a whole core.
			if failures++; failures > 16 {
				time.Sleep(10 * time.Millisecond)
			}
			continue
		}
		failures = 0
		if answer := binding(buf[:n], remote); answer != nil {
			_ = source{l, remote}.Send(answer)
			continue
		}
		l.receive(source{l, remote}, buf[:n])
	}
}

// waited is how long a read takes at least when nothing was there to be read.
const waited = 50 * time.Microsecond

// stall is longer than any one message takes: then the machine stood still,
// which is no load that turning calls away would lighten.
const stall = 50 * time.Millisecond

func (l *UDP) read(buf []byte) (int, netip.AddrPort, error) {
	if l.udp != nil {
		n, from, err := l.udp.ReadFromUDPAddrPort(buf)
		return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
	}
	n, from, err := l.conn.ReadFrom(buf)
	if err != nil {
		return 0, netip.AddrPort{}, err
	}
	remote, err := addrPort(from)
	return n, remote, err
}

// A source is the flow of UDP: whoever sends from one address and port.
type source struct {
	l      *UDP
	remote netip.AddrPort
}

func (s source) Transport() string      { return "udp" }
func (s source) Remote() netip.AddrPort { return s.remote }
func (s source) Local() netip.AddrPort  { return s.l.local }
func (s source) Reliable() bool         { return false }
func (s source) Open() bool             { return true }
func (s source) Keep(time.Duration)     {}
func (s source) Back(*Head)             {}
func (s source) Behind() time.Duration  { return time.Duration(s.l.busy.Load()) }

func (s source) Send(msg []byte) error {
	var err error
	if s.l.udp != nil {
		_, err = s.l.udp.WriteToUDPAddrPort(msg, s.remote)
	} else {
		_, err = s.l.conn.WriteTo(msg, net.UDPAddrFromAddrPort(s.remote))
	}
	if err != nil {
		return fmt.Errorf("sip: send to udp %s: %w", s.remote, err)
	}
	return nil
}

func addrPort(a net.Addr) (netip.AddrPort, error) {
	if u, ok := a.(interface{ AddrPort() netip.AddrPort }); ok { // *net.UDPAddr, *net.TCPAddr
		p := u.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), nil
	}
	p, err := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), err
}
