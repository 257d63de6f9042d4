package tts

import "math"

// level brings a voice to the common loudness (-20 dBFS while it speaks) by its fixed gain, so that a change of voice
// is no change of volume. Peaks are bent, not cut.
func level(pcm []int16, dB float64) {
	if dB == 0 {
		return
	}
	const knee, top = 24000.0, 32767.0
	g := math.Pow(10, dB/20)
	for i, s := range pcm {
		v := float64(s) * g
		if a := math.Abs(v); a > knee {
			v = math.Copysign(knee+(top-knee)*math.Tanh((a-knee)/(top-knee)), v)
		}
		pcm[i] = int16(math.Round(v))
	}
}
