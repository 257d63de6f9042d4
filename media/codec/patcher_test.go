package codec

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/dtmf"
)

// vowel is a sound like a voice: a pulse of f0 Hz with falling harmonics.
func vowel(r media.Rate, f0 float64, d time.Duration) media.Source {
	var parts []media.Source
	for h := 1; float64(h)*f0 < 3400; h++ {
		parts = append(parts, media.Tone(r, float64(h)*f0, -20-1.5*float64(h), d))
	}
	return media.Mix(parts...)
}

// decoded is src through c, with the frames lost that lose names.
func decoded(t testing.TB, c *Codec, src media.Source, lose func(i int) bool) []int16 {
	t.Helper()
	frames, err := c.Frames(src)
	if err != nil {
		t.Fatal(err)
	}
	p := NewPatcher(c)
	var out []int16
	buf := make([]int16, c.Rate.Frame())
	for i, f := range frames {
		if lose(i) {
			f = nil
		}
		out = append(out, buf[:p.Decode(buf, f)]...)
	}
	return out
}

func never(int) bool { return false }

// snr compares sound with what it should be, in dB.
func snr(want, got []int16) float64 {
	var signal, noise float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		signal += float64(w) * float64(w)
		noise += d * d
	}
	return 10 * math.Log10(signal/max(noise, 1e-9))
}

// A frame lost in a voiced sound is made up for: nothing is as far from the truth
// as the silence that there would be (0 dB), and no click is heard.
func TestPatcherFills(t *testing.T) {
	for _, c := range Table {
		for _, f0 := range []float64{90, 120, 210, 330} {
			src := func() media.Source { return vowel(c.Rate, f0, time.Second) }
			want := decoded(t, c, src(), never)
			got := decoded(t, c, src(), func(i int) bool { return i == 20 })
			frame := c.Rate.Frame()
			if s := snr(want[20*frame:21*frame], got[20*frame:21*frame]); s < 6 {
				t.Errorf("%v, %g Hz: the lost frame is at %.1f dB, want 6 at least", c, f0, s)
			}
			steepest := func(pcm []int16) (most int) {
				for i := range len(pcm) - 1 {
					d := int(pcm[i+1]) - int(pcm[i])
					most = max(most, d, -d)
				}
				return most
			}
			if a, b := steepest(want[15*frame:25*frame]), steepest(got[15*frame:25*frame]); b > a*5/4 {
				t.Errorf("%v, %g Hz: a step of %d at the seams, without loss %d at most", c, f0, b, a)
			}
		}
	}
}

// A long loss fades to silence after 60 ms; then sound comes back whole.
func TestPatcherFades(t *testing.T) {
	for _, c := range Table {
		src := func() media.Source { return vowel(c.Rate, 120, time.Second) }
		want := decoded(t, c, src(), never)
		got := decoded(t, c, src(), func(i int) bool { return i >= 20 && i < 30 })
		at := func(pcm []int16, from, to time.Duration) float64 {
			var sum float64
			part := pcm[c.Rate.N(from):c.Rate.N(to)]
			for _, v := range part {
				sum += float64(v) * float64(v)
			}
			return 10 * math.Log10(max(sum/float64(len(part)), 1e-9))
		}
		level := at(want, 300*time.Millisecond, 400*time.Millisecond)
		if l := at(got, 440*time.Millisecond, 460*time.Millisecond); l > level-6 || l < level-30 {
			t.Errorf("%v: 40 to 60 ms into the loss %.0f dB, before it %.0f: want it to fade", c, l, level)
		}
		for i, v := range got[c.Rate.N(460*time.Millisecond):c.Rate.N(600*time.Millisecond)] {
			if v != 0 {
				t.Fatalf("%v: sample %d after the fade is %d, want silence", c, i, v)
			}
		}
		if s := snr(want[c.Rate.N(640*time.Millisecond):], got[c.Rate.N(640*time.Millisecond):]); s < 20 {
			t.Errorf("%v: after the loss the sound is at %.1f dB, want 20 at least", c, s)
		}
	}
}

// 5 % of loss cost a key pressed in band no accent and no repetition.
func TestPatcherKeys(t *testing.T) {
	const keys = "1592648370*#ABCD"
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		last := -2
		src, _ := dtmf.Keys(8000, keys, 0, 80*time.Millisecond)
		pcm := decoded(t, PCMU, src, func(i int) bool {
			if i-last < 2 || rnd.Float64() >= 0.05 {
				return false
			}
			last = i
			return true
		})
		if got, _ := dtmf.ReadKeys(media.Samples(8000, pcm)); got != keys {
			t.Errorf("seed %d: heard %q, want %q", seed, got, keys)
		}
	}
}

func TestPatcherBegins(t *testing.T) {
	p := NewPatcher(PCMU)
	pcm := []int16{5, 5, 5}
	if n := p.Decode(pcm, nil); n != 3 || pcm[0] != 0 || !p.Faded() {
		t.Errorf("a loss before anything came: %d samples %v, want 3 of silence", n, pcm)
	}
}

func TestPatcherAllocates(t *testing.T) {
	p := NewPatcher(G722)
	buf, b := make([]int16, 320), make([]byte, 160)
	if got := testing.AllocsPerRun(100, func() { p.Decode(buf, b); p.Decode(buf, nil) }); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func BenchmarkPatcherLost(b *testing.B) { // budget: 40 µs a lost frame, 0 allocations
	p := NewPatcher(PCMU)
	src, _ := media.ReadAll(vowel(8000, 120, media.Frame))
	buf, enc := make([]int16, 160), make([]byte, 160)
	PCMU.NewEncoder().Encode(enc, src)
	p.Decode(buf, enc)
	p.Decode(buf, enc)
	b.ReportAllocs()
	for b.Loop() {
		p.made = 0
		p.Decode(buf, nil)
	}
}
