package sip

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
)

// A zone answers as a name server. SRV records are given by
// priority, as net.Resolver does.
type zone struct {
	hosts    map[string]string // name: addresses
	services map[string][]*net.SRV
	asked    []string
}

func (z *zone) LookupNetIP(_ context.Context, _, host string) (all []netip.Addr, err error) {
	z.asked = append(z.asked, host)
	for a := range strings.FieldsSeq(z.hosts[host]) {
		all = append(all, netip.MustParseAddr(a))
	}
	if all == nil {
		err = errors.New("no such host " + host)
	}
	return all, err
}

func (z *zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	name = "_" + service + "._" + proto + "." + name
	z.asked = append(z.asked, name)
	if s := z.services[name]; s != nil {
		return "", s, nil
	}
	return "", nil, errors.New("no such service " + name)
}

// A busy house answers every INVITE 503 when it has no room.
type full struct{}

func (f full) Invited(call.Invited) (func(call.Event) bool, *call.Respond) {
	return nil, &call.Respond{Code: 503, Reason: "no room"}
}

// TestSRV: a name without a port is called where its SRV records say, and where
// one place fails the next takes its turn (RFC 3263 4).
func TestSRV(t *testing.T) {
	srv := func(host string, port uint16, priority uint16) *net.SRV {
		return &net.SRV{Target: host + ".", Port: port, Priority: priority}
	}
	for _, c := range []struct {
		name     string
		target   string
		services map[string][]*net.SRV
		want     string        // what the caller saw
		by       string        // transport that the call went by
		within   time.Duration // that the answer takes
		asked    string
	}{
		{"no records", "sip:x@home.test", nil, "Provisional Accepted", "udp", time.Second,
			"_sip._udp.home.test _sip._tcp.home.test home.test"},
		{"a port is no question of SRV", "sip:x@home.test:5060", map[string][]*net.SRV{"_sip._udp.home.test": {srv("gone.test", 9, 0)}}, "Provisional Accepted", "udp", time.Second, "home.test"},
		{"records", "sip:x@house.test", map[string][]*net.SRV{"_sip._udp.house.test": {srv("home.test", 5070, 1)}}, "Provisional Accepted", "udp", time.Second,
			"_sip._udp.house.test home.test _sip._tcp.house.test"},
		{"only TCP", "sip:x@house.test", map[string][]*net.SRV{"_sip._tcp.house.test": {srv("home.test", 5070, 1)}}, "Provisional Accepted", "tcp", time.Second,
			"_sip._udp.house.test _sip._tcp.house.test home.test"},
		{"TCP is asked for", "sip:x@house.test;transport=tcp", map[string][]*net.SRV{
			"_sip._udp.house.test": {srv("gone.test", 9, 0)}, "_sip._tcp.house.test": {srv("home.test", 5070, 0)}}, "Provisional Accepted", "tcp", time.Second,
			"_sip._tcp.house.test home.test"},
		{"sips", "sips:x@house.test", nil, "Refused", "", time.Minute, "_sips._tcp.house.test house.test"},
		{"the first has no address", "sip:x@house.test", map[string][]*net.SRV{"_sip._udp.house.test": {srv("gone.test", 5070, 1), srv("home.test", 5070, 2)}}, "Provisional Accepted", "udp", time.Second, ""},
		{"the first has no room", "sip:x@house.test", map[string][]*net.SRV{"_sip._udp.house.test": {srv("busy.test", 5060, 1), srv("home.test", 5070, 2)}}, "Provisional Accepted", "udp", time.Second, ""},
		{"nobody at the first", "sip:x@house.test", map[string][]*net.SRV{"_sip._tcp.house.test": {srv("dead.test", 5060, 1), srv("home.test", 5070, 2)}}, "Provisional Accepted", "tcp", 2 * time.Second, ""},
		{"the first is silent", "sip:x@house.test", map[string][]*net.SRV{"_sip._udp.house.test": {srv("dead.test", 5060, 1), srv("home.test", 5070, 2)}}, "Provisional Accepted", "udp", 40 * time.Second, ""},
		{"all have no room", "sip:x@house.test", map[string][]*net.SRV{"_sip._udp.house.test": {srv("busy.test", 5060, 1), srv("busy.test", 5060, 2)}}, "Refused", "", time.Second, ""},
		{"no calls, please", "sip:x@home.test", map[string][]*net.SRV{"_sip._udp.home.test": {srv("", 0, 0)}}, "Refused", "", time.Second, ""},
		{"nothing at all", "sip:x@nowhere.test", nil, "Refused", "", time.Second, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNet(time.Millisecond, 0)
				ctx, stop := context.WithCancel(t.Context())
				z := &zone{hosts: map[string]string{"home.test": "10.0.0.2", "busy.test": "10.0.0.3", "dead.test": "10.0.0.4"}, services: c.services}
				both := func(addrs ...string) func(*Config) {
					return func(cf *Config) {
						cf.Listen, cf.Resolver = nil, z
						for _, a := range addrs {
							cf.Listen = append(cf.Listen, "udp://"+a, "tcp://"+a)
						}
					}
				}
				a := startStream(t, ctx, n, ourAddr, 1, both(ourAddr))
				b := startStream(t, ctx, n, peerAddr, 2, both(peerAddr, "10.0.0.2:5060"))
				busy := New(Config{Listen: []string{"udp://10.0.0.3:5060"}, ListenPacket: n.listen, Rand: seeded(3), Log: testLog(t)}, full{})
				go busy.Run(ctx)
				synctest.Wait()
				m := testMedia
				begun := time.Now()
				a.e.Dial(call.Invite{Leg: "x", Target: c.target, From: "a", Offer: &m}, a.post("x"))
				for time.Since(begun) < c.within && !strings.HasSuffix(a.of("x"), "ed") {
					time.Sleep(100 * time.Millisecond)
				}
				if got := a.of("x"); got != c.want {
					t.Errorf("the caller saw %q after %v, want %q", got, time.Since(begun), c.want)
				}
				if c.asked != "" && strings.Join(z.asked, " ") != c.asked {
					t.Errorf("asked for %q, want %q", z.asked, c.asked)
				}
				if got := b.e.streams.Len() == 1; c.by != "" && got != (c.by == "tcp") {
					t.Errorf("by TCP: %v, want %s", got, c.by)
				}
				a.e.Do(call.Bye{Leg: "x"})
				time.Sleep(2 * time.Minute)
				if got := a.e.Legs() + b.e.Legs() + busy.Legs(); got != 0 {
					t.Errorf("%d legs left", got)
				}
				stop()
			})
		})
	}
}
