package message

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linxGnu/gosmpp/pdu"
)

// An ear notes what comes in.
type ear struct {
	received  chan SMS
	delivered chan Receipt
	link      chan error
}

func newEar() (*ear, Events) {
	e := &ear{make(chan SMS, 100), make(chan Receipt, 100), make(chan error, 1000)}
	return e, Events{
		Received:  func(m SMS) { e.received <- m },
		Delivered: func(r Receipt) { e.delivered <- r },
		Link:      func(err error) { e.link <- err },
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// runSMPP runs a client until f has returned.
func runSMPP(t *testing.T, cfg SMPPConfig, ev Events, f func(s *SMPP)) {
	t.Helper()
	cfg.Log = quiet()
	s, err := NewSMPP(cfg, ev)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	f(s)
	stop()
	wg.Wait()
}

// TestSMPP goes through the whole of it on a real socket.
func TestSMPP(t *testing.T) {
	c := &smsc{bind: func(_ int, user, password string) (uint32, bool) {
		if user != "oz" || password != "secret12" {
			return 0x0E, true
		}
		return 0, true
	}}
	e, ev := newEar()
	cfg := SMPPConfig{Address: c.listen(t), User: "oz", Password: "secret12", From: "Ozswitch"}
	runSMPP(t, cfg, ev, func(s *SMPP) {
		ctx := context.Background()
		if err := <-e.link; err != nil {
			t.Fatalf("link: %v", err)
		}
		send := func(m SMS, want string) {
			t.Helper()
			if id, err := s.Send(ctx, m); id != want || err != nil {
				t.Errorf("Send(%.30q) = %q, %v, want %s", m.Text, id, err, want)
			}
		}
		send(SMS{ID: "a", To: "+36201234567", Text: "Hi {you}", Report: true}, "m1")
		send(SMS{ID: "b", To: "112", From: "+3611", Text: "Szép időt"}, "m2")
		long := strings.Repeat("0123456789", 20)
		send(SMS{ID: "c", To: "+36201234567", Text: long, Report: true}, "m3")
		got := c.seen()
		if len(got) != 4 {
			t.Fatalf("the centre has %d parts, want 4", len(got))
		}
		if g := got[0]; g.from != "Ozswitch" || g.fromTON != 5 || g.to != "36201234567" || g.toTON != 1 || g.reg != 1 || g.code != 0 || g.class != 0 || string(g.body) != "Hi \x1b(you\x1b)" {
			t.Errorf("first: %+v", g)
		}
		if g := got[1]; g.from != "3611" || g.fromTON != 1 || g.to != "112" || g.toTON != 0 || g.reg != 0 || g.code != 8 || fmt.Sprintf("%x", g.body) != "0053007a00e9007000200069006401510074" {
			t.Errorf("second: %+v", g)
		}
		ref := got[2].body[3]
		for i, body := range []string{long[:153], long[153:]} {
			if g := got[2+i]; g.class != 0x40 || string(g.body) != string([]byte{5, 0, 3, ref, 2, byte(i + 1)})+body {
				t.Errorf("part %d: %+v", i+1, g)
			}
		}

		// Receipts: one for the first message; both parts of the third make one.
		c.push(deliver(1, 4, 0, "id:m1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:Hi"))
		c.push(deliver(2, 4, 0, "id:m3 stat:DELIVRD"))
		c.push(deliver(3, 4, 0, "", pdu.Field{Tag: pdu.TagReceiptedMessageID, Data: []byte("m4\x00")}, pdu.Field{Tag: pdu.TagMessageStateOption, Data: []byte{3}}))
		c.push(deliver(4, 4, 0, "id:zz stat:UNDELIV err:005"))
		for _, want := range []string{"a m1 Delivered DELIVRD", "c m4 Failed EXPIRED", " zz Failed UNDELIV, error 005"} {
			r := <-e.delivered
			if g := fmt.Sprint(r.ID, " ", r.Remote, " ", r.State, " ", r.Words); g != want {
				t.Errorf("receipt %q, want %q", g, want)
			}
			if r.SMS.To != "+36201234567" {
				t.Errorf("receipt of %q", r.SMS.To)
			}
		}

		// Messages: plain; in parts, the second first; by sar parameters; in a
		// message_payload.
		c.push(deliver(5, 0, 3, "caf\xe9"))
		c.push(deliver(6, 0x40, 8, "\x05\x00\x03\x07\x02\x02\x01\x51"))
		c.push(deliver(7, 0x40, 8, "\x05\x00\x03\x07\x02\x01\x00e"))
		sar := func(n byte) []pdu.Field {
			return []pdu.Field{{Tag: pdu.TagSarMsgRefNum, Data: []byte{1, 2}}, {Tag: pdu.TagSarTotalSegments, Data: []byte{2}}, {Tag: pdu.TagSarSegmentSeqnum, Data: []byte{n}}}
		}
		c.push(deliver(8, 0, 0, "one ", sar(1)...))
		c.push(deliver(9, 0, 0, "two", sar(2)...))
		c.push(deliver(10, 0, 0, "", pdu.Field{Tag: pdu.TagMessagePayload, Data: []byte(strings.Repeat("x", 300))}))
		c.push(deliver(11, 0, 4, "\x00\x01binary"))
		c.push(deliver(12, 0, 0x18, "\x26\x3a")) // a flash message in UCS-2
		for _, want := range []string{"café", "eő", "one two", strings.Repeat("x", 300), "☺"} {
			if m := <-e.received; m.From != "+36201234567" || m.To != "9000" || m.Text != want || m.Incomplete {
				t.Errorf("received %+v, want %q", m, want)
			}
		}
	})
	// All were acknowledged, in order, and we took our leave.
	var want []string
	for i := 1; i <= 12; i++ {
		want = append(want, fmt.Sprintf("80000005 0 %d", i))
	}
	c.conns.Wait()
	if got := c.told(); !strings.HasPrefix(got, strings.Join(want, ", ")+", 00000006 0 ") {
		t.Errorf("the centre was answered\n%s", got)
	}
}

// bubbleSMPP is runSMPP in a bubble, with pipes.
func bubbleSMPP(t *testing.T, c *smsc, f func(s *SMPP, e *ear)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, ev := newEar()
		runSMPP(t, SMPPConfig{Address: "smsc.test", Dial: c.dial, User: "oz"}, ev, func(s *SMPP) {
			f(s, e)
		})
		c.wg.Wait()
	})
}

