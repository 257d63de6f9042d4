package rtp

import "math"

// A slack is how many frames before its turn a packet came: 0 is just in time,
// less is too late. What a Jitter needs to know of the last seconds is the least
// and the most of it.
type slack struct {
	spans [4]span // of a second each, as a ring
	at    int
	whole int // spans that were filled since the beginning
}

type span struct {
	n           int
	least, next int64 // the lowest and the second lowest: one straggler is no rule
	most        int64
}

const (
	narrow = 1  // frames that even the slowest packets should have
	wide   = 3  // so many are a waste
	widest = 10 // the most that any packet is held: 200 ms
)

func (s *slack) reset() {
	*s = slack{}
	for i := range s.spans {
		s.spans[i].reset()
	}
}

func (s *span) reset() { *s = span{least: math.MaxInt32, next: math.MaxInt32, most: math.MinInt32} }

// note takes the slack of one packet.
func (s *slack) note(n int64) {
	p := &s.spans[s.at]
	p.n++
	switch p.most = max(p.most, n); {
	case n < p.least:
		p.least, p.next = n, p.least
	case n < p.next:
		p.next = n
	}
}

// turn begins another second.
func (s *slack) turn() {
	s.at = (s.at + 1) % len(s.spans)
	s.spans[s.at].reset()
	s.whole++
}

// shift accounts for n more frames of hold.
func (s *slack) shift(n int64) {
	for i := range s.spans {
		if p := &s.spans[i]; p.n > 0 {
			p.least, p.next, p.most = p.least+n, p.next+n, p.most+n
		}
	}
}

// most is the longest that a packet was held.
func (s *slack) most() int64 {
	m := int64(math.MinInt32)
	for i := range s.spans {
		m = max(m, s.spans[i].most)
	}
	return m
}

// tooNarrow reports whether packets come too late, or nearly so, twice in a second
// or two, and may be held longer.
func (s *slack) tooNarrow() bool {
	now, before := &s.spans[s.at], &s.spans[(s.at+len(s.spans)-1)%len(s.spans)]
	return min(now.next, before.next) < narrow && s.most() < widest
}

// tooWide reports whether all packets of four seconds could have been held a frame
// less, or some were held much too long, and there were enough of them to say so.
func (s *slack) tooWide() bool {
	n, least := 0, int64(math.MaxInt32)
	for i := range s.spans {
		n += s.spans[i].n
		least = min(least, s.spans[i].least)
	}
	return s.whole >= len(s.spans) && n >= 10*len(s.spans) && (least >= wide || s.most() > widest+2)
}
