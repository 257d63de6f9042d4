package recorder

import (
	"math"
	"slices"
	"time"

	"ozswitch/media"
)

// The detector's numbers, in decibels below full scale and frames of 20 ms. Speech on a telephone rises and falls by
// more than 10 dB several times a second; comfort noise, line hum and an engine do not. So the floor is the quietest
// moment of the last 1.6 s, or the level of the last quarter of a second when that did not rise and fall; and voice is
// what stands clearly above it.
const (
	above    = 9.0   // over the floor: voice
	lowest   = -60.0 // the floor is never taken for lower: comfort noise after digital silence is no voice
	spans    = 8     // the floor's memory: 8 spans of 10 frames
	spanLen  = 10
	onset    = 3   // voiced frames among the last 5 that make voice: a click has fewer
	hangover = 15  // frames without that end it: between words it stays
	window   = 12  // so many frames, all within
	flat     = 5.0 // this, are noise that may just have begun; noise through a telephone stays within 4
	lowCut   = 250 // Hz: below lies hum, and little of speech
)

type change int

const (
	same change = iota
	voiceBegan
	voiceEnded
)

// detector tells when a person talks in one direction of a call. It reads no clock. Places are counted in frames.
type detector struct {
	cut    [2]highPass
	span   [spans]float64  // minima of past spans, as a ring
	at, n  int             // the present span and the frames in it
	latest [window]float64 // levels, as a ring
	next   int             // the oldest of them
	now    int             // frames taken
	recent uint8           // one bit a frame: voiced, the newest lowest
	on     bool
	voiced int     // the end of the last voiced frame
	ended  int     // where voice stopped the last time, 0 when there was none
	peak   float64 // the loudest frame since voice began
	moved  bool    // since then the level fell clearly below it
}

func newDetector(r media.Rate) *detector {
	d := &detector{voiced: -hangover}
	d.cut = [2]highPass{newHighPass(r, 0.541), newHighPass(r, 1.307)} // together a Butterworth filter of order 4
	for i := range d.span {
		d.span[i] = math.Inf(1)
	}
	for i := range d.latest {
		d.latest[i] = math.Inf(-1)
	}
	return d
}

// frame takes 20 ms; present is false when nothing came (the phone is silent: it sends nothing, or lost packets),
// which says nothing about the noise. The duration belongs to the change: for a beginning how long before this frame's
// start voice began, for an end how long before this frame's end it stopped. What began and turns out to be noise that
// began ends where the voice before it stopped, or at the very start.
func (d *detector) frame(pcm []int16, present bool) (change, time.Duration) {
	d.now++
	d.recent <<= 1
	steady := false
	if present {
		var loud bool
		if loud, steady = d.listen(pcm); loud {
			d.recent |= 1
			d.voiced = d.now
		}
	}
	count := 0
	for i := range 5 {
		count += int(d.recent >> i & 1)
	}
	switch {
	case !d.on && count >= onset:
		first := 4
		for d.recent>>first&1 == 0 {
			first--
		}
		d.on, d.moved, d.peak = true, false, lowest
		return voiceBegan, time.Duration(first) * media.Frame
	case d.on && steady && !d.moved: // noise from where it began
		d.on, d.recent, d.voiced = false, 0, d.ended
		return voiceEnded, time.Duration(d.now-d.ended) * media.Frame
	case d.on && steady: // noise after voice
		d.voiced = min(d.voiced, d.now-window)
	}
	if d.on && d.now-d.voiced > hangover {
		d.on, d.ended = false, d.voiced
		return voiceEnded, time.Duration(d.now-d.voiced) * media.Frame
	}
	return same, 0
}

// listen lets the frame count for the floor and compares the two. Steady says that the last frames neither rose nor
// fell: then all of them are floor.
func (d *detector) listen(pcm []int16) (loud, steady bool) {
	level := d.level(pcm)
	d.latest[d.next] = level
	d.next = (d.next + 1) % window
	if d.n == spanLen {
		d.at, d.n = (d.at+1)%spans, 0
		d.span[d.at] = math.Inf(1)
	}
	d.n++
	d.span[d.at] = min(d.span[d.at], level)
	least := slices.Min(d.latest[:])
	if steady = slices.Max(d.latest[:])-least <= flat; steady {
		for i := range d.span {
			d.span[i] = least
		}
	}
	if level < d.peak-flat {
		d.moved = true
	}
	d.peak = max(d.peak, level)
	return level > slices.Min(d.span[:])+above, steady
}

// level is that of the frame without what is below the speech of a telephone.
func (d *detector) level(pcm []int16) float64 {
	sum := 0.0
	for _, s := range pcm {
		v := d.cut[1].next(d.cut[0].next(float64(s)))
		sum += v * v
	}
	if len(pcm) == 0 || sum == 0 {
		return lowest
	}
	return max(lowest, 10*math.Log10(sum/float64(len(pcm)))-20*math.Log10(32768))
}

// highPass is a filter of second order (a biquad, direct form 2 transposed).
type highPass struct {
	b, a1, a2 float64
	s1, s2    float64
}

// newHighPass cuts at lowCut with the resonance q, by the bilinear transform.
func newHighPass(r media.Rate, q float64) highPass {
	k := math.Tan(math.Pi * lowCut / float64(r))
	n := 1 / (1 + k/q + k*k)
	return highPass{b: n, a1: 2 * (k*k - 1) * n, a2: (1 - k/q + k*k) * n}
}

func (f *highPass) next(x float64) float64 {
	y := f.b*x + f.s1
	f.s1 = -2*f.b*x - f.a1*y + f.s2
	f.s2 = f.b*x - f.a2*y
	return y
}
