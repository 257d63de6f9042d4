//go:build linux || darwin || freebsd || netbsd || openbsd

package rtc

import (
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// A sender sends packets of one wire and never waits: what the kernel's buffer
// has no place for is dropped, as on a line that is too narrow. Its thread paces
// other calls too. (A net.UDPConn waits for a place; its deadlines need a timer.)
type sender struct {
	raw  syscall.RawConn
	four bool // the socket is one of IPv4
	sa4  unix.SockaddrInet4
	sa6  unix.SockaddrInet6
	to   unix.Sockaddr // one of them
	b    []byte
	err  error
	do   func(fd uintptr) // send, made once: nothing is allocated for a packet
}

// newSender gives a sender by conn, for one goroutine.
func newSender(conn *net.UDPConn) (*sender, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &sender{raw: raw}
	s.do = s.send
	if e := raw.Control(func(fd uintptr) {
		var own unix.Sockaddr
		own, err = unix.Getsockname(int(fd))
		_, s.four = own.(*unix.SockaddrInet4)
	}); e != nil {
		err = e
	}
	return s, err
}

// Send sends b to an address without a zone.
func (s *sender) Send(b []byte, to netip.AddrPort) error {
	if s.four {
		if !to.Addr().Unmap().Is4() {
			return unix.EAFNOSUPPORT
		}
		s.sa4.Addr, s.sa4.Port, s.to = to.Addr().Unmap().As4(), int(to.Port()), &s.sa4
	} else { // which takes IPv4 as mapped addresses
		s.sa6.Addr, s.sa6.Port, s.to = to.Addr().As16(), int(to.Port()), &s.sa6
	}
	s.b = b
	// Control, as Write would wait for who writes to the socket now.
	err := s.raw.Control(s.do)
	s.b = nil
	if err == nil {
		err = s.err
	}
	return err
}

func (s *sender) send(fd uintptr) { s.err = unix.Sendto(int(fd), s.b, unix.MSG_DONTWAIT, s.to) }