var hello = SMS{ID: "h", To: "+361", Text: "hello", Report: true}

// links empties the channel.
func (e *ear) links() (all []string) {
	for {
		select {
		case err := <-e.link:
			if err == nil {
				all = append(all, "up")
			} else {
				all = append(all, err.Error())
			}
		default:
			return all
		}
	}
}

func TestSMPPThrottled(t *testing.T) {
	var at []time.Duration
	var start time.Time
	c := &smsc{submit: func(n int, _ submitted) reply {
		at = append(at, time.Since(start))
		if n < 4 {
			return reply{status: []uint32{0x58, 0x14, 0x58}[n-1]}
		}
		return reply{id: "ok"}
	}}
	bubbleSMPP(t, c, func(s *SMPP, e *ear) {
		start = time.Now()
		if id, err := s.Send(context.Background(), hello); id != "ok" || err != nil {
			t.Errorf("Send = %q, %v", id, err)
		}
		if want := []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}; !slices.Equal(at, want) {
			t.Errorf("tries at %v, want %v", at, want)
		}
	})
	c = &smsc{submit: func(int, submitted) reply { return reply{status: 0x58} }}
	bubbleSMPP(t, c, func(s *SMPP, e *ear) {
		_, err := s.Send(context.Background(), hello)
		f, ok := errors.AsType[*Fault](err)
		if !ok || f.Final || f.Code != 0x58 || len(c.seen()) != 5 {
			t.Errorf("throttled for ever: %v after %d tries, want a fault after 5 that may become better", err, len(c.seen()))
		}
	})
}

