package flow

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A conn is the flow of one TCP or TLS connection. One goroutine reads; one
// writes while there is something to be written. One that we make begins when
// something is sent by it.
type conn struct {
	s         *Streams
	transport string
	remote    netip.AddrPort
	local     netip.AddrPort // where we listen
	name      string         // what the far end's certificate must say
	dialled   bool           // we opened it

	busy atomic.Int64 // nanoseconds since the reader last had to wait
	idle atomic.Int64 // Keep's; 0 = IdleFor

	mu      sync.Mutex
	nc      net.Conn // nil until it stands
	started bool     // live runs, or has run
	gone    bool
	why     error
	out     []byte // not written yet
	writing bool   // a goroutine writes
	last    bool   // end it when all is written
	asked   bool   // a request of ours went by it
	back    netip.AddrPort
}

func (c *conn) Transport() string      { return c.transport }
func (c *conn) Remote() netip.AddrPort { return c.remote }
func (c *conn) Local() netip.AddrPort  { return c.local }
func (c *conn) Reliable() bool         { return true }
func (c *conn) Behind() time.Duration  { return time.Duration(c.busy.Load()) }

// Open tells whether the connection stands, or may yet be made.
func (c *conn) Open() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.gone && !c.last
}

// Keep lets the connection be silent for d.
func (c *conn) Keep(d time.Duration) {
	for {
		old := c.idle.Load()
		if int64(d) <= old || c.idle.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

// Back says where answers go when the connection has ended: to the port that
// the far end's Via names (RFC 3261 18.2.2).
func (c *conn) Back(h *Head) {
	if c.dialled {
		return
	}
	_, port := splitHost(sentBy(h.Top()))
	n := uint16(5060)
	if c.transport == "tls" {
		n = 5061
	}
	if p, err := netip.ParseAddrPort("0.0.0.0:" + port); err == nil && p.Port() > 0 {
		n = p.Port()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.back = netip.AddrPortFrom(c.remote.Addr(), n)
}

// Send lets msg be written. A connection that has ended is made anew.
func (c *conn) Send(msg []byte) error {
	c.mu.Lock()
	if c.gone || c.last {
		to := c.back
		if c.dialled {
			to = c.remote
		}
		why := c.why
		c.mu.Unlock()
		if next := c.s.To(c.transport, to, c.local, c.name); to.IsValid() && next != Flow(c) && next.Open() {
			return next.Send(msg)
		}
		if why == nil {
			why = net.ErrClosed
		}
		return c.wrap(why)
	}
	if !c.started {
		if err := c.s.admit(c); err != nil {
			c.gone, c.why = true, err
			c.mu.Unlock()
			if err == errTaken {
				return c.Send(msg) // by the one that is there
			}
			return c.wrap(err)
		}
		c.started = true
		c.s.wg.Go(c.live)
	}
	defer c.mu.Unlock()
	if len(c.out)+len(msg) > maxUnsent {
		c.drop(errors.New("the far end does not read"))
		return c.wrap(c.why)
	}
	c.out = append(c.out, msg...)
	c.asked = c.asked || !bytes.HasPrefix(msg, []byte("SIP/2.0 "))
	c.flush()
	return nil
}

// flush starts the writer unless it runs. The lock is held.
func (c *conn) flush() {
	if c.nc != nil && !c.writing && !c.gone && (len(c.out) > 0 || c.last) {
		c.writing = true
		c.s.wg.Go(c.write)
	}
}

func (c *conn) write() {
	var spare []byte
	for {
		c.mu.Lock()
		b := c.out
		c.out = spare[:0]
		if len(b) == 0 || c.gone {
			c.writing = false
			half, ok := c.nc.(interface{ CloseWrite() error })
			end := c.last && !c.gone
			c.mu.Unlock()
			if end && (!ok || half.CloseWrite() != nil) {
				c.close(net.ErrClosed)
			}
			return
		}
		nc := c.nc
		c.mu.Unlock()
		_ = nc.SetWriteDeadline(time.Now().Add(writeWithin))
		if _, err := nc.Write(b); err != nil {
			c.close(err)
		}
		if spare = b; cap(spare) > keepSpace {
			spare = nil
		}
	}
}

// close ends the connection.
func (c *conn) close(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(why)
}

// drop is close under the lock; live does the rest.
func (c *conn) drop(why error) {
	if c.gone {
		return
	}
	c.gone, c.why, c.out = true, why, nil
	if c.nc != nil {
		c.nc.Close()
	}
}

// live is the life of a connection: made or taken, read, ended.
func (c *conn) live() {
	c.close(c.run())
	c.s.dismiss(c)
	c.mu.Lock()
	asked, why := c.asked, c.why
	c.mu.Unlock()
	if asked && c.s.c.Lost != nil {
		c.s.c.Lost(c, c.wrap(why))
	}
}

func (c *conn) run() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
			if c.s.c.Panicked != nil {
				c.s.c.Panicked(c.remote, r)
			}
		}
	}()
	if err := c.open(); err != nil {
		return err
	}
	return c.read()
}

// open makes the connection, or shakes hands on one that came.
func (c *conn) open() error {
	if secure, ok := c.nc.(*tls.Conn); ok && !c.dialled {
		ctx, stop := context.WithTimeout(c.s.ctx, shakeWithin)
		defer stop()
		return secure.HandshakeContext(ctx)
	}
	if !c.dialled {
		return nil
	}
	nc, err := c.dial()
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		nc.Close()
		return c.why
	}
	c.nc = nc
	c.flush()
	return nil
}

// read hands on message after message until the connection ends.
func (c *conn) read() error {
	var f Framer
	var begun time.Time // when the unfinished message began
	rested := time.Now()
	for {
		asked := time.Now()
		deadline := asked.Add(max(IdleFor, time.Duration(c.idle.Load())))
		if f.Partial() {
			deadline = begun.Add(finishWithin)
		}
		_ = c.nc.SetReadDeadline(deadline)
		n, err := c.nc.Read(f.Space())
		now := time.Now()
		if now.Sub(asked) > waited {
			rested = now
			c.busy.Store(0)
		} else {
			c.busy.Store(int64(now.Sub(rested)))
		}
		if n > 0 && !f.Partial() {
			begun = now
		}
		f.Came(n)
		for n > 0 {
			b, pings, fault := f.Next()
			for range min(pings, 4) {
				_ = c.Send([]byte("\r\n"))
			}
			if fault != nil {
				return c.refuse(b, fault)
			}
			if b == nil {
				break
			}
			c.s.c.Receive(c, b, nil)
			begun = now
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && f.Partial():
			return c.refuse(f.Rest(), &Fault{408, "Request Timeout (the message was not finished in time)"})
		case errors.Is(err, os.ErrDeadlineExceeded):
			return errors.New("idle for too long")
		case err != nil:
			return err
		}
	}
}

// refuse answers what could not be framed and reads no more. The far end is
// waited for, so that its unread bytes do not destroy our answer on its way.
func (c *conn) refuse(b []byte, fault *Fault) error {
	c.s.c.Receive(c, b, fault)
	c.mu.Lock()
	c.last = true
	c.flush()
	c.mu.Unlock()
	_ = c.nc.SetReadDeadline(time.Now().Add(writeWithin))
	_, _ = io.CopyN(io.Discard, c.nc, 1<<20)
	return errors.New(fault.Why)
}
