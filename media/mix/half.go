package mix

import "math"

// Between 8 and 16 kHz there is one half-band filter, sample by sample, so that a
// stream has no more delay than the filter itself: 1.5 ms. It is flat to 3.4 kHz
// and lets through -50 dB from 4.6 kHz on.

const side = 12 // taps on either side that are not 0

// weights are every second tap, the others being 0 but for the one in the middle.
var weights = halfBand()

func halfBand() (w [2 * side]float32) {
	var sum float64
	var f [2 * side]float64
	for j := range f {
		x := float64(2*j-2*side+1) / 2 // in samples of the lower rate
		window := 0.54 + 0.46*math.Cos(math.Pi*x/side)
		f[j] = math.Sin(math.Pi*x) / (math.Pi * x) * window
		sum += f[j]
	}
	for j := range f {
		w[j] = float32(f[j] / sum)
	}
	return w
}

// A doubler takes sound from 8 to 16 kHz.
type doubler struct {
	in   []float32 // what came before, then the frame
	used bool
}

const past = 2*side - 1

func newDoubler() *doubler { return &doubler{in: make([]float32, past+narrow.Frame())} }

// forget begins anew: before it there was silence.
func (d *doubler) forget() {
	if d.used {
		d.used = false
		clear(d.in[:past])
	}
}

func (d *doubler) double(dst, src []int16) {
	d.used = true
	in := d.in[:past+len(src)]
	for i, v := range src {
		in[past+i] = float32(v)
	}
	for i := range src {
		win := in[i : i+2*side]
		var y float32
		for j, w := range weights {
			y += w * win[j]
		}
		dst[2*i], dst[2*i+1] = int16(win[side-1]), clip(int32(y))
	}
	copy(in, in[len(src):])
}

// A halver takes sound from 16 to 8 kHz.
type halver struct{ in []float32 }

const before = 4*side - 2

func newHalver() *halver { return &halver{make([]float32, before+wide.Frame())} }

func (h *halver) forget() { clear(h.in[:before]) }

// as goes on from where another is.
func (h *halver) as(o *halver) { copy(h.in[:before], o.in[:before]) }

func (h *halver) halve(dst, src []int16) {
	in := h.in[:before+len(src)]
	for i, v := range src {
		in[before+i] = float32(v)
	}
	for i := range len(src) / 2 {
		win := in[2*i : 2*i+4*side-1]
		y := win[2*side-1]
		var odd float32
		for j, w := range weights {
			odd += w * win[2*j]
		}
		dst[i] = clip(int32((y + odd) / 2))
	}
	copy(in, in[len(src):])
}
