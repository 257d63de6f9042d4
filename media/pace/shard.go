package pace

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/media"
)

const (
	mtu     = 1500
	batch   = 8                      // packets read at once
	catchUp = 200 * time.Millisecond // a shard later than this leaves frames out
	asleep  = time.Second            // the longest sleep
)

// A Shard paces some of the legs, in one goroutine that calls Tick. Its legs are
// spread over slots; all legs of a slot are due at one instant, each 20 ms after
// the one before, counted from the start and not from when the last tick ran.
type Shard struct {
	start time.Time
	slots []slot
	inbox atomic.Pointer[errand]
	legs  atomic.Int32 // those in the inbox included
	last  atomic.Int64 // when Tick last ran, Unix nanoseconds
	lag   lagBox

	// Scratch memory of Tick, shared by the legs.
	packet []byte
	frame  []byte
	heard  []byte // of the joined leg
	said   []byte // made of it
	pcm    []int16
	bufs   [][]byte
	from   []netip.AddrPort

	mu   sync.Mutex
	wake func() // ends the loop's sleep; nil while there is no loop
}

// slot is the legs that are due together.
type slot struct {
	due  time.Time // means something only while there are legs
	legs []*Leg
}

// An errand is a leg that comes or goes.
type errand struct {
	next *errand
	leg  *Leg
	add  bool
}

// closed in an inbox means that nobody will look into it any more.
var closed = &errand{}

// NewShard makes a shard whose slots, 20 ms in steps of width (0 = 2 ms), are
// counted from start.
func NewShard(start time.Time, width time.Duration) *Shard {
	if width <= 0 || width > media.Frame {
		width = 2 * time.Millisecond
	}
	s := &Shard{
		start:  start,
		slots:  make([]slot, media.Frame/width),
		packet: make([]byte, mtu),
		frame:  make([]byte, mtu),
		heard:  make([]byte, mtu),
		said:   make([]byte, mtu),
		pcm:    make([]int16, 48000/1000*120), // the longest packet at the highest rate
		bufs:   make([][]byte, batch),
		from:   make([]netip.AddrPort, batch),
	}
	for i := range s.bufs {
		s.bufs[i] = make([]byte, mtu)
	}
	return s
}

// Tick sends what is due at now and reads what came on the legs that are due,
// and returns when it wants to be called again: at most a second later. Called
// late it sends everything that is due since, with the timestamps it would have
// had in time; more than 200 ms of it is left out (the machine stood still), and
// the timestamps tell the far end so.
func (s *Shard) Tick(now time.Time) (next time.Time) {
	s.last.Store(now.UnixNano())
	s.admit(now)
	next = now.Add(asleep)
	for i := range s.slots {
		sl := &s.slots[i]
		if len(sl.legs) == 0 {
			continue
		}
		if !sl.due.After(now) {
			s.serve(sl, now)
		}
		if sl.due.Before(next) {
			next = sl.due
		}
	}
	return next
}

// serve does all the frames of a slot that are due.
func (s *Shard) serve(sl *slot, now time.Time) {
	late := now.Sub(sl.due)
	s.lag.add(late)
	skip := 0
	if late > catchUp {
		skip = int((late - catchUp + media.Frame - 1) / media.Frame)
		sl.due = sl.due.Add(time.Duration(skip) * media.Frame)
	}
	frames := 1 + int(now.Sub(sl.due)/media.Frame)
	for i := 0; i < len(sl.legs); {
		l := sl.legs[i]
		l.ear.st.Lag = max(l.ear.st.Lag, late)
		if err := s.leg(l, now, sl.due, skip, frames); err != nil {
			s.drop(l, now, err) // another leg takes its place
			continue
		}
		if by := l.phase.shift(); by != 0 && len(s.slots) == phases && s.move(l, by, sl.due.Add(time.Duration(frames-1)*media.Frame), now) {
			continue
		}
		i++
	}
	sl.due = sl.due.Add(time.Duration(frames) * media.Frame)
}

