package sip

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/registrar"
)

// A pair is a switch with a registrar, that answers every call, and a telephone
// that may log in.
type pair struct {
	*phones // the telephone
	sw      *desk2
	mu      sync.Mutex
	wire    []string // what the switch sent
	told    []string // what became of our REFERs
	done    chan error
}

// A desk2 is the switch's exchange.
type desk2 struct {
	*phones
	refers []call.Referred
	calls  []call.Invited
	legs   []call.LegID
	ring   bool // do not answer
	on     func(call.Invited)
}

func (d *desk2) Invited(in call.Invited) (func(call.Event) bool, *call.Respond) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, in)
	d.legs = append(d.legs, in.Leg)
	post := d.post(in.Leg)
	if d.on != nil {
		d.on(in)
	}
	if !d.ring {
		m := testMedia
		go d.e.Do(call.Respond{Leg: in.Leg, Code: 200, Media: &m})
	}
	return func(ev call.Event) bool {
		if r, ok := ev.(call.Referred); ok {
			d.mu.Lock()
			d.refers = append(d.refers, r)
			d.mu.Unlock()
		}
		return post(ev)
	}, nil
}

func newPair(t *testing.T, ctx context.Context, n *testNet, password string, change func(*Config)) *pair {
	p := &pair{phones: &phones{events: map[call.LegID][]string{}}, sw: &desk2{phones: &phones{events: map[call.LegID][]string{}}}, done: make(chan error, 2)}
	n.saw = func(from string, b []byte) {
		if from == ourAddr {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.wire = append(p.wire, string(b))
		}
	}
	c := Config{Listen: []string{"udp://" + ourAddr}, ListenPacket: n.listen, Rand: seeded(1), Log: testLog(t), Realm: "pbx",
		Accounts: []registrar.Account{registrar.NewAccount("1001", "pbx", "right", ""), registrar.NewAccount("1002", "pbx", "other", "")}}
	if change != nil {
		change(&c)
	}
	p.sw.e = New(c, p.sw)
	p.e = New(Config{Listen: []string{"udp://" + peerAddr}, ListenPacket: n.listen, Rand: seeded(2), Log: testLog(t), User: "1001", Password: password}, p)
	for _, e := range []*Endpoint{p.sw.e, p.e} {
		go func() { p.done <- e.Run(ctx) }()
	}
	synctest.Wait()
	return p
}

// later lets time pass and everybody do what is due.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// dial calls the switch and gives the two legs.
func (p *pair) dial(t *testing.T, id call.LegID, change func(*call.Invite)) (theirs call.LegID) {
	t.Helper()
	m := testMedia
	i := call.Invite{Leg: id, Target: "sip:9000@" + ourAddr, From: "1001", Offer: &m}
	if change != nil {
		change(&i)
	}
	p.e.Dial(i, p.post(id))
	later(time.Second)
	p.sw.mu.Lock()
	defer p.sw.mu.Unlock()
	if len(p.sw.legs) == 0 {
		t.Fatalf("the call did not arrive: %s", p.of(id))
	}
	return p.sw.legs[len(p.sw.legs)-1]
}

func (p *pair) refer(id call.LegID, to string, replaces *call.Replaces) {
	p.e.Refer(id, to, replaces, func(code int, reason string, last bool) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.told = append(p.told, fmt.Sprint(code, " ", last))
	})
	later(time.Second)
}

func (p *pair) hears() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.told = nil }()
	return strings.Join(p.told, ", ")
}

// sent gives a header of the messages that the switch sent and that begin so.
func (p *pair) sent(begin, header string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, m := range p.wire {
		if strings.HasPrefix(m, begin) {
			all = append(all, headers(m, header))
		}
	}
	return strings.Join(all, " | ")
}

