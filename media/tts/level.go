package tts

import (
	"math"

	"ozswitch/media"
)

// Every piece is brought to loudness, so that a change of voice or engine is no change of volume. Engines differ by
// 13 dB and more, and what speaks behind a URL is not known beforehand, so each piece is measured.
const (
	loudness = -20.0 // dBFS while it speaks
	mostGain = 25.0  // decibels up or down: a whisper of noise is not made a shout
	knee     = 24000.0
)

// level brings a piece to loudness. Peaks are bent, not cut.
func level(pcm []int16, r media.Rate) {
	now := loud(pcm, r)
	if math.IsInf(now, -1) {
		return
	}
	const top = 32767.0
	g := math.Pow(10, max(-mostGain, min(mostGain, loudness-now))/20)
	for i, s := range pcm {
		v := float64(s) * g
		if a := math.Abs(v); a > knee {
			v = math.Copysign(knee+(top-knee)*math.Tanh((a-knee)/(top-knee)), v)
		}
		pcm[i] = int16(math.Round(v))
	}
}

// loud is the level in dBFS of what is speech in a piece: of its frames that are above -50 dBFS and at most 10 dB below
// the mean of those. -Inf: there is none.
func loud(pcm []int16, r media.Rate) float64 {
	var energies []float64
	n := r.Frame()
	for at := 0; at < len(pcm); at += n {
		e := 0.0
		frame := pcm[at:min(at+n, len(pcm))]
		for _, s := range frame {
			e += float64(s) * float64(s)
		}
		energies = append(energies, e/float64(len(frame))/(32768*32768))
	}
	mean, gate := 0.0, 1e-5
	for range 2 {
		sum, count := 0.0, 0
		for _, e := range energies {
			if e >= gate {
				sum, count = sum+e, count+1
			}
		}
		if count == 0 {
			return math.Inf(-1)
		}
		mean = sum / float64(count)
		gate = mean / 10
	}
	return 10 * math.Log10(mean)
}
