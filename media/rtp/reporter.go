package rtp

import "time"

// A Reporter keeps one end of RTCP: it says when a report is due, writes it, and
// reads those that come. Set SSRC and Name before use.
type Reporter struct {
	SSRC uint32 // ours
	Name string // CNAME

	next    time.Time
	die     uint32
	sent    int64 // our packets at the last report
	before  int64 // and at the one before
	heardSR bool
	from    uint32    // whose last sender report it was,
	theirs  uint32    // the middle bits of its NTP time,
	came    time.Time // and when it came

	ssrc               uint32 // whose counts these are:
	expected, received int64  // at the last report

	trip time.Duration
	last Block
	in   int64
	out  int64
}

// A Sent is what this end has sent.
type Sent struct {
	TS             uint32 // RTP timestamp of now
	Packets, Bytes int64  // bytes of payload
}

const every = 5 * time.Second // RFC 3550, 6.2

// Due reports whether it is time for a report: every 5 s, give or take half, so
// that ends do not fall into step; the first comes twice as soon.
func (r *Reporter) Due(now time.Time) bool {
	if r.next.IsZero() {
		r.die = r.SSRC | 1
		r.next = now.Add(r.wait() / 2)
	}
	return !now.Before(r.next)
}

func (r *Reporter) wait() time.Duration {
	r.die ^= r.die << 13
	r.die ^= r.die >> 17
	r.die ^= r.die << 5
	return every/2 + every*time.Duration(r.die>>16)>>16
}

// Put writes a report into b, which has room for MaxControl bytes, and returns
// its length: a sender report if we sent since the last but one, else a
// receiver report; with a block about in if anything came. bye says that it is
// the last.
func (r *Reporter) Put(b []byte, now time.Time, s Sent, in *Reception, bye bool) int {
	c := Control{SSRC: r.SSRC, Bye: bye}
	if s.Packets > r.before {
		c.Sender = true
		c.NTP, c.TS, c.Packets, c.Octets = NTP(now), s.TS, uint32(s.Packets), uint32(s.Bytes)
	}
	r.before, r.sent = r.sent, s.Packets
	if in.began {
		c.About, c.Block = true, r.block(now, in)
	}
	r.next = now.Add(r.wait())
	r.out++
	return PutControl(b, c, r.Name)
}

// block is our report on the stream that comes.
func (r *Reporter) block(now time.Time, in *Reception) Block {
	if r.ssrc != in.ssrc {
		r.ssrc, r.expected, r.received = in.ssrc, 0, 0
	}
	expected := in.expected + in.highest - in.base + 1 - in.expected0
	received := in.packets - in.packets0
	k := Block{SSRC: in.ssrc, Highest: uint32(in.highest), Jitter: uint32(in.jitter)}
	k.Lost = int32(min(max(expected-received, -1<<23), 1<<23-1))
	if e := expected - r.expected; e > 0 {
		lost := e - (received - r.received)
		k.Fraction = uint8(min(max(lost, 0)*256/e, 255))
	}
	r.expected, r.received = expected, received
	if r.heardSR && r.from == in.ssrc {
		k.LSR, k.DLSR = r.theirs, uint32(max(0, now.Sub(r.came))*65536/time.Second)
	}
	return k
}

// Hear reads a compound packet that came at a moment, and returns what was in it.
func (r *Reporter) Hear(b []byte, at time.Time) (Control, error) {
	c, err := ParseControl(b, r.SSRC)
	if err != nil {
		return c, err
	}
	r.in++
	if c.Sender {
		r.heardSR, r.from, r.theirs, r.came = true, c.SSRC, uint32(c.NTP>>16), at
	}
	if c.About {
		r.last = c.Block
		if c.Block.LSR != 0 {
			// RFC 3550, 6.4.1: in 1/65536 s; what is less than nothing is the clocks' grain.
			t := int32(uint32(NTP(at)>>16) - c.Block.LSR - c.Block.DLSR)
			if d := time.Duration(t) * time.Second / 65536; d < time.Minute && d > -time.Second {
				r.trip = max(0, d)
			}
		}
	}
	return c, nil
}

// RoundTrip is how long a packet takes to the other end and back, by its last
// report; 0 while none told.
func (r *Reporter) RoundTrip() time.Duration { return r.trip }

// Theirs is the other end's last report on our stream; zero while none came.
func (r *Reporter) Theirs() Block { return r.last }

// Counts is how many reports came and went.
func (r *Reporter) Counts() (in, out int64) { return r.in, r.out }
