package codec

import (
	"time"

	"ozswitch/media"
)

// A Patcher decodes a stream frame by frame and fills what was lost, so that a
// lost packet is hardly heard: the last pitch period is repeated (the idea of
// G.711, appendix I), at full strength for 10 ms, then fading to silence at
// 60 ms. The decoder keeps its state meanwhile, and the first frame that comes
// again is faded in over the invented one.
//
// It works on samples, so it serves every codec; but one whose decoder can carry
// on by itself (Opus) does so for those 60 ms. A payload longer than a frame is
// given frame by frame: what is left of it comes before anything is invented. A
// stream costs 35 ms of memory, with such a codec 120 ms more.
type Patcher struct {
	dec  Decoder
	own  concealer // dec, if it can carry on by itself
	long []int16   // where long payloads are decoded; nil = there are none
	rest []int16   // of it, what was not given yet
	rate media.Rate
	past []int16 // the last sound that came, the newest at the end
	made int     // samples invented since the last frame that came
	lag  int     // the period being repeated
	at   int     // where in it we are
	some bool    // there was sound at all
	real bool    // the last frame was not invented
}

const (
	strong = 10 * time.Millisecond // of invented sound, before it fades
	faded  = 60 * time.Millisecond // then it is silence
	seam   = 5 * time.Millisecond  // crossfade into sound that comes again
	search = 15 * time.Millisecond // the longest period, 66 Hz
	shape  = 20 * time.Millisecond // what is compared to find it
)

// A concealer is a decoder that carries on by itself what it heard: one frame, of
// which it returns the number of samples.
type concealer interface{ Conceal(dst []int16) int }

// NewPatcher makes a patcher with a decoder of its own.
func NewPatcher(c *Codec) *Patcher {
	p := &Patcher{dec: c.NewDecoder(), rate: c.Rate, past: make([]int16, c.Rate.N(search+shape))}
	p.own, _ = p.dec.(concealer)
	if c.Lasts != nil {
		p.long = make([]int16, c.Rate.N(MaxPacket))
	}
	return p
}

// Decode decodes one payload into dst, as a Decoder does, a long one frame by
// frame. Without payload it goes on with a long one, or invents one frame of
// 20 ms, or as much of it as dst has room for.
func (p *Patcher) Decode(dst []int16, payload []byte) int {
	n := 0
	switch {
	case len(payload) == 0 && len(p.rest) > 0:
		n = p.more(dst)
	case len(payload) == 0:
		p.real = false
		n := min(len(dst), p.rate.Frame())
		if p.own == nil || p.Faded() {
			p.invent(dst[:n])
		} else {
			clear(dst[p.own.Conceal(dst[:n]):n])
			p.fade(dst[:n])
			p.keep(dst[:n])
		}
		return n
	case p.long != nil:
		p.rest = p.long[:p.dec.Decode(p.long, payload)]
		n = p.more(dst)
	default:
		n = p.dec.Decode(dst, payload)
	}
	if p.own != nil && !p.Faded() {
		p.made = 0 // the decoder has joined the two
	}
	if p.made > 0 {
		p.join(dst[:n])
		p.made = 0
	}
	p.some, p.real = true, true
	p.keep(dst[:n])
	return n
}

// more gives the next frame of a long payload.
func (p *Patcher) more(dst []int16) int {
	n := copy(dst[:min(len(dst), p.rate.Frame())], p.rest)
	p.rest = p.rest[n:]
	return n
}

// Real reports whether what Decode gave last had come, and was not invented.
func (p *Patcher) Real() bool { return p.real }

// Faded reports whether invention has ended: the sound is silence until
// something comes.
func (p *Patcher) Faded() bool { return !p.some || p.made >= p.rate.N(faded) }

// keep remembers what came.
func (p *Patcher) keep(pcm []int16) {
	if n := len(p.past); len(pcm) < n {
		copy(p.past, p.past[len(pcm):])
		copy(p.past[n-len(pcm):], pcm)
	} else {
		copy(p.past, pcm[len(pcm)-n:])
	}
}

// invent makes sound that carries on the past.
func (p *Patcher) invent(dst []int16) {
	if p.Faded() {
		clear(dst)
		return
	}
	if p.made == 0 {
		p.lag, p.at = p.period(), 0
	}
	last := p.past[len(p.past)-p.lag:]
	for i := range dst {
		dst[i] = last[p.at]
		if p.at++; p.at == p.lag {
			p.at = 0
		}
	}
	p.fade(dst)
}

// fade takes the strength from what was invented, and counts it.
func (p *Patcher) fade(dst []int16) {
	whole, end := p.rate.N(strong), p.rate.N(faded)
	for i, v := range dst {
		switch n := p.made + i; {
		case n >= end:
			dst[i] = 0
		case n > whole:
			dst[i] = int16(int32(v) * int32(end-n) / int32(end-whole))
		}
	}
	p.made += len(dst)
}

// join fades from the invented sound to the one that came.
func (p *Patcher) join(dst []int16) {
	n := min(len(dst), p.rate.N(seam))
	var old [256]int16
	n = min(n, len(old))
	p.invent(old[:n])
	for i := range n {
		dst[i] = int16((int32(old[i])*int32(n-i) + int32(dst[i])*int32(i)) / int32(n))
	}
}

// period is the lag at which the past resembles itself most: the highest
// normalised correlation of its end with what lies before.
func (p *Patcher) period() int {
	n := p.rate.N(shape)
	end := p.past[len(p.past)-n:]
	best, lag := -1.0, p.rate.N(search)
	step := max(1, int(p.rate)/8000) // what counts lies below 4 kHz
	for l := int(p.rate) / 400; l <= p.rate.N(search); l++ {
		before := p.past[len(p.past)-n-l:][:n]
		var cross, power int64
		for i := 0; i < n; i += step {
			cross += int64(end[i]) * int64(before[i])
			power += int64(before[i]) * int64(before[i])
		}
		if cross <= 0 {
			continue
		}
		// A multiple of the period may win: it is often closer to whole samples.
		if c := float64(cross) * float64(cross) / float64(power+1); c > best {
			best, lag = c, l
		}
	}
	return lag
}
