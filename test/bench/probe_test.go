//go:build bench && linux

package bench

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// A probe is a caller's wire that keeps when the kernel received each packet
// (SO_TIMESTAMPNS), so that the caller's own lateness is no part of it.
type probe struct {
	fd    int
	local netip.AddrPort
	to    syscall.SockaddrInet4
	oob   [64]byte

	mu   sync.Mutex
	came []time.Duration // Unix time
}

func newProbe() (*probe, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	p := &probe{fd: fd, came: make([]time.Duration, 0, 4096)}
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	var sa syscall.Sockaddr
	if err == nil {
		sa, err = syscall.Getsockname(fd)
	}
	if err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("probe: %w", err)
	}
	p.local = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(sa.(*syscall.SockaddrInet4).Port))
	return p, nil
}

func (p *probe) Send(b []byte) error { return syscall.Sendto(p.fd, b, 0, &p.to) }

func (p *probe) Recv(bufs [][]byte, from []netip.AddrPort) int {
	for i := range bufs {
		buf := bufs[i][:cap(bufs[i])]
		n, oobn, _, sa, err := syscall.Recvmsg(p.fd, buf, p.oob[:], syscall.MSG_DONTWAIT)
		if err != nil {
			return i
		}
		bufs[i] = buf[:n]
		if a, ok := sa.(*syscall.SockaddrInet4); ok {
			from[i] = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
		}
		// One control message: its head of 16 bytes, then a timespec (cmsg(3)).
		if oobn >= 32 && int32(binary.NativeEndian.Uint32(p.oob[12:])) == syscall.SCM_TIMESTAMPNS {
			sec, ns := binary.NativeEndian.Uint64(p.oob[16:]), binary.NativeEndian.Uint64(p.oob[24:])
			p.mu.Lock()
			p.came = append(p.came, time.Duration(sec)*time.Second+time.Duration(ns))
			p.mu.Unlock()
		}
	}
	return len(bufs)
}

func (p *probe) Aim(to netip.AddrPort) error {
	p.to = syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().Unmap().As4()}
	return nil
}

// Rebind only aims: nobody else sends to a probe.
func (p *probe) Rebind(peer netip.AddrPort) error { return p.Aim(peer) }

func (p *probe) LocalAddr() netip.AddrPort { return p.local }

func (p *probe) Close() error { return syscall.Close(p.fd) }

// gaps are the times between one packet and the next.
func (p *probe) gaps() (all []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := 1; i < len(p.came); i++ {
		all = append(all, p.came[i]-p.came[i-1])
	}
	return all
}
