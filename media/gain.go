package media

import (
	"fmt"
	"math"
)

// Gain makes src louder (dB above 0) or softer (below 0), clipping at full scale.
func Gain(src Source, dB float64) Source {
	return &gain{src: src, dB: dB, by: math.Pow(10, dB/20)}
}

type gain struct {
	src    Source
	dB, by float64
}

func (g *gain) Rate() Rate     { return g.src.Rate() }
func (g *gain) String() string { return fmt.Sprintf("gain(%g dB, %s)", g.dB, Name(g.src)) }

func (g *gain) Read(buf []int16) (int, error) {
	n, err := g.src.Read(buf)
	for i, v := range buf[:n] {
		buf[i] = clip(float64(v) * g.by)
	}
	return n, err
}
