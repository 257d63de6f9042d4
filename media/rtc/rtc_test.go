package rtc

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ozswitch/media/pace"
	"ozswitch/media/rtp"
)

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// An end is one side of a call, and what its wire told.
type end struct {
	*Wire
	up, lost chan struct{}
	failed   chan error
}

func open(t testing.TB, p *Port, c Config) *end {
	t.Helper()
	e := &end{up: make(chan struct{}), lost: make(chan struct{}), failed: make(chan error, 1)}
	c.Up, c.Lost = func() { close(e.up) }, func() { close(e.lost) }
	c.Failed = func(err error) { e.failed <- err }
	w, err := p.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	e.Wire = w
	if err := w.Aim(far); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return e
}

var far = netip.MustParseAddrPort("192.0.2.1:9")

func port(t testing.TB) *Port {
	t.Helper()
	p, err := Listen(loopback, PortConfig{Panicked: func(v any, stack []byte) { t.Errorf("panic: %v\n%s", v, stack) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func wait[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("waited in vain for: %s", what)
	}
	return v
}

// call connects two ends: the first offers. change, which may be nil, stands
// between their descriptions.
func call(t testing.TB, from, to *end, change func(*Description)) {
	t.Helper()
	offer := from.Offer()
	if change != nil {
		change(&offer)
	}
	answer, err := to.Answer(offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Connect(offer); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&answer)
	}
	if err := from.Connect(answer); err != nil {
		t.Fatal(err)
	}
}

// packet is one of RTP.
func packet(seq uint16, text string) []byte {
	b := make([]byte, rtp.HeaderLen+len(text))
	rtp.PutHeader(b, rtp.Packet{PT: 0, Seq: seq, TS: uint32(seq) * 160, SSRC: 7})
	copy(b[rtp.HeaderLen:], text)
	return b
}

// hears waits for a packet; send is done until it comes, as a call goes on sending.
func hears(t testing.TB, e *end, want []byte, send func()) {
	t.Helper()
	bufs, from := [][]byte{make([]byte, mtu)}, make([]netip.AddrPort, 1)
	for until := time.Now().Add(patience); time.Now().Before(until); {
		send()
		for e.Recv(bufs, from) == 1 {
			if from[0] != far {
				t.Fatalf("it came from %v, want where the wire is aimed, %v", from[0], far)
			}
			if e.Came(0).IsZero() {
				t.Fatal("the wire does not know when it came")
			}
			if bytes.Equal(bufs[0], want) {
				return
			}
		}
		pause()
	}
	t.Fatalf("waited in vain for % x", want)
}

// pause lets a moment pass, which nothing depends on.
func pause() { <-time.After(time.Millisecond) }

// speak sends RTP from one end to the other until something new is heard.
func speak(t testing.TB, from, to *end, seq *uint16) {
	t.Helper()
	*seq += 1000
	first := *seq
	var sent []byte
	send := func() { sent = packet(*seq, "hello"); *seq++; _ = from.Send(sent) }
	bufs, a := [][]byte{make([]byte, mtu)}, make([]netip.AddrPort, 1)
	for until := time.Now().Add(patience); time.Now().Before(until); pause() {
		send()
		for to.Recv(bufs, a) == 1 {
			if p, err := rtp.Parse(bufs[0]); err == nil && p.Seq >= first && string(p.Payload) == "hello" {
				return
			}
		}
	}
	t.Fatal("nothing was heard")
}

var _ pace.Wire = (*Wire)(nil)

// A client calls a switch, and a switch calls a client: sound and reports both ways.
func TestCall(t *testing.T) {
	for _, name := range []string{"the client offers", "the switch offers"} {
		t.Run(name, func(t *testing.T) {
			sw, cl := open(t, port(t), Config{}), open(t, port(t), Config{Full: true})
			from, to := cl, sw
			if strings.HasPrefix(name, "the switch") {
				from, to = sw, cl
			}
			if err := from.Send(packet(1, "too early")); err == nil {
				t.Error("a packet was sent before there was a way")
			}
			call(t, from, to, nil)
			wait(t, "the switch's keys", sw.up)
			wait(t, "the client's keys", cl.up)
			var seq uint16
			speak(t, cl, sw, &seq)
			speak(t, sw, cl, &seq)
			report := []byte{0x80, 200, 0, 6, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}
			hears(t, sw, report, func() { _ = cl.Send(report) })
			hears(t, cl, report, func() { _ = sw.Send(report) })
			if got := sw.Path(); got != cl.LocalAddr() {
				t.Errorf("the switch sends to %v, want %v", got, cl.LocalAddr())
			}
		})
	}
}

// Candidates that nobody can use do no harm: the far end is found by its knock.
func TestHiddenAddress(t *testing.T) {
	sw, cl := open(t, port(t), Config{}), open(t, port(t), Config{Full: true})
	offer := cl.Offer()
	offer.Candidates = []string{"1 1 udp 2113937151 0b1d2c3e.local 50000 typ host", "garbage", "2 1 tcp 1 127.0.0.1 9 typ host"}
	answer, err := sw.Answer(offer)
	if err != nil {
		t.Fatal(err)
	}
	answer.Candidates = append([]string{"9 1 udp 99 name.local 1 typ host"}, answer.Candidates...)
	if err := sw.Connect(offer); err != nil {
		t.Fatal(err)
	}
	if err := cl.Connect(answer); err != nil {
		t.Fatal(err)
	}
	var seq uint16
	wait(t, "keys", cl.up)
	speak(t, cl, sw, &seq)
}

// Who shows another certificate than SDP named is not heard.
func TestWrongCertificate(t *testing.T) {
	sw, cl := open(t, port(t), Config{}), open(t, port(t), Config{Full: true})
	other := port(t)
	call(t, cl, sw, func(d *Description) {
		if !d.Lite {
			d.Fingerprints = []string{"sha-256 " + other.print}
		}
	})
	if err := wait(t, "the end of the call", sw.failed); err != errFingerprint {
		t.Errorf("the call ended with %v, want %v", err, errFingerprint)
	}
	if sw.keys.Load() != nil {
		t.Error("keys were agreed all the same")
	}
}

// Nobody knocks: the reason names the port.
func TestNoWay(t *testing.T) {
	sw := open(t, port(t), Config{SetUp: 100 * time.Millisecond})
	cl := open(t, port(t), Config{Full: true})
	offer := cl.Offer()
	if _, err := sw.Answer(offer); err != nil {
		t.Fatal(err)
	}
	if err := sw.Connect(offer); err != nil {
		t.Fatal(err)
	}
	err := wait(t, "the end of the call", sw.failed)
	if want := fmt.Sprintf("reached UDP port %d", sw.LocalAddr().Port()); !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q in it", err, want)
	}
}

// A cable is what lies between the two ends; it can be cut. It is a router that
// gives the client another address.
type cable struct {
	in, out *net.UDPConn
	cut     atomic.Bool
}

func newCable(t testing.TB, to netip.AddrPort) *cable {
	t.Helper()
	c := &cable{}
	var err error
	if c.in, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback)); err != nil {
		t.Fatal(err)
	}
	if c.out, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(loopback)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.in.Close(); c.out.Close() })
	var client atomic.Pointer[netip.AddrPort]
	carry := func(from, into *net.UDPConn, note bool) {
		b := make([]byte, 2000)
		for {
			n, a, err := from.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if note {
				client.Store(&a)
			}
			dst := to
			if !note {
				if client.Load() == nil {
					continue
				}
				dst = *client.Load()
			}
			if !c.cut.Load() {
				into.WriteToUDPAddrPort(b[:n], dst)
			}
		}
	}
	go carry(c.in, c.out, true)
	go carry(c.out, c.in, false)
	return c
}

