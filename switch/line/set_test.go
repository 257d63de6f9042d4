package line

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/switch/call"
	"ozswitch/switch/sip"
	"ozswitch/switch/sip/registrar"
)

// A house is one end: the switch, or a carrier. It answers all calls 486.
type house struct {
	e    *sip.Endpoint
	stop context.CancelFunc
	gone chan struct{}

	mu    sync.Mutex
	came  []call.Invited
	ended []call.Refused
}

func (h *house) Invited(in call.Invited) (func(call.Event) bool, *call.Respond) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.came = append(h.came, in)
	return nil, &call.Respond{Code: 486}
}

func (h *house) last() (in call.Invited) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.came) > 0 {
		in = h.came[len(h.came)-1]
	}
	return in
}

// dial calls, and tells with what the far end refused.
func (h *house) dial(i call.Invite) int {
	code := make(chan int, 1)
	i.Offer = &call.Media{Addr: netip.MustParseAddrPort("10.0.0.9:4000"), Codecs: []call.Codec{{PT: 8, Name: "PCMA", ClockRate: 8000}}}
	h.e.Dial(i, func(ev call.Event) bool {
		if r, ok := ev.(call.Refused); ok {
			code <- r.Code
		}
		return true
	})
	return <-code
}

func open(t *testing.T, n *simnet.Net, addr string, seed uint64, change func(*sip.Config)) *house {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	h := &house{stop: stop, gone: make(chan struct{})}
	c := sip.Config{Listen: []string{"udp://" + addr + ":5060"}, Rand: rand.NewPCG(seed, seed), Log: slog.New(slog.DiscardHandler),
		ListenPacket: func(_, at string) (net.PacketConn, error) { return n.PacketConn(at) }}
	if change != nil {
		change(&c)
	}
	h.e = sip.New(c, h)
	if err := h.e.Bind(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(h.gone)
		h.e.Run(ctx)
	}()
	return h
}

func (h *house) close() {
	h.stop()
	<-h.gone
}

func openCarrier(t *testing.T, n *simnet.Net, addr string, seed uint64) *house {
	return open(t, n, addr, seed, func(c *sip.Config) {
		c.Realm, c.Accounts = "carrier.test", []registrar.Account{registrar.NewAccount("u", "carrier.test", "p", "")}
	})
}

// A rig is a switch with lines.
type rig struct {
	*house
	set  *Set
	mu   sync.Mutex
	told []string
	end  context.CancelFunc
	done chan struct{}
}

func (r *rig) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.told, "; ")
}

// openRig begins at 10.0.0.9.
func openRig(t *testing.T, n *simnet.Net, lines ...Config) *rig {
	r := &rig{done: make(chan struct{})}
	r.house = open(t, n, "10.0.0.9", 9, func(c *sip.Config) {
		c.Realm, c.Accounts = "pbx", []registrar.Account{registrar.NewAccount("1001", "pbx", "secret", "")}
		c.Line = func(name string) (sip.Account, bool) { return r.set.Account(name) }
		c.Whose = func(source netip.AddrPort, transport, to string) string { return r.set.Whose(source, transport, to) }
	})
	r.set = New(SetConfig{Signal: r.e, Rand: rand.NewPCG(1, 1), Slog: slog.New(slog.DiscardHandler), Changed: func(c Change) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told = append(r.told, strings.TrimSpace(c.What+" "+c.Name+" "+c.Why))
	}})
	r.set.SetLines(lines)
	ctx, end := context.WithCancel(t.Context())
	r.end = end
	go func() {
		defer close(r.done)
		r.set.Run(ctx)
	}()
	return r
}

func (r *rig) shut() {
	r.end()
	<-r.done
	r.house.close()
}

func account(name string, addresses ...string) Config {
	return Config{Name: name, Addresses: addresses, User: "u", Password: "p", Register: true, Expires: 10 * time.Minute, Ping: 30 * time.Second, Token: "tok" + name}
}

// TestLineCalls: a line registers, calls out by it with the password, is called by
// its contact, and is no more once the switch has stopped.
func TestLineCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		n.SetDefault(simnet.Link{Delay: time.Millisecond})
		carrier := openCarrier(t, n, "10.0.0.1", 1)
		r := openRig(t, n, account("carrier", "10.0.0.1"))
		time.Sleep(time.Second)
		at := carrier.e.Bindings("u")
		if len(at) != 1 || at[0].Contact != "sip:tokcarrier@10.0.0.9:5060" {
			t.Fatalf("bindings %+v", at)
		}
		if s := r.set.Status()[0]; s.State != Up || !s.Registered || s.Why != "" || s.Until.Sub(time.Now()).Round(time.Minute) != 10*time.Minute {
			t.Errorf("status %+v", s)
		}
		if got := r.dial(call.Invite{Leg: "a", Target: "sip:+3612@10.0.0.1", From: "u", Line: "carrier"}); got != 486 {
			t.Errorf("called: %d", got)
		}
		if in := carrier.last(); in.User != "u" || in.To != "+3612" || in.FromHost != "10.0.0.1" {
			t.Errorf("the carrier saw %+v", in)
		}
		if got := r.dial(call.Invite{Leg: "b", Target: "sip:+3612@10.0.0.1", From: "u", Line: "other"}); got != 404 {
			t.Errorf("by a line that is not there: %d", got)
		}
		if got := carrier.dial(call.Invite{Leg: "c", Target: at[0].Contact, Phone: "u", From: "+99"}); got != 486 {
			t.Errorf("called back: %d", got)
		}
		if in := r.last(); in.Line != "carrier" || in.User != "" || in.From != "+99" {
			t.Errorf("we saw %+v", in)
		}
		stranger := open(t, n, "10.0.0.7", 7, nil)
		if got := stranger.dial(call.Invite{Leg: "d", Target: "sip:9000@10.0.0.9", From: "+99"}); got != 401 {
			t.Errorf("a stranger: %d", got)
		}
		time.Sleep(20 * time.Minute)
		if got := r.said(); got != "registered carrier" {
			t.Errorf("told %s", got)
		}
		r.shut()
		if at := carrier.e.Bindings("u"); len(at) != 0 {
			t.Errorf("left behind %+v", at)
		}
		stranger.close()
		carrier.close()
	})
}

