package pace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Listen opens a wire at a local address; port 0 is any free one. Where the
// address is taken the error is EADDRINUSE (errors.Is with syscall.EADDRINUSE).
//
// The wire is a bare non-blocking socket outside of the netpoller: its thread
// asks it at each tick anyway, and being told of each packet as well would be
// most of the cost. The system calls are raw for the same reason; none of them
// can block.
func Listen(local netip.AddrPort) (Wire, error) {
	if !local.IsValid() {
		return nil, fmt.Errorf("pace: listen at %v: not an address", local)
	}
	w := &linuxWire{six: local.Addr().Is6() && !local.Addr().Is4In6()}
	// A wire that chose its port by itself would lose it on Aim (see there), so
	// port 0 is tried out first and then bound by its number.
	for try := 0; ; try++ {
		fd, err := w.bind(local)
		if err != nil {
			return nil, fmt.Errorf("pace: listen at %v: %w", local, err)
		}
		w.fd = fd
		if w.local, err = w.name(); err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("pace: listen at %v: %w", local, err)
		}
		if local.Port() != 0 {
			break
		}
		unix.Close(fd)
		if w.fd, err = w.bind(w.local); err == nil {
			break
		}
		if try == 10 {
			return nil, fmt.Errorf("pace: listen at %v: %w", local, err)
		}
	}
	for i := range w.hdrs {
		h := &w.hdrs[i].hdr
		h.Name = &w.names[i][0]
		h.Iov = &w.iovs[i]
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&w.marks[i]))
	}
	return w, nil
}

const sockaddrLen = 28 // of the larger kind, sockaddr_in6

type sockaddr [sockaddrLen]byte

type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

type linuxWire struct {
	fd    int
	six   bool // an IPv6 socket, which takes IPv4 peers as mapped addresses
	local netip.AddrPort

	to    sockaddr
	toLen uintptr        // 0 = not aimed
	bound netip.AddrPort // the peer, when tied to one

	hdrs  [batch]mmsghdr
	iovs  [batch]unix.Iovec
	names [batch]sockaddr
	marks [batch]mark
	came  [batch]unix.Timespec // of the packets of the last Recv
}

// A mark is the control message with the time a packet came at (socket(7),
// SO_TIMESTAMPNS).
type mark struct {
	hdr unix.Cmsghdr
	at  unix.Timespec
}

// native reports whether w is of this file's kind.
func native(w Wire) bool { _, ok := w.(*linuxWire); return ok }

// Came tells by the kernel's mark.
func (w *linuxWire) Came(i int) time.Time {
	if at := w.came[i]; at.Sec != 0 {
		return time.Unix(at.Unix())
	}
	return time.Time{}
}

// bind makes a socket at an address.
func (w *linuxWire) bind(local netip.AddrPort) (int, error) {
	family := unix.AF_INET
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(local.Port()), Addr: v4(local.Addr())}
	if w.six {
		family = unix.AF_INET6
		sa = &unix.SockaddrInet6{Port: int(local.Port()), Addr: local.Addr().As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	// Voice goes before data where the network cares (RFC 3246); where it does
	// not, or may not be asked, nothing is lost.
	const expedited = 46 << 2
	if w.six {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, expedited)
	}
	unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, expedited)
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	if err := unix.Bind(fd, sa); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// name asks the socket for its address.
func (w *linuxWire) name() (netip.AddrPort, error) {
	sa, err := unix.Getsockname(w.fd)
	switch a := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port)), nil
	}
	return netip.AddrPort{}, err
}

func (w *linuxWire) LocalAddr() netip.AddrPort { return w.local }

func (w *linuxWire) Close() error { return unix.Close(w.fd) }

func (w *linuxWire) Send(b []byte) error {
	var to unsafe.Pointer
	var n uintptr
	if !w.bound.IsValid() {
		if w.toLen == 0 {
			return unix.EDESTADDRREQ
		}
		to, n = unsafe.Pointer(&w.to), w.toLen
	}
	e := w.sendto(b, to, n)
	if e == unix.ECONNREFUSED { // what an earlier packet met; this one was not sent
		e = w.sendto(b, to, n)
	}
	if e != 0 {
		return errno(e)
	}
	return nil
}

func (w *linuxWire) sendto(b []byte, to unsafe.Pointer, n uintptr) unix.Errno {
	_, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(w.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
		uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(to), n)
	return e
}

// errno keeps the commonest errors from being allocated anew at each packet.
func errno(e unix.Errno) error {
	switch e {
	case unix.EAGAIN:
		return errBusy
	case unix.ECONNREFUSED:
		return errRefused
	case unix.ENETUNREACH, unix.EHOSTUNREACH:
		return errUnreachable
	}
	return e
}

