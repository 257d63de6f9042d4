package line

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
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

	mu   sync.Mutex
	came []call.Invited
	saw  []string // messages, as they came and went
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
	i.Offer = &call.Media{Addr: netip.MustParseAddrPort("10.0.0.9:4000"), Codecs: []call.Codec{{PT: 8, Name: "PCMA", ClockRate: 8000}},
		Keys: []call.Codec{{PT: 101, Name: "telephone-event", ClockRate: 8000}}}
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
	c := sip.Config{Trace: func(_ call.LegID, _ bool, _ string, _ netip.AddrPort, b []byte) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.saw = append(h.saw, string(b))
	},
		Listen: []string{"udp://" + addr + ":5060"}, Rand: rand.NewPCG(seed, seed), Log: slog.New(slog.DiscardHandler),
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
		if s := r.set.Status()[0]; s.State != Up || !s.Registered || s.Why != "" || time.Until(s.Until).Round(time.Minute) != 10*time.Minute {
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

// invite sends an INVITE as text and gives the first line of its final answer.
func invite(t *testing.T, c net.PacketConn, user, from, to string) string {
	t.Helper()
	const sdp = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 9 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	m := fmt.Sprintf("INVITE sip:%s@10.0.0.9 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nFrom: %s;tag=a\r\nTo: %s\r\nCall-ID: %d\r\nCSeq: 1 INVITE\r\n"+
		"Contact: <sip:x@10.0.0.1>\r\nP-Asserted-Identity: <sip:+777@carrier.test>\r\nDiversion: <tel:+888>;reason=no-answer\r\nAllow: INFO\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		user, c.LocalAddr(), time.Now().UnixNano(), from, to, time.Now().UnixNano(), len(sdp), sdp)
	if _, err := c.WriteTo([]byte(m), net.UDPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.9:5060"))); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	for {
		c.SetReadDeadline(time.Now().Add(time.Second))
		n, _, err := c.ReadFrom(buf)
		if err != nil {
			return "nothing"
		}
		first, _, _ := strings.Cut(string(buf[:n]), "\r\n")
		if !strings.HasPrefix(first, "SIP/2.0 100") && strings.HasPrefix(first, "SIP/2.0") {
			time.Sleep(time.Millisecond) // the next has another name
			return strings.TrimPrefix(first, "SIP/2.0 ")
		}
	}
}

// TestLineCallers: who may come by a line, as whom, and what of it is believed.
func TestLineCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		n.SetDefault(simnet.Link{Delay: time.Millisecond})
		trusted := Config{Name: "trusted", Addresses: []string{"10.0.0.1"}, Trust: true, Keys: "info", Codecs: []string{"PCMA", "PCMU"}, Token: "toktrusted"}
		twin := Config{Name: "one", Addresses: []string{"10.0.0.2"}, User: "ua", Token: "tokone"}
		other := Config{Name: "two", Addresses: []string{"10.0.0.2"}, User: "ub", Token: "toktwo", Keys: "inband"}
		r := openRig(t, n, trusted, twin, other)
		time.Sleep(time.Second)
		const caller = "<sip:+99@carrier.test>"
		for _, c := range []struct {
			addr, user, from, to string
			answer               string
			want                 call.Invited // Line, User, From, To, Asserted, Diversion, Info
			keys                 int
		}{
			{"10.0.0.1:5060", "9000", caller, "<sip:9000@x>", "486 Busy Here", call.Invited{Line: "trusted", From: "+99", To: "9000", Asserted: "+777", Diversion: "+888", Info: true}, 0},
			{"10.0.0.7:31000", "toktrusted", caller, "<sip:+3612;x=y@x>", "486 Busy Here", call.Invited{Line: "trusted", From: "+99", To: "+3612", Asserted: "+777", Diversion: "+888", Info: true}, 0},
			{"10.0.0.2:5060", "ua", caller, "<sip:ua@x>", "486 Busy Here", call.Invited{Line: "one", From: "+99", To: "ua", Info: true}, 1},
			{"10.0.0.2:5060", "toktwo", caller, "<sip:toktwo@x>", "486 Busy Here", call.Invited{Line: "two", From: "+99", To: "ub"}, 0},
			{"10.0.0.2:5060", "555", caller, "<sip:555@x>", "401 Unauthorized", call.Invited{}, 0},                                                                                                       // one or two: nobody knows
			{"10.0.0.7:5060", "9000", caller, "<sip:9000@x>", "401 Unauthorized", call.Invited{}, 0},                                                                                                     // nobody's address
			{"10.0.0.7:5060", "TOKTRUSTED", caller, "<sip:9000@x>", "401 Unauthorized", call.Invited{}, 0},                                                                                               // a guess
			{"10.0.0.1:5060", "9000", "<sip:1001@pbx>", "<sip:9000@x>", "401 Unauthorized", call.Invited{}, 0},                                                                                           // says that it is a telephone of ours
			{"10.0.0.1:5060", "9000", "<sip:1001@10.0.0.9>", "<sip:9000@x>", "401 Unauthorized", call.Invited{}, 0},                                                                                      // as those do that know us by address
			{"10.0.0.1:5060", "9000", "<sip:1001@x.test>", "<sip:9000@x>", "486 Busy Here", call.Invited{Line: "trusted", From: "1001", To: "9000", Asserted: "+777", Diversion: "+888", Info: true}, 0}, // theirs
		} {
			conn, err := n.PacketConn(c.addr)
			if err != nil {
				t.Fatal(err)
			}
			r.mu.Lock()
			r.came = nil
			r.mu.Unlock()
			if got := invite(t, conn, c.user, c.from, c.to); got != c.answer {
				t.Errorf("%s to %s: %s, want %s", c.addr, c.user, got, c.answer)
			}
			in := r.last()
			got := call.Invited{Line: in.Line, User: in.User, From: in.From, To: in.To, Asserted: in.Asserted, Diversion: in.Diversion, Info: in.Info}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s to %s: %+v, want %+v", c.addr, c.user, got, c.want)
			}
			if in.Offer != nil && len(in.Offer.Keys) != c.keys {
				t.Errorf("%s to %s: keys %v, want %d", c.addr, c.user, in.Offer.Keys, c.keys)
			}
			if in.Offer != nil {
				var codecs []string
				for _, c := range in.Offer.Codecs {
					codecs = append(codecs, c.Name)
				}
				if got, want := strings.Join(codecs, " "), map[string]string{"trusted": "PCMA PCMU"}[in.Line]; got != want && (want != "" || got != "PCMU G722 PCMA") {
					t.Errorf("%s to %s: codecs %s", c.addr, c.user, got)
				}
			}
			conn.Close()
		}
		time.Sleep(time.Minute)
		r.shut()
	})
}

