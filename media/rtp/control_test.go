package rtp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"time"
)

var full = Control{
	SSRC: 0xdeadbeef, Sender: true, NTP: 0x0102030405060708, TS: 9, Packets: 10, Octets: 1600, About: true, Bye: true,
	Block: Block{SSRC: 7, Fraction: 64, Lost: -3, Highest: 0x1ffff, Jitter: 12, LSR: 0x03040506, DLSR: 65536},
}

func TestControl(t *testing.T) {
	for _, change := range []func(*Control){
		func(*Control) {},
		func(c *Control) { c.Bye = false },
		func(c *Control) { c.About, c.Block = false, Block{} },
		func(c *Control) { c.Sender, c.NTP, c.TS, c.Packets, c.Octets = false, 0, 0, 0, 0 },
	} {
		for _, name := range []string{"", "a", "ab", "abc", "abcd", "0123456789012345678901234567890123456789more"} {
			want := full
			change(&want)
			b := make([]byte, MaxControl)
			n := PutControl(b, want, name)
			got, err := ParseControl(b[:n], 7)
			if err != nil || got != want {
				t.Errorf("name %q: %+v\nreads as %+v, %v", name, want, got, err)
			}
			if _, err := Parse(b[:n]); !errors.Is(err, ErrRTCP) {
				t.Errorf("Parse takes the report for RTP: %v", err)
			}
			for cut := range n {
				if _, err := ParseControl(b[:cut], 7); err == nil && cut%4 != 0 {
					t.Errorf("%d of %d bytes are taken for a report", cut, n)
				}
			}
		}
	}
	b := make([]byte, MaxControl)
	n := PutControl(b, full, "name")
	if got, _ := ParseControl(b[:n], 8); got.About {
		t.Error("a block about 7 was taken for one about 8")
	}
}

// The bytes of a report by hand: RFC 3550, 6.4.1 and 6.5.
func TestControlBytes(t *testing.T) {
	b := make([]byte, MaxControl)
	n := PutControl(b, Control{SSRC: 1, About: true, Block: Block{SSRC: 2, Fraction: 3, Lost: 4, Highest: 5, Jitter: 6, LSR: 7, DLSR: 8}}, "ab")
	want := []byte{
		0x81, 201, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 3, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8,
		0x81, 202, 0, 3, 0, 0, 0, 1, 1, 2, 'a', 'b', 0, 0, 0, 0,
	}
	if !bytes.Equal(b[:n], want) {
		t.Errorf("got  % x\nwant % x", b[:n], want)
	}
}

func TestControlRefuses(t *testing.T) {
	b := make([]byte, MaxControl)
	n := PutControl(b, full, "name")
	whole := b[:n]
	with := func(i int, v byte) []byte { c := bytes.Clone(whole); c[i] = v; return c }
	rr := []byte{0x80, 201, 0, 1, 0, 0, 0, 1}
	and := func(more ...byte) []byte { return append(bytes.Clone(rr), more...) }
	for name, b := range map[string][]byte{
		"version 1":                 with(0, 0x41),
		"begins with SDES":          whole[52:],
		"longer than the packet":    with(3, 200),
		"more blocks than bytes":    with(0, 0x9f),
		"second packet's version":   and(0x40, 203, 0, 0),
		"bytes left over":           and(0x80, 203),
		"padding in the first":      {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4},
		"padding that is too long":  and(0xa0, 203, 0, 1, 0, 0, 0, 8),
		"padding of three":          and(0xa0, 203, 0, 1, 0, 0, 0, 3),
		"padding of none":           and(0xa0, 203, 0, 1, 0, 0, 0, 0),
		"padding before the end":    and(0xa0, 203, 0, 1, 0, 0, 0, 4, 0x80, 203, 0, 0),
		"an item beyond its chunk":  and(0x81, 202, 0, 2, 0, 0, 0, 1, 1, 9, 'a', 0),
		"a chunk without its end":   and(0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 'a', 'b'),
		"half a chunk":              and(0x81, 202, 0, 1, 0, 0, 0, 1),
		"more who leave than bytes": and(0x82, 203, 0, 1, 0, 0, 0, 1),
		"a reason that is too long": and(0x81, 203, 0, 2, 0, 0, 0, 1, 9, 'a', 'b', 'c'),
	} {
		if c, err := ParseControl(b, 7); err == nil {
			t.Errorf("%s: % x was read as %+v", name, b, c)
		}
	}
	for name, b := range map[string][]byte{
		"alone":          rr,
		"padding":        and(0xa0, 203, 0, 1, 0, 0, 0, 4),
		"unknown type":   and(0x81, 207, 0, 1, 0, 0, 0, 9),
		"reason":         and(0x81, 203, 0, 2, 0, 0, 0, 1, 3, 'a', 'b', 'c'),
		"profile's tail": {0x80, 201, 0, 2, 0, 0, 0, 1, 9, 9, 9, 9},
	} {
		if _, err := ParseControl(b, 7); err != nil {
			t.Errorf("%s: % x was refused: %v", name, b, err)
		}
	}
}

