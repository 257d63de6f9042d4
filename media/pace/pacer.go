package pace

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// Config says how a Pacer works; zero values are good.
type Config struct {
	Shards   int           // threads; 0 = one for each two processors
	Slot     time.Duration // how finely legs are spread within 20 ms; 0 = 2 ms
	Portable bool          // pace in plain goroutines with timers, as in a synctest bubble
}

// A Pacer paces legs. Add and Remove may be called from any goroutine.
type Pacer struct {
	shards   []*Shard
	portable bool
}

// New makes a pacer; Run sets it going.
func New(c Config) *Pacer {
	if c.Shards <= 0 {
		c.Shards = max(1, runtime.GOMAXPROCS(0)/2)
	}
	p := &Pacer{portable: c.Portable}
	now := time.Now()
	for range c.Shards {
		p.shards = append(p.shards, NewShard(now, c.Slot))
	}
	return p
}

// Run paces until ctx ends; then all legs that are left fail with ErrStopped. It
// is run once.
func (p *Pacer) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make(chan error, len(p.shards))
	ctx, cancel := context.WithCancelCause(ctx)
	for _, s := range p.shards {
		wg.Go(func() {
			err := s.run(ctx, p.portable)
			s.close(time.Now())
			if err != nil {
				cancel(err)
			}
			errs <- err
		})
	}
	wg.Wait()
	cancel(nil)
	for range p.shards {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// Add gives a leg to the shard with the fewest. It may be called before Run; the
// leg starts then. A leg is added once. The error is ErrStopped.
func (p *Pacer) Add(l *Leg) error {
	best := p.shards[0]
	for _, s := range p.shards[1:] {
		if s.legs.Load() < best.legs.Load() {
			best = s
		}
	}
	return best.Add(l)
}

// Remove takes a leg out and returns once its shard has let go of it: its wire
// may be closed and its Stats are final. While Run has not begun it waits for
// that. Removing a leg twice, or one that failed, is fine.
func (p *Pacer) Remove(l *Leg) {
	if s := l.home.Load(); s != nil {
		s.Remove(l)
	}
}

// LastTick is when the shard that has slept longest last ticked, for a watchdog:
// it is never much more than a second ago. Zero before Run.
func (p *Pacer) LastTick() time.Time {
	last := p.shards[0].LastTick()
	for _, s := range p.shards[1:] {
		if t := s.LastTick(); t.Before(last) {
			last = t
		}
	}
	return last
}

// Legs is how many legs there are.
func (p *Pacer) Legs() int {
	n := 0
	for _, s := range p.shards {
		n += int(s.legs.Load())
	}
	return n
}

// Lag says how late ticks were since the start.
func (p *Pacer) Lag() Lag {
	l := Lag{Bounds: lagBounds[:], Counts: make([]uint64, len(lagBounds)+1)}
	for _, s := range p.shards {
		s.lag.addTo(&l)
	}
	return l
}
