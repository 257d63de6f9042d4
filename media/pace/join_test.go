package pace

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ozswitch/media/rtp"
)

// pairRig is a shard with two legs that are joined; x hears, y says.
type pairRig struct {
	*rig
	x, y   *Leg
	wx, wy *fakeWire
}

func newPair(t *testing.T, change func(x, y *LegConfig)) *pairRig {
	t.Helper()
	r := &pairRig{wx: &fakeWire{}, wy: &fakeWire{}}
	r.rig = &rig{t: t, s: NewShard(start, 0), w: r.wy, now: start}
	cx := LegConfig{Wire: r.wx, Remote: far, Format: ulaw(), DTMFPT: 96, SSRC: 11, Silence: true}
	cy := LegConfig{Wire: r.wy, Remote: far, Format: ulaw(), DTMFPT: 101, SSRC: 77, Seq: 65534, TS: 0xffffff00, Silence: true}
	cy.Format.PT = 18
	if change != nil {
		change(&cx, &cy)
	}
	r.x, r.y = NewLeg(cx), NewLeg(cy)
	r.l = r.y
	r.ok(r.s.Add(r.x))
	r.ok(r.s.Add(r.y))
	return r
}

// join joins them; c is for what y says.
func (r *pairRig) join(c Coder) {
	xy, yx := NewWay(r.x.cfg.Format), NewWay(r.y.cfg.Format)
	r.ok(r.x.Join(xy, yx, nil))
	r.ok(r.y.Join(yx, xy, c))
	r.ok(r.y.Join(yx, xy, c)) // twice is once
}

// sound is a packet to x: number and frame n of a stream, with a letter.
func sound(n int, letter string) rtp.Packet {
	return rtp.Packet{PT: 0, SSRC: 5, Seq: uint16(1000 + n), TS: uint32(50000 + 160*n), Payload: bytes.Repeat([]byte(letter), 160)}
}

// speaks lets x hear letters, one a frame; "." is a frame without a packet.
func (r *pairRig) speaks(n int, letters string) int {
	for i := range len(letters) {
		if letters[i] != '.' {
			r.wx.comes(far, sound(n, letters[i:i+1]))
		}
		n++
		r.frames(1)
	}
	return n
}

// sent writes what y sent since the last time, a word a packet: marker, letter,
// number since the first and frames since the first.
func (r *pairRig) sent() string {
	var out []string
	for _, p := range r.wy.sent {
		w := string(p.Payload[:1])
		switch {
		case p.PT == 101:
			w = fmt.Sprintf("k%d", p.Payload[0])
		case p.PT != 18:
			w = fmt.Sprintf("?%d", p.PT)
		case p.Payload[0] == 0xff:
			w = "_"
		}
		if p.Marker {
			w = "M" + w
		}
		ticks := int32(p.TS - 0xffffff00)
		w += fmt.Sprintf("%d@%d", int16(p.Seq-65534), ticks/160)
		if ticks%160 != 0 || p.SSRC != 77 {
			w += "!"
		}
		out = append(out, w)
	}
	r.wy.sent = nil
	return strings.Join(out, " ")
}

// What passes has the header of the leg that says it: numbers and timestamps go on
// where its own silence was, keep the stream's gaps, and end where silence goes on.
func TestPass(t *testing.T) {
	r := newPair(t, nil)
	r.frames(3)
	r.want("before", r.sent(), "M_0@0 _1@1 _2@2")
	r.join(nil)
	r.frames(1)
	n := r.speaks(0, "abc..d")
	r.frames(2)
	// Nothing is filled in where nothing comes: by the numbers of d two are lost.
	r.want("joined", r.sent(), "Ma3@4 b4@5 c5@6 d8@9")
	r.ok(r.x.Join(nil, nil, nil))
	r.ok(r.y.Join(nil, nil, nil))
	r.speaks(n, "ef")
	r.want("parted", r.sent(), "M_9@12 _10@13")
}

