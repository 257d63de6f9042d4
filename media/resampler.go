package media

// A Resampler is Resample for sound that comes frame by frame and is wanted at
// once. The filter's delay stays in: 24 samples at the lower rate, 3 ms at 8 kHz.
type Resampler struct {
	r    *resample
	keep int // input samples that the next frame needs again
}

// NewResampler makes one from a rate to another.
func NewResampler(from, to Rate) *Resampler {
	if from == to {
		return &Resampler{}
	}
	g := gcd(int(from), int(to))
	r := &resample{to: to, up: int(to) / g, down: int(from) / g}
	r.filter()
	s := &Resampler{r: r, keep: 2*r.half - 1}
	r.store = make([]float32, s.keep+from.Frame())
	return s
}

// Write brings src, a frame or less, to the other rate, in dst, and returns how many
// samples that is. It allocates nothing.
func (s *Resampler) Write(dst, src []int16) int {
	r := s.r
	if r == nil {
		return copy(dst, src)
	}
	in := r.store[:s.keep+len(src)]
	for i, v := range src {
		in[s.keep+i] = float32(v)
	}
	n, at := 0, 0
	for ; at < len(src) && n < len(dst); n++ {
		var y float32
		row := r.taps[r.phase]
		win := in[at:][:len(row)]
		for k, w := range row {
			y += w * win[k]
		}
		dst[n] = clip(float64(y))
		r.phase += r.down
		at += r.phase / r.up
		r.phase %= r.up
	}
	copy(in, in[len(src):])
	return n
}