func inPair(t *testing.T, password string, change func(*Config), test func(p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNet(time.Millisecond, 0)
		ctx, stop := context.WithCancel(t.Context())
		p := newPair(t, ctx, n, password, change)
		test(p)
		stop()
		<-p.done
		<-p.done
		if got := p.sw.e.Panics() + p.e.Panics(); got != 0 {
			t.Errorf("%d bugs caught", got)
		}
	})
}

// TestRefer: a telephone that proves who it is has its call passed on, and hears
// how that goes; the last word comes before our BYE.
func TestRefer(t *testing.T) {
	inPair(t, "right", nil, func(p *pair) {
		leg := p.dial(t, "a", nil)
		p.refer("a", "sip:1002@pbx", nil)
		if got := fmt.Sprint(p.sw.refers); got != fmt.Sprintf("[{%s 1002 pbx <nil>}]", leg) {
			t.Errorf("the switch was told %s", got)
		}
		if got := p.sent("SIP/2.0 401", "CSeq"); got != "1 INVITE | 3 REFER" {
			t.Errorf("challenged: %s", got)
		}
		p.refer("a", "sip:1002@pbx", nil)
		if got := p.hears(); got != "100 false, 491 true" {
			t.Errorf("a second one at once: %s", got)
		}
		for _, code := range []int{180, 200} {
			p.sw.e.Do(call.ReferProgress{Leg: leg, Code: code})
		}
		p.sw.e.Do(call.Bye{Leg: leg})
		later(time.Second)
		if got := p.sent("NOTIFY", "Subscription-State"); got != "active;expires=300 | active;expires=298 | terminated;reason=noresource" {
			t.Errorf("NOTIFYs: %s", got)
		}
		if got := p.hears(); got != "180 false, 200 true" {
			t.Errorf("told %s", got)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		last := slices.IndexFunc(p.wire, func(m string) bool {
			return strings.HasPrefix(m, "NOTIFY") && strings.Contains(m, "\r\n\r\nSIP/2.0 200 OK\r\n")
		})
		bye := slices.IndexFunc(p.wire, func(m string) bool { return strings.HasPrefix(m, "BYE") })
		if last < 0 || bye < last {
			t.Errorf("the last NOTIFY was message %d, the BYE %d", last, bye)
		}
		if got := p.of("a"); got != "Accepted Ended" {
			t.Errorf("the telephone saw %q", got)
		}
	})
}

// TestReferGoesWell: each step is told in its order, though the net loses messages.
func TestReferGoesWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet(5*time.Millisecond, 0.2)
		ctx, stop := context.WithCancel(t.Context())
		p := newPair(t, ctx, n, "right", nil)
		leg := p.dial(t, "a", nil)
		for p.of("a") != "Accepted" {
			later(time.Second)
		}
		p.refer("a", "tel:+431234", nil)
		m := testMedia
		m.Dir = call.SendOnly
		p.e.Do(call.Reinvite{Leg: "a", Media: &m}) // a hold in between disturbs nothing
		p.sw.e.Do(call.Reinvite{Leg: leg})
		for _, code := range []int{180, 183, 486} {
			p.sw.e.Do(call.ReferProgress{Leg: leg, Code: code})
		}
		later(2 * time.Minute)
		if got := p.hears(); got != "100 false, 180 false, 183 false, 486 true" {
			t.Errorf("told %s", got)
		}
		p.sw.mu.Lock()
		if len(p.sw.refers) != 1 || p.sw.refers[0].To != "+431234" {
			t.Errorf("the switch was told %v", p.sw.refers)
		}
		p.sw.mu.Unlock()
		p.refer("a", "sip:1002@pbx", nil) // it may try again
		later(10 * time.Second)
		if got := p.hears(); got != "100 false" {
			t.Errorf("again: %s", got)
		}
		stop()
		<-p.done
		<-p.done
	})
}

