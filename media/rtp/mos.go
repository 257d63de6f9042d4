package rtp

import (
	"strings"
	"time"
)

// impairment is how much a codec itself takes from the quality, and how well it
// stands random loss (ITU-T G.113, appendix I).
type impairment struct{ ie, bpl float64 }

var impairments = map[string]impairment{
	"pcmu": {0, 25.1}, "pcma": {0, 25.1}, // with concealment, as everybody has
	"g722": {0, 25.1}, "opus": {0, 25.1}, // on the scale of a narrow band, where they are not worse
	"g729": {11, 19}, "g723": {15, 16.1}, "amr": {5, 10},
}

// MOS estimates what people would say of a call, from 1 (bad) to 4.4 (as good as a
// telephone gets): the E-model (ITU-T G.107) with its defaults, of which what a
// network does is left, as in Cole and Rosenbluth, "Voice over IP performance
// monitoring" (2001). delay is from mouth to ear, one way; loss is the part of the
// packets that were not heard, 0 to 1, taken as random. Codecs that are not known
// count as G.729.
func MOS(codec string, delay time.Duration, loss float64) float64 {
	c, ok := impairments[strings.ToLower(codec)]
	if !ok {
		c = impairments["g729"]
	}
	d := float64(max(0, delay)) / float64(time.Millisecond)
	r := 93.2 - 0.024*d
	if d > 177.3 {
		r -= 0.11 * (d - 177.3)
	}
	p := 100 * min(max(loss, 0), 1)
	r -= c.ie + (95-c.ie)*p/(p+c.bpl) // G.107, 7.5, with BurstR = 1
	switch {                          // annex B
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
