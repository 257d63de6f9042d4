package pace

import (
	"time"

	"ozswitch/media"
)

// A phase finds out when, in the 20 ms between two turns of a leg, its packets come.
// What a leg passes on waits for its turn; and where that falls into the moment at
// which packets come, none passes in one turn and two in the next. So a leg that is
// joined moves to the slot a little behind that moment.
type phase struct {
	bins  [phases]int // packets by how long before the turn they came, in steps of 2 ms
	n     int
	moved int
}

const (
	phases   = 10  // in a frame
	enough   = 100 // packets to go by: two seconds
	margin   = 2   // phases between the last packet and the turn
	mostMove = 5   // of one join: a sender whose clock drifts would need one in some minutes
)

// note takes one packet; before is how long before the turn was due it came.
func (p *phase) note(before time.Duration) {
	i := int(before/(media.Frame/phases)) % phases
	if before < 0 {
		i = (i + phases - 1) % phases
	}
	p.bins[(i+phases)%phases]++
	p.n++
}

// shift is by how many phases the turn should be later, 0 while that is not known,
// would change little, or packets come at any time.
func (p *phase) shift() int {
	if p.n < enough || p.moved == mostMove {
		return 0
	}
	// The longest time without packets, but for one in thirty, ends at the packet that
	// comes last before the turn.
	longest, last := 0, 0
	for i := range phases {
		n := 0
		for n < phases && p.bins[(i+n)%phases] <= p.n/30 {
			n++
		}
		if n > longest {
			longest, last = n, (i+n)%phases
		}
	}
	p.bins, p.n = [phases]int{}, 0
	if longest < phases/2 || longest == phases {
		return 0
	}
	by := (margin - last + phases) % phases
	if by > phases/2 {
		by -= phases
	}
	if by >= -2 && by <= 0 { // a few ms sooner are not worth a move
		return 0
	}
	return by
}

// move puts a leg into a slot so many phases later, as seen from the turn that it just
// had, which was due at due. Where that slot is crowded it stays.
func (s *Shard) move(l *Leg, by int, due, now time.Time) bool {
	to := (l.slot + by + phases) % phases
	if len(s.slots[to].legs) > 4+2*int(s.legs.Load())/phases {
		return false
	}
	s.take(l)
	s.put(l, to, now)
	l.rest = s.slots[to].due.Sub(due) < media.Frame/2 // the turn in between is none
	l.phase.moved++
	return true
}
