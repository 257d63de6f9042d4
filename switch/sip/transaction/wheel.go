package transaction

import (
	"cmp"
	"slices"
	"time"
)

const (
	slotWidth = 16 * time.Millisecond
	slots     = 4096 // a lap of 65 s: every timer but a long one fits
)

// A Timer is a place in a Wheel. Owner is the user's; the rest is the wheel's.
type Timer struct {
	Owner any

	at   time.Time
	seq  uint64 // timers of one instant fire in the order they were set
	slot int
	pos  int
	on   bool
}

// A Wheel keeps many timers: setting, moving and stopping one costs the same
// however many there are. It sorts by slots of 16 ms, yet fires exactly: a slot
// is looked through for what is due. It is pure and not safe for concurrent use.
type Wheel struct {
	slot    [slots][]*Timer
	epoch   time.Time
	last    time.Time // everything due by then has fired
	soonest time.Time // no timer fires before it; zero = none runs
	count   int
	seq     uint64
}

// NewWheel gives an empty wheel that starts turning at the instant now.
func NewWheel(now time.Time) *Wheel { return &Wheel{last: now, epoch: now} }

// Len is the number of timers that run.
func (w *Wheel) Len() int { return w.count }

// lap is the number of the slot that holds t, counted from the epoch.
func (w *Wheel) lap(t time.Time) int { return int(t.Sub(w.epoch) / slotWidth) }

// Set lets t fire at the instant at, instead of when it was to fire before. A
// zero at stops it.
func (w *Wheel) Set(t *Timer, at time.Time) {
	if t.on {
		s := w.slot[t.slot]
		n := len(s) - 1
		s[t.pos] = s[n]
		s[t.pos].pos = t.pos
		s[n] = nil
		w.slot[t.slot] = s[:n]
		t.on = false
		w.count--
	}
	if at.IsZero() {
		return
	}
	if at.Before(w.last) {
		at = w.last
	}
	w.seq++
	t.at, t.seq, t.on = at, w.seq, true
	t.slot = w.lap(at) % slots
	t.pos = len(w.slot[t.slot])
	w.slot[t.slot] = append(w.slot[t.slot], t)
	w.count++
	if w.soonest.IsZero() || at.Before(w.soonest) {
		w.soonest = at
	}
}

// Next is an instant before which nothing fires, so when to Advance; zero when
// no timer runs. It may be early when a timer was stopped or moved.
func (w *Wheel) Next() time.Time { return w.soonest }

// earliest looks for the first timer, at most one lap ahead: when all are
// later it gives the end of that lap.
func (w *Wheel) earliest() (at time.Time) {
	if w.count == 0 {
		return time.Time{}
	}
	from := w.lap(w.last)
	for n := from; n < from+slots; n++ {
		for _, t := range w.slot[n%slots] {
			if w.lap(t.at) == n && (at.IsZero() || t.at.Before(at)) {
				at = t.at
			}
		}
		if !at.IsZero() {
			return at
		}
	}
	return w.epoch.Add(time.Duration(from+slots) * slotWidth)
}

// Advance stops and gives the timers that are due by now, earliest first.
func (w *Wheel) Advance(now time.Time) []*Timer {
	if w.soonest.IsZero() || now.Before(w.soonest) {
		return nil
	}
	var due []*Timer
	from, to := w.lap(w.last), w.lap(now)
	if to-from >= slots {
		to = from + slots - 1 // one lap sees every slot
	}
	for n := from; n <= to && w.count > 0; n++ {
		for _, t := range w.slot[n%slots] {
			if !t.at.After(now) {
				due = append(due, t)
			}
		}
	}
	for _, t := range due {
		w.Set(t, time.Time{})
	}
	w.last = now
	w.soonest = w.earliest()
	slices.SortFunc(due, func(a, b *Timer) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return cmp.Compare(a.seq, b.seq)
	})
	return due
}
