package message

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestSMPPFaults: each fault ends in words, in time, and nothing hangs.
func TestSMPPFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		smsc  *smsc
		final bool
		took  time.Duration
		want  string
	}{
		{"wrong number", &smsc{submit: func(int, submitted) reply { return reply{status: 0x0B} }}, true, 0, "Recipient: it refused: Invalid Dest Addr (0x0B); correct the number"},
		{"sender not allowed", &smsc{submit: func(int, submitted) reply { return reply{status: 0x0A} }}, true, 0, "Sender: it refused"},
		{"system error", &smsc{submit: func(int, submitted) reply { return reply{status: 0x08} }}, false, 0, "System Error"},
		{"vendor's own", &smsc{submit: func(int, submitted) reply { return reply{status: 0x4FF} }}, true, 0, "0x4FF"},
		{"no answer", &smsc{submit: func(int, submitted) reply { return reply{silent: true} }}, false, 10 * time.Second, "no answer in time"},
		{"drops in the middle of its answer", &smsc{submit: func(int, submitted) reply { return reply{drop: true, id: "longer"} }}, false, 0, "the connection broke before it answered"},
		{"garbage", &smsc{submit: func(int, submitted) reply { return reply{raw: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")} }}, false, 0, "the connection broke"},
		{"huge length", &smsc{submit: func(int, submitted) reply { return reply{raw: header(1<<31, 4, 0, 1)} }}, false, 0, "the connection broke"},
		{"refuses the bind", &smsc{bind: func(int, string, string) (uint32, bool) { return 0x0E, true }}, false, 10 * time.Second, "there is no connection (message: message centre smsc.test:2775: it refused: Invalid Password (0x0E); correct sms.user and sms.password)"},
		{"slow to bind", &smsc{bind: func(int, string, string) (uint32, bool) { return 0, false }}, false, 10 * time.Second, "there is no connection"},
	} {
		bubbleSMPP(t, c.smsc, func(s *SMPP, e *ear) {
			start := time.Now()
			id, err := s.Send(context.Background(), hello)
			f, ok := errors.AsType[*Fault](err)
			if !ok || id != "" || f.Final != c.final || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %q, %v, want final %v and %q", c.name, id, err, c.final, c.want)
			}
			if took := time.Since(start); took != c.took {
				t.Errorf("%s: took %v, want %v", c.name, took, c.took)
			}
		})
	}
}

// TestSMPPDown: nobody listens; then somebody does.
func TestSMPPDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &smsc{}
		var dials []time.Duration
		start := time.Now()
		e, ev := newEar()
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials = append(dials, time.Since(start))
			if time.Since(start) < 5*time.Minute {
				return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
			}
			return c.dial(ctx, network, addr)
		}
		runSMPP(t, SMPPConfig{Address: "smsc.test:1", Dial: dial}, ev, func(s *SMPP) {
			time.Sleep(6 * time.Minute)
			if id, err := s.Send(context.Background(), hello); id != "m1" || err != nil {
				t.Errorf("Send = %q, %v", id, err)
			}
		})
		c.wg.Wait()
		want := []time.Duration{0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(dials, want) {
			t.Errorf("dialled at %v, want %v", dials, want)
		}
		down := "message: message centre smsc.test:1: nobody listens there; start it, or correct sms.address"
		if got := e.links(); !slices.Equal(got, []string{down, "up"}) {
			t.Errorf("told %q", got) // once, not at each attempt
		}
	})
}

// TestSMPPComesBack: a session that ends in the middle of a message, by a silent
// peer, by unbind or by garbage, is followed by another.
func TestSMPPComesBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(c *smsc)
		after time.Duration
		why   string
	}{
		{"hangs up", func(c *smsc) { c.hangUp() }, time.Second, "it closed the connection"},
		{"unbind", func(c *smsc) { c.push(header(0, 6, 0, 9)) }, time.Second, "(unbind)"},
		{"half a PDU", func(c *smsc) { c.push(deliver(1, 0, 0, "x")[:20]); c.hangUp() }, time.Second, "it closed the connection"},
		{"length too small", func(c *smsc) { c.push([]byte("\x00\x00\x00\x0fxxxxxxxxxxxx")) }, time.Second, "a PDU of 15 bytes is announced"},
		{"length too large", func(c *smsc) { c.push([]byte("\x00\x01\x00\x01xxxxxxxxxxxx")) }, time.Second, "a PDU of 65537 bytes is announced"},
		{"nonsense again and again", func(c *smsc) {
			for range maxNonsense {
				c.push(withBody(5, 0, 3, "\x00"))
			}
		}, time.Second, "it sends what cannot be read"},
		{"deaf", func(c *smsc) { c.deaf.Store(true) }, 41 * time.Second, "no sign of life"},
	} {
		m := &smsc{}
		bubbleSMPP(t, m, func(s *SMPP, e *ear) {
			synctest.Wait()
			c.fault(m)
			time.Sleep(c.after)
			m.deaf.Store(false)
			synctest.Wait()
			got := e.links()
			if len(got) != 3 || got[0] != "up" || !strings.Contains(got[1], c.why) || got[2] != "up" {
				t.Errorf("%s: told %q, want up, %q, up", c.name, got, c.why)
			}
			if id, err := s.Send(context.Background(), hello); id != "m1" || err != nil {
				t.Errorf("%s: afterwards Send = %q, %v", c.name, id, err)
			}
		})
	}
}
