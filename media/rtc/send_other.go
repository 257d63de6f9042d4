//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package rtc

import (
	"net"
	"net/netip"
)

// A sender sends packets of one wire. Here it may wait while the kernel's buffer
// is full.
type sender struct{ conn *net.UDPConn }

func newSender(conn *net.UDPConn) (*sender, error) { return &sender{conn}, nil }

// Send sends b.
func (s *sender) Send(b []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(b, to)
	return err
}