// Packets that were overtaken pass with their own numbers; copies, what came before
// we spoke ourselves, and packets of a payload type that nobody agreed on do not.
func TestPassOrder(t *testing.T) {
	r := newPair(t, nil)
	r.join(nil)
	r.frames(1)
	r.speaks(5, "fg")
	r.wx.comes(far, sound(8, "i"))
	r.wx.comes(far, sound(7, "h"))
	r.wx.comes(far, sound(7, "h"))
	r.wx.comes(far, sound(3, "d")) // of before the join
	noise := sound(9, "n")
	noise.PT = 13
	r.wx.comes(far, noise)
	r.wx.comes(far, sound(10, "k"))
	r.frames(2)
	r.want("sent", r.sent(), "Mf0@1 g1@2 i3@4 h2@3 k4@6")
}

// Another stream, and one whose time jumps, go on from where we are.
func TestPassOtherStream(t *testing.T) {
	r := newPair(t, nil)
	r.join(nil)
	r.frames(1)
	r.speaks(0, "abc")
	for i := range 6 {
		p := sound(i+700, "xyzuvw"[i:i+1])
		p.SSRC, p.TS = 6, p.TS+1<<30
		r.wx.comes(far, p)
		r.frames(1)
	}
	r.want("another SSRC", r.sent(), "Ma0@1 b1@2 c2@3 My3@5 z4@6 u5@7 v6@8 w7@9")
	for i := range 3 {
		p := sound(i+706, "def"[i:i+1])
		p.SSRC = 6
		r.wx.comes(far, p)
		r.frames(1)
	}
	r.want("its time jumps", r.sent(), "Md8@10 e9@11 f10@12")
}

// A sound for y alone is heard in the stead of what comes while nobody can lay one
// over the other; what comes then goes on behind it.
func TestPassAndPlay(t *testing.T) {
	r := newPair(t, nil)
	r.join(nil)
	r.frames(1)
	n := r.speaks(0, "ab")
	r.ok(r.y.Enqueue(1, clip("PQ")))
	n = r.speaks(n, "cd")
	n = r.speaks(n, "ef")
	r.ok(r.y.SendKeys(2, "5"))
	n = r.speaks(n, "ghijklmn")
	r.speaks(n, "op")
	r.want("sent", r.sent(), "Ma0@1 b1@2 c2@3 P3@4 Q4@5 e5@6 f6@7 g7@8 Mk58@9 k59@9 k510@9 k511@9 k512@9 k513@9 k514@9 k515@9 o16@17 p17@18")
	for _, p := range r.wx.sent {
		if p.Payload[0] != 0xff && p.PT == 0 {
			t.Errorf("the other party was sent %q", p.Payload[0])
		}
	}
}

// Telephone-events pass with the payload type of the other side; where that has
// none they are not missed.
func TestPassKeys(t *testing.T) {
	for _, pt := range []uint8{101, 0} {
		r := newPair(t, func(x, y *LegConfig) { y.DTMFPT = pt })
		r.join(nil)
		r.frames(1)
		n := r.speaks(0, "ab")
		for i := range 3 {
			p := sound(n+i, "")
			p.PT, p.Marker, p.TS = 96, i == 0, 50000+2*160
			p.Payload = []byte{7, 10, 0, byte(160 * (i + 1))}
			r.wx.comes(far, p)
			r.frames(1)
		}
		r.speaks(n+3, "c")
		want := "Ma0@1 b1@2 Mk72@3 k73@3 k74@3 c5@6"
		if pt == 0 {
			want = "Ma0@1 b1@2 c2@6"
		}
		r.want(fmt.Sprintf("sent with payload type %d", pt), r.sent(), want)
		r.l = r.x
		if got := r.results(); !strings.Contains(got, "KeyPressed@") {
			t.Errorf("results of who heard the key: %s", got)
		}
	}
}

// A background plays over and over beneath clips and in the stead of the other
// party, and goes on where it was.
func TestBackground(t *testing.T) {
	r := newPair(t, nil)
	r.ok(r.y.SetBackground(clip("abc")))
	r.frames(4)
	r.ok(r.y.Enqueue(1, clip("PQ")))
	r.frames(3)
	r.join(nil)
	n := r.speaks(0, "xyz")
	r.ok(r.y.SetBackground(nil))
	r.speaks(n, "uv")
	r.ok(r.y.SetBackground(&Clip{}))
	r.frames(1)
	r.want("sent", r.sent(), "Ma0@0 b1@1 c2@2 a3@3 P4@4 Q5@5 b6@6 Mc7@7 a8@8 b9@9 u10@10 v11@11")
	r.ok(r.y.SetFormat(Change{Format: r.y.cfg.Format}))
	r.frames(1)
}

