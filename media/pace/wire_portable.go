package pace

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// ListenPortable is Listen by means of package net alone, for systems without a
// wire of their own. A goroutine reads ahead until Close.
func ListenPortable(local netip.AddrPort) (Wire, error) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(local))
	if err != nil {
		return nil, fmt.Errorf("pace: listen at %v: %w", local, err)
	}
	w := &portableWire{conn: c}
	w.full.buf, w.free.buf = make([]*datagram, 32), make([]*datagram, 32)
	for range 32 {
		w.free.put(&datagram{buf: make([]byte, mtu+1)})
	}
	w.reader.Go(w.read)
	return w, nil
}

// datagram is a packet that was read ahead.
type datagram struct {
	buf  []byte
	n    int
	from netip.AddrPort
	at   time.Time
}

type portableWire struct {
	conn       *net.UDPConn
	reader     sync.WaitGroup
	full, free ring[*datagram]
	to         netip.AddrPort
	bound      bool // to is the only one that is heard
	came       [batch]time.Time
}

// read fills free datagrams; with none left it drops what comes, as a kernel
// does whose buffer is full.
func (w *portableWire) read() {
	var d *datagram
	spare := &datagram{buf: make([]byte, 1)}
	for {
		if d == nil {
			d, _ = w.free.take()
		}
		into := d
		if into == nil {
			into = spare
		}
		n, from, err := w.conn.ReadFromUDPAddrPort(into.buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || into == spare {
			continue // a refused packet's echo, or no room
		}
		d.n, d.from, d.at = n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), time.Now()
		w.full.put(d)
		d = nil
	}
}

func (w *portableWire) Recv(bufs [][]byte, from []netip.AddrPort) int {
	n := 0
	for n < len(bufs) {
		d, ok := w.full.take()
		if !ok {
			break
		}
		if b := bufs[n][:cap(bufs[n])]; d.n <= len(b) && (!w.bound || d.from == w.to) {
			bufs[n] = b[:copy(b, d.buf[:d.n])]
			from[n] = d.from
			if n < batch {
				w.came[n] = d.at
			}
			n++
		}
		w.free.put(d)
	}
	return n
}

// Came is when the packet was read.
func (w *portableWire) Came(i int) time.Time { return w.came[i] }

func (w *portableWire) Send(b []byte) error {
	if !w.to.IsValid() {
		return errNoAim
	}
	_, err := w.conn.WriteToUDPAddrPort(b, w.to)
	return err
}

var errNoAim = errors.New("pace: the wire was not aimed yet")

func (w *portableWire) Aim(to netip.AddrPort) error {
	if !to.IsValid() {
		return errNoAim
	}
	w.to, w.bound = netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), false
	return nil
}

func (w *portableWire) Rebind(peer netip.AddrPort) error {
	if err := w.Aim(peer); err != nil {
		return err
	}
	w.bound = true
	return nil
}

func (w *portableWire) LocalAddr() netip.AddrPort {
	a := w.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

func (w *portableWire) Close() error {
	err := w.conn.Close()
	w.reader.Wait()
	return err
}
