package sdes

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ozswitch/media/rtp"
)

var far = netip.MustParseAddrPort("192.0.2.1:4000")

// pipe is a wire into another: what one sends, the other receives.
type pipe struct {
	to   *pipe
	in   [][]byte
	sent [][]byte
	at   time.Time
}

func pipes() (a, b *pipe) {
	a, b = &pipe{}, &pipe{}
	a.to, b.to = b, a
	return a, b
}

func (p *pipe) Send(b []byte) error {
	p.sent = append(p.sent, bytes.Clone(b))
	p.to.in = append(p.to.in, bytes.Clone(b))
	return nil
}

func (p *pipe) Recv(bufs [][]byte, from []netip.AddrPort) (n int) {
	for n < len(bufs) && len(p.in) > 0 {
		b := bufs[n][:cap(bufs[n])]
		bufs[n], from[n] = b[:copy(b, p.in[0])], far
		p.in = p.in[1:]
		n++
	}
	return n
}

func (p *pipe) Aim(netip.AddrPort) error    { return nil }
func (p *pipe) Rebind(netip.AddrPort) error { return nil }
func (p *pipe) LocalAddr() netip.AddrPort   { return far }
func (p *pipe) Close() error                { return nil }
func (p *pipe) Came(i int) time.Time        { return p.at.Add(time.Duration(i)) }

func packet(seq uint16, text string) []byte {
	b := make([]byte, rtp.HeaderLen)
	rtp.PutHeader(b, rtp.Packet{Seq: seq, TS: uint32(seq) * 160, SSRC: 7})
	return append(b, text...)
}

func recv(w *Wire) (all []string) {
	bufs, from := make([][]byte, 8), make([]netip.AddrPort, 8)
	for i := range bufs {
		bufs[i] = make([]byte, 1500)
	}
	for _, b := range bufs[:w.Recv(bufs, from)] {
		all = append(all, string(b))
	}
	return all
}

