package rtp

import "time"

// Reception keeps the figures of one incoming stream (RFC 3550, 6.4.1 and A.1,
// A.3, A.8). Its zero value is ready.
type Reception struct {
	began   bool
	ssrc    uint32
	base    int64  // first and highest sequence number of this stretch, extended
	highest int64  //
	seen    uint64 // bit n: highest-n has come

	packets, dups int64
	expected      int64 // in the stretches before this one

	expected0, packets0 int64 // when this SSRC began

	swayed  bool
	clock   int
	start   time.Time
	transit uint32 // of the last packet, in ticks
	jitter  float64
}

// maxDropout is the largest jump of sequence numbers within one stretch; a
// larger one is taken as a sender that started anew (RFC 3550, A.1).
const maxDropout = 3000

// Put counts a packet, and reports whether it is new: not a copy of one that
// came before.
func (r *Reception) Put(p Packet) bool {
	step := int64(int16(p.Seq - uint16(r.highest)))
	switch {
	case !r.began || p.SSRC != r.ssrc || step > maxDropout || step < -maxDropout:
		r.stretch(p)
	case step > 0:
		r.seen = r.seen<<min(step, 64) | 1
		r.highest += step
	case step > -64 && r.seen>>-step&1 != 0:
		r.dups++
		return false
	default: // out of order; further back than 64 a copy cannot be told
		if step > -64 {
			r.seen |= 1 << -step
		}
		r.base = min(r.base, r.highest+step)
	}
	r.packets++
	return true
}

// Sway counts how unevenly a packet travelled that came at now (A.8); clock is
// the ticks of its timestamp in a second. It is for packets whose timestamp is
// the time they were sent: not for telephone-events.
func (r *Reception) Sway(now time.Time, clock int, ts uint32) {
	if r.clock == 0 {
		r.start = now
	}
	if r.swayed && r.clock != clock { // another codec
		r.swayed, r.jitter = false, r.jitter*float64(clock)/float64(r.clock)
	}
	arrival := int64(now.Sub(r.start)) / 1000 * int64(clock) / 1000000
	transit := uint32(arrival) - ts
	if r.swayed {
		d := float64(int32(transit - r.transit))
		r.jitter += (max(d, -d) - r.jitter) / 16
	}
	r.transit, r.clock, r.swayed = transit, clock, true
}

// stretch begins to count sequence numbers anew.
func (r *Reception) stretch(p Packet) {
	if r.began {
		r.expected += r.highest - r.base + 1
	}
	if p.SSRC != r.ssrc {
		r.expected0, r.packets0 = r.expected, r.packets
	}
	r.began, r.ssrc, r.swayed = true, p.SSRC, false
	r.base, r.highest, r.seen = int64(p.Seq), int64(p.Seq), 1
}

// Follows reports whether p belongs to the stream seen so far and comes after it:
// the same SSRC, and a sequence number shortly behind the highest.
func (r *Reception) Follows(p Packet) bool {
	step := int16(p.Seq - uint16(r.highest))
	return r.began && p.SSRC == r.ssrc && step > 0 && step <= maxDropout
}

// Packets is how many came, copies not counted.
func (r *Reception) Packets() int64 { return r.packets }

// Duplicates is how many copies came.
func (r *Reception) Duplicates() int64 { return r.dups }

// Lost is how many are missing by their numbers.
func (r *Reception) Lost() int64 {
	if !r.began {
		return 0
	}
	return max(0, r.expected+r.highest-r.base+1-r.packets)
}

// Jitter is the interarrival jitter.
func (r *Reception) Jitter() time.Duration {
	if r.clock == 0 {
		return 0
	}
	return time.Duration(r.jitter * float64(time.Second) / float64(r.clock))
}
