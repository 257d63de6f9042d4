package api

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// A gate slows down who guesses passwords, by the place that he asks from, and
// bounds how many passwords are looked at at once (each costs megabytes). The
// zero gate is ready.
type gate struct {
	mu    sync.Mutex
	from  map[netip.Prefix]*tries
	slots chan struct{}
}

// tries are those of one place since the last that was good.
type tries struct {
	n    int
	next time.Time // not before
}

const (
	freeTries  = 5                      // before a place is slowed down
	firstDelay = 250 * time.Millisecond // doubled with every further one
	maxDelay   = 10 * time.Second       // that a request waits; more is refused
	forgetful  = 15 * time.Minute       // after which tries are forgotten
	maxPlaces  = 10_000
	atOnce     = 2 // passwords looked at at once
)

// place is what counts as one source: an address, or the network that one user
// of IPv6 has to himself.
func place(at netip.Addr) netip.Prefix {
	bits := at.BitLen()
	if at.Is6() {
		bits = 64
	}
	p, _ := at.Prefix(bits)
	return p
}

// enter books a try and tells how long it has to wait. A try counts as bad until
// good says otherwise, so that many at once are no way around.
func (g *gate) enter(at netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.from == nil {
		g.from = map[netip.Prefix]*tries{}
	}
	t := g.from[place(at)]
	if t == nil || now.Sub(t.next) > forgetful {
		g.tidy(now)
		t = &tries{next: now}
		g.from[place(at)] = t
	}
	if wait = max(0, t.next.Sub(now)); wait > maxDelay {
		return wait, false
	}
	t.next = now.Add(wait)
	if t.n++; t.n > freeTries {
		t.next = t.next.Add(min(firstDelay<<min(t.n-freeTries-1, 10), maxDelay))
	}
	return wait, true
}

// tidy keeps the table small. g.mu is held.
func (g *gate) tidy(now time.Time) {
	if len(g.from) < maxPlaces {
		return
	}
	for p, t := range g.from {
		if now.Sub(t.next) > forgetful {
			delete(g.from, p)
		}
	}
	for p := range g.from { // still too many: any
		if len(g.from) < maxPlaces {
			return
		}
		delete(g.from, p)
	}
}

// good forgets the tries of a place: its last one had the password.
func (g *gate) good(at netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.from, place(at))
}

// slot waits for leave to look at a password; call done after it.
func (g *gate) slot(ctx context.Context) (done func(), err error) {
	g.mu.Lock()
	if g.slots == nil {
		g.slots = make(chan struct{}, atOnce)
	}
	slots := g.slots
	g.mu.Unlock()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
