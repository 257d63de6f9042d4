package codec

import (
	"bytes"

	"github.com/zaf/g711"
)

// PCMU is G.711 mu-law: one byte a sample, what every telephone speaks.
var PCMU = &Codec{
	Name:       "PCMU",
	PT:         0,
	Rate:       8000,
	ClockRate:  8000,
	Silence:    bytes.Repeat([]byte{0xff}, 160), // +0: encodes 0
	NewEncoder: func() Encoder { return ulaw{} },
	NewDecoder: func() Decoder { return ulaw{} },
}

// ulaw has no state: each sample stands for itself.
type ulaw struct{}

func (ulaw) Encode(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm))
	for i, v := range pcm[:n] {
		dst[i] = g711.EncodeUlawFrame(v)
	}
	return n
}

func (ulaw) Decode(dst []int16, payload []byte) int {
	n := min(len(dst), len(payload))
	for i, b := range payload[:n] {
		dst[i] = g711.DecodeUlawFrame(b)
	}
	return n
}
