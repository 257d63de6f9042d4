package rtp

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// newJitter is a buffer of short frames: 4 bytes for 160 ticks. An odd byte is a
// hole.
func newJitter() *Jitter {
	return NewJitter(JitterConfig{Clock: 8000, Ticks: 160, Silence: []byte("....")})
}

// play puts packets in and takes a frame each 20 ms. A script is a word for each
// frame of time: the letters of the packets that arrive in it, "-" for none.
// Packet a has timestamp base, b is 160 further and so on. What is heard is
// written the same way.
func play(j *Jitter, base uint32, script string) string {
	start := time.Unix(1000, 0)
	var out []string
	for i, word := range strings.Fields(script) {
		now := start.Add(time.Duration(i) * 20 * time.Millisecond)
		for _, c := range word {
			if c != '-' {
				j.Put(now, base+uint32(c-'a')*160, bytes.Repeat([]byte{byte(c)}, 4))
			}
		}
		var frame [4]byte
		switch n := j.Get(now, frame[:]); {
		case n == 0:
			out = append(out, "-")
		default:
			out = append(out, string(frame[:1]))
		}
	}
	return strings.Join(out, " ")
}

func TestJitter(t *testing.T) {
	for _, c := range []struct {
		name, in, want string
		late           int64
	}{
		{"even", "a b c d e f g", "- - a b c d e", 0},
		{"uneven", "a - bc - de f - g", "- - a b c d e f", 0},
		{"overtaken", "a c b d e f g", "- - a b c d e", 0},
		{"copies", "a ab bc c d de", "- - a b c d", 0},
		{"lost", "a b d e f g h", "- - a b - d e", 0},
		{"the first two overtaken", "b a c d e f", "- a b c d e", 0},
		{"held up by the network", "a b - - - cdef g h", "- - a b - d e f", 1},
		{"silence in between", "a b - - - - - - i j k", "- - a b - - - - - - i", 0},
	} {
		for _, base := range []uint32{0, 0xffffffff - 400} { // the timestamp wraps
			j := newJitter()
			got := play(j, base, c.in)
			if got != c.want || j.Late() != c.late {
				t.Errorf("%s from %d:\n  in   %s\n  got  %s, %d late\n  want %s, %d late",
					c.name, base, c.in, got, j.Late(), c.want, c.late)
			}
		}
	}
}

// A sender whose timestamps jump, forward or back, is heard again after 100 ms.
func TestJitterJumps(t *testing.T) {
	for _, jump := range []uint32{1 << 20, 1 << 31, 0xfff00000} {
		j := newJitter()
		now := time.Unix(0, 0)
		heard := 0
		for i := range 100 {
			ts := uint32(i * 160)
			if i >= 50 {
				ts += jump
			}
			j.Put(now, ts, []byte("aaaa"))
			if j.Get(now, make([]byte, 4)) > 0 && i >= 50 {
				heard++
			}
			now = now.Add(frame)
		}
		if heard < 40 {
			t.Errorf("after a jump of %#x %d of 50 frames were heard, want 40", jump, heard)
		}
	}
}

// Packets of 10, 30 and 60 ms are cut into frames without a seam.
func TestJitterPacketTimes(t *testing.T) {
	for _, ms := range []int{10, 20, 30, 40, 60} {
		j := NewJitter(JitterConfig{Clock: 8000, Ticks: 160, Silence: bytes.Repeat([]byte{0xff}, 160), Target: 80 * time.Millisecond})
		start := time.Unix(0, 0)
		at, next := 0, byte(0) // when the next packet leaves, in ms, and its first byte
		var got []byte
		for now := 0; now < 2000; now += 20 {
			for ; at <= now; at += ms {
				p := make([]byte, ms*8)
				for i := range p {
					p[i] = next
					next++
				}
				j.Put(start.Add(time.Duration(at)*time.Millisecond), 5000+uint32(at*8), p)
			}
			buf := make([]byte, 160)
			got = append(got, buf[:j.Get(start.Add(time.Duration(now)*time.Millisecond), buf)]...)
		}
		if len(got) < 160*90 {
			t.Errorf("packets of %d ms: %d bytes heard, want 2 s less the delay", ms, len(got))
		}
		for i, b := range got {
			if b != byte(i) {
				t.Errorf("packets of %d ms: byte %d is %d, want %d", ms, i, b, byte(i))
				break
			}
		}
	}
}

