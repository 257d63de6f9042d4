package message

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"
)

// pipes is a net.Listener of pipes, for bubbles.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.conns) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	a, b := net.Pipe()
	p.conns <- b
	return a, nil
}

// bubbleMail runs f with a server behind pipes.
func bubbleMail(t *testing.T, s *mailServer, f func(m *Mailer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn, 10)}
		srv := s.server(nil)
		var wg sync.WaitGroup
		wg.Go(func() { srv.Serve(p) })
		f(newMailer(t, MailConfig{Server: "mail.test", From: "oz@example.org", Dial: p.dial}))
		s.cut()
		srv.Close()
		wg.Wait()
		time.Sleep(2 * time.Hour) // for those of its goroutines that are slow
	})
}

var letterA = Mail{To: []string{"a@example.org"}, Subject: "s", Text: "t"}

func TestMailSlowServer(t *testing.T) {
	slow := func(d time.Duration) func(string) error {
		return func(string) error { <-time.After(d); return nil }
	}
	s := &mailServer{rcpt: slow(29 * time.Second)}
	bubbleMail(t, s, func(m *Mailer) {
		if err := m.Send(context.Background(), letterA); err != nil || len(s.got()) != 1 {
			t.Errorf("slow, but in time: %v", err)
		}
	})
	bubbleMail(t, &mailServer{rcpt: slow(31 * time.Second)}, func(m *Mailer) {
		start := time.Now()
		err := m.Send(context.Background(), letterA)
		if IsFinal(err) || err == nil || !strings.Contains(err.Error(), "no answer in time") || time.Since(start) != 30*time.Second {
			t.Errorf("too slow: %v after %v", err, time.Since(start))
		}
	})
	bubbleMail(t, &mailServer{rcpt: slow(time.Hour)}, func(m *Mailer) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		if err := m.Send(ctx, letterA); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("ctx ended: %v after %v", err, time.Since(start))
		}
	})
}

// TestMailHostileServer: a server that talks without end, or drips, is left.
func TestMailHostileServer(t *testing.T) {
	for _, c := range []struct {
		name string
		talk func(conn net.Conn)
		most time.Duration
		want string
	}{
		{"talks without end", func(c net.Conn) {
			for b := bytes.Repeat([]byte("x"), 4096); ; {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		}, time.Second, "it says too much"},
		{"drips", func(c net.Conn) {
			for {
				if _, err := c.Write([]byte("2")); err != nil {
					return
				}
				<-time.After(20 * time.Second)
			}
		}, 10 * time.Minute, "no answer in time"},
		{"hangs up", func(c net.Conn) {}, 0, "it closed the connection"},
		{"is a web server", func(c net.Conn) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, 0, "mail server"},
		{"is full", func(c net.Conn) { c.Write([]byte("421 too many connections\r\n")) }, 0, "421"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var wg sync.WaitGroup
			m := newMailer(t, MailConfig{Server: "mail.test", From: "oz@example.org", Dial: func(context.Context, string, string) (net.Conn, error) {
				a, b := net.Pipe()
				wg.Go(func() {
					defer b.Close()
					c.talk(b)
				})
				return a, nil
			}})
			start := time.Now()
			err := m.Send(context.Background(), letterA)
			if err == nil || IsFinal(err) || !strings.Contains(err.Error(), c.want) || time.Since(start) > c.most {
				t.Errorf("%s: %v after %v, want %q within %v", c.name, err, time.Since(start), c.want, c.most)
			}
			wg.Wait()
		})
	}
}

// TestMailDropsInTheMiddle: the connection ends while the mail is on its way.
func TestMailDropsInTheMiddle(t *testing.T) {
	var s *mailServer
	s = &mailServer{data: func(r io.Reader) (bool, error) {
		io.ReadFull(r, make([]byte, 100))
		s.cut()
		return true, nil
	}}
	files := fstest.MapFS{"x.wav": {Data: make([]byte, 5<<20)}}
	m := newMailer(t, MailConfig{Server: s.start(t, nil, false), From: "oz@example.org", Open: files.Open})
	err := m.Send(t.Context(), Mail{To: []string{"a@example.org"}, Attachments: []string{"x.wav"}})
	if err == nil || IsFinal(err) || !strings.Contains(err.Error(), "it closed the connection") {
		t.Errorf("%v, want a fault that may become better", err)
	}
	// And nobody there at all.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	err = newMailer(t, MailConfig{Server: l.Addr().String(), From: "oz@example.org"}).Send(t.Context(), letterA)
	if err == nil || IsFinal(err) || !strings.Contains(err.Error(), "nobody listens there") {
		t.Errorf("down: %v", err)
	}
}