// TestLineMoves: when a carrier's first address falls silent, the line registers at
// the second, and calls go there.
func TestLineMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		n.SetDefault(simnet.Link{Delay: time.Millisecond})
		first, second := openCarrier(t, n, "10.0.0.1", 1), openCarrier(t, n, "10.0.0.2", 2)
		r := openRig(t, n, account("carrier", "10.0.0.1", "10.0.0.2"))
		time.Sleep(time.Minute)
		if a, b := len(first.e.Bindings("u")), len(second.e.Bindings("u")); a != 1 || b != 0 {
			t.Fatalf("%d and %d bindings", a, b)
		}
		first.close()
		time.Sleep(2 * time.Minute)
		if len(second.e.Bindings("u")) != 1 {
			t.Errorf("not registered at the second: %+v", r.set.Status())
		}
		if a, _ := r.set.Account("carrier"); len(a.Places) != 2 || a.Places[0].Addr.String() != "10.0.0.2:5060" || a.Realm != "carrier.test" {
			t.Errorf("account %+v", a)
		}
		begun := time.Now()
		if got := r.dial(call.Invite{Leg: "a", Target: "sip:+3612@10.0.0.1", From: "u", Line: "carrier"}); got != 486 || time.Since(begun) > time.Second {
			t.Errorf("called: %d after %v", got, time.Since(begun))
		}
		if in := second.last(); in.User != "u" || in.To != "+3612" {
			t.Errorf("the second saw %+v", in)
		}
		if got := r.said(); got != "registered carrier; failing carrier no answer from udp 10.0.0.1:5060: is the address right, and does the firewall let it through?" {
			t.Errorf("told %s", got)
		}
		r.shut()
		second.close()
	})
}

// TestLinesReload: a line whose password changes registers with the new one, one
// that is taken out gives up its place, and one that stays is not touched.
func TestLinesReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		n.SetDefault(simnet.Link{Delay: time.Millisecond})
		a, b := openCarrier(t, n, "10.0.0.1", 1), openCarrier(t, n, "10.0.0.2", 2)
		wrong := account("a", "10.0.0.1")
		wrong.Password = "wrong"
		stays := account("b", "10.0.0.2")
		r := openRig(t, n, wrong, stays)
		time.Sleep(time.Minute)
		if got, want := r.said(), `the carrier does not take user "u" with this password (401 Unauthorized)`; !strings.Contains(got, want) {
			t.Errorf("told %s, want %s", got, want)
		}
		until := r.set.Status()[1].Until
		r.set.SetLines([]Config{account("a", "10.0.0.1"), stays})
		time.Sleep(time.Second)
		s := r.set.Status()
		if !s[0].Registered || s[0].State != Up || !s[1].Until.Equal(until) {
			t.Errorf("status %+v", s)
		}
		other := account("a", "10.0.0.1")
		other.CallerID = "+36"
		r.set.SetLines([]Config{other})
		time.Sleep(time.Second)
		if x, y := len(a.e.Bindings("u")), len(b.e.Bindings("u")); x != 1 || y != 0 {
			t.Errorf("%d and %d bindings, want one and none", x, y)
		}
		if _, ok := r.set.Account("b"); ok || len(r.set.Status()) != 1 {
			t.Error("b is still there")
		}
		r.shut()
		if got := len(a.e.Bindings("u")); got != 0 {
			t.Errorf("%d bindings left behind", got)
		}
		a.close()
		b.close()
	})
}

// TestLineKnownByAddress: one that does not register is recognised by where its
// calls come from, and is seen to be down.
func TestLineKnownByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		n.SetDefault(simnet.Link{Delay: time.Millisecond})
		trunk := open(t, n, "10.0.0.1", 1, nil)
		r := openRig(t, n, Config{Name: "trunk", Addresses: []string{"10.0.0.1"}, Ping: 30 * time.Second})
		time.Sleep(time.Second)
		if got := trunk.dial(call.Invite{Leg: "a", Target: "sip:9000@10.0.0.9", From: "+99"}); got != 486 {
			t.Errorf("called: %d", got)
		}
		if in := r.last(); in.Line != "trunk" || in.To != "9000" {
			t.Errorf("we saw %+v", in)
		}
		if s := r.set.Status()[0]; s.State != Up || s.Register {
			t.Errorf("status %+v", s)
		}
		trunk.close()
		time.Sleep(5 * time.Minute)
		if got, want := r.said(), "up trunk; down trunk no answer from udp 10.0.0.1:5060: is the address right, and does the firewall let it through?"; got != want {
			t.Errorf("told %s, want %s", got, want)
		}
		r.shut()
	})
}
