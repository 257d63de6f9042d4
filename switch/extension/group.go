package extension

import (
	"fmt"
	"slices"
	"time"
)

// Strategies of a ring group: all members at once, or one after the other in
// the order of the list or in another one each time.
var Strategies = []string{"all", "order", "random"}

// checkGroup tells what is wrong with a ring group.
func (e *Extension) checkGroup(fault func(format string, a ...any)) {
	if len(e.Members) == 0 {
		fault("a ring group wants members")
	}
	if e.Strategy != "" && !slices.Contains(Strategies, e.Strategy) {
		fault("strategy %q: want all, order or random", e.Strategy)
	}
	if e.Delay < 0 || e.Delay > time.Minute {
		fault("delay %s: want 0 to 1 minute", e.Delay)
	}
	if e.RingTime < 0 {
		fault("ring_time is not negative")
	}
}

// loops tells of ring groups that would call themselves.
func (s *Set) loops() (faults []error) {
	for _, g := range s.list {
		if way := s.wayBack(g.Number, g.Number, nil); way != nil {
			faults = append(faults, fmt.Errorf("extension %s: the group would call itself, by %v; take one of these out of members", g.Number, way))
		}
	}
	return faults
}

// wayBack gives the groups by which from leads to to, nil when it does not.
func (s *Set) wayBack(from, to string, seen []string) []string {
	g, ok := s.Find(from)
	if !ok || g.Type != RingGroup || slices.Contains(seen, from) {
		return nil
	}
	seen = append(slices.Clip(seen), from)
	for _, m := range g.Members {
		if m == to {
			return seen
		}
		if way := s.wayBack(m, to, seen); way != nil {
			return way
		}
	}
	return nil
}