// What comes is sent at once where both legs are of one shard, and in the other's
// turn where they are not; a panic of the other is its own.
func TestPassAtOnce(t *testing.T) {
	for _, shards := range []int{1, 2} {
		r := newPair(t, nil)
		s, y := r.s, r.y
		if shards == 2 {
			s = NewShard(start, 0)
			r.wy = &fakeWire{}
			c := r.y.cfg
			c.Wire = r.wy
			y = NewLeg(c)
			r.ok(s.Add(y))
			r.y = y
		}
		r.join(nil)
		tick := func(at time.Duration) {
			r.s.Tick(start.Add(at))
			if shards == 2 {
				s.Tick(start.Add(at))
			}
		}
		for at := time.Duration(0); at < 100*ms; at += 2 * ms {
			tick(at)
		}
		r.wy.sent = nil
		r.wx.comes(far, sound(0, "a"))
		r.s.Tick(start.Add(100 * ms))
		if got, want := len(r.wy.sent), 2-shards; got != want {
			t.Errorf("%d shards: %d packets are sent in the turn of who heard it, want %d", shards, got, want)
		}
		tick(102 * ms)
		tick(120 * ms)
		if len(r.wy.sent) != 1 {
			t.Errorf("%d shards: %d packets were sent, want 1", shards, len(r.wy.sent))
		}
		r.wy.boom = true
		r.wx.comes(far, sound(1, "b"))
		tick(140 * ms)
		tick(142 * ms)
		r.l = y
		if got := r.results(); !strings.HasPrefix(got, "Failed@") || !strings.Contains(got, "boom") {
			t.Errorf("%d shards: results of who panicked: %q", shards, got)
		}
		r.l = r.x
		if got := r.results(); strings.Contains(got, "Failed") {
			t.Errorf("%d shards: results of the other: %q", shards, got)
		}
	}
}

// On hold nothing passes; afterwards it goes on.
func TestPassHold(t *testing.T) {
	r := newPair(t, nil)
	r.join(nil)
	r.frames(1)
	n := r.speaks(0, "ab")
	r.ok(r.y.SetSending(false))
	n = r.speaks(n, "cd")
	r.ok(r.y.SetSending(true))
	r.speaks(n, "ef")
	r.want("sent", r.sent(), "Ma0@1 b1@2 c2@3 Me3@5 f4@6")
}

// Our own clock follows a sender whose clock is a thousandth fast or slow, so that
// what we say after an hour is where the far end expects it.
func TestPassDrift(t *testing.T) {
	for _, off := range []time.Duration{-20 * time.Microsecond, 20 * time.Microsecond} {
		r := newPair(t, nil)
		r.join(nil)
		r.frames(1)
		next, n := r.now, 0
		for r.now.Sub(start) < 10*time.Minute {
			for !next.After(r.now) {
				r.wx.comes(far, sound(n, "a"))
				n, next = n+1, next.Add(20*ms+off)
			}
			r.frames(1)
			r.wy.sent = r.wy.sent[max(0, len(r.wy.sent)-1):]
		}
		last := r.wy.sent[len(r.wy.sent)-1]
		r.ok(r.y.Enqueue(1, clip("P")))
		r.frames(2)
		p := r.wy.sent[len(r.wy.sent)-1]
		if ahead := int32(p.TS-last.TS) / 160; p.Payload[0] != 'P' || ahead < 1 || ahead > 3 {
			t.Errorf("clock off by %v: our own sound is %d frames behind what passed, want 1 to 3", off, ahead)
		}
	}
}

// A tap has what passes in its order, and no more than a frame for each 20 ms.
func TestPassTap(t *testing.T) {
	for _, before := range []bool{true, false} {
		r := newPair(t, nil)
		tap := NewTap(TapConfig{})
		if before {
			r.ok(r.y.SetTap(tap))
		}
		r.join(nil)
		if !before {
			r.ok(r.y.SetTap(tap))
		}
		r.frames(1)
		r.speaks(0, "abc")
		r.wx.comes(far, sound(4, "e"))
		r.wx.comes(far, sound(3, "d"))
		r.frames(2)
		r.speaks(5, "fgh")
		r.frames(5)
		r.ok(r.y.SetTap(nil))
		r.frames(1)
		heard := ""
		for b, ok := tap.Next(); ok; b, ok = tap.Next() {
			for i := range b.N {
				if f := b.Out(i); len(f) == 160 {
					heard += string(f[:1])
				}
			}
			tap.Release(b)
		}
		if !strings.Contains(heard, "abcdefgh") {
			t.Errorf("tap set before the join %v: it has %q, want abcdefgh", before, heard)
		}
	}
}

