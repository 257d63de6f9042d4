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

// pink is noise that falls by 3 dB an octave, as of wind or a room (Paul Kellet's filter).
func pink(d time.Duration, level float64) []int16 {
	rng := rand.New(rand.NewPCG(5, 6))
	pcm := make([]int16, int(d.Seconds()*hz))
	var a, b, c float64
	for i := range pcm {
		w := rng.NormFloat64()
		a, b, c = 0.99765*a+w*0.0990460, 0.96300*b+w*0.2965164, 0.57000*c+w*1.0526913
		pcm[i] = int16((a + b + c + w*0.1848) / 2.3 * dB(level))
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

// talk is speech of words from one moment to another: syllables of 100 to 280 ms, some of them hissed, and pauses of at most 200
// ms between words. Level is that of its mean power.
func talk(d time.Duration, level float64, spells ...[2]time.Duration) []int16 {
	rng := rand.New(rand.NewPCG(9, 10))
	v, sum, n := make([]float64, int(d.Seconds()*hz)), 0.0, 0
	for _, s := range spells {
		at, end := int(s[0].Seconds()*hz), int(s[1].Seconds()*hz)
		for at < end {
			length := min(end-at, hz/10+rng.IntN(hz*18/100))
			pitch, formant, hiss, loud, phase := 95+60*rng.Float64(), 400+400*rng.Float64(), rng.IntN(8) == 0, 0.5+0.5*rng.Float64(), 0.0
			for i := range length {
				x := float64(i) / float64(length)
				phase += 2 * math.Pi * pitch * (1 - 0.1*x) / hz
				s := 0.0
				if hiss {
					s = 0.5 * rng.NormFloat64()
				} else {
					for k := 1.0; k <= 20; k++ {
						s += math.Sin(k*phase) / (1 + math.Abs(k*pitch-formant)/200)
					}
				}
				s *= loud * math.Sqrt(math.Sin(math.Pi*x))
				v[at+i] = s
				sum += s * s
			}
			at, n = at+length, n+length
			if rng.IntN(3) == 0 && end-at > hz/2 {
				at += rng.IntN(hz / 5)
			}
		}
	}
	pcm := make([]int16, len(v))
	for i := range v {
		pcm[i] = int16(max(-32768, min(32767, v[i]/math.Sqrt(sum/float64(n))*dB(level))))
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

// listen runs a detector over a sound. It says for how long it was on, and when a recording with that Inactivity would
// have ended: the timer is set as switch/script sets it, and what it is told comes a frame at a time.
func listen(pcm []int16, inactivity time.Duration) (voice, ends time.Duration) {
	d := newDetector(hz)
	at, began, due := time.Duration(0), time.Duration(0), inactivity
	for ; len(pcm) >= 160; pcm = pcm[160:] {
		change, ago := d.frame(pcm[:160], true)
		switch at += 20 * time.Millisecond; change {
		case voiceBegan:
			began, due = at-20*time.Millisecond-ago, 1<<62
		case voiceEnded:
			voice += max(0, at-ago-began)
			due = at - ago + inactivity
		}
		if ends == 0 && at >= due {
			ends = at
		}
	}
	if d.on {
		voice += at - began
	}
	return voice, ends
}

const allowed = 300 * time.Millisecond // the issue's

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
		"pink noise":                  pink(d, -30),
		"car":                         rumble(d, -25),
		"hum 50":                      hum(d, 50, -12),
		"hum 60":                      hum(d, 60, -20),
		"hum 60 and noise":            add(hum(d, 60, -20), noise(d, -45)),
		"clicks":                      clicks,
		"direct current":              add(noise(d, -55), hum(d, 0, 0)),
	} {
		if v, ends := listen(pcm, 9*time.Second); v != 0 || (ends-9*time.Second).Abs() > allowed {
			t.Errorf("%s: %v of voice, and Inactivity of 9 s ended at %v", name, v, ends)
		}
	}
}

// noises are what may lie under a call, at a level.
var noises = map[string]func(time.Duration, float64) []int16{
	"white noise": noise, "pink noise": pink, "car": rumble,
	"hum 50":  func(d time.Duration, level float64) []int16 { return hum(d, 50, level) },
	"hum 100": func(d time.Duration, level float64) []int16 { return hum(d, 100, level) },
	"hum 60 and white noise": func(d time.Duration, level float64) []int16 {
		return add(hum(d, 60, level), noise(d, level-10))
	},
}

// TestNoiseBegins: a steady noise that begins, at once or in half a second, is no voice; wherever that is, Inactivity
// ends the recording when it should.
func TestNoiseBegins(t *testing.T) {
	const d = 12 * time.Second
	still := noise(d, -65)
	for name, make := range noises {
		for _, level := range []float64{-15, -25, -35, -45} {
			whole := make(d, level)
			for from := 1013 * time.Millisecond; from < 6*time.Second; from += 1203 * time.Millisecond {
				for _, rise := range []time.Duration{0, 500 * time.Millisecond} {
					pcm := append([]int16(nil), whole...)
					start, ramp := int(from.Seconds()*hz), rise.Seconds()*hz
					for i := range pcm {
						pcm[i] = int16(float64(pcm[i]) * max(0, min(1, float64(i-start)/(ramp+1))))
					}
					v, ends := listen(add(pcm, still), 6*time.Second)
					if late := ends - 6*time.Second; v > allowed || late.Abs() > allowed+rise {
						t.Errorf("%s of %v dB that begins at %v within %v: %v of voice, Inactivity late by %v", name, level, from, rise, v, late)
					}
				}
			}
		}
	}
}

// TestVoice: speech of several levels over noises that are 18 dB below it (hum: as loud), from the start or from its
// middle on. Inactivity counts from the last word, and the time of voice is right.
func TestVoice(t *testing.T) {
	const d, inactivity = 16 * time.Second, 3 * time.Second
	second := func(s float64) int { return int(s * hz) }
	for _, level := range []float64{-15, -20, -25, -30, -35, -40} {
		said := talk(d, level, [2]time.Duration{time.Second, 5 * time.Second}, [2]time.Duration{6 * time.Second, 10 * time.Second})
		check := func(name string, pcm []int16) {
			v, ends := listen(pcm, inactivity)
			if (v-8*time.Second).Abs() > allowed || (ends-13*time.Second).Abs() > allowed {
				t.Errorf("%v dB, %s: %v of voice, want 8 s; Inactivity ended it at %v, want 13 s", level, name, v, ends)
			}
		}
		check("silence", said)
		check("comfort noise", add(said, noise(d, -62)))
		for name, make := range noises {
			below := 18.0
			if name == "hum 50" || name == "hum 100" {
				below = 0
			}
			n := make(d, max(-62, level-below))
			check(name, add(said, n))
			for _, from := range []float64{3.3, 5.5, 8.1, 10, 11, 12.9} {
				late := append([]int16(nil), n...)
				clear(late[:second(from)])
				check(name+" later", add(said, late))
			}
			gone := append([]int16(nil), n...)
			clear(gone[second(7):])
			check(name+" that stops", add(said, gone))
		}
	}
}

// TestAbsent: a phone that sends nothing while its user is silent (discontinuous transmission) has no voice then.
func TestAbsent(t *testing.T) {
	d := newDetector(hz)
	for i := range 500 {
		if c, _ := d.frame(make([]int16, 160), false); c != same {
			t.Fatalf("change %v in frame %d of nothing", c, i)
		}
	}
}

// TestSpans: the spans of a sound are where somebody talks, and noise has none.
func TestSpans(t *testing.T) {
	pcm := talk(10*time.Second, -20, [2]time.Duration{2 * time.Second, 4 * time.Second}, [2]time.Duration{7 * time.Second, 9 * time.Second})
	got := Voice(hz, add(pcm, noise(10*time.Second, -55)))
	for _, s := range got {
		in := s.From >= 1900*time.Millisecond && s.To <= 4200*time.Millisecond || s.From >= 6900*time.Millisecond && s.To <= 9200*time.Millisecond
		if !in || s.To <= s.From {
			t.Errorf("voice %v, want it within 2 s to 4 s or 7 s to 9 s", s)
		}
	}
	if len(got) < 2 || got[0].From > 2500*time.Millisecond || got[len(got)-1].To < 8500*time.Millisecond {
		t.Errorf("voice %v, want all of both sentences", got)
	}
	if got := Voice(hz, add(make([]int16, 5*hz), noise(5*time.Second, -40))); len(got) > 0 {
		t.Errorf("voice %v in noise", got)
	}
	if got := Voice(hz, pcm[:3*hz]); len(got) == 0 || got[len(got)-1].To > 3*time.Second {
		t.Errorf("voice %v in a sound that ends within a word at 3 s", got)
	}
}
