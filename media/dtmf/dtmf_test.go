package dtmf

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"ozswitch/media"
)

const all = "1234567890*#ABCD"

func TestKeysAreHeard(t *testing.T) {
	for _, r := range []media.Rate{8000, 16000, 48000} {
		for _, c := range []struct{ tone, gap time.Duration }{
			{0, 0}, {50 * time.Millisecond, 50 * time.Millisecond}, {2 * time.Second, 40 * time.Millisecond},
		} {
			src, err := Keys(r, all+"1155", c.tone, c.gap)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ReadKeys(src)
			if want := all + "1155"; err != nil || got != want {
				t.Errorf("%d Hz, tone %v, gap %v: heard %q, %v, want %q", r, c.tone, c.gap, got, err, want)
			}
		}
	}
}

func TestKeysRefuses(t *testing.T) {
	if _, err := Keys(8000, "12x", 0, 0); err == nil {
		t.Error(`Keys("12x") took x for a key`)
	}
}

func TestDetectorLevels(t *testing.T) {
	tone := func(lo, hi float64) media.Source {
		d := 100 * time.Millisecond
		return media.Mix(media.Tone(8000, 770, lo, d), media.Tone(8000, 1336, hi, d))
	}
	noisy := func(dBFS float64) media.Source { return media.Mix(tone(-12, -12), noise(dBFS)) }
	for _, c := range []struct {
		name string
		src  media.Source
		want string
	}{
		{"loud", tone(-6, -6), "5"},
		{"soft", tone(-40, -40), "5"},
		{"nothing", tone(-60, -60), ""},
		{"column 6 dB up", tone(-18, -12), "5"},
		{"column 10 dB up", tone(-22, -12), ""},
		{"row 3 dB up", tone(-12, -15), "5"},
		{"row 6 dB up", tone(-12, -18), ""},
		{"some noise", noisy(-24), "5"},
		{"row alone", media.Tone(8000, 770, -6, 100*time.Millisecond), ""},
		{"column alone", media.Tone(8000, 1336, -6, 100*time.Millisecond), ""},
		{"dial tone", Two(8000, 350, 440, -9, time.Second), ""},
		{"4.5 % off", Two(8000, 770*1.045, 1336*1.045, -9, 100*time.Millisecond), ""},
		{"1.5 % off", Two(8000, 770*1.015, 1336*1.015, -9, 100*time.Millisecond), "5"},
		{"too short", Two(8000, 770, 1336, -9, 15*time.Millisecond), ""},
	} {
		if got, _ := ReadKeys(c.src); got != c.want {
			t.Errorf("%s: heard %q, want %q", c.name, got, c.want)
		}
	}
}

// Noise, and harmonies like those of speech, hold no keys.
func TestDetectorTalkOff(t *testing.T) {
	if got, _ := ReadKeys(noise(-6)); got != "" {
		t.Errorf("heard %q in noise, want nothing", got)
	}
	for f0 := 80.0; f0 < 400; f0 += 7 {
		var parts []media.Source
		for h := 1; float64(h)*f0 < 3400; h++ {
			parts = append(parts, media.Tone(8000, float64(h)*f0, -20-2*float64(h), time.Second))
		}
		if got, _ := ReadKeys(media.Mix(parts...)); got != "" {
			t.Errorf("heard %q in a voice of %g Hz, want nothing", got, f0)
		}
	}
}

// noise is ten seconds of white noise.
func noise(dBFS float64) media.Source {
	rnd := rand.New(rand.NewPCG(1, 2))
	pcm := make([]int16, 80000)
	for i := range pcm {
		pcm[i] = int16((rnd.Float64()*2 - 1) * 32767 * math.Pow(10, dBFS/20))
	}
	return media.Samples(8000, pcm)
}

func TestDetectorAllocates(t *testing.T) {
	d := NewDetector(8000)
	src, _ := Keys(8000, "1", 0, 0)
	pcm, _ := media.ReadAll(src)
	if got := testing.AllocsPerRun(50, func() { d.Write(pcm) }); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func BenchmarkDetector(b *testing.B) { // budget: 10 µs a frame, 0 allocations
	d := NewDetector(8000)
	pcm := make([]int16, 160)
	b.ReportAllocs()
	for b.Loop() {
		d.Write(pcm)
	}
}

// Key hears in one window what a Detector hears in sound, and how strong it is.
func TestKeyOfAWindow(t *testing.T) {
	for _, r := range []media.Rate{8000, 16000} {
		for i := range len(all) {
			lo, hi, _ := Pair(all[i])
			pcm, err := media.ReadAll(media.Mix(media.Tone(r, lo, -12, 50*time.Millisecond), media.Tone(r, hi, -15, 50*time.Millisecond)))
			if err != nil {
				t.Fatal(err)
			}
			key, power := Key(pcm[len(pcm)/2:][:r.N(13*time.Millisecond)], r)
			want := (math.Pow(10, -1.2) + math.Pow(10, -1.5)) / 2
			if key != all[i] || math.Abs(power/want-1) > 0.25 { // a decibel
				t.Errorf("%d Hz, %c: Key = %c, %g, want a power of %g", r, all[i], key, power, want)
			}
		}
	}
	for name, pcm := range map[string][]int16{"nothing": nil, "silence": make([]int16, 102)} {
		if key, power := Key(pcm, 8000); key != 0 || power != 0 {
			t.Errorf("%s: Key = %c, %g, want none", name, key, power)
		}
	}
}
