package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
)

// phones is an Exchange that answers every call and hangs none up.
type phones struct {
	e      *Endpoint
	mu     sync.Mutex
	events map[call.LegID][]string
}

func (p *phones) post(leg call.LegID) func(call.Event) bool {
	return func(ev call.Event) bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.events[leg] = append(p.events[leg], strings.TrimPrefix(fmt.Sprintf("%T", ev), "call."))
		return true
	}
}

func (p *phones) Invited(in call.Invited) (func(call.Event) bool, *call.Respond) {
	go func() {
		p.e.Do(call.Respond{Leg: in.Leg, Code: 180})
		m := testMedia
		p.e.Do(call.Respond{Leg: in.Leg, Code: 200, Media: &m})
	}()
	return p.post(in.Leg), nil
}

func (p *phones) of(leg call.LegID) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.events[leg], " ")
}

// start runs an endpoint with a phones in the bubble.
func start(t *testing.T, ctx context.Context, n *testNet, addr string, seed uint64) *phones {
	p := &phones{events: map[call.LegID][]string{}}
	p.e = New(Config{Listen: []string{"udp://" + addr}, ListenPacket: n.listen, Rand: seeded(seed), Log: testLog(t)}, p)
	if err := p.e.Bind(); err != nil {
		t.Fatal(err)
	}
	go p.e.Run(ctx)
	return p
}

// TestOrder: 180, 183 and 200 sent back to back arrive as three events in that
// order, 1,000 times of 1,000 (design: a goroutine a message gets 977 wrong).
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(0, 0)
		ctx, stop := context.WithCancel(t.Context())
		far, _ := n.listen("udp", peerAddr)
		p := start(t, ctx, n, ourAddr, 1)
		go func() {
			buf := make([]byte, 1<<16)
			for {
				k, from, err := far.ReadFrom(buf)
				if err != nil {
					return
				}
				req := string(buf[:k])
				if !strings.HasPrefix(req, "INVITE") {
					continue
				}
				var copied strings.Builder
				for line := range strings.SplitSeq(req, "\r\n") {
					switch name, _, _ := strings.Cut(line, ":"); name {
					case "To":
						line += ";tag=x"
						fallthrough
					case "Via", "From", "Call-ID", "CSeq":
						copied.WriteString(line + "\r\n")
					}
				}
				for _, code := range []int{180, 183, 200} {
					b := fmt.Sprintf("SIP/2.0 %d x\r\n%sContact: <sip:p@%s>\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
						code, copied.String(), peerAddr, len(testSDP), testSDP)
					far.WriteTo([]byte(b), from)
				}
			}
		}()
		const calls = 1000
		for i := range calls {
			id := call.LegID(fmt.Sprint(i))
			m := testMedia
			p.e.Dial(call.Invite{Leg: id, Target: "sip:x@" + peerAddr, From: "a", Offer: &m}, p.post(id))
		}
		synctest.Wait()
		wrong := 0
		for i := range calls {
			if got := p.of(call.LegID(fmt.Sprint(i))); got != "Provisional Provisional Accepted" {
				wrong++
				t.Logf("call %d: %s", i, got)
			}
		}
		if wrong > 0 {
			t.Errorf("%d of %d calls out of order, want 0", wrong, calls)
		}
		stop()
		far.Close()
	})
}

// TestLossyNet: 200 whole calls between two endpoints over a net that loses a
// quarter of everything: each is set up and ended, each event comes once and in
// order, and in the end nothing is left behind.
func TestLossyNet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(10*time.Millisecond, 0.25)
		ctx, stop := context.WithCancel(t.Context())
		a := start(t, ctx, n, ourAddr, 1)
		b := start(t, ctx, n, peerAddr, 2)
		const calls = 200
		for i := range calls {
			id := call.LegID(fmt.Sprint(i))
			m := testMedia
			a.e.Dial(call.Invite{Leg: id, Target: "sip:x@" + peerAddr, From: "a", Offer: &m}, a.post(id))
			time.Sleep(7 * time.Millisecond)
		}
		time.Sleep(40 * time.Second)
		for i := range calls {
			id := call.LegID(fmt.Sprint(i))
			// A lost 180 is never repeated; everything else must be there.
			if got := a.of(id); got != "Accepted" && got != "Provisional Accepted" {
				t.Errorf("caller %d saw %q", i, got)
			}
			a.e.Do(call.Bye{Leg: id})
		}
		time.Sleep(2 * time.Minute)
		seen := map[string]int{}
		b.mu.Lock()
		for _, ev := range b.events {
			seen[strings.Join(ev, " ")]++
		}
		b.mu.Unlock()
		if got := seen["Acked Ended"]; got != calls {
			t.Errorf("callees saw %v, want %d times Acked Ended", seen, calls)
		}
		for _, p := range []*phones{a, b} {
			if got := p.e.Legs(); got != 0 {
				t.Errorf("%d legs left", got)
			}
			for _, s := range p.e.shards {
				s.mu.Lock()
				if s.txs.Len() != 0 || len(s.legs) != 0 || len(s.callers) != 0 || s.wheel.Len() != 0 {
					t.Errorf("left behind: %d transactions, %d legs, %d callers, %d timers", s.txs.Len(), len(s.legs), len(s.callers), s.wheel.Len())
				}
				s.mu.Unlock()
			}
		}
		stop()
	})
}

