package dtmf

import (
	"math"
	"slices"
	"time"

	"ozswitch/media"
)

// A Detector finds keys in sound, block by block of 12.75 ms (102 samples at
// 8 kHz, the length whose bins fit the eight frequencies best). A key must last
// two blocks; it is found again only after three blocks without it.
type Detector struct {
	r     media.Rate
	block []int16
	n     int
	coef  [8]float64
	last  byte // the key of the block before, 0 for none
	down  byte // the key that is being held and was reported
	gap   int  // blocks without it
	found []byte
}

// NewDetector makes a detector for sound of rate r, at least 8 kHz.
func NewDetector(r media.Rate) *Detector {
	d := &Detector{r: r, coef: coefs(r), block: make([]int16, r.N(12750*time.Microsecond)), found: make([]byte, 0, 8)}
	return d
}

// Write looks at more sound and returns the keys that went down in it. The
// result is valid until the next Write; nothing is allocated.
func (d *Detector) Write(pcm []int16) []byte {
	d.found = d.found[:0]
	for len(pcm) > 0 {
		n := copy(d.block[d.n:], pcm)
		pcm = pcm[n:]
		if d.n += n; d.n < len(d.block) {
			break
		}
		d.n = 0
		d.decide(d.classify())
	}
	return d.found
}

// decide turns what each block holds into keys.
func (d *Detector) decide(key byte) {
	if d.down != 0 {
		if key == d.down {
			d.gap = 0
		} else if d.gap++; d.gap >= 3 || key != 0 && key == d.last { // two bad blocks are no release; the 40 ms of Q.24 spoil three
			d.down = 0
		}
	}
	if key != 0 && key == d.last && d.down == 0 {
		d.down, d.gap = key, 0
		d.found = append(d.found, key)
	}
	d.last = key
}

// The limits of Q.24 and common practice.
const (
	least   = 3e-6 // mean square of the weaker tone: -49 dBm0 and below is nothing
	twist   = 6.3  // column over row, 8 dB
	reverse = 2.5  // row over column, 4 dB
	purity  = 0.72 // part of the block's energy that the two tones make up
	peak    = 6.0  // by which a tone beats the others of its group
)

// classify says which key a block holds, 0 for none.
func (d *Detector) classify() byte {
	p, total := strengths(d.block, &d.coef)
	return judge(&p, total)
}

// strengths is the mean squares of the eight tones, rows first, and of all of pcm.
func strengths(pcm []int16, coef *[8]float64) (p [8]float64, total float64) {
	var s [8][2]float64
	for _, v := range pcm {
		x := float64(v) / 32768
		total += x * x
		for i := range s {
			s[i][0], s[i][1] = x+coef[i]*s[i][0]-s[i][1], s[i][0]
		}
	}
	n := float64(len(pcm))
	for i := range p {
		a, b := s[i][0], s[i][1]
		p[i] = 2 * (a*a + b*b - coef[i]*a*b) / (n * n)
	}
	return p, total / n
}

// coefs is what the Goertzel algorithm needs to know of the eight tones.
func coefs(r media.Rate) (c [8]float64) {
	for i := range 4 {
		c[i] = 2 * math.Cos(2*math.Pi*rows[i]/float64(r))
		c[4+i] = 2 * math.Cos(2*math.Pi*columns[i]/float64(r))
	}
	return c
}

// Key is the key that all of pcm holds, 0 for none, by the limits of a
// [Detector], and the mean square of its two tones. It is for those who must
// know when a key was heard: they move a window of 10 to 20 ms over the sound.
func Key(pcm []int16, r media.Rate) (key byte, power float64) {
	var sum float64
	for _, v := range pcm {
		sum += float64(v) / 32768 * float64(v) / 32768
	}
	if sum < least*float64(len(pcm)) || len(pcm) == 0 {
		return 0, 0 // most of a call is silence
	}
	c := coefs(r)
	p, total := strengths(pcm, &c)
	if key = judge(&p, total); key == 0 {
		return 0, 0
	}
	return key, slices.Max(p[:4]) + slices.Max(p[4:])
}

// judge says which key the strengths of the eight tones make, rows first, in
// sound whose mean square is total; 0 for none.
func judge(p *[8]float64, total float64) byte {
	row, okRow := strongest(p[:4])
	col, okCol := strongest(p[4:])
	lo, hi := p[row], p[4+col]
	switch {
	case !okRow || !okCol,
		min(lo, hi) < least,
		hi > lo*twist || lo > hi*reverse,
		lo+hi < purity*total:
		return 0
	}
	return layout[row][col]
}

// strongest is the largest of a group, and whether it stands out from the rest.
func strongest(p []float64) (at int, clear bool) {
	for i, v := range p {
		if v > p[at] {
			at = i
		}
	}
	for i, v := range p {
		if i != at && v*peak > p[at] {
			return at, false
		}
	}
	return at, true
}
