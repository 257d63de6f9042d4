package media

import (
	"fmt"
	"io"
	"math"
	"time"
)

// Tone is a sine of hz for d; without end when d is negative. The level is that
// of its peaks in dB below full scale: 0 is the loudest, -12 a pleasant beep.
// It begins and ends with a ramp of 2 ms, because a sine that starts or stops
// in mid-swing clicks.
func Tone(r Rate, hz, dBFS float64, d time.Duration) Source {
	return &tone{
		r: r, hz: hz, d: d,
		amp:  32767 * math.Pow(10, dBFS/20),
		step: 2 * math.Pi * hz / float64(r),
		n:    r.N(d),
		ramp: max(1, r.N(2*time.Millisecond)),
	}
}

type tone struct {
	r         Rate
	hz        float64
	d         time.Duration
	amp, step float64
	n, ramp   int // samples in all, and of one ramp
	at        int
}

func (t *tone) Rate() Rate     { return t.r }
func (t *tone) String() string { return fmt.Sprintf("tone(%g Hz)", t.hz) }

func (t *tone) Read(buf []int16) (int, error) {
	for i := range buf {
		if t.d >= 0 && t.at >= t.n {
			return i, io.EOF
		}
		a := t.amp
		if t.at < t.ramp {
			a *= float64(t.at) / float64(t.ramp)
		}
		if left := t.n - 1 - t.at; t.d >= 0 && left < t.ramp {
			a *= float64(left) / float64(t.ramp)
		}
		buf[i] = clip(a * math.Sin(t.step*float64(t.at)))
		t.at++
	}
	return len(buf), nil
}
