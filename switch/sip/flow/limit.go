package flow

import (
	"sync"
	"time"
)

// A Limit lets so many new calls in a second, and a second's worth at once
// after a rest. The zero Limit lets everything in.
type Limit struct {
	PerSecond int // change it by Set once Take is called

	mu   sync.Mutex
	left float64
	last time.Time
}

// Take tells whether one more may come at the instant now.
func (l *Limit) Take(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.PerSecond <= 0 {
		return true
	}
	full := float64(l.PerSecond)
	if l.last.IsZero() {
		l.left = full
	} else if d := now.Sub(l.last); d > 0 {
		l.left = min(full, l.left+full*d.Seconds())
	}
	l.last = now
	if l.left < 1 {
		return false
	}
	l.left--
	return true
}

// Set changes PerSecond.
func (l *Limit) Set(perSecond int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.PerSecond = perSecond
}
