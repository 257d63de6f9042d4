package media

import (
	"fmt"
	"math"
)

// Resample brings src to another rate; src itself if it has that rate already.
//
// It is a polyphase low-pass filter: conceptually src is stuffed with zeros up
// to a common multiple of both rates, filtered once below half of the lower
// rate, and thinned out; only the products that matter are computed. One filter
// serves every ratio, 16 to 8 kHz as well as 44.1 to 48. Stop band -70 dB, flat
// to 0.43 of the lower rate: 3.4 kHz of telephone band on the way to 8 kHz.
// The filter's delay is taken out and the length kept: n samples in give
// n*to/from out, rounded up.
func Resample(src Source, to Rate) Source {
	from := src.Rate()
	if from == to {
		return src
	}
	g := gcd(int(from), int(to))
	r := &resample{src: src, to: to, up: int(to) / g, down: int(from) / g}
	r.filter()
	r.buf = make([]int16, from.Frame())
	r.store = make([]float32, 2*r.half+len(r.buf))
	r.in = r.store[:r.half-1]
	r.end = -1
	return r
}

const (
	crossings = 24    // zero crossings of the sinc on either side, at the lower rate
	beta      = 6.76  // Kaiser window of 70 dB
	edge      = 0.475 // half-power point as part of the lower rate
)

type resample struct {
	src      Source
	to       Rate
	up, down int         // to/from in lowest terms
	half     int         // input samples on either side of an output sample
	taps     [][]float32 // one row of 2*half weights for each of the up phases
	in       []float32   // input from half-1 samples before sample at on; part of store
	store    []float32
	at       int // whole input samples gone by
	phase    int // and a fraction of one, in parts of up
	buf      []int16
	read     int // input samples read
	end      int // output samples to come, once the input has ended; -1 before
	err      error
}

func (r *resample) Rate() Rate     { return r.to }
func (r *resample) String() string { return fmt.Sprintf("%s -> resample(%d)", Name(r.src), r.to) }

// filter lays out the windowed sinc, one row a phase.
func (r *resample) filter() {
	low := 1.0 // the lower rate, as part of the input rate
	if r.up < r.down {
		low = float64(r.up) / float64(r.down)
	}
	width := crossings / low // half width in input samples
	r.half = int(math.Ceil(width))
	r.taps = make([][]float32, r.up)
	for p := range r.taps {
		row := make([]float32, 2*r.half)
		sum := 0.0
		for k := range row {
			// Where tap k lies, seen from the output sample, in input samples.
			x := float64(k-r.half+1) - float64(p)/float64(r.up)
			w := 0.0
			if q := x / width; q > -1 && q < 1 {
				w = sinc(2*edge*low*x) * bessel(beta*math.Sqrt(1-q*q))
			}
			row[k] = float32(w)
			sum += w
		}
		for k := range row { // every phase passes DC alike, or it would whistle
			row[k] /= float32(sum)
		}
		r.taps[p] = row
	}
}

func (r *resample) Read(buf []int16) (int, error) {
	for i := range buf {
		if r.end == 0 {
			return i, r.err
		}
		row := r.taps[r.phase]
		for len(r.in) < len(row) {
			r.fill()
		}
		if r.end == 0 { // the input ended right here
			return i, r.err
		}
		var y float32
		win := r.in[:len(row)]
		for k, w := range row {
			y += w * win[k]
		}
		buf[i] = clip(float64(y))
		if r.end > 0 {
			r.end--
		}
		r.phase += r.down
		if skip := r.phase / r.up; skip > 0 {
			r.phase -= skip * r.up
			r.at += skip
			for len(r.in) < skip {
				r.fill()
			}
			r.in = r.in[skip:]
		}
	}
	return len(buf), nil
}

// fill reads one more frame of input, zeros once it has ended.
func (r *resample) fill() {
	if cap(r.in)-len(r.in) < len(r.buf) { // slide back to the front
		r.in = r.store[:copy(r.store, r.in)]
	}
	n := 0
	if r.end < 0 {
		var err error
		n, err = r.src.Read(r.buf)
		r.read += n
		if err != nil {
			made := (r.at*r.up + r.phase) / r.down
			r.err, r.end = err, max(0, (r.read*r.up+r.down-1)/r.down-made)
		}
	}
	clear(r.buf[n:])
	for _, v := range r.buf {
		r.in = append(r.in, float32(v))
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel is I0, the modified Bessel function of the Kaiser window.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-10*sum; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}
