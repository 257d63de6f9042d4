package alarm

import (
	"cmp"
	"slices"

	"ozswitch/media"
	"ozswitch/media/dtmf"
)

// Rate is that of all sound here, 8 kHz.
const Rate media.Rate = 8000

// Sound is looked at through a window of 10 ms that moves on by a hop of 5 ms.
// Times below are in hops.
const (
	hop       = 40 // samples
	toneSpan  = 80 // samples of the window
	quietest  = 2e-5
	purity    = 0.65 // of the energy in a window: 6 dB over the noise, and more than the upper tone of a key
	fainter   = 8    // 9 dB below the tone it is an echo
	burst     = 20   // hops of each part of the handshake
	after     = 4    // hops without 2300 Hz that end it
	enough    = 13   // hops of each part that must be as they should: a lost frame spoils up to six
	unequal   = 16   // 12 dB between the two tones at most
	holed     = 12   // hops: a hole of 60 ms in a kiss-off is no end
	heardSpan = 3*burst + after
)

// The bins, 100 Hz apart as the window asks for, cover what DC-05 has a
// transmitter accept: 5 % off.
var (
	bins1400 = []float64{1350, 1450}
	bins2300 = []float64{2200, 2300, 2400}
)

// A toneEar is the ear of a Sender: it hears the handshake and the kiss-off.
type toneEar struct {
	win     [toneSpan]int16
	past    [heardSpan][2]float64 // power of 1400 and 2300 Hz in each hop, the newest at the end
	run     int                   // hops that the 1400 Hz now heard lasts, holes included
	hole    int                   // hops without it at its end
	strong  float64               // the strongest of them
	shaken  bool                  // in this hop a handshake has ended
	whistle int                   // hops of the 1400 Hz that ended before this hop, else 0
}

// hear takes one hop of sound and sets shaken and whistle.
func (e *toneEar) hear(pcm []int16) {
	copy(e.win[:], e.win[hop:])
	copy(e.win[toneSpan-hop:], pcm)
	now := [2]float64{}
	if total := energy(e.win[:]); total >= quietest {
		for i, bins := range [][]float64{bins1400, bins2300} {
			p := 0.0
			for _, hz := range bins {
				p += dtmf.Power(e.win[:], Rate, hz)
			}
			if p >= purity*total {
				now[i] = p
			}
		}
	}
	copy(e.past[:], e.past[1:])
	e.past[heardSpan-1] = now
	e.time(now[0])
	if e.shaken = e.handshake(); e.shaken {
		e.past = [heardSpan][2]float64{}
	}
}

// time follows one burst of 1400 Hz of power p, 0 for none.
func (e *toneEar) time(p float64) {
	e.whistle = 0
	switch {
	case p > 0 && p*fainter >= e.strong:
		e.run += 1 + e.hole
		e.hole, e.strong = 0, max(e.strong, p)
	case e.run > 0:
		if e.hole++; e.hole > holed {
			e.whistle, e.run, e.hole, e.strong = e.run, 0, 0, 0
		}
	}
}

// handshake reports whether the past is 1400 Hz, silence, 2300 Hz, and its end.
// It counts instead of measuring each part, so that a lost packet in any of them
// does no harm, and compares with the strongest, so that an echo in the pause does
// none either.
func (e *toneEar) handshake() bool {
	lo, pause, hi, end := e.past[:burst], e.past[burst:2*burst], e.past[2*burst:3*burst], e.past[3*burst:]
	a := slices.MaxFunc(lo, func(x, y [2]float64) int { return cmp.Compare(x[0], y[0]) })[0]
	b := slices.MaxFunc(hi, func(x, y [2]float64) int { return cmp.Compare(x[1], y[1]) })[1]
	if a == 0 || b == 0 || a > b*unequal || b > a*unequal {
		return false
	}
	count := func(part [][2]float64, low, high bool) (n int) {
		for _, p := range part {
			if (p[0] >= a/fainter) == low && (p[1] >= b/fainter) == high {
				n++
			}
		}
		return n
	}
	return count(lo, true, false) >= enough && count(pause, false, false) >= enough &&
		count(hi, false, true) >= enough && count(end, false, false) == after
}

// energy is the mean square of pcm; a full-scale sine has 1/2.
func energy(pcm []int16) (total float64) {
	for _, v := range pcm {
		total += float64(v) / 32768 * float64(v) / 32768
	}
	return total / float64(max(1, len(pcm)))
}

// hops cuts sound, which comes in pieces of any size, into hops.
type hops struct {
	part [hop]int16
	n    int
}

// each calls f with every whole hop that pcm completes; f may not keep it.
func (h *hops) each(pcm []int16, f func([]int16)) {
	for len(pcm) > 0 {
		n := copy(h.part[h.n:], pcm)
		pcm = pcm[n:]
		if h.n += n; h.n < hop {
			return
		}
		h.n = 0
		f(h.part[:])
	}
}
