package dialog

import "time"

// A Repeat is the clock by which the one who was called repeats its 2xx until
// the ACK comes (RFC 3261 13.3.1.4): after T1, then twice as long each time up
// to T2, for 64*T1 in all, on every transport. The zero Repeat does not run.
type Repeat struct {
	interval time.Duration
	most     time.Duration // between two; 0 = no limit
	next     time.Time
	end      time.Time
}

const (
	t1   = 500 * time.Millisecond
	t2   = 4 * time.Second
	life = 64 * t1
)

// Start lets it run from the instant at which the 2xx was first sent.
func (r *Repeat) Start(now time.Time) {
	*r = Repeat{interval: t1, most: t2, next: now.Add(t1), end: now.Add(life)}
}

// StartReliable lets it run for a provisional answer until its PRACK: twice as
// long each time without a limit (RFC 3262 3).
func (r *Repeat) StartReliable(now time.Time) {
	r.Start(now)
	r.most = 0
}

// Stop ends it: the ACK came.
func (r *Repeat) Stop() { *r = Repeat{} }

// Running tells whether an ACK is awaited.
func (r *Repeat) Running() bool { return !r.end.IsZero() }

// Deadline is when to ask Due; zero when it does not run.
func (r *Repeat) Deadline() time.Time {
	if r.next.Before(r.end) {
		return r.next
	}
	return r.end
}

// Due tells what is to be done at the instant now: send once more, or give up,
// after which it no longer runs.
func (r *Repeat) Due(now time.Time) (again, over bool) {
	switch {
	case !r.Running():
		return false, false
	case !now.Before(r.end):
		r.Stop()
		return false, true
	case now.Before(r.next):
		return false, false
	}
	if r.interval *= 2; r.most > 0 {
		r.interval = min(r.interval, r.most)
	}
	r.next = r.next.Add(r.interval)
	return true, false
}
