package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/media"
	"ozswitch/media/dtmf"
	"ozswitch/media/pace"
)

// A log is the events of one call, as text.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, strings.TrimSpace(e.String()))
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// world is two phones on one net, in a bubble.
type world struct {
	net        *simnet.Net
	ann, bob   *Phone
	stop       func()
	annLog     log
	bobLog     log
	bobOptions Options
	bobRefuses int
	bobTo      string
	bobCalls   chan *Call
}

const annAddr, bobAddr = "10.0.0.1", "10.0.0.2"

func newWorld(t *testing.T) *world {
	w := &world{net: simnet.New(1), bobCalls: make(chan *Call, 1000)}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	make := func(host string, seed uint64, c Config) *Phone {
		c.Listen = "udp://" + host + ":5060"
		c.ListenPacket = func(_, addr string) (net.PacketConn, error) { return w.net.PacketConn(addr) }
		c.ListenRTP = func() (pace.Wire, error) { return w.net.Wire(host + ":0") }
		c.Pacer = pace.New(pace.Config{Portable: true, Shards: 1})
		c.Rand = rand.NewPCG(seed, seed)
		c.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
		p := New(c)
		if err := p.Bind(); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := p.Run(ctx); err != nil {
				t.Errorf("Run = %v", err)
			}
		})
		pctx, pstop := context.WithCancel(context.Background())
		wg.Go(func() { c.Pacer.Run(pctx) })
		context.AfterFunc(ctx, func() { time.Sleep(time.Second); pstop() })
		return p
	}
	w.ann = make(annAddr, 1, Config{User: "1001", Name: "Ann"})
	w.bob = make(bobAddr, 2, Config{User: "1002", Incoming: func(c *Call) Reply {
		w.bobCalls <- c
		o := w.bobOptions
		o.Events = w.bobLog.add
		return Reply{Refuse: w.bobRefuses, To: w.bobTo, Options: o}
	}})
	w.stop = func() { cancel(); wg.Wait() }
	synctest.Wait()
	return w
}

// TestCall: a call with keys and sound both ways; events at their times, the
// recording holds what was played.
func TestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		spoken, err := dtmf.Keys(8000, "159", 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		w.bobOptions = Options{RingFor: 2 * time.Second, Say: []Say{{At: time.Second, Source: spoken}}, Record: true}
		c, err := w.ann.Dial(t.Context(), "1002", Options{Server: bobAddr + ":5060", Events: w.annLog.add, Record: true,
			Keys: []Press{{At: time.Second, Keys: "1"}, {At: 3 * time.Second, Keys: "#"}}, HangupAfter: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		r := c.Wait(t.Context())
		if r.Cause != HungUp || r.Code != 0 || r.Length != 5*time.Second {
			t.Errorf("result %+v, want hung up after 5 s", r)
		}
		if r.Setup != 2002*time.Millisecond { // INVITE and 200 over a link of 1 ms, 2 s of ringing
			t.Errorf("set up in %v, want 2.002s", r.Setup)
		}
		b := <-w.bobCalls
		rb := b.Wait(t.Context())
		if rb.Cause != TheyHungUp || b.From() != "1001" || b.To() != "1002" {
			t.Errorf("bob: %+v from %q to %q", rb, b.From(), b.To())
		}
		heard, err := dtmf.ReadKeys(media.Samples(r.Heard.Rate, r.Heard.PCM))
		if err != nil || heard != "159" {
			t.Errorf("ann heard the tones %q, %v, want 159", heard, err)
		}
		if r.Stats.Lost != 0 || r.Stats.PacketsIn < 245 || r.Stats.PacketsOut < 245 {
			t.Errorf("stats %+v, want 250 packets each way and none lost", r.Stats)
		}
		for i, p := range r.Heard.Packets {
			if i > 0 && p.PT == 0 && r.Heard.Packets[i-1].PT == 0 && p.TS-r.Heard.Packets[i-1].TS != 160 {
				t.Errorf("packet %d: timestamp grew by %d", i, p.TS-r.Heard.Packets[i-1].TS)
			}
		}
		for _, want := range []string{"dialled 1002", "ringing 180 Ringing", "answered", "sound", "key sent 1", "key sent #", "over hung up"} {
			if !strings.Contains(w.annLog.String(), want) {
				t.Errorf("ann's events lack %q:\n%s", want, &w.annLog)
			}
		}
		for _, want := range []string{"key heard 1", "key heard #", "said", "over far end hung up"} {
			if !strings.Contains(w.bobLog.String(), want) {
				t.Errorf("bob's events lack %q:\n%s", want, &w.bobLog)
			}
		}
		w.stop()
	})
}

func TestRefusedAndGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.bobRefuses = 486
		_, err := w.ann.Dial(t.Context(), "sip:1002@"+bobAddr, Options{})
		var refused *Refused
		if !errors.As(err, &refused) || refused.Code != 486 {
			t.Errorf("Dial = %v, want 486", err)
		}
		w.bobRefuses, w.bobOptions = 0, Options{RingFor: time.Hour}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		c, err := w.ann.Dial(ctx, "sip:1002@"+bobAddr, Options{})
		if !errors.As(err, &refused) || refused.Code != 487 {
			t.Errorf("Dial that was given up = %v, want 487", err)
		}
		if r := c.Wait(t.Context()); r.Cause != GaveUp {
			t.Errorf("cause %v, want given up", r.Cause)
		}
		if r := (<-w.bobCalls); r == nil {
			t.Error("bob was not called")
		}
		if r := (<-w.bobCalls).Wait(t.Context()); r.Cause != TheyHungUp || r.Code != 487 {
			t.Errorf("bob's call ended %+v", r)
		}
		start := time.Now()
		_, err = w.ann.Dial(t.Context(), "sip:nobody@10.9.9.9", Options{})
		if !errors.As(err, &refused) || refused.Code != 408 || time.Since(start) != 32*time.Second {
			t.Errorf("Dial to nobody = %v after %v, want 408 after 32 s", err, time.Since(start))
		}
		if _, err := w.ann.Place("9000", Options{}); err == nil {
			t.Error("a number without a server was called")
		}
		w.stop()
	})
}

// TestManyCalls: 100 calls at once over a net that loses one packet in twenty;
// stopping the phones hangs up what is left.
func TestManyCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.net.SetDefault(simnet.Link{Delay: 5 * time.Millisecond, Loss: 0.05})
		var calls []*Call
		for i := range 100 {
			c, err := w.ann.Place(fmt.Sprintf("sip:%d@%s", i, bobAddr), Options{HangupAfter: 2 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			calls = append(calls, c)
			time.Sleep(10 * time.Millisecond)
		}
		for i, c := range calls {
			if r := c.Wait(t.Context()); r.Cause != HungUp {
				t.Errorf("call %d: %v", i, r)
			} else if r.Stats.Lost == 0 && r.Stats.PacketsIn > 110 {
				t.Errorf("call %d: nothing lost of %d packets on a lossy net", i, r.Stats.PacketsIn)
			}
		}
		left, err := w.ann.Dial(t.Context(), "sip:x@"+bobAddr, Options{})
		if err != nil {
			t.Fatal(err)
		}
		w.stop()
		if r := left.Wait(context.Background()); r.Cause != HungUp {
			t.Errorf("the call that was left: %v, want hung up", r)
		}
		if n := w.ann.Running() + w.bob.Running(); n != 0 {
			t.Errorf("%d calls still run", n)
		}
		if n := w.ann.Panics() + w.bob.Panics(); n != 0 {
			t.Errorf("%d bugs caught", n)
		}
	})
}

func TestParsePresses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"1@2s,#@5s", "[{2s 1} {5s #}]"},
		{"123@500ms, a", "[{500ms 123} {1.5s A}]"},
		{"", "[]"},
		{"x@1s", `phone: press "x@1s": want keys out of 0-9 * # A-D, as in 1@2s`},
		{"1@soon", `phone: press "1@soon": want a time after @, as in 1@2s or #@500ms`},
	} {
		all, err := ParsePresses(c.in)
		got := fmt.Sprint(all)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("ParsePresses(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}