func key(t testing.TB, suite string) Key {
	k, err := New(suite, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// pair is two wires that agreed on keys by what stands in SDP.
func pair(t testing.TB, suite string) (a, b *Wire, below *pipe) {
	pa, pb := pipes()
	ours, theirs := key(t, suite), key(t, suite)
	read := func(k Key) Key {
		p, err := Parse(suite, k.Inline()+"|2^31 WSH=64")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	a, b = Wrap(pa), Wrap(pb)
	if err := a.SetKeys(ours, read(theirs)); err != nil {
		t.Fatal(err)
	}
	if err := b.SetKeys(theirs, read(ours)); err != nil {
		t.Fatal(err)
	}
	return a, b, pa
}

// Sound is encrypted, comes through whole, once, and not if a bit was changed.
func TestWire(t *testing.T) {
	for _, suite := range Suites() {
		t.Run(suite, func(t *testing.T) {
			a, b, below := pair(t, suite)
			const text = "what is said between us"
			p := packet(1, text)
			if err := a.Send(p); err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(below.sent[0], []byte(text)) || len(below.sent[0]) <= len(p) {
				t.Errorf("the packet went out as %q", below.sent[0])
			}
			if got := recv(b); len(got) != 1 || got[0] != string(p) {
				t.Fatalf("received %q, want %q", got, p)
			}
			below.to.in = [][]byte{below.sent[0]} // a copy
			if got := recv(b); len(got) != 0 {
				t.Errorf("a copy was taken: %q", got)
			}
			for i := uint16(2); i < 5; i++ {
				if err := a.Send(packet(i, text)); err != nil {
					t.Fatal(err)
				}
			}
			below.to.in[1][14] ^= 1 // the middle one of three
			if got := recv(b); len(got) != 2 || got[0] != string(packet(2, text)) || got[1] != string(packet(4, text)) {
				t.Errorf("with a forged packet between them received %q", got)
			}
			if got := b.Came(1).Sub(b.Came(0)); got != 2 {
				t.Errorf("the second good packet came as number %d of three, want 2", got)
			}
			below.to.in = [][]byte{packet(9, "plain"), {0x80}, nil}
			if got := recv(b); len(got) != 0 {
				t.Errorf("a packet that is not encrypted was taken: %q", got)
			}
		})
	}
}

// RTCP is encrypted as well, on the same port or on one of its own.
func TestControl(t *testing.T) {
	a, b, below := pair(t, AES80)
	report := []byte{0x80, 201, 0, 1, 0, 0, 0, 7}
	ca, cb := pipes()
	for _, c := range []struct {
		from, to *Wire
		below    *pipe
	}{{a, b, below}, {a.Control(ca), b.Control(cb), ca}} {
		if err := c.from.Send(report); err != nil {
			t.Fatal(err)
		}
		if got := c.below.sent[len(c.below.sent)-1]; len(got) != len(report)+4+10 {
			t.Errorf("SRTCP of %d bytes, want the index and the tag behind %d", len(got), len(report))
		}
		if got := recv(c.to); len(got) != 1 || got[0] != string(report) {
			t.Errorf("received %q, want %q", got, report)
		}
	}
}

// Nothing gets through before keys are agreed; then all, or all as it is.
func TestBeforeKeysAndPlain(t *testing.T) {
	pa, pb := pipes()
	a, b := Wrap(pa), Wrap(pb)
	if err := a.Send(packet(1, "too soon")); err == nil || len(pa.sent) > 0 {
		t.Errorf("a packet went out without keys: %v", err)
	}
	pb.in = [][]byte{packet(1, "x")}
	if got := recv(b); len(got) > 0 || b.Secure() {
		t.Errorf("a packet was taken without keys: %q", got)
	}
	a.Plain()
	b.Plain()
	if err := a.Send(packet(2, "as it is")); err != nil {
		t.Fatal(err)
	}
	if got := recv(b); len(got) != 1 || got[0] != string(packet(2, "as it is")) || b.Secure() {
		t.Errorf("received %q in the clear", got)
	}
}

// A key that stays keeps its counters: what was received cannot come again after
// a re-INVITE, nor does ours begin anew.
func TestSetKeysAgain(t *testing.T) {
	a, b, below := pair(t, AES32)
	if err := a.Send(packet(1, "one")); err != nil {
		t.Fatal(err)
	}
	recv(b)
	if err := b.SetKeys(b.all.out, b.all.in); err != nil {
		t.Fatal(err)
	}
	below.to.in = [][]byte{below.sent[0]}
	if got := recv(b); len(got) > 0 {
		t.Errorf("a copy was taken after the keys were set again: %q", got)
	}
	other := key(t, AES32)
	if err := a.SetKeys(other, a.all.in); err != nil {
		t.Fatal(err)
	}
	if err := b.SetKeys(b.all.out, other); err != nil {
		t.Fatal(err)
	}
	if err := a.Send(packet(2, "two")); err != nil {
		t.Fatal(err)
	}
	if got := recv(b); len(got) != 1 {
		t.Errorf("received %q by the new key", got)
	}
}

func TestParse(t *testing.T) {
	// RFC 4568, 10.1 and 6.1.
	const good = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20"
	k, err := Parse("aes_cm_128_hmac_sha1_80", good)
	if err != nil || k.Inline() != "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR" || k.Suite() != AES80 {
		t.Errorf("Parse = %v, %v", k, err)
	}
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%#v %+v", k, k)} {
		if strings.Contains(s, "PS1u") || strings.Contains(s, "61 45") {
			t.Errorf("the key prints as %s", s)
		}
	}
	for _, bad := range []struct{ suite, params, why string }{
		{"F8_128_HMAC_SHA1_80", good, "not spoken"},
		{AES80, "", "no key"},
		{AES80, "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4", "MKI"},
		{AES80, "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|1:4", "MKI"},
		{AES80, good + " UNENCRYPTED_SRTP", "UNENCRYPTED_SRTP"},
		{AES80, good + " KDR=1", "KDR"},
		{AES80, "inline:AAAA", "30 bytes"},
		{AES80, "inline:%%%%", "base64"},
		{AES80, "uri:https://x", "inline"},
		{AES80, good + ";inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR", "one key"},
		{GCM128, good, "28 bytes"},
	} {
		if _, err := Parse(bad.suite, bad.params); err == nil || !strings.Contains(err.Error(), bad.why) || strings.Contains(err.Error(), "PS1u") {
			t.Errorf("Parse(%s, %s): %v, want it to tell %q", bad.suite, bad.params, err, bad.why)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	for _, suite := range Suites() {
		a, b, _ := pair(t, suite)
		p := packet(0, strings.Repeat("s", 160))
		bufs, from := [][]byte{make([]byte, 1500), make([]byte, 1500)}, make([]netip.AddrPort, 2)
		flat := &flat{buf: make([]byte, 2000)}
		a.Wire, b.Wire = flat, flat
		seq := uint16(0)
		step := func() {
			seq++
			rtp.PutHeader(p, rtp.Packet{Seq: seq, SSRC: 7})
			if a.Send(p) != nil || b.Recv(bufs, from) != 1 {
				t.Fatal("lost")
			}
		}
		step()
		// The race detector empties sync.Pool at random, which pion/srtp has its buffers in.
		if n := testing.AllocsPerRun(200, step); n != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations for a packet sent and one received", suite, n)
		}
	}
}

// flat holds one packet and allocates nothing.
type flat struct {
	pipe
	buf []byte
	n   int
}

func (f *flat) Send(b []byte) error { f.n = copy(f.buf, b); return nil }
func (f *flat) Recv(bufs [][]byte, from []netip.AddrPort) int {
	if f.n == 0 {
		return 0
	}
	b := bufs[0][:cap(bufs[0])]
	bufs[0], from[0], f.n = b[:copy(b, f.buf[:f.n])], far, 0
	return 1
}