// A way has room for a while, and what is too much is missing, not garbled.
func TestWay(t *testing.T) {
	w := NewWay(ulaw())
	put, got := 0, 0
	for round := range 200 {
		for range 1 + round%70 {
			p := sound(put, string(rune('a'+put%26)))
			p.Payload = p.Payload[:1+put%160]
			w.put(p, put%7 == 0)
			put++
		}
		for {
			p, event, ok := w.take()
			if !ok {
				break
			}
			n := int(p.Seq - 1000)
			if want := sound(n, string(rune('a'+n%26))); p.TS != want.TS || !bytes.Equal(p.Payload, want.Payload[:1+n%160]) || event != (n%7 == 0) || n < got%65536 {
				t.Fatalf("round %d: packet %d is %v", round, n, p)
			}
			got = n + 1
			if l := w.last(); !event && !bytes.Equal(l, p.Payload) || event && l != nil {
				t.Fatalf("round %d: the last one is %q, want %q", round, l, p.Payload)
			}
		}
		if round > 0 && got < put-60 {
			t.Fatalf("round %d: %d of %d came", round, got, put)
		}
	}
}

// streamWire hears a packet of sound at each Recv, and each tenth time a key.
type streamWire struct {
	fakeWire
	n    int
	b    [172]byte
	sent int
}

func (w *streamWire) Send([]byte) error { w.sent++; return nil }

func (w *streamWire) Recv(bufs [][]byte, from []netip.AddrPort) int {
	p := rtp.Packet{SSRC: 5, Seq: uint16(w.n), TS: uint32(160 * w.n)}
	b := w.b[:]
	if w.n++; w.n%10 == 0 {
		p.PT, b = 96, w.b[:16]
	}
	rtp.PutHeader(b, p)
	bufs[0], from[0] = append(bufs[0][:0], b...), far
	return 1
}

// Passing a packet allocates nothing, with a recording of both directions too.
func TestPassAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	r := newPair(t, nil)
	x, y := &streamWire{}, &streamWire{}
	r.x.cfg.Wire, r.y.cfg.Wire = x, y
	r.join(nil)
	tap := NewTap(TapConfig{})
	r.ok(r.y.SetTap(tap))
	heard := 0
	turn := func() {
		r.now = r.s.Tick(r.now)
		for _, l := range []*Leg{r.x, r.y} {
			for _, ok := l.Next(); ok; _, ok = l.Next() {
			}
		}
		for b, ok := tap.Next(); ok; b, ok = tap.Next() {
			for i := range b.N {
				heard += min(1, len(b.Out(i)))
			}
			tap.Release(b)
		}
	}
	for range 100 {
		turn()
	}
	before := y.sent
	if n := testing.AllocsPerRun(500, turn); n > 0 {
		t.Errorf("%v allocations a tick, want none", n)
	}
	if y.sent-before < 200 || heard < 200 {
		t.Errorf("%d packets passed and %d frames were recorded, want 200 at least", y.sent-before, heard)
	}
}

func BenchmarkPass(b *testing.B) {
	s := NewShard(start, 20*ms)
	x := NewLeg(LegConfig{Wire: &streamWire{}, Remote: far, Format: ulaw(), DTMFPT: 96})
	y := NewLeg(LegConfig{Wire: &streamWire{}, Remote: far, Format: ulaw(), DTMFPT: 96})
	xy, yx := NewWay(ulaw()), NewWay(ulaw())
	s.Add(x)
	s.Add(y)
	x.Join(xy, yx, nil)
	y.Join(yx, xy, nil)
	now := start
	b.ReportAllocs()
	for b.Loop() {
		now = s.Tick(now)
		x.Next()
		y.Next()
	}
	if x.ear.st.PacketsOut == 0 {
		b.Fatal("nothing passed")
	}
}
