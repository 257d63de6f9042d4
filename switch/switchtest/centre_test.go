package switchtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"

	"ozswitch/switch/server"
)

// A centre is a message centre (SMPP 3.4) in the bubble, which reads and writes
// the bytes by hand.
type centre struct {
	w      *World
	bind   func() uint32             // status of a login; nil = welcome
	submit func(to, text string) any // a status (uint32), an id (string), or nil for no answer; nil = ids m1, m2 …

	mu    sync.Mutex
	live  map[net.Conn]bool
	taken []string // "to from text"
	acks  int      // deliver_sm_resp that were good
	seq   uint32
}

const centreAddr = "10.0.0.5:2775"

// serve listens until the World ends, or stop is called.
func (c *centre) serve(w *World) (stop func()) {
	c.w = w
	l, err := w.Net.Listen(centreAddr)
	if err != nil {
		w.T.Fatal(err)
	}
	w.parts.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			w.parts.Go(func() { c.talk(conn) })
		}
	})
	stop = sync.OnceFunc(func() {
		l.Close()
		c.mu.Lock()
		defer c.mu.Unlock()
		for conn := range c.live {
			conn.Close()
		}
	})
	end := w.stop
	w.stop = func() { end(); stop() }
	return stop
}

func pdu(command, status, seq uint32, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(body)))
	for _, v := range []uint32{command, status, seq} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return append(b, body...)
}

// talk is one connection.
func (c *centre) talk(conn net.Conn) {
	defer conn.Close()
	defer func() { c.mu.Lock(); delete(c.live, conn); c.mu.Unlock() }()
	for {
		h := make([]byte, 16)
		if _, err := io.ReadFull(conn, h); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(h)-16)
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		seq := binary.BigEndian.Uint32(h[12:])
		var out []byte
		switch binary.BigEndian.Uint32(h[4:]) {
		case 9: // bind_transceiver
			if c.bind != nil {
				if st := c.bind(); st != 0 {
					_, _ = conn.Write(pdu(0x80000009, st, seq, ""))
					continue
				}
			}
			c.mu.Lock()
			if c.live == nil {
				c.live = map[net.Conn]bool{}
			}
			c.live[conn] = true
			c.mu.Unlock()
			out = pdu(0x80000009, 0, seq, "test\x00")
		case 4: // submit_sm
			out = c.take(seq, body)
		case 0x15: // enquire_link
			out = pdu(0x80000015, 0, seq, "")
		case 0x80000005: // deliver_sm_resp
			c.mu.Lock()
			if binary.BigEndian.Uint32(h[8:]) == 0 {
				c.acks++
			}
			c.mu.Unlock()
		}
		if out != nil {
			_, _ = conn.Write(out)
		}
	}
}

// take reads a submit_sm (4.4.1) and answers it.
func (c *centre) take(seq uint32, b []byte) []byte {
	str := func() string {
		v, rest, _ := bytes.Cut(b, []byte{0})
		b = rest
		return string(v)
	}
	skip := func(n int) { b = b[n:] }
	str()
	skip(2)
	from := str()
	skip(2)
	to := str()
	skip(3)
	str()
	str()
	skip(4)
	text := string(b[1 : 1+int(b[0])])
	c.mu.Lock()
	c.taken = append(c.taken, strings.TrimSpace(to+" "+from+" "+text))
	n := len(c.taken)
	c.mu.Unlock()
	var answer any = fmt.Sprint("m", n)
	if c.submit != nil {
		answer = c.submit(to, text)
	}
	switch a := answer.(type) {
	case string:
		return pdu(0x80000004, 0, seq, a+"\x00")
	case uint32:
		return pdu(0x80000004, a, seq, "")
	}
	return nil
}

// deliver sends a message or, with class 4, a receipt to whoever is bound.
func (c *centre) deliver(class byte, from, to, text string) {
	c.w.T.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seq++
	body := "\x00\x01\x01" + from + "\x00\x01\x01" + to + "\x00" + string([]byte{class, 0, 0}) + "\x00\x00" + "\x00\x00\x00\x00" + string([]byte{byte(len(text))}) + text
	if len(c.live) != 1 {
		c.w.T.Errorf("%d connections are bound, want 1", len(c.live))
	}
	for conn := range c.live {
		_, _ = conn.Write(pdu(5, 0, c.seq, body))
	}
}

func (c *centre) got() []string {
	c.w.Settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.taken)
}

// A mailHost is a real SMTP server in the bubble.
type mailHost struct {
	rcpt func(to string) error // nil = fine

	mu    sync.Mutex
	mails []string // "from to,to" and the message
}

const mailHostAddr = "10.0.0.4:25"

func (m *mailHost) serve(w *World) (stop func()) {
	l, err := w.Net.Listen(mailHostAddr)
	if err != nil {
		w.T.Fatal(err)
	}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailTalk{m: m}, nil }))
	s.Domain = "mail.test"
	w.parts.Go(func() { _ = s.Serve(l) })
	stop = sync.OnceFunc(func() { l.Close(); s.Close() })
	end := w.stop
	w.stop = func() { end(); stop() }
	return stop
}

func (m *mailHost) got() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mails)
}

type mailTalk struct {
	m    *mailHost
	from string
	to   []string
}

func (s *mailTalk) Reset()        { s.from, s.to = "", nil }
func (s *mailTalk) Logout() error { return nil }
func (s *mailTalk) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *mailTalk) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	if s.m.rcpt != nil {
		return s.m.rcpt(to)
	}
	return nil
}

func (s *mailTalk) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.m.mails = append(s.m.mails, s.from+" "+strings.Join(s.to, ",")+"\n"+string(b))
	return err
}

// messaging gives a World whose mail: and sms: lead to a centre and a mailHost;
// they do not serve yet.
func messaging(w *World) {
	w.Config.Mail = server.Mail{Server: mailHostAddr, From: "oz@example.org"}
	w.Config.SMS = server.SMS{Type: "smpp", Address: centreAddr, User: "oz", Password: "secret12", From: "Oz"}
	w.Config.Extensions[0].SMSURL = "http://app/sms"
	before := w.Options
	w.Options = func(o *server.Options) {
		if before != nil {
			before(o)
		}
		dial := w.Net.DialContext(netip.MustParseAddr(switchHost))
		o.DialMail = func(ctx context.Context, network, addr string) (net.Conn, error) { return dial(ctx, network, addr) }
		o.DialSMS = o.DialMail
	}
}