// leg does one leg's frames, the first of them due at due. A panic ends here.
func (s *Shard) leg(l *Leg, now, due time.Time, skip, frames int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, r, debug.Stack())
		}
	}()
	inject(l.cfg.Fault, "tick")
	if l.broken != nil {
		return l.broken
	}
	if l.rest {
		l.rest = false
		if frames--; frames == 0 {
			return nil
		}
		due = due.Add(media.Frame)
	}
	if !l.begun {
		if waits(l.cfg.Wire) {
			return nil
		}
		l.begin(due)
	}
	l.obey(due)
	l.skip(skip)
	for i := range frames {
		at := due.Add(time.Duration(i) * media.Frame)
		sound := l.say(now, at, s)
		if i == 0 {
			l.listen(now, due.Add(time.Duration(frames-1)*media.Frame), s.bufs, s.from)
			l.push(now, due, s)
		}
		n := l.ear.jitter.Get(at, s.frame)
		if l.ear.tones != nil {
			l.listenForKeys(at, s.frame[:n], s.pcm)
		}
		if l.feed != nil {
			l.feed.Hear(l.ear.format.Of, s.frame[:n])
		}
		if l.tap != nil {
			l.tap.put(at, l.talk.format.Of, sound, s.frame[:n])
		}
	}
	if l.turns += frames; l.turns >= 50 {
		l.turns = 0
		l.tellAll(now, due.Add(time.Duration(frames-1)*media.Frame), s)
		l.stats.store(l.figures())
	}
	if l.deaf {
		return errDeaf
	}
	return nil
}

// admit lets legs in and out.
func (s *Shard) admit(now time.Time) {
	if s.inbox.Load() == nil {
		return
	}
	for e := turn(s.inbox.Swap(nil)); e != nil; e = e.next {
		switch {
		case !e.add:
			s.drop(e.leg, now, nil)
		default:
			s.place(e.leg, now)
		}
	}
}

// place gives a leg the emptiest slot.
func (s *Shard) place(l *Leg, now time.Time) {
	best := 0
	for i := range s.slots {
		if len(s.slots[i].legs) < len(s.slots[best].legs) {
			best = i
		}
	}
	s.put(l, best, now)
}

// put puts a leg into a slot.
func (s *Shard) put(l *Leg, best int, now time.Time) {
	sl := &s.slots[best]
	if len(sl.legs) == 0 { // its next turn, counted from the start
		first := s.start.Add(time.Duration(best) * media.Frame / time.Duration(len(s.slots)))
		sl.due = first
		if gone := now.Sub(first); gone > 0 {
			sl.due = first.Add((gone + media.Frame - 1) / media.Frame * media.Frame)
		}
	}
	l.slot, l.at = best, len(sl.legs)
	sl.legs = append(sl.legs, l)
}

// drop lets go of a leg; err is why, nil when it was asked for.
func (s *Shard) drop(l *Leg, at time.Time, err error) {
	if l.gone {
		return
	}
	if l.at >= 0 {
		s.take(l)
	}
	s.legs.Add(-1)
	if !errors.Is(err, ErrPanic) {
		l.goodbye(at, s.packet)
	}
	l.leave(at, err)
}

// take takes a leg out of its slot.
func (s *Shard) take(l *Leg) {
	sl := &s.slots[l.slot]
	last := len(sl.legs) - 1
	sl.legs[l.at] = sl.legs[last]
	sl.legs[l.at].at = l.at
	sl.legs[last] = nil
	sl.legs = sl.legs[:last]
}

// Add gives the shard a leg, from any goroutine. The error is ErrStopped.
func (s *Shard) Add(l *Leg) error {
	if !l.home.CompareAndSwap(nil, s) {
		panic("pace: a leg is added once")
	}
	s.legs.Add(1)
	if !s.tell(&errand{leg: l, add: true}) {
		s.legs.Add(-1)
		l.leave(time.Now(), ErrStopped) // nobody else has it
		return ErrStopped
	}
	return nil
}

// Remove takes a leg out and waits until that is done.
func (s *Shard) Remove(l *Leg) {
	select {
	case <-l.done: // it failed before
		return
	default:
	}
	s.tell(&errand{leg: l}) // a shard that has stopped has dropped it, or does so now
	<-l.done
}

// tell leaves an errand and wakes the loop.
func (s *Shard) tell(e *errand) bool {
	for {
		e.next = s.inbox.Load()
		if e.next == closed {
			return false
		}
		if s.inbox.CompareAndSwap(e.next, e) {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wake != nil {
		s.wake()
	}
	return true
}

func (s *Shard) setWake(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wake = f
}

// close drops all legs, and those that would still come.
func (s *Shard) close(now time.Time) {
	for e := turn(s.inbox.Swap(closed)); e != nil; e = e.next {
		var why error
		if e.add {
			why = ErrStopped
			e.leg.at = -1
		}
		s.drop(e.leg, now, why)
	}
	for i := range s.slots {
		for len(s.slots[i].legs) > 0 {
			s.drop(s.slots[i].legs[0], now, ErrStopped)
		}
	}
}

// LastTick is when Tick last ran; zero before.
func (s *Shard) LastTick() time.Time {
	if n := s.last.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// turn turns a stack round: the oldest first.
func turn(e *errand) (first *errand) {
	for e != nil {
		e.next, first, e = first, e, e.next
	}
	return first
}