func TestSMPPKeepsTheLink(t *testing.T) {
	c := &smsc{}
	bubbleSMPP(t, c, func(s *SMPP, e *ear) {
		time.Sleep(10*time.Minute + time.Second)
		if binds, links := c.count(); binds != 1 || links != 20 {
			t.Errorf("in ten minutes %d binds and %d enquire_links, want 1 and 20", binds, links)
		}
		c.push(header(0, 0x15, 0, 77)) // theirs
		c.push(withBody(0x0B00, 0, 78, ""))
		c.push(withBody(5, 0, 79, "cut")) // a deliver_sm without its fields
		synctest.Wait()
		if got, want := c.told(), "80000015 0 77, 80000000 3 78, 80000000 2 79"; got != want {
			t.Errorf("answered %s, want %s", got, want)
		}
	})
}

// TestSMPPHalfAMessage: parts that never come do not keep the others back.
func TestSMPPHalfAMessage(t *testing.T) {
	c := &smsc{}
	bubbleSMPP(t, c, func(s *SMPP, e *ear) {
		synctest.Wait()
		c.push(deliver(1, 0x40, 0, "\x05\x00\x03\x07\x02\x01first"))
		time.Sleep(23 * time.Hour)
		if len(e.received) != 0 {
			t.Fatalf("received %+v", <-e.received)
		}
		time.Sleep(time.Hour + time.Minute)
		if m := <-e.received; m.Text != "first…" || !m.Incomplete {
			t.Errorf("received %+v", m)
		}
	})
}

// TestSMPPCallbackPanics: a fault in our own callback costs neither the
// connection nor the acknowledgement.
func TestSMPPCallbackPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &smsc{}
		runSMPP(t, SMPPConfig{Address: "smsc.test", Dial: c.dial}, Events{Received: func(SMS) { panic("a bug") }}, func(s *SMPP) {
			synctest.Wait()
			c.push(deliver(1, 0, 0, "x"))
			synctest.Wait()
		})
		c.wg.Wait()
		if got := c.told(); !strings.HasPrefix(got, "80000005 0 1") {
			t.Errorf("answered %s", got)
		}
	})
}

// TestSMPPWindow: no more than Window messages are under way.
func TestSMPPWindow(t *testing.T) {
	c := &smsc{submit: func(int, submitted) reply { return reply{silent: true} }}
	bubbleSMPP(t, c, func(s *SMPP, e *ear) {
		var wg sync.WaitGroup
		for range 25 {
			wg.Go(func() { s.Send(context.Background(), hello) })
		}
		for _, want := range []int{10, 20, 25} {
			synctest.Wait()
			if got := len(c.seen()); got != want {
				t.Errorf("%d under way, want %d", got, want)
			}
			time.Sleep(10 * time.Second)
		}
		wg.Wait()
	})
}

// TestSMPPSameReference: what is sent again carries the same reference, so that
// a telephone knows the parts again.
func TestSMPPSameReference(t *testing.T) {
	c := &smsc{submit: func(n int, _ submitted) reply {
		if n == 2 {
			return reply{status: 8}
		}
		return reply{id: "x"}
	}}
	bubbleSMPP(t, c, func(s *SMPP, e *ear) {
		m := SMS{ID: "same", To: "1", Text: strings.Repeat("y", 200)}
		if _, err := s.Send(context.Background(), m); err == nil {
			t.Error("the second part was refused")
		}
		if _, err := s.Send(context.Background(), m); err != nil {
			t.Error(err)
		}
		got := c.seen()
		if len(got) != 4 || string(got[0].body) != string(got[2].body) || string(got[1].body) != string(got[3].body) {
			t.Errorf("parts %+v", got)
		}
	})
}

func TestNewSMPP(t *testing.T) {
	for _, c := range []struct {
		cfg  SMPPConfig
		want string
	}{
		{SMPPConfig{}, "sms.address"},
		{SMPPConfig{Address: "http://x/"}, "sms.address"},
		{SMPPConfig{Address: "x", User: strings.Repeat("u", 16)}, "sms.user"},
		{SMPPConfig{Address: "x", Password: "ninechars"}, "sms.password"},
		{SMPPConfig{Address: "x", From: "much too long a name"}, "sms.from"},
	} {
		_, err := NewSMPP(c.cfg, Events{})
		if f, ok := errors.AsType[*Fault](err); !ok || f.Place != c.want || f.Cure == "" {
			t.Errorf("NewSMPP(%+v): %v, want a fault of %s", c.cfg.Address, err, c.want)
		}
	}
}