// TestReferOfAnotherCall: a REFER names a dialog between the telephone and us, and
// the leg of that is found.
func TestReferOfAnotherCall(t *testing.T) {
	inPair(t, "right", nil, func(p *pair) {
		p.dial(t, "a", nil)
		other := p.dial(t, "b", nil)
		d, ok := p.e.Dialog("b")
		if !ok {
			t.Fatal("no dialog")
		}
		p.refer("a", "sip:9000@pbx", &d)
		if len(p.sw.refers) != 1 || p.sw.refers[0].Replaces == nil {
			t.Fatalf("the switch was told %v, the telephone %s", p.sw.refers, p.hears())
		}
		if id, ok := p.sw.e.FindLeg(*p.sw.refers[0].Replaces); !ok || id != other {
			t.Errorf("found %q, %v, want %q", id, ok, other)
		}
		for _, wrong := range []call.Replaces{
			{CallID: d.CallID, LocalTag: d.RemoteTag, RemoteTag: d.LocalTag},
			{CallID: "x", LocalTag: d.LocalTag, RemoteTag: d.RemoteTag},
			{CallID: d.CallID, LocalTag: "x", RemoteTag: d.RemoteTag},
		} {
			if id, ok := p.sw.e.FindLeg(wrong); ok {
				t.Errorf("%+v is leg %q", wrong, id)
			}
		}
	})
}

// TestWhoMayRefer: guests and lines may not, nor who cannot prove to be the party
// of the call; nothing is done for them.
func TestWhoMayRefer(t *testing.T) {
	guests := func(c *Config) { c.Guest = func(netip.AddrPort) bool { return true } }
	lines := func(c *Config) {
		c.Whose = func(netip.AddrPort, string, string) string { return "carrier" }
		c.Line = func(string) (Account, bool) { return Account{}, true }
	}
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string
	}{{"a guest", guests, "403 true"}, {"a line", lines, "403 true"}} {
		inPair(t, "right", c.change, func(p *pair) {
			p.dial(t, "a", func(i *call.Invite) { i.From = "visitor" })
			p.refer("a", "sip:1002@pbx", nil)
			if got := p.hears(); got != c.want || len(p.sw.refers) != 0 {
				t.Errorf("%s: told %s, the switch %v", c.name, got, p.sw.refers)
			}
		})
	}
	for _, password := range []string{"wrong", "other", ""} {
		inPair(t, "right", nil, func(p *pair) {
			p.dial(t, "a", nil)
			p.e.c.Password = password // somebody else sends within its dialog
			if password == "other" {
				p.e.c.User = "1002"
			}
			p.refer("a", "sip:1002@pbx", nil)
			want := "401 true"
			if password == "other" {
				want = "403 true"
			}
			if got := p.hears(); got != want || len(p.sw.refers) != 0 {
				t.Errorf("password %q: told %s, the switch %v", password, got, p.sw.refers)
			}
		})
	}
}

// TestReferByTheCalled: a telephone that we called may pass the call on as well.
func TestReferByTheCalled(t *testing.T) {
	inPair(t, "right", nil, func(p *pair) {
		m := testMedia
		p.sw.e.Dial(call.Invite{Leg: "out", Target: "sip:1001@" + peerAddr, From: "9000", Offer: &m}, p.sw.post("out"))
		p.sw.e.with("out", func(_ *shard, _ time.Time, l *leg) {
			l.user = "1001" // as Dial has it with Phone
			post := l.post
			l.post = func(ev call.Event) bool {
				if r, ok := ev.(call.Referred); ok {
					p.sw.refers = append(p.sw.refers, r)
				}
				return post(ev)
			}
		})
		later(time.Second)
		var leg call.LegID
		p.e.mu.Lock()
		for leg = range p.e.legs {
		}
		p.e.mu.Unlock()
		p.refer(leg, "sip:1002@pbx", nil)
		if got := p.hears(); got != "100 false" || len(p.sw.refers) != 1 || p.sw.refers[0].Leg != "out" {
			t.Errorf("told %s, the switch %v", got, p.sw.refers)
		}
	})
}