// A sender whose clock runs 1 % fast does not pile up delay.
func TestJitterFastSender(t *testing.T) {
	j := newJitter()
	start := time.Unix(0, 0)
	sent := 0
	for i := range 5000 {
		now := start.Add(time.Duration(i) * frame)
		for ; float64(sent) <= float64(i)*1.01; sent++ {
			j.Put(now, uint32(sent*160), []byte("aaaa"))
		}
		j.Get(now, make([]byte, 4))
	}
	if depth := j.high + 1 - j.play; depth > 6 {
		t.Errorf("after 100 s the buffer holds %d frames, want 6 at most", depth)
	}
	if j.LeftOut() < 40 || j.LeftOut() > 50 {
		t.Errorf("%d frames left out, want about 48", j.LeftOut())
	}
}

func TestJitterAllocates(t *testing.T) {
	j := NewJitter(JitterConfig{Clock: 8000, Ticks: 160, Silence: make([]byte, 160)})
	now, ts, b := time.Unix(0, 0), uint32(0), make([]byte, 160)
	if got := testing.AllocsPerRun(200, func() {
		j.Put(now, ts, b)
		j.Get(now, b)
		ts, now = ts+160, now.Add(frame)
	}); got != 0 {
		t.Errorf("%v allocations a frame, want 0", got)
	}
}

// Any packets in any order: what comes out was put in, and in the order of its
// timestamps unless the sender began anew.
func FuzzJitter(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 5, 4, 4, 255, 9, 10})
	f.Add([]byte{200, 0, 200, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		j := newJitter()
		now := time.Unix(0, 0)
		for i, b := range in {
			j.Put(now, uint32(int8(b))*80+uint32(i)*160, bytes.Repeat([]byte{'x'}, 1+int(b)%40))
			if b%3 == 0 {
				now = now.Add(frame)
				var buf [4]byte
				before := j.play
				n := j.Get(now, buf[:])
				if n != 0 && n != 4 {
					t.Fatalf("Get = %d bytes, want 0 or 4", n)
				}
				for _, c := range buf[:n] {
					if c != 'x' && c != '.' {
						t.Fatalf("Get = %q, which nobody sent", buf)
					}
				}
				if j.play < before {
					t.Fatalf("the buffer went back from %d to %d", before, j.play)
				}
			}
		}
	})
}

func BenchmarkJitter(b *testing.B) { // budget: 100 ns a packet in and out, 0 allocations
	j := NewJitter(JitterConfig{Clock: 8000, Ticks: 160, Silence: make([]byte, 160)})
	now, ts, p := time.Unix(0, 0), uint32(0), make([]byte, 160)
	b.ReportAllocs()
	for b.Loop() {
		j.Put(now, ts, p)
		j.Get(now, p)
		ts, now = ts+160, now.Add(frame)
	}
}

// Payloads that are wholes: out of order, shorter and longer than a frame. Here a
// payload's first byte is how many times 10 ms it lasts, and the rest is its name.
func TestJitterWhole(t *testing.T) {
	at := time.Unix(1000, 0)
	j := NewJitter(JitterConfig{Clock: 48000, Ticks: 960, Silence: []byte{2, '.'},
		Lasts: func(p []byte) int { return int(p[0]) * 480 },
		Join: func(dst, a, b []byte) int {
			dst[0] = a[0] + b[0]
			n := 1 + copy(dst[1:], a[1:])
			return n + copy(dst[n:], b[1:])
		}})
	var ts uint32 = 0xffffff00 // wraps on the way
	put := func(after int, p string) { j.Put(at, ts+uint32(after)*480, []byte(p)) }
	put(0, "\x02a")
	put(4, "\x01d") // its first half comes behind it
	put(2, "\x02b")
	put(3, "\x01?") // lies within b: a copy
	put(5, "\x01e")
	put(6, "\x06long")
	put(12, "\x01g")
	put(12, "\x01g") // again
	put(14, "\x00")  // lasts no time: broken
	put(16, "\x02h")
	var got []string
	buf := make([]byte, 1500)
	for i := range 12 {
		got = append(got, string(buf[:j.Get(at.Add(time.Duration(i)*frame), buf)]))
	}
	want := []string{"", "", "\x02a", "\x02b", "\x02de", "\x06long", "", "", "\x01g", "", "\x02h", ""}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// One so long that its front is late is heard where it can be.
	at = at.Add(12 * frame)
	put(18, "\x02late")
	put(20, "\x0cfront")
	if n := j.Get(at, buf); string(buf[:n]) == "\x02late" {
		t.Errorf("a packet that was late is heard: %q", buf[:n])
	}
	x, y := []byte("\x01x"), []byte("\x01y")
	if n := testing.AllocsPerRun(50, func() {
		at, ts = at.Add(frame), ts+960
		j.Put(at, ts+24*480, x)
		j.Put(at, ts+25*480, y)
		j.Get(at, buf)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