// TestLineInvite: what is written into a call by a line.
func TestLineInvite(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		want   []string
		not    []string
	}{
		{func(*Config) {}, []string{"INVITE sip:+3612@10.0.0.1 SIP/2.0", "From: <sip:+36@10.0.0.1>;tag=", "Contact: <sip:tokcarrier@10.0.0.9:5060>", "telephone-event"}, []string{"P-Asserted-Identity", "X-Office"}},
		{func(c *Config) {
			c.Asserted, c.Headers, c.Host = true, []call.Header{{Name: "X-Office", Value: "1"}}, "carrier.test"
		}, []string{"INVITE sip:+3612@carrier.test SIP/2.0", "From: <sip:+36@carrier.test>", "To: <sip:+3612@carrier.test>", "P-Asserted-Identity: <sip:+36@carrier.test>", "X-Office: 1"}, nil},
		{func(c *Config) { c.Keys = "inband" }, nil, []string{"telephone-event"}},
		{func(c *Config) { c.Keys = "rfc2833" }, []string{"telephone-event"}, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := simnet.New(1)
			n.SetDefault(simnet.Link{Delay: time.Millisecond})
			carrier := openCarrier(t, n, "10.0.0.1", 1)
			l := account("carrier", "10.0.0.1")
			l.CallerID = "+36"
			c.change(&l)
			r := openRig(t, n, l)
			time.Sleep(time.Second)
			if got := r.dial(call.Invite{Leg: "a", Target: l.URI("+3612"), From: l.Shown("", "1001"), Line: "carrier"}); got != 403 { // a switch of ours lets nobody be called as he likes
				t.Errorf("called: %d", got)
			}
			carrier.mu.Lock()
			var sent string
			for _, m := range carrier.saw {
				if strings.HasPrefix(m, "INVITE") {
					sent = m // the last, with the password
				}
			}
			carrier.mu.Unlock()
			for _, w := range c.want {
				if !strings.Contains(sent, w) {
					t.Errorf("no %q in %s", w, sent)
				}
			}
			for _, w := range c.not {
				if strings.Contains(sent, w) {
					t.Errorf("%q in %s", w, sent)
				}
			}
			time.Sleep(time.Minute)
			r.shut()
			carrier.close()
		})
	}
}

// TestProbe: what is found out about a line without changing anything.
func TestProbe(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		ok     bool
		want   string
	}{
		{func(*Config) {}, true, `udp 10.0.0.1:5060 answers and takes the password of user "u"`},
		{func(c *Config) { c.Register = false }, true, "udp 10.0.0.1:5060 answers"},
		{func(c *Config) { c.Password = "wrong" }, false, `udp 10.0.0.1:5060 answers; the carrier does not take user "u" with this password (401 Unauthorized)`},
		{func(c *Config) { c.Realm = "other" }, false, `udp 10.0.0.1:5060 answers; the carrier asks for the password of realm "carrier.test", which is not the line's: is its realm right?`},
		{func(c *Config) { c.Addresses = []string{"10.0.0.7"} }, false, "no answer from udp 10.0.0.7:5060: is the address right, and does the firewall let it through?"},
		{func(c *Config) { c.Addresses = append(c.Addresses, "10.0.0.7") }, false,
			`udp 10.0.0.1:5060 answers and takes the password of user "u"; no answer from udp 10.0.0.7:5060: is the address right, and does the firewall let it through?`},
		{func(c *Config) { c.Transport = "tls" }, false, "tls 10.0.0.1:5061 cannot be reached: "},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := simnet.New(1)
			n.SetDefault(simnet.Link{Delay: time.Millisecond})
			carrier := openCarrier(t, n, "10.0.0.1", 1)
			us := open(t, n, "10.0.0.9", 9, func(c *sip.Config) { c.DialStream = n.DialContext(netip.MustParseAddr("10.0.0.9")) })
			l := account("carrier", "10.0.0.1")
			c.change(&l)
			if ok, words := Probe(t.Context(), us.e, l); ok != c.ok || !strings.HasPrefix(words, c.want) {
				t.Errorf("%v %q, want %v %q", ok, words, c.ok, c.want)
			}
			if at := carrier.e.Bindings("u"); len(at) != 0 {
				t.Errorf("it has registered: %+v", at)
			}
			time.Sleep(time.Minute)
			us.close()
			carrier.close()
		})
	}
}