// TestReferAndHangUp: a telephone that hangs up before its REFER was let in is
// answered, and nothing is done.
func TestReferAndHangUp(t *testing.T) {
	inPair(t, "right", nil, func(p *pair) {
		p.dial(t, "a", nil)
		p.e.Refer("a", "sip:1002@pbx", nil, func(code int, _ string, last bool) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.told = append(p.told, fmt.Sprint(code, " ", last))
		})
		p.e.Do(call.Bye{Leg: "a"})
		later(time.Second)
		if got := p.hears(); got != "401 true" && got != "481 true" || len(p.sw.refers) != 0 {
			t.Errorf("told %s, the switch %v", got, p.sw.refers)
		}
		if got := p.sw.e.Legs() + p.e.Legs(); got != 0 {
			t.Errorf("%d legs left", got)
		}
	})
}

// TestReferForms: what a Refer-To may be, and Refer-Sub (RFC 4488); a telephone
// that hangs up at once is answered all the same.
func TestReferForms(t *testing.T) {
	for _, c := range []struct{ extra, told, want string }{
		{"Refer-To: <sip:1%2B2@pbx;user=phone>\r\n", "202", "{1+2 pbx <nil>}"},
		{"r: sip:1002@pbx\r\n", "202", "{1002 pbx <nil>}"},
		{"Refer-To: <sip:1002@pbx?Replaces=a%40b%3Bto-tag%3Dx%3Bfrom-tag%3Dy&Require=replaces>\r\n", "202", "{1002 pbx a@b y x false}"},
		{"Refer-To: <sip:1002@pbx>\r\nRefer-Sub: false\r\n", "202", "{1002 pbx <nil>}"},
		{"", "400", ""},
		{"Refer-To: <sip:a@pbx>, <sip:b@pbx>\r\n", "400", ""},
		{"Refer-To: <sip:a@pbx>\r\nRefer-To: <sip:b@pbx>\r\n", "400", ""},
		{"Refer-To: <sip:a@pbx;method=BYE>\r\n", "400", ""},
		{"Refer-To: <http://a/b>\r\n", "416", ""},
		{"Refer-To: <sip:a@pbx?Replaces=broken>\r\n", "400", ""},
		{"Refer-To: <sip:a@pbx?Replaces=a%3Bto-tag%3Dx%3Bfrom-tag%3Dy%0D%0AVia: x>\r\n", "400", ""},
		{"Refer-To: <\r\n", "400", ""},
	} {
		inPair(t, "right", nil, func(p *pair) {
			p.dial(t, "a", nil)
			code := 0
			p.e.with("a", func(s *shard, now time.Time, l *leg) {
				s.errand(now, l, &l.dlg, s.way(l), errand{method: "REFER", extra: c.extra, done: func(_ time.Time, n int, _ *message) { code = n }})
			})
			later(2 * time.Second)
			got := ""
			for _, r := range p.sw.refers {
				got = fmt.Sprintf("{%s %s <nil>}", r.To, r.ToHost)
				if x := r.Replaces; x != nil {
					got = fmt.Sprintf("{%s %s %s %s %s %v}", r.To, r.ToHost, x.CallID, x.LocalTag, x.RemoteTag, x.EarlyOnly)
				}
			}
			if fmt.Sprint(code) != c.told || got != c.want {
				t.Errorf("%q: %d and %s, want %s and %s", c.extra, code, got, c.told, c.want)
			}
			if notices := p.sent("NOTIFY", "Event"); (notices == "") != (c.told != "202" || strings.Contains(c.extra, "Refer-Sub")) {
				t.Errorf("%q: NOTIFYs %q", c.extra, notices)
			}
			p.e.Do(call.Bye{Leg: "a"})
			later(time.Second)
			for _, leg := range p.sw.legs {
				p.sw.e.Do(call.ReferProgress{Leg: leg, Code: 200}) // too late, and harmless
			}
			later(time.Second)
			if got := p.sw.e.Legs(); got != 0 {
				t.Errorf("%q: %d legs left", c.extra, got)
			}
		})
	}
}
