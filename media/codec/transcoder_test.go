package codec

import (
	"math"
	"testing"
	"time"

	"ozswitch/media"
)

// coded is a tone in frames.
func coded(t testing.TB, c *Codec, hz float64, d time.Duration) [][]byte {
	t.Helper()
	frames, err := c.Frames(media.Tone(c.Rate, hz, -12, d))
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// strength is that of a tone in dB below full scale.
func strength(c *Codec, pcm []int16, hz float64) float64 {
	var re, im float64
	for i, v := range pcm {
		s, k := math.Sincos(2 * math.Pi * hz * float64(i) / float64(c.Rate))
		re, im = re+k*float64(v), im+s*float64(v)
	}
	return 20 * math.Log10(1e-9+2*math.Hypot(re, im)/float64(len(pcm))/32768)
}

// From every codec to every other, with holes in it and something laid over it.
func TestTranscoder(t *testing.T) {
	for _, from := range Table {
		for _, to := range Table {
			x := NewTranscoder(from, to)
			voice, prompt := coded(t, from, 500, 3*time.Second), coded(t, to, 1000, time.Second)
			dst := make([]byte, MaxFrame)
			dec := to.NewDecoder()
			var heard []int16
			frame := make([]int16, to.Rate.Frame())
			for i, f := range voice {
				if i == 25 || i == 30 {
					f = nil
				}
				x.Hear(f)
				var over []byte
				if i >= 50 && i < 100 {
					over = prompt[i-50]
				}
				if x.Even() != (i <= 50 || i > 100) {
					t.Errorf("%v to %v: Even = %v before frame %d", from, to, x.Even(), i)
				}
				n := x.Say(dst, over)
				if n == 0 {
					t.Fatalf("%v to %v: no frame %d", from, to, i)
				}
				n = dec.Decode(frame, dst[:n])
				heard = append(heard, frame[:n]...)
			}
			part := func(from, till int) []int16 {
				return heard[from*len(frame) : till*len(frame)]
			}
			for _, c := range []struct {
				what        string
				from, till  int
				hz          float64
				least, most float64
			}{
				{"with holes", 10, 50, 500, -14, -11}, {"under a prompt", 55, 100, 500, -26, -23},
				{"the prompt", 55, 100, 1000, -14, -11}, {"after it", 105, 150, 500, -14, -11},
			} {
				if got := strength(to, part(c.from, c.till), c.hz); got < c.least || got > c.most {
					t.Errorf("%v to %v, %s: %v Hz at %.1f dBFS, want %v to %v", from, to, c.what, c.hz, got, c.least, c.most)
				}
			}
			// Where nothing comes nothing is said, after what is invented.
			said := 0
			for range 50 {
				x.Hear(nil)
				if x.Say(dst, nil) > 0 {
					said++
				}
			}
			if said > 5 {
				t.Errorf("%v to %v: %d frames are said after the last that came, want 5 at most", from, to, said)
			}
		}
	}
}

// Leaping over frames fades from the first to the last, without a step.
func TestTranscoderLeaps(t *testing.T) {
	x := NewTranscoder(PCMU, PCMU)
	voice := coded(t, PCMU, 200, time.Second)
	dst, frame := make([]byte, MaxFrame), make([]int16, 160)
	var heard []int16
	say := func() {
		n := x.Say(dst, nil)
		heard = append(heard, frame[:PCMU.NewDecoder().Decode(frame, dst[:n])]...)
	}
	x.Begin(voice[9])
	x.Hear(voice[10])
	say()
	x.Hear(voice[11])
	x.Leap(voice[12])
	x.Leap(voice[13])
	say()
	heard = append(heard, frame[:PCMU.NewDecoder().Decode(frame, voice[14])]...)
	for i, v := range heard[1:] {
		if d := int(v) - int(heard[i]); d > 2500 || d < -2500 {
			t.Errorf("a step of %d at sample %d", d, i)
		}
	}
}

// What a call does in the pacer's thread allocates nothing, in any pair of codecs.
func TestTranscoderAllocatesNothing(t *testing.T) {
	for _, from := range Table {
		for _, to := range Table {
			x := NewTranscoder(from, to)
			voice, prompt := coded(t, from, 500, time.Second), coded(t, to, 1000, time.Second)
			dst := make([]byte, MaxFrame)
			i := 0
			turn := func() {
				f, over := voice[i%50], prompt[i%50]
				if i%7 == 0 {
					f = nil
				}
				if i%50 < 25 {
					over = nil
				}
				x.Hear(f)
				if i%11 == 0 {
					x.Leap(f)
				}
				x.Say(dst, over)
				i++
			}
			for range 100 {
				turn()
			}
			if n := testing.AllocsPerRun(200, turn); n > 0 {
				t.Errorf("%v to %v: %v allocations a frame", from, to, n)
			}
		}
	}
}

func BenchmarkTranscoder(b *testing.B) {
	for _, c := range [][2]*Codec{{PCMA, PCMU}, {Opus, PCMU}, {PCMU, Opus}, {G722, PCMU}, {PCMU, G722}} {
		b.Run(c[0].Name+"-"+c[1].Name, func(b *testing.B) {
			x := NewTranscoder(c[0], c[1])
			voice := coded(b, c[0], 500, time.Second)
			dst := make([]byte, MaxFrame)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				x.Hear(voice[i%50])
				x.Say(dst, nil)
			}
		})
	}
}
