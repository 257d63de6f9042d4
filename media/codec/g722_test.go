package codec

import (
	"testing"
	"time"

	"ozswitch/media"
)

// The delay of G.722's filters, there and back.
const g722Delay = 22

func TestG722Quality(t *testing.T) {
	for _, hz := range []float64{300, 1000, 3000, 6000} {
		want, _ := media.ReadAll(media.Tone(16000, hz, -10, time.Second))
		got := decoded(t, G722, media.Samples(16000, want), never)
		n := len(want) - 1000
		if s := snr(want[500:n], got[500+g722Delay:n+g722Delay]); s < 20 {
			t.Errorf("%g Hz comes back at %.1f dB, want 20 at least", hz, s)
		}
	}
}

// Clips are coded one by one and played one after another into one decoder, with
// silence in between: the decoder's state fits the new clip soon enough.
func TestG722Seams(t *testing.T) {
	dec := G722.NewDecoder()
	buf := make([]int16, 320)
	play := func(payload []byte) []int16 { return buf[:dec.Decode(buf, payload)] }
	for round := range 3 {
		frames, err := G722.Frames(vowel(16000, 140, 200*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		fresh := G722.NewDecoder()
		want := make([]int16, 320)
		for i, f := range frames {
			got := play(f)
			fresh.Decode(want, f)
			least := 6.0 // the decoder's filters follow within 100 ms
			if i >= 5 {
				least = 20
			}
			if i >= 2 && i < 9 {
				if s := snr(want, got); s < least {
					t.Errorf("clip %d, frame %d: %.1f dB from how a fresh decoder hears it, want %g", round, i, s, least)
				}
			}
		}
		for i := range 50 {
			for _, v := range play(G722.Silence) {
				if i >= 10 && (v > 24 || v < -24) {
					t.Fatalf("clip %d: %d in frame %d of silence", round, v, i)
				}
			}
		}
	}
}

// Odd lengths and small rooms are no faults.
func TestG722Sizes(t *testing.T) {
	e, d := G722.NewEncoder(), G722.NewDecoder()
	if n := e.Encode(make([]byte, 2), make([]int16, 5)); n != 2 {
		t.Errorf("5 samples into 2 bytes: %d, want 2", n)
	}
	if n := d.Decode(make([]int16, 5), make([]byte, 9)); n != 4 {
		t.Errorf("9 bytes into 5 samples: %d, want 4", n)
	}
	if n := d.Decode(nil, []byte{1}) + e.Encode(nil, []int16{1, 2}); n != 0 {
		t.Errorf("into nothing: %d, want 0", n)
	}
}

// Whatever comes is decoded, and what was decoded is encoded, by the same pair
// that heard all before: no panic gets out, and none is swallowed.
func FuzzCodecs(f *testing.F) {
	f.Add([]byte{0, 255, 1, 254, 0x80, 0x7f}, byte(2))
	f.Add(make([]byte, 160), byte(1))
	f.Fuzz(func(t *testing.T, b []byte, which byte) {
		c := Table[int(which)%len(Table)]
		e, d, p := c.NewEncoder(), c.NewDecoder(), NewPatcher(c)
		pcm, out := make([]int16, 2*len(b)), make([]byte, 2*len(b))
		n := d.Decode(pcm, b)
		if c.Lasts != nil { // a payload of bytes picked at random tells no time
			return
		}
		if want := len(b) * int(c.Rate) / c.ClockRate; n != want {
			t.Errorf("%v: %d bytes give %d samples, want %d", c, len(b), n, want)
		}
		for i := range pcm[:n] { // as unlike sound as can be
			if i%2 == 0 {
				pcm[i] = ^pcm[i]
			}
		}
		if m := e.Encode(out, pcm[:n]); m != len(b) {
			t.Errorf("%v: %d samples give %d bytes, want %d", c, n, m, len(b))
		}
		frame := make([]int16, c.Rate.Frame())
		for _, x := range b[:min(len(b), 20)] {
			if x%3 == 0 {
				p.Decode(frame, nil)
			} else {
				p.Decode(frame, b)
			}
		}
	})
}

func BenchmarkG722(b *testing.B) { // budget: 250 µs a frame both ways, 0 allocations
	e, d := G722.NewEncoder(), G722.NewDecoder()
	pcm, _ := media.ReadAll(media.Tone(16000, 1000, -6, media.Frame))
	buf := make([]byte, 160)
	b.ReportAllocs()
	for b.Loop() {
		e.Encode(buf, pcm)
		d.Decode(pcm, buf)
	}
}
