package mediatest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ozswitch/media"
	"ozswitch/media/dtmf"
)

// Sound is looked at through a window of 10 ms that moves on by 5 ms.
const (
	window = 10 * time.Millisecond
	hop    = 5 * time.Millisecond
	pause  = 150 * time.Millisecond // ends an utterance; also the least that separates two sounds
	floor  = 3e-5                   // mean square; -45 dBFS and less is silence
	pure   = 0.7                    // part of a window's energy that a letter's tones make up
)

// Hear says what is in pcm, in order: a spelled text as it reads (see Normal), an
// unreadable letter as '?', other sounds as "keys 12#", "tone 425" (the nearest
// multiple of 25 Hz) or "noise". A pause of 150 ms separates two texts.
func Hear(pcm []int16, r media.Rate) []string {
	h := hearing{pcm: pcm, r: r}
	for at := 0; at+r.N(window) <= len(pcm); at += r.N(hop) {
		h.look(at)
	}
	h.endRun()
	h.endText()
	h.endSound(len(pcm))
	return h.out
}

// Text is the spelled texts in pcm, joined by single spaces; other sounds are
// left out.
func Text(pcm []int16, r media.Rate) string {
	out := slices.DeleteFunc(Hear(pcm, r), func(s string) bool {
		return s == "noise" || strings.HasPrefix(s, "tone ") || strings.HasPrefix(s, "keys ")
	})
	return strings.Join(out, " ")
}

// Hears reports whether text was said somewhere in pcm, without a fault.
func Hears(pcm []int16, r media.Rate, text string) bool {
	return strings.Contains(Text(pcm, r), Normal(text))
}

// Level is how loud the tone hz is in pcm, by its peaks in dB below full scale.
func Level(pcm []int16, r media.Rate, hz float64) float64 {
	return 10 * math.Log10(2*dtmf.Power(pcm, r, hz))
}

type hearing struct {
	pcm []int16
	r   media.Rate
	out []string

	letter byte // of the run of windows that is being read; 0 = none
	run    int  // its windows
	text   []byte
	quiet  time.Duration // since the last letter
	begin  int           // where other sound began
	loud   int           // windows of it
	still  int           // windows without it
}

// look reads the window at sample at.
func (h *hearing) look(at int) {
	win := h.pcm[at:][:h.r.N(window)]
	letter, loud := h.read(win)
	if letter != h.letter {
		h.endRun()
		h.letter = letter
	}
	if letter != 0 {
		h.run++
		h.quiet = 0
		h.endSound(at)
		return
	}
	if h.quiet += hop; h.quiet >= pause {
		h.endText()
	}
	switch {
	case loud && h.loud == 0:
		h.begin, h.loud, h.still = at, 1, 0
	case loud:
		h.loud++
		h.still = 0
	case h.loud > 0:
		if h.still++; time.Duration(h.still)*hop >= pause {
			h.endSound(at)
		}
	}
}

// read says which letter is in a window, and whether it is loud at all.
func (h *hearing) read(win []int16) (letter byte, loud bool) {
	var total float64
	for _, v := range win {
		total += float64(v) / 32768 * float64(v) / 32768
	}
	if total /= float64(len(win)); total < floor {
		return 0, false
	}
	lo, pLo := h.strongest(win, firstLow, lows)
	hi, pHi := h.strongest(win, firstHigh, highs)
	i := hi*lows + lo
	if pLo+pHi < pure*total || min(pLo, pHi) < 0.15*total || i >= len(alphabet) {
		return 0, true
	}
	return alphabet[i], true
}

func (h *hearing) strongest(win []int16, first, n int) (at int, power float64) {
	for i := range n {
		if p := dtmf.Power(win, h.r, float64(first+step*i)); p > power {
			at, power = i, p
		}
	}
	return at, power
}

// endRun turns a run of equal windows into a letter. A whole letter makes 7, and
// up to 2 more that it fills in part; half of one makes at most 5.
func (h *hearing) endRun() {
	c := h.letter
	if c != 0 && (h.run < 6 || h.run > 10) {
		c = '?'
	}
	if c != 0 && (c != '?' || h.run > 1) { // a lone window is the edge of something else
		h.text = append(h.text, c)
	}
	h.letter, h.run = 0, 0
}

func (h *hearing) endText() {
	if len(h.text) > 0 {
		h.out = append(h.out, string(h.text))
		h.text = h.text[:0]
	}
}

// endSound says what other sound there was, up to sample end.
func (h *hearing) endSound(end int) {
	n := h.loud
	h.loud = 0
	if time.Duration(n)*hop < 30*time.Millisecond {
		return // a letter's edge
	}
	h.endText()
	pcm := h.pcm[h.begin:end]
	pcm = pcm[:max(0, len(pcm)-h.still*h.r.N(hop))]
	h.out = append(h.out, h.name(pcm))
}

func (h *hearing) name(pcm []int16) string {
	if keys, _ := dtmf.ReadKeys(media.Concat(media.Samples(h.r, pcm), media.Silence(h.r, pause))); keys != "" {
		return "keys " + keys
	}
	var total, most float64
	for _, v := range pcm {
		total += float64(v) / 32768 * float64(v) / 32768
	}
	total /= float64(max(1, len(pcm)))
	best := 0
	middle := pcm[len(pcm)/4 : len(pcm)/4*3] // away from the ramps
	for hz := 100; hz <= 3400; hz += 25 {
		if p := dtmf.Power(middle[:min(len(middle), h.r.N(40*time.Millisecond))], h.r, float64(hz)); p > most {
			best, most = hz, p
		}
	}
	if most < 0.6*total {
		return "noise"
	}
	return fmt.Sprintf("tone %d", best)
}
