package message

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/linxGnu/gosmpp/pdu"
)

// An smsc is a small message centre for tests. It reads the bytes itself, so
// that what the library writes is checked by something else.
type smsc struct {
	bind   func(n int, user, password string) (status uint32, answer bool) // nil = all are welcome; n from 1
	submit func(n int, s submitted) reply                                  // nil = taken, ids m1, m2 …
	deaf   atomic.Bool                                                     // does not answer enquire_link

	mu      sync.Mutex
	binds   int
	links   int // enquire_links seen
	submits []submitted
	others  []string // further PDUs: command, status
	live    map[net.Conn]chan []byte
	wg      sync.WaitGroup
	conns   sync.WaitGroup
}

type reply struct {
	status uint32
	id     string
	silent bool // no answer
	drop   bool // half an answer, then the connection ends
	raw    []byte
}

type submitted struct {
	from, to         string
	fromTON, toTON   byte
	class, reg, code byte
	body             []byte
}

func header(n int, command, status, seq uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+n))
	b = binary.BigEndian.AppendUint32(b, command)
	b = binary.BigEndian.AppendUint32(b, status)
	return binary.BigEndian.AppendUint32(b, seq)
}

func withBody(command, status, seq uint32, body string) []byte {
	return append(header(len(body), command, status, seq), body...)
}

// dial is for SMPPConfig.Dial: a pipe, for use in bubbles.
func (c *smsc) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	c.wg.Go(func() { c.serve(theirs) })
	return ours, nil
}

// listen serves on a real socket until the test ends.
func (c *smsc) listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.wg.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.hangUp()
		c.wg.Wait()
	})
	return l.Addr().String()
}

// serve is one connection.
func (c *smsc) serve(conn net.Conn) {
	c.conns.Add(1)
	defer c.conns.Done()
	defer conn.Close()
	out := make(chan []byte, 1000)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(out)
	wg.Go(func() {
		for b := range out {
			if b == nil {
				conn.Close()
			}
			conn.Write(b)
		}
	})
	defer func() {
		c.mu.Lock()
		delete(c.live, conn)
		c.mu.Unlock()
	}()
	for {
		h := make([]byte, 16)
		if _, err := io.ReadFull(conn, h); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(h)-16)
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		command, status, seq := binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:]), binary.BigEndian.Uint32(h[12:])
		switch command {
		case 9:
			f := bytes.SplitN(body, []byte{0}, 4)
			c.mu.Lock()
			c.binds++
			n := c.binds
			c.mu.Unlock()
			if c.bind != nil {
				st, ok := c.bind(n, string(f[0]), string(f[1]))
				if !ok {
					continue
				}
				if st != 0 { // without a body, as many do
					out <- header(0, 0x80000009, st, seq)
					continue
				}
			}
			c.mu.Lock()
			if c.live == nil {
				c.live = map[net.Conn]chan []byte{}
			}
			c.live[conn] = out
			c.mu.Unlock()
			out <- withBody(0x80000009, 0, seq, "test\x00")
		case 4:
			s := readSubmit(body)
			c.mu.Lock()
			c.submits = append(c.submits, s)
			n := len(c.submits)
			c.mu.Unlock()
			r := reply{id: fmt.Sprint("m", n)}
			if c.submit != nil {
				r = c.submit(n, s)
			}
			switch {
			case r.raw != nil:
				out <- r.raw
			case r.silent:
			case r.drop:
				out <- withBody(0x80000004, 0, seq, r.id+"\x00")[:18]
				out <- nil
			case r.status != 0:
				out <- header(0, 0x80000004, r.status, seq)
			default:
				out <- withBody(0x80000004, 0, seq, r.id+"\x00")
			}
		case 0x15:
			c.mu.Lock()
			c.links++
			c.mu.Unlock()
			if !c.deaf.Load() {
				out <- header(0, 0x80000015, 0, seq)
			}
		default:
			c.mu.Lock()
			c.others = append(c.others, fmt.Sprintf("%08x %x %d", command, status, seq))
			c.mu.Unlock()
		}
	}
}

// readSubmit reads a submit_sm by hand (SMPP 3.4, 4.4.1).
func readSubmit(b []byte) (s submitted) {
	str := func() string {
		v, rest, _ := bytes.Cut(b, []byte{0})
		b = rest
		return string(v)
	}
	octet := func() byte { v := b[0]; b = b[1:]; return v }
	str() // service_type
	s.fromTON = octet()
	octet()
	s.from = str()
	s.toTON = octet()
	octet()
	s.to = str()
	s.class = octet()
	octet()
	octet()
	str()
	str()
	s.reg = octet()
	octet()
	s.code = octet()
	octet()
	n := octet()
	s.body = bytes.Clone(b[:n])
	return s
}

// push sends bytes on every connection that is bound.
func (c *smsc) push(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, out := range c.live {
		out <- b
	}
}

func (c *smsc) hangUp() { c.push(nil) }

func (c *smsc) seen() []submitted {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]submitted(nil), c.submits...)
}

func (c *smsc) told() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.others, ", ")
}

func (c *smsc) count() (binds, links int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.binds, c.links
}

// deliver makes a deliver_sm with a sequence number.
func deliver(seq int32, class byte, coding byte, body string, more ...pdu.Field) []byte {
	f := message(func(d *pdu.DeliverSM) {
		d.SetSequenceNumber(seq)
		d.EsmClass = class
		for _, m := range more {
			d.RegisterOptionalParam(m)
		}
	})
	// The library would cut or pad what is wrong on purpose, so the text goes in
	// here: data_coding, sm_default_msg_id, sm_length, short_message.
	at := 16 + 1 + 2 + len("36201234567\x00") + 2 + len("9000\x00") + 3 + 2 + 2
	b := append(bytes.Clone(f[:at]), coding, 0, byte(len(body)))
	b = append(append(b, body...), f[at+3:]...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}
