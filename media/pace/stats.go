package pace

import (
	"sync/atomic"
	"time"
)

// Stats are the figures of a leg.
type Stats struct {
	PacketsOut, BytesOut int64 // bytes of payload
	PacketsIn, BytesIn   int64
	Lost                 int64 // expected by sequence numbers and not come (RFC 3550, 6.4.1)
	Late                 int64 // came after their moment had passed
	Duplicates           int64
	Refused              int64 // from a source other than the leg's
	Foreign              int64 // of another SSRC than the leg's stream
	Invalid              int64 // not RTP, nor RTCP
	SendErrors           int64
	Skipped              int64         // frames never sent because the machine stood still
	Jitter               time.Duration // RFC 3550, 6.4.1
	Lag                  time.Duration // the latest tick
	Hold                 time.Duration // of the jitter buffer, at most, lately

	// By RTCP (RFC 3550, 6.4.1).
	ReportsIn, ReportsOut int64
	RoundTrip             time.Duration // 0 while no report told
	TheirLost             int64         // of our packets, as the far end counts
	TheirJitter           time.Duration
}

// figures is how many there are.
const figures = 20

// statsBox holds a copy that others may read.
type statsBox [figures]atomic.Int64

func (s *Stats) fields() [figures]*int64 {
	return [figures]*int64{&s.PacketsOut, &s.BytesOut, &s.PacketsIn, &s.BytesIn, &s.Lost, &s.Late,
		&s.Duplicates, &s.Refused, &s.Invalid, &s.SendErrors, &s.Skipped,
		(*int64)(&s.Jitter), (*int64)(&s.Lag), &s.Foreign,
		&s.ReportsIn, &s.ReportsOut, (*int64)(&s.RoundTrip), &s.TheirLost, (*int64)(&s.TheirJitter), (*int64)(&s.Hold)}
}

func (b *statsBox) store(s *Stats) {
	for i, v := range s.fields() {
		b[i].Store(*v)
	}
}

func (b *statsBox) load() (s Stats) {
	for i, v := range s.fields() {
		*v = b[i].Load()
	}
	return s
}

// lagBounds are the upper ends of the buckets of Lag.
var lagBounds = [...]time.Duration{
	200 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond,
	5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, time.Second,
}

// Lag is a histogram of how late ticks were, one entry for each slot served.
type Lag struct {
	Bounds []time.Duration // upper ends of the buckets
	Counts []uint64        // one more than Bounds: the last counts what is above all
	Sum    time.Duration
	Max    time.Duration
}

// Count is the number of entries.
func (l Lag) Count() (n uint64) {
	for _, c := range l.Counts {
		n += c
	}
	return n
}

type lagBox struct {
	counts [len(lagBounds) + 1]atomic.Uint64
	sum    atomic.Int64
	max    atomic.Int64
}

// add has one writer.
func (b *lagBox) add(d time.Duration) {
	i := 0
	for i < len(lagBounds) && d > lagBounds[i] {
		i++
	}
	b.counts[i].Add(1)
	b.sum.Add(int64(d))
	if int64(d) > b.max.Load() {
		b.max.Store(int64(d))
	}
}

func (b *lagBox) addTo(l *Lag) {
	for i := range b.counts {
		l.Counts[i] += b.counts[i].Load()
	}
	l.Sum += time.Duration(b.sum.Load())
	l.Max = max(l.Max, time.Duration(b.max.Load()))
}