func (c *cable) candidate() []string {
	return []string{fmt.Sprintf("1 1 udp 2130706431 127.0.0.1 %d typ host", c.in.LocalAddr().(*net.UDPAddr).Port)}
}

// The network is gone, consent expires, and a re-INVITE with new ICE credentials
// brings the sound back over another way, with the keys that were agreed.
func TestRestart(t *testing.T) {
	sw := open(t, port(t), Config{Consent: 400 * time.Millisecond, Timeout: time.Minute})
	cl := open(t, port(t), Config{Full: true, Consent: 400 * time.Millisecond})
	first := newCable(t, sw.LocalAddr())
	call(t, cl, sw, func(d *Description) {
		d.Candidates = nil
		if d.Lite {
			d.Candidates = first.candidate()
		}
	})
	wait(t, "keys", cl.up)
	var seq uint16
	speak(t, cl, sw, &seq)
	keys, path := sw.keys.Load(), sw.Path()

	first.cut.Store(true)
	for until := time.Now().Add(patience); !sw.muted.Load(); pause() {
		if time.Now().After(until) {
			t.Fatal("consent never expired")
		}
	}
	if sw.Send(packet(1, "x")) == nil {
		t.Error("a packet was sent without consent")
	}

	second := newCable(t, sw.LocalAddr())
	offer, err := cl.Restart()
	if err != nil {
		t.Fatal(err)
	}
	offer.Candidates = nil
	answer, err := sw.Answer(offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := sw.Connect(offer); err != nil {
		t.Fatal(err)
	}
	if answer.Setup != passive {
		t.Errorf("the role became %q", answer.Setup)
	}
	answer.Candidates = second.candidate()
	if err := cl.Connect(answer); err != nil {
		t.Fatal(err)
	}
	speak(t, cl, sw, &seq)
	speak(t, sw, cl, &seq)
	if sw.keys.Load() != keys {
		t.Error("the keys were agreed anew")
	}
	if sw.Path() == path {
		t.Error("the way is the old one")
	}
	select {
	case <-sw.lost:
		t.Error("the switch gave up")
	case err := <-sw.failed:
		t.Error(err)
	default:
	}
}

// A re-INVITE that changes nothing of ICE changes nothing at all.
func TestSameAgain(t *testing.T) {
	sw, cl := open(t, port(t), Config{}), open(t, port(t), Config{Full: true})
	call(t, cl, sw, nil)
	wait(t, "keys", cl.up)
	offer := cl.Offer()
	before := sw.ours
	again, err := sw.Answer(offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := sw.Connect(offer); err != nil {
		t.Fatal(err)
	}
	if again.Ufrag != before.Ufrag || again.Pwd != before.Pwd || again.Setup != passive {
		t.Errorf("answer %+v, want that of before, %+v", again, before)
	}
	offer.Fingerprints = []string{"sha-256 " + port(t).print}
	if _, err := sw.Answer(offer); err == nil {
		t.Error("another certificate was taken within the call")
	}
	var seq uint16
	speak(t, cl, sw, &seq)
}

// Consent that does not come back ends the call; so does a far end that closes.
func TestLost(t *testing.T) {
	t.Run("no consent", func(t *testing.T) {
		sw := open(t, port(t), Config{Consent: 300 * time.Millisecond, Timeout: 600 * time.Millisecond})
		cl := open(t, port(t), Config{Full: true, Consent: 400 * time.Millisecond})
		c := newCable(t, sw.LocalAddr())
		call(t, cl, sw, func(d *Description) {
			if d.Lite {
				d.Candidates = c.candidate()
			}
		})
		wait(t, "keys", sw.up)
		c.cut.Store(true)
		wait(t, "the loss", sw.lost)
	})
	t.Run("closed", func(t *testing.T) {
		sw, cl := open(t, port(t), Config{}), open(t, port(t), Config{Full: true})
		call(t, cl, sw, nil)
		wait(t, "keys", sw.up)
		wait(t, "keys", cl.up)
		cl.Close()
		wait(t, "the loss", sw.lost)
	})
}

// Two calls at one port do not hear each other; what is left at the end is nothing.
func TestOnePort(t *testing.T) {
	p := port(t)
	var seq uint16
	var all []*end
	for range 3 {
		sw, cl := open(t, p, Config{}), open(t, port(t), Config{Full: true})
		call(t, cl, sw, nil)
		wait(t, "keys", cl.up)
		wait(t, "keys", sw.up)
		all = append(all, sw, cl)
	}
	for i := 0; i < len(all); i += 2 {
		speak(t, all[i+1], all[i], &seq)
		speak(t, all[i], all[i+1], &seq)
	}
	for _, e := range all {
		e.Close()
	}
	if n := len(p.wires) + len(p.paths) + len(p.ufrags); n != 0 {
		t.Errorf("%d wires, %d paths, %d names are left", len(p.wires), len(p.paths), len(p.ufrags))
	}
}