// TestRealUDP is one call over real sockets.
func TestRealUDP(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var ends []*phones
	var wg sync.WaitGroup
	for range 2 {
		p := &phones{events: map[call.LegID][]string{}}
		p.e = New(Config{Listen: []string{"udp://127.0.0.1:0"}, Log: testLog(t)}, p)
		if err := p.e.Bind(); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := p.e.Run(ctx); err != nil {
				t.Errorf("Run = %v", err)
			}
		})
		ends = append(ends, p)
	}
	got := make(chan call.Event, 10)
	m := testMedia
	ends[0].e.Dial(call.Invite{Leg: "x", Target: fmt.Sprintf("sip:9000@%s", ends[1].e.Addr()), From: "a", Offer: &m},
		func(ev call.Event) bool { got <- ev; return true })
	for ev := range got {
		if _, ok := ev.(call.Accepted); ok {
			break
		}
		if _, ok := ev.(call.Provisional); !ok {
			t.Fatalf("event %T %+v, want Accepted", ev, ev)
		}
	}
	ends[0].e.Do(call.Bye{Leg: "x"})
	stop()
	wg.Wait()
}

func TestListenRefusesByName(t *testing.T) {
	for spec, want := range map[string]string{
		"tls://127.0.0.1:5061": "sip: listen tls://127.0.0.1:5061: there is no certificate",
		"wss://127.0.0.1":      "sip: listen wss://127.0.0.1: WebSockets come by HTTP, not here",
		"foo://x":              `sip: listen foo://x: unknown transport "foo"`,
		"127.0.0.1:5060":       "sip: listen 127.0.0.1:5060: want a transport first, as in udp://127.0.0.1:5060",
	} {
		e := New(Config{Listen: []string{spec}, ListenPacket: func(string, string) (net.PacketConn, error) {
			t.Errorf("%s was bound", spec)
			return nil, net.ErrClosed
		}}, nil)
		if err := e.Bind(); err == nil || err.Error() != want {
			t.Errorf("Bind(%s) = %v, want %s", spec, err, want)
		}
	}
}

// TestFaultyCallers: twenty callers that send noise, never acknowledge, never
// hang up, or call again and again do not disturb fifty good calls, and what
// they leave behind ends by itself.
func TestFaultyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(5*time.Millisecond, 0)
		ctx, stop := context.WithCancel(t.Context())
		a := start(t, ctx, n, ourAddr, 1)
		b := start(t, ctx, n, peerAddr, 2)
		to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(peerAddr))
		for i := range 20 {
			conn, _ := n.listen("udp", fmt.Sprintf("10.0.1.%d:5060", i+1))
			go func() {
				defer conn.Close()
				for k := range 200 {
					m := strings.NewReplacer("z9hG4bKa", fmt.Sprintf("z9hG4bK%d-%d", i, k), "Call-ID: c", fmt.Sprintf("Call-ID: %d-%d", i, k)).Replace(plainInvite)
					switch i % 4 {
					case 0: // rings, and is never heard of again
					case 1:
						m = m[:len(m)*k/200]
					case 2:
						m = strings.Replace(m, "CSeq: 1 INVITE", "CSeq: 99999999999 INVITE", 1)
					case 3:
						m = strings.ReplaceAll(plainInvite, "INVITE", "BYE")
					}
					conn.WriteTo([]byte(m), to)
					time.Sleep(10 * time.Millisecond)
				}
			}()
		}
		const calls = 50
		for i := range calls {
			id := call.LegID(fmt.Sprint(i))
			m := testMedia
			a.e.Dial(call.Invite{Leg: id, Target: "sip:x@" + peerAddr, From: "a", Offer: &m}, a.post(id))
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Second)
		for i := range calls {
			id := call.LegID(fmt.Sprint(i))
			if got := a.of(id); got != "Provisional Accepted" {
				t.Errorf("good call %d saw %q", i, got)
			}
			a.e.Do(call.Bye{Leg: id})
		}
		time.Sleep(2 * time.Minute) // no ACK for 32 s, then no answer to our BYE for 32 s
		if got := b.e.Legs(); got != 0 {
			t.Errorf("%d legs left of the faulty callers", got)
		}
		if got := b.e.Panics(); got != 0 {
			t.Errorf("%d bugs caught", got)
		}
		stop()
	})
}
