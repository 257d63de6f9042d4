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

// PCMA is G.711 A-law, the same for Europe and most of the world.
var PCMA = &Codec{
	Name:       "PCMA",
	PT:         8,
	Rate:       8000,
	ClockRate:  8000,
	Silence:    bytes.Repeat([]byte{0xd5}, 160), // the least positive value: A-law has no zero
	NewEncoder: func() Encoder { return alaw{} },
	NewDecoder: func() Decoder { return alaw{} },
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

// alaw has none either.
type alaw struct{}

func (alaw) Encode(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm))
	for i, v := range pcm[:n] {
		dst[i] = g711.EncodeAlawFrame(v)
	}
	return n
}

func (alaw) Decode(dst []int16, payload []byte) int {
	n := min(len(dst), len(payload))
	for i, b := range payload[:n] {
		dst[i] = g711.DecodeAlawFrame(b)
	}
	return n
}
