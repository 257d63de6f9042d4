package codec

import (
	"math"
	"testing"
	"time"

	"ozswitch/media"
)

func TestTable(t *testing.T) {
	for _, c := range Table {
		if got := ByName(c.Name, c.ClockRate); got != c {
			t.Errorf("ByName(%q, %d) = %v, want %v", c.Name, c.ClockRate, got, c)
		}
		if c.PT < FirstDynamic && ByPT(c.PT) != c {
			t.Errorf("ByPT(%d) = %v, want %v", c.PT, ByPT(c.PT), c)
		}
		if got, want := c.Ticks(), c.ClockRate/50; got != want {
			t.Errorf("%v: Ticks = %d, want %d", c, got, want)
		}
		// Silence is what the encoder makes of silence, if it has a state after a
		// while, and decodes to it.
		dst, n := make([]byte, MaxFrame), 0
		for e, i := c.NewEncoder(), 0; i < 200 && string(dst[:n]) != string(c.Silence); i++ {
			n = e.Encode(dst, make([]int16, c.Rate.Frame()))
		}
		if string(dst[:n]) != string(c.Silence) {
			t.Errorf("%v: Silence = % x, want % x", c, c.Silence, dst[:n])
		}
		pcm := make([]int16, c.Rate.Frame())
		for dec, i := c.NewDecoder(), 0; i < 100; i++ {
			for _, v := range pcm[:dec.Decode(pcm, c.Silence)] {
				if i > 2 && (v > 16 || v < -16) {
					t.Fatalf("%v: silence sounds like %d in frame %d", c, v, i)
				}
			}
		}
	}
	if got := ByName("pcmu", 8000); got != PCMU {
		t.Errorf("ByName(pcmu) = %v, want PCMU", got)
	}
	if got := ByName("PCMU", 16000); got != nil {
		t.Errorf("ByName(PCMU/16000) = %v, want nil", got)
	}
	if got := ByPT(96); got != nil {
		t.Errorf("ByPT(96) = %v, want nil: dynamic types have no meaning of their own", got)
	}
}

// The reference values are those of G.711, table 2a: the decoder output for the
// ends and the middle of each segment, times 4 on our 16-bit scale.
func TestPCMUReference(t *testing.T) {
	for _, c := range []struct {
		code byte
		want int16
	}{
		{0xff, 0}, {0x7f, 0}, {0x80, 32124}, {0x00, -32124},
		{0xfe, 8}, {0x7e, -8}, {0xf0, 120}, {0xef, 132}, {0xe0, 372}, {0x90, 15996}, {0x8f, 16764},
	} {
		var got [1]int16
		PCMU.NewDecoder().Decode(got[:], []byte{c.code})
		if got[0] != c.want {
			t.Errorf("decode %#x = %d, want %d", c.code, got[0], c.want)
		}
	}
}

// The same for A-law: G.711, table 1a, times 8 (13 bits on our scale of 16). The
// even bits are inverted.
func TestPCMAReference(t *testing.T) {
	for _, c := range []struct {
		code byte
		want int16
	}{
		{0x80 ^ 0x55, 8}, {0x00 ^ 0x55, -8}, {0x81 ^ 0x55, 24}, {0x8f ^ 0x55, 248}, {0x90 ^ 0x55, 264},
		{0xa0 ^ 0x55, 528}, {0xb0 ^ 0x55, 1056}, {0xf0 ^ 0x55, 16896}, {0xff ^ 0x55, 32256}, {0x7f ^ 0x55, -32256},
	} {
		var got [1]int16
		PCMA.NewDecoder().Decode(got[:], []byte{c.code})
		if got[0] != c.want {
			t.Errorf("decode %#x = %d, want %d", c.code, got[0], c.want)
		}
	}
}

// Every code survives a trip through samples, and every sample comes back within
// half a step of its segment.
func TestG711Sweep(t *testing.T) {
	for _, c := range []*Codec{PCMU, PCMA} {
		e, d := c.NewEncoder(), c.NewDecoder()
		var pcm [1]int16
		var b [1]byte
		for code := range 256 {
			d.Decode(pcm[:], []byte{byte(code)})
			e.Encode(b[:], pcm[:])
			if b[0] != byte(code) && (c != PCMU || code != 0x7f) { // 0x7f is minus zero
				t.Errorf("%v: code %#x decodes to %d, which encodes to %#x", c, code, pcm[0], b[0])
			}
		}
		for v := math.MinInt16; v <= math.MaxInt16; v++ {
			in := [1]int16{int16(v)}
			e.Encode(b[:], in[:])
			d.Decode(pcm[:], b[:])
			size := max(v, -v)
			limit := size/32 + 8 // half of the step, which is 1/16 of the segment
			if size > 32124 {
				limit = 32768 - 32124 + limit
			}
			if diff := int(pcm[0]) - v; diff > limit || -diff > limit {
				t.Fatalf("%v: sample %d comes back as %d, off by more than %d", c, v, pcm[0], limit)
			}
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for _, c := range Table {
		e, d := c.NewEncoder(), c.NewDecoder()
		pcm, b := make([]int16, c.Rate.Frame()), make([]byte, MaxFrame)
		if got := testing.AllocsPerRun(100, func() {
			n := e.Encode(b, pcm)
			d.Decode(pcm, b[:n])
		}); got != 0 {
			t.Errorf("%v: %v allocations a frame, want 0", c, got)
		}
	}
}

func TestFrames(t *testing.T) {
	// 110 ms at 16 kHz: six frames, the last half full.
	frames, err := PCMU.Frames(media.Tone(16000, 1000, -6, 110*time.Millisecond))
	if err != nil || len(frames) != 6 {
		t.Fatalf("Frames = %d frames, %v, want 6", len(frames), err)
	}
	for i, f := range frames {
		if len(f) != 160 {
			t.Errorf("frame %d has %d bytes, want 160", i, len(f))
		}
	}
	if last := frames[5]; string(last[100:]) != string(PCMU.Silence[100:]) {
		t.Errorf("the last frame ends in % x, want silence", last[100:])
	}
}

func BenchmarkPCMU(b *testing.B) { // budget: 1 µs a frame both ways, 0 allocations
	e, d := PCMU.NewEncoder(), PCMU.NewDecoder()
	pcm, _ := media.ReadAll(media.Tone(8000, 1000, -6, media.Frame))
	buf := make([]byte, 160)
	b.ReportAllocs()
	for b.Loop() {
		e.Encode(buf, pcm)
		d.Decode(pcm, buf)
	}
}