var (
	errBusy        = error(unix.EAGAIN)
	errRefused     = error(unix.ECONNREFUSED)
	errUnreachable = error(unix.ENETUNREACH)
)

func (w *linuxWire) Recv(bufs [][]byte, from []netip.AddrPort) int {
	want := min(len(bufs), batch)
	for i := range want {
		bufs[i] = bufs[i][:cap(bufs[i])]
		w.iovs[i].Base = unsafe.SliceData(bufs[i])
		w.iovs[i].SetLen(len(bufs[i]))
		w.hdrs[i].hdr.Namelen = sockaddrLen
		w.hdrs[i].hdr.Flags = 0
		w.hdrs[i].hdr.SetControllen(int(unsafe.Sizeof(mark{})))
	}
	got, e := w.recvmmsg(want)
	if e == unix.ECONNREFUSED { // what an earlier packet met; it hides what is behind it
		got, _ = w.recvmmsg(want)
	}
	n := 0
	for i := range got {
		h := &w.hdrs[i]
		addr := w.names[i].addr()
		if h.hdr.Flags&unix.MSG_TRUNC != 0 || w.bound.IsValid() && addr != w.bound {
			continue // the latter came before the wire was bound
		}
		bufs[n], bufs[i] = bufs[i], bufs[n]
		bufs[n] = bufs[n][:h.n]
		from[n] = addr
		w.came[n] = unix.Timespec{}
		if m := &w.marks[i]; int(h.hdr.Controllen) >= int(unsafe.Sizeof(*m)) && m.hdr.Level == unix.SOL_SOCKET && m.hdr.Type == unix.SO_TIMESTAMPNS {
			w.came[n] = m.at
		}
		n++
	}
	return n
}

func (w *linuxWire) recvmmsg(n int) (int, unix.Errno) {
	got, _, e := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(w.fd), uintptr(unsafe.Pointer(&w.hdrs)),
		uintptr(n), unix.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(got), 0
}

// Aim ends a binding by connecting to the address family "none" (connect(2)).
// Linux forgets a local port then that it had chosen itself.
func (w *linuxWire) Aim(to netip.AddrPort) error {
	sa, n, err := w.sockaddr(to)
	if err != nil {
		return err
	}
	if w.bound.IsValid() {
		var none sockaddr // family AF_UNSPEC
		if e := w.connect(&none, sockaddrLen); e != 0 {
			return fmt.Errorf("pace: unbind from %v: %w", w.bound, e)
		}
		w.bound = netip.AddrPort{}
	}
	w.to, w.toLen = sa, n
	return nil
}

func (w *linuxWire) Rebind(peer netip.AddrPort) error {
	sa, n, err := w.sockaddr(peer)
	if err != nil {
		return err
	}
	if e := w.connect(&sa, n); e != 0 {
		return fmt.Errorf("pace: bind to %v: %w", peer, e)
	}
	w.to, w.toLen = sa, n
	w.bound = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	return nil
}

func (w *linuxWire) connect(sa *sockaddr, n uintptr) unix.Errno {
	_, _, e := unix.RawSyscall(unix.SYS_CONNECT, uintptr(w.fd), uintptr(unsafe.Pointer(sa)), n)
	return e
}

var errFamily = errors.New("pace: an IPv6 address on an IPv4 wire, or none")

// sockaddr is the kernel's form of an address: sockaddr_in or sockaddr_in6.
func (w *linuxWire) sockaddr(a netip.AddrPort) (s sockaddr, n uintptr, err error) {
	ip := a.Addr().Unmap()
	binary.BigEndian.PutUint16(s[2:], a.Port())
	switch {
	case !ip.IsValid() || !w.six && ip.Is6():
		return s, 0, errFamily
	case w.six:
		binary.NativeEndian.PutUint16(s[0:], unix.AF_INET6)
		b := ip.As16()
		copy(s[8:], b[:])
		return s, 28, nil
	}
	binary.NativeEndian.PutUint16(s[0:], unix.AF_INET)
	b := ip.As4()
	copy(s[4:], b[:])
	return s, 16, nil
}

// addr reads it back.
func (s *sockaddr) addr() netip.AddrPort {
	port := binary.BigEndian.Uint16(s[2:])
	if binary.NativeEndian.Uint16(s[0:]) == unix.AF_INET6 {
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(s[8:24])).Unmap(), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(s[4:8])), port)
}

func v4(a netip.Addr) [4]byte {
	if a = a.Unmap(); a.Is4() {
		return a.As4()
	}
	return [4]byte{}
}
