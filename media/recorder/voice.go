package recorder

import (
	"math"
	"time"

	"ozswitch/media"
)

// The detector's numbers, in decibels below full scale and frames of 20 ms. Speech on a telephone rises and falls by
// more than 10 dB several times a second; comfort noise, line hum and an engine do not. So the floor is the quietest
// moment of the last 1.6 s, and voice is what stands clearly above it.
const (
	above    = 9.0   // over the floor: voice
	lowest   = -57.0 // the floor is never taken for lower: comfort noise after digital silence is no voice
	spans    = 8     // the floor's memory: 8 spans of 10 frames
	spanLen  = 10
	onset    = 3  // voiced frames among the last 5 that make voice: a click has fewer
	hangover = 15 // frames without that end it: between words it stays
)

type change int

const (
	same change = iota
	voiceBegan
	voiceEnded
)

// detector tells when a person talks in one direction of a call. It reads no clock.
type detector struct {
	last   float64        // the high-pass filter's memory
	span   [spans]float64 // minima of past spans, as a ring
	at, n  int            // the present span and the frames in it
	recent uint8          // one bit a frame: voiced, the newest lowest
	on     bool
	quiet  int // frames since the last voiced one
}

func newDetector() *detector {
	d := &detector{quiet: 1 << 20}
	for i := range d.span {
		d.span[i] = math.Inf(1)
	}
	return d
}

// frame takes 20 ms; present is false when nothing came (the phone is silent: it sends nothing, or lost packets),
// which says nothing about the noise. The duration belongs to the change: for a beginning how long before this frame's
// start voice began, for an end how long before this frame's end it stopped.
func (d *detector) frame(pcm []int16, present bool) (change, time.Duration) {
	voiced := present && d.voiced(pcm)
	d.recent <<= 1
	if voiced {
		d.recent |= 1
		d.quiet = 0
	} else {
		d.quiet++
	}
	count := 0
	for i := range 5 {
		count += int(d.recent >> i & 1)
	}
	switch {
	case !d.on && count >= onset:
		d.on = true
		first := 4
		for d.recent>>first&1 == 0 {
			first--
		}
		return voiceBegan, time.Duration(first) * media.Frame
	case d.on && d.quiet > hangover:
		d.on = false
		return voiceEnded, time.Duration(d.quiet) * media.Frame
	}
	return same, 0
}

// voiced compares the frame with the floor and then lets it count for the floor.
func (d *detector) voiced(pcm []int16) bool {
	// This filter takes out direct current and weakens hum (50 Hz by 19 dB at 8 kHz) more than speech (some 8 dB).
	sum := 0.0
	for _, s := range pcm {
		x := float64(s)
		v := x - 0.9*d.last
		d.last = x
		sum += v * v
	}
	level := lowest
	if len(pcm) > 0 && sum > 0 {
		level = max(lowest, 10*math.Log10(sum/float64(len(pcm)))-20*math.Log10(32768))
	}
	if d.n == spanLen {
		d.at, d.n = (d.at+1)%spans, 0
		d.span[d.at] = math.Inf(1)
	}
	d.n++
	d.span[d.at] = min(d.span[d.at], level)
	floor := level
	for _, s := range d.span {
		floor = min(floor, s)
	}
	return level > floor+above
}
