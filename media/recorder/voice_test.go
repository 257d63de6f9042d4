package recorder

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const hz = 8000

// dB is the amplitude (of a sine: its peak; of noise: its standard deviation) at that level below full scale.
func dB(v float64) float64 { return 32768 * math.Pow(10, v/20) }

func noise(d time.Duration, level float64) []int16 {
	rng := rand.New(rand.NewPCG(1, 2))
	pcm := make([]int16, int(d.Seconds()*hz))
	for i := range pcm {
		pcm[i] = int16(max(-32768, min(32767, rng.NormFloat64()*dB(level))))
	}
	return pcm
}

// rumble is noise as in a car: nearly all of it below 200 Hz.
func rumble(d time.Duration, level float64) []int16 {
	rng := rand.New(rand.NewPCG(3, 4))
	pcm, v := make([]int16, int(d.Seconds()*hz)), 0.0
	for i := range pcm {
		v = 0.9*v + math.Sqrt(1-0.9*0.9)*rng.NormFloat64()
		pcm[i] = int16(v * dB(level))
	}
	return pcm
}

func hum(d time.Duration, f, level float64) []int16 {
	pcm := make([]int16, int(d.Seconds()*hz))
	for i := range pcm {
		a := 2 * math.Pi * f * float64(i) / hz
		pcm[i] = int16(dB(level) * (math.Sin(a) + 0.3*math.Sin(3*a)) / 1.3)
	}
	return pcm
}

// speech is a made-up voice: a buzz of 120 Hz and its overtones in syllables of 200 ms that rise and fall, from one
// moment to another, over silence.
func speech(d, from, to time.Duration, peak float64) []int16 {
	pcm := make([]int16, int(d.Seconds()*hz))
	for i := int(from.Seconds() * hz); i < int(to.Seconds()*hz); i++ {
		x := float64(i) / hz
		v := 0.0
		for k := 1; k <= 20; k++ {
			f := 120 * float64(k)
			v += math.Sin(2*math.Pi*f*x) / (1 + math.Abs(f-600)/300)
		}
		pcm[i] = int16(peak / 4 * v * math.Abs(math.Sin(math.Pi*x/0.2)))
	}
	return pcm
}

func add(a, b []int16) []int16 {
	out := append([]int16(nil), a...)
	for i := range min(len(a), len(b)) {
		out[i] = int16(max(-32768, min(32767, int(a[i])+int(b[i]))))
	}
	return out
}

func concat(parts ...[]int16) (out []int16) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// voiceTime runs a detector over a sound and says for how long it was on.
func voiceTime(pcm []int16) (sum time.Duration) {
	d := newDetector()
	var began time.Duration
	at := time.Duration(0)
	for ; len(pcm) >= 160; pcm = pcm[160:] {
		switch c, ago := d.frame(pcm[:160], true); c {
		case voiceBegan:
			began = at - ago
		case voiceEnded:
			sum += at + 20*time.Millisecond - ago - began
		}
		at += 20 * time.Millisecond
	}
	if d.on {
		sum += at - began
	}
	return sum
}

func TestNoVoice(t *testing.T) {
	const d = 10 * time.Second
	quiet := make([]int16, 2*hz)
	clicks := make([]int16, 10*hz)
	for i := 1000; i < len(clicks); i += 6000 {
		for k := range 40 {
			clicks[i+k] = int16(20000 * math.Pow(-0.9, float64(k)))
		}
	}
	for name, pcm := range map[string][]int16{
		"digital silence":             make([]int16, 10*hz),
		"comfort noise":               noise(d, -60),
		"comfort noise after silence": concat(quiet, noise(d, -52), quiet, noise(d, -52)),
		"line noise":                  noise(d, -40),
		"loud noise":                  noise(d, -20),
		"car":                         rumble(d, -25),
		"hum 50":                      hum(d, 50, -12),
		"hum 60":                      hum(d, 60, -20),
		"hum 60 and noise":            add(hum(d, 60, -20), noise(d, -45)),
		"clicks":                      clicks,
		"direct current":              add(noise(d, -55), hum(d, 0, 0)),
	} {
		if v := voiceTime(pcm); v != 0 {
			t.Errorf("%s: %v of voice", name, v)
		}
	}
}

// TestNoiseBegins: when steady noise begins in the middle it counts as voice until it is known, not longer.
func TestNoiseBegins(t *testing.T) {
	v := voiceTime(concat(noise(5*time.Second, -60), noise(10*time.Second, -25)))
	if v > 1800*time.Millisecond {
		t.Errorf("%v of voice in steady noise, want 1.8 s at most", v)
	}
}

func TestVoice(t *testing.T) {
	talk := func(peak float64) []int16 { return speech(20*time.Second, 2*time.Second, 17*time.Second, peak) }
	for name, pcm := range map[string][]int16{
		"on a silent line":       talk(dB(-20)),
		"quiet":                  talk(dB(-32)),
		"over comfort noise":     add(talk(dB(-20)), noise(20*time.Second, -60)),
		"in a car":               add(talk(dB(-14)), rumble(20*time.Second, -30)),
		"in a loud place":        add(talk(dB(-14)), noise(20*time.Second, -45)),
		"over hum":               add(talk(dB(-20)), hum(20*time.Second, 50, -25)),
		"after noise had become": concat(noise(5*time.Second, -45), add(talk(dB(-20)), noise(20*time.Second, -45))),
	} {
		v := voiceTime(pcm)
		if (v - 15*time.Second).Abs() > 500*time.Millisecond {
			t.Errorf("%s: %v of voice, want 15 s", name, v)
		}
	}
}

// TestAbsent: a phone that sends nothing while its user is silent (discontinuous transmission) has no voice then.
func TestAbsent(t *testing.T) {
	d := newDetector()
	for i := range 500 {
		if c, _ := d.frame(make([]int16, 160), false); c != same {
			t.Fatalf("change %v in frame %d of nothing", c, i)
		}
	}
}
