package alarm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/dtmf"
	"ozswitch/ozml/contactid"
)

const tick = time.Millisecond

// dBm0 is a level of telephony as dBFS of a sine's peak: G.711 clips 3.17 above 0.
func dBm0(level float64) float64 { return level - 3.17 }

// pcm is the sound of parts and a second of silence.
func pcm(t testing.TB, parts ...media.Source) []int16 {
	t.Helper()
	all, err := media.ReadAll(media.Concat(append(parts, media.Silence(Rate, time.Second))...))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// addNoise mixes noise of a level (of its RMS, dBFS) into sound.
func addNoise(all []int16, dBFS float64, rnd *rand.Rand) {
	for i := range all {
		v := float64(all[i]) + rnd.NormFloat64()*32768*math.Pow(10, dBFS/20)
		all[i] = int16(max(-32768, min(32767, v)))
	}
}

// addEcho mixes sound that came d ago, fainter by dB, into it.
func addEcho(all []int16, d time.Duration, dB float64) {
	gain, back := math.Pow(10, dB/20), Rate.N(d)
	for i := len(all) - 1; i >= back; i-- {
		all[i] = int16(max(-32768, min(32767, float64(all[i])+gain*float64(all[i-back]))))
	}
}

// coded is sound after a codec.
func coded(all []int16, c *codec.Codec) []int16 {
	bytes := make([]byte, len(all))
	c.NewEncoder().Encode(bytes, all)
	out := make([]int16, len(all))
	c.NewDecoder().Decode(out, bytes)
	return out
}

// tonesHeard is what a sender's ear finds: the handshakes, and the lengths of 1400 Hz.
func tonesHeard(all []int16) (shaken int, whistles []time.Duration) {
	var e toneEar
	var h hops
	h.each(all, func(p []int16) {
		if e.hear(p); e.shaken {
			shaken++
		}
		if e.whistle > 0 {
			whistles = append(whistles, Rate.D(e.whistle*hop))
		}
	})
	return
}

func shake(lo, hi, loLevel, hiLevel float64, tone, pause time.Duration) media.Source {
	return media.Concat(media.Silence(Rate, 503*tick), media.Tone(Rate, lo, loLevel, tone), media.Silence(Rate, pause), media.Tone(Rate, hi, hiLevel, tone))
}

func TestHandshakeIsHeard(t *testing.T) {
	step := 5.0
	if raceEnabled {
		step = 35
	}
	for _, law := range []*codec.Codec{codec.PCMU, codec.PCMA} {
		for level := -35.0; level <= 0; level += step {
			for off := -0.05; off <= 0.051; off += 0.01 {
				at := dBm0(level)
				all := coded(pcm(t, shake(1400*(1+off), 2300*(1+off), at, at, 100*tick, 100*tick)), law)
				if n, _ := tonesHeard(all); n != 1 {
					t.Errorf("%s, %g dBm0, %+.0f %%: %d handshakes heard, want 1", law.Name, level, off*100, n)
				}
			}
		}
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		name string
		src  media.Source
		spo  func([]int16)
		want int
	}{
		{"short by 5 %", shake(1400, 2300, -14, -14, 95*tick, 95*tick), nil, 1},
		{"long by 5 %", shake(1400, 2300, -14, -14, 105*tick, 105*tick), nil, 1},
		{"2300 Hz fainter by 10 dB", shake(1400, 2300, -10, -20, 100*tick, 100*tick), nil, 1},
		{"1400 Hz fainter by 10 dB", shake(1400, 2300, -20, -10, 100*tick, 100*tick), nil, 1},
		{"in noise 15 dB below", shake(1400, 2300, -14, -14, 100*tick, 100*tick), func(p []int16) { addNoise(p, -14-3-15, rnd) }, 1},
		{"with an echo of 12 dB after 60 ms", shake(1400, 2300, -14, -14, 100*tick, 100*tick), func(p []int16) { addEcho(p, 60*tick, -12) }, 1},
		{"with an echo of 12 dB after 250 ms", shake(1400, 2300, -14, -14, 100*tick, 100*tick), func(p []int16) { addEcho(p, 250*tick, -12) }, 1},
		{"twice", media.Concat(shake(1400, 2300, -14, -14, 100*tick, 100*tick), shake(1400, 2300, -14, -14, 100*tick, 100*tick)), nil, 2},
		{"upside down", shake(2300, 1400, -14, -14, 100*tick, 100*tick), nil, 0},
		{"10 % off", shake(1540, 2530, -14, -14, 100*tick, 100*tick), nil, 0},
		{"half as long", shake(1400, 2300, -14, -14, 50*tick, 50*tick), nil, 0},
		{"twice as long", shake(1400, 2300, -14, -14, 200*tick, 200*tick), nil, 0},
		{"without a pause", shake(1400, 2300, -14, -14, 100*tick, 0), nil, 0},
		{"1400 Hz alone", shake(1400, 400, -14, -14, 100*tick, 100*tick), nil, 0},
		{"2300 Hz alone", shake(400, 2300, -14, -14, 100*tick, 100*tick), nil, 0},
		{"too faint", shake(1400, 2300, -60, -60, 100*tick, 100*tick), nil, 0},
		{"busy tone", media.Concat(media.Tone(Rate, 425, -10, 500*tick), media.Silence(Rate, 500*tick), media.Tone(Rate, 425, -10, 500*tick)), nil, 0},
		{"tones of a network", media.Concat(media.Tone(Rate, 950, -10, 330*tick), media.Tone(Rate, 1400, -10, 330*tick), media.Tone(Rate, 1800, -10, 330*tick)), nil, 0},
	} {
		all := pcm(t, c.src)
		if c.spo != nil {
			c.spo(all)
		}
		if n, _ := tonesHeard(all); n != c.want {
			t.Errorf("%s: %d handshakes heard, want %d", c.name, n, c.want)
		}
	}
	// Any frame of it may be lost.
	for from := 0; from < Rate.N(320*tick); from += 40 {
		all := pcm(t, shake(1400, 2300, -14, -14, 100*tick, 100*tick))
		clear(all[Rate.N(493*tick)+from:][:160])
		if n, _ := tonesHeard(all); n != 1 {
			t.Errorf("20 ms lost %v after its begin: %d handshakes heard, want 1", Rate.D(from), n)
		}
	}
}

func TestKissOffIsTimed(t *testing.T) {
	for _, law := range []*codec.Codec{codec.PCMU, codec.PCMA} {
		for level := -35.0; level <= 0; level += 7 {
			for _, d := range []time.Duration{100 * tick, 400 * tick, 750 * tick, 850 * tick, time.Second} {
				for _, hz := range []float64{1400 * 0.97, 1400, 1400 * 1.03} {
					all := coded(pcm(t, media.Silence(Rate, 211*tick), media.Tone(Rate, hz, dBm0(level), d)), law)
					_, got := tonesHeard(all)
					if len(got) != 1 || got[0] < d-15*tick || got[0] > d+15*tick {
						t.Errorf("%s, %g dBm0, %.0f Hz for %v: heard %v", law.Name, level, hz, d, got)
					}
				}
			}
		}
	}
	all := pcm(t, media.Tone(Rate, 1400, -14, 850*tick))
	clear(all[2000:2320]) // two packets in a row
	if _, got := tonesHeard(all); len(got) != 1 {
		t.Errorf("with a hole of 40 ms heard %v, want one tone", got)
	}
	all = pcm(t, media.Tone(Rate, 1400, -14, 850*tick))
	addEcho(all, 300*tick, -12)
	if _, got := tonesHeard(all); len(got) == 0 || got[0] > 870*tick {
		t.Errorf("with an echo after 300 ms heard %v, want 850 ms", got)
	}
}

// readAll is what a reader makes of sound: the digits of each message, or why not.
func readAll(all []int16) (got []string) {
	var r reader
	var h hops
	h.each(all, func(p []int16) {
		if digits := r.hear(p); digits != nil {
			s, err := assemble(digits, false)
			if err != nil {
				s = err.Error()
			}
			got = append(got, s)
		}
	})
	return
}

// sent is the tones of a message of every digit and of equal ones in a row, each
// tone of its pair at its level.
func sent(t testing.TB, lo, hi float64, on, off time.Duration) []int16 {
	t.Helper()
	parts := []media.Source{media.Silence(Rate, 307*tick)}
	for _, k := range []byte(keysOf(sample)) {
		row, column, _ := dtmf.Pair(k)
		parts = append(parts, media.Mix(media.Tone(Rate, row, lo, on), media.Tone(Rate, column, hi, on)), media.Silence(Rate, off))
	}
	return pcm(t, parts...)
}

const sample = "11BB18CDEF234567"

func TestDigitsAreRead(t *testing.T) {
	check := func(name string, all []int16) {
		t.Helper()
		if got := readAll(all); len(got) != 1 || got[0] != sample {
			t.Errorf("%s: read %q, want %s", name, got, sample)
		}
	}
	rnd := rand.New(rand.NewPCG(2, 2))
	for _, law := range []*codec.Codec{codec.PCMU, codec.PCMA} {
		for level := -35.0; level <= 0; level += 5 { // of both tones together
			for _, d := range []time.Duration{50 * tick, 55 * tick, 60 * tick} {
				at := dBm0(level - 3)
				check(fmt.Sprintf("%s, %g dBm0, %v", law.Name, level, d), coded(sent(t, at, at, d, d), law))
			}
		}
		check(law.Name+", column louder by 6 dB", coded(sent(t, -16, -10, 50*tick, 50*tick), law))
		check(law.Name+", row louder by 3 dB", coded(sent(t, -10, -13, 50*tick, 50*tick), law))
	}
	check("slow", sent(t, -10, -10, 100*tick, 100*tick))
	check("hasty", sent(t, -10, -10, 40*tick, 45*tick))
	check("clipped", sent(t, 0, 0, 50*tick, 50*tick))
	all := sent(t, -14, -14, 50*tick, 50*tick)
	addNoise(all, -14-15, rnd)
	check("in noise 15 dB below", all)
	for _, d := range []time.Duration{15 * tick, 40 * tick, 80 * tick, 130 * tick} {
		all := sent(t, -14, -14, 50*tick, 50*tick)
		addEcho(all, d, -12)
		check(fmt.Sprintf("with an echo of 12 dB after %v", d), all)
	}
}

// A frame lost anywhere does no harm, silent or concealed; two in a row may spoil
// the message but never change it.
func TestDigitsWithLostPackets(t *testing.T) {
	spoiled := 0
	whole := sent(t, -14, -14, 50*tick, 50*tick)
	shifts := 3
	if raceEnabled {
		shifts = 1
	}
	for n := 1; n <= 3; n++ {
		for at := range Rate.N(1700*tick)/160 - 4 {
			for shift := range shifts {
				all := append(make([]int16, shift*53), whole...)
				p := codec.NewPatcher(codec.PCMU)
				concealed := make([]int16, 0, len(all))
				var b [160]byte
				for i := 0; i+160 <= len(all); i += 160 {
					payload := b[:]
					codec.PCMU.NewEncoder().Encode(payload, all[i:i+160])
					if lost := 15 + at; i/160 >= lost && i/160 < lost+n {
						payload = nil
						clear(all[i : i+160])
					}
					var out [160]int16
					p.Decode(out[:], payload)
					concealed = append(concealed, out[:]...)
				}
				for name, all := range map[string][]int16{"silent": all, "concealed": concealed} {
					for _, got := range readAll(all) {
						if got == sample {
							continue
						}
						spoiled++
						if len(got) == contactid.Length || n == 1 {
							t.Errorf("%d frames lost from %d, %s: read %q, want %s", n, at, name, got, sample)
						}
					}
				}
			}
		}
	}
	if spoiled == 0 {
		t.Error("nothing was spoiled: the test takes nothing away")
	}
}

// voice is sound like that of speech: syllables of a gliding pitch through three
// formants, which like to be at 1400 and 2300 Hz, hisses, and pauses.
func voice(d time.Duration, rnd *rand.Rand) []int16 {
	out := make([]int16, 0, Rate.N(d))
	between := func(lo, hi float64) float64 { return lo + rnd.Float64()*(hi-lo) }
	for len(out) < Rate.N(d) {
		n := Rate.N(time.Duration(between(60, 350)) * tick)
		f0, glide := between(80, 260), between(-60, 60)
		formants := [3]float64{between(250, 900), 1400 * between(0.9, 1.1), 2300 * between(0.9, 1.1)}
		if rnd.IntN(2) == 0 {
			formants[1], formants[2] = between(800, 2200), between(1800, 3300)
		}
		loud, kind := math.Pow(10, between(-30, -6)/20), rnd.IntN(8)
		var y [3][2]float64
		phase := 0.0
		for i := range n {
			x := 0.0
			if phase += (f0 + glide*float64(i)/float64(n)) / float64(Rate); phase >= 1 {
				phase--
				x = 1
			}
			if kind == 0 {
				x = rnd.NormFloat64() / 5 // a hiss
			}
			v := 0.0
			for k, hz := range formants { // resonators, 60 Hz wide
				r := math.Exp(-math.Pi * 60 / float64(Rate))
				s := x*(1-r) + 2*r*math.Cos(2*math.Pi*hz/float64(Rate))*y[k][0] - r*r*y[k][1]
				y[k][1], y[k][0] = y[k][0], s
				v += s
			}
			swell := math.Sin(math.Pi * float64(i) / float64(n))
			out = append(out, int16(max(-32768, min(32767, v*8*swell*loud*32768))))
		}
		if rnd.IntN(3) == 0 {
			out = append(out, make([]int16, Rate.N(time.Duration(between(30, 400))*tick))...)
		}
	}
	return out
}

// Ten minutes of talk are neither a handshake, nor a kiss-off, nor a message.
func TestSpeechSaysNothing(t *testing.T) {
	minutes := 10
	if raceEnabled {
		minutes = 1
	}
	all := voice(time.Duration(minutes)*time.Minute, rand.New(rand.NewPCG(3, 3)))
	if got := energy(all); got < 1e-4 {
		t.Fatalf("the voice has a mean square of %g: too faint to prove anything", got)
	}
	shaken, tones := tonesHeard(all)
	longest := time.Duration(0)
	for _, d := range tones {
		longest = max(longest, d)
	}
	if shaken > 0 || longest >= Rate.D(shortKiss*hop) {
		t.Errorf("%d handshakes and 1400 Hz for %v heard in speech, want none and less than 400 ms", shaken, longest)
	}
	digits := 0
	var r reader
	var h hops
	h.each(all, func(p []int16) {
		if got := r.hear(p); got != nil {
			digits = max(digits, len(got))
		}
	})
	if digits >= attempt {
		t.Errorf("%d digits in a row heard in speech, want less than %d", digits, attempt)
	}
	t.Logf("%d min of speech: %d bits of 1400 Hz, the longest %v; at most %d digits in a row", minutes, len(tones), longest, digits)
}