func FuzzParseControl(f *testing.F) {
	b := make([]byte, MaxControl)
	f.Add(b[:PutControl(b, full, "name")])
	f.Add([]byte{0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 'a', 0})
	f.Add([]byte{0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 203, 0, 2, 0, 0, 0, 1, 3, 'a', 'b', 'c'})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseControl(b, 7)
		if err != nil {
			return
		}
		// What was read is written, and reads the same.
		out := make([]byte, MaxControl)
		again, err := ParseControl(out[:PutControl(out, c, "x")], 7)
		if err != nil || again != c {
			t.Errorf("%+v is written and reads as %+v, %v", c, again, err)
		}
	})
}

func TestNTP(t *testing.T) {
	if got, want := NTP(time.Unix(0, 500_000_000)), uint64(2208988800)<<32|1<<31; got != want {
		t.Errorf("NTP = %#x, want %#x", got, want)
	}
}

// Two ends 40 ms apart, one of which hears every tenth packet not, tell each other
// the truth.
func TestReporter(t *testing.T) {
	const ms = time.Millisecond
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a := Reporter{SSRC: 1, Name: "a"}
	b := Reporter{SSRC: 2, Name: "b"}
	var atA, atB Reception
	var sent Sent
	var count, most, least = 0, time.Duration(0), time.Hour
	last := now
	buf := make([]byte, MaxControl)
	for i := range 3000 { // a minute
		seq := uint16(65000 + i) // wraps
		p := Packet{SSRC: 1, Seq: seq, TS: uint32(i * 160)}
		sent.Packets, sent.Bytes, sent.TS = sent.Packets+1, sent.Bytes+160, p.TS
		if i%10 != 9 {
			atB.Put(p)
			atB.Sway(now.Add(40*ms+time.Duration(i%2)*4*ms), 8000, p.TS)
		}
		if a.Due(now) {
			n := a.Put(buf, now, sent, &atA, false)
			c, err := b.Hear(buf[:n], now.Add(40*ms))
			if err != nil || !c.Sender || c.About || c.Packets != uint32(i+1) || c.Octets != uint32(160*(i+1)) || c.TS != p.TS || c.NTP != NTP(now) {
				t.Fatalf("a says %+v, %v, want %d packets", c, err, i+1)
			}
			if i > 200 {
				most, least = max(most, now.Sub(last)), min(least, now.Sub(last))
			}
			last = now
			count++
		}
		if b.Due(now) {
			n := b.Put(buf, now, Sent{}, &atB, false)
			if _, err := a.Hear(buf[:n], now.Add(40*ms)); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(20 * ms)
	}
	if count < 9 || count > 15 || most > 7600*ms || least < 2400*ms {
		t.Errorf("%d reports in a minute, %v to %v apart, want about 12, 2.5 to 7.5 s apart", count, least, most)
	}
	if got := a.RoundTrip(); got < 79*ms || got > 81*ms {
		t.Errorf("round trip %v, want 80ms", got)
	}
	k := a.Theirs()
	if k.SSRC != 1 || math.Abs(float64(k.Fraction)-25.6) > 2 || k.Lost < 230 || k.Lost > 300 || k.Highest < 65000+2400 || k.Highest > 65000+3000 {
		t.Errorf("b's block is %+v, want a tenth lost and a highest number beyond the wrap", k)
	}
	if got := float64(k.Jitter); math.Abs(got-30) > 8 { // 4 ms are 32 ticks; nearly each packet sways
		t.Errorf("b's jitter is %g ticks, want about 30", got)
	}
}

// Who does not send says so with a receiver report; another SSRC begins its
// counts anew; the last report says goodbye.
func TestReporterKinds(t *testing.T) {
	now := time.Unix(1e9, 0)
	r := Reporter{SSRC: 1}
	var in Reception
	buf := make([]byte, MaxControl)
	say := func(s Sent, bye bool) Control {
		c, err := ParseControl(buf[:r.Put(buf, now, s, &in, bye)], 9)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for i, want := range []bool{true, true, false} { // two reports after the last packet
		if c := say(Sent{Packets: 5}, false); c.Sender != want {
			t.Errorf("report %d is a sender's: %v, want %v", i, c.Sender, want)
		}
	}
	for i := range 10 {
		in.Put(Packet{SSRC: 8, Seq: uint16(i * 2)})
	}
	say(Sent{}, false)
	in.Put(Packet{SSRC: 9, Seq: 100})
	in.Put(Packet{SSRC: 9, Seq: 103})
	n := r.Put(buf, now, Sent{}, &in, true)
	if c, err := ParseControl(buf[:n], 9); err != nil || !c.About || c.Block.Lost != 2 || c.Block.Fraction != 128 || !c.Bye || c.Block.LSR != 0 {
		t.Errorf("of the second stream: %+v, %v, want 2 of 4 lost, and bye", c, err)
	}
	if binary.BigEndian.Uint32(buf[n-4:]) != 1 {
		t.Errorf("bye does not end in our SSRC: % x", buf[:n])
	}
}

func TestReporterAllocates(t *testing.T) {
	r, in := Reporter{SSRC: 1, Name: "name"}, Reception{}
	in.Put(Packet{SSRC: 7})
	buf, now := make([]byte, MaxControl), time.Unix(1e9, 0)
	if got := testing.AllocsPerRun(100, func() {
		r.Hear(buf[:r.Put(buf, now, Sent{Packets: 1}, &in, false)], now)
		r.Due(now)
	}); got != 0 {
		t.Errorf("%v allocations a report, want 0", got)
	}
}
