package pace

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"ozswitch/media/rtp"
)

func TestTimestampsAndNumbers(t *testing.T) {
	r := newRig(t, nil)
	r.frames(5)
	for i, p := range r.w.sent {
		want := rtp.Packet{PT: 0, Marker: i == 0, Seq: uint16(65534 + i), TS: 0xffffff00 + uint32(i)*160, SSRC: 77}
		p.Payload = nil
		if fmt.Sprint(p) != fmt.Sprint(want) {
			t.Errorf("packet %d is %v, want %v", i, p, want)
		}
	}
	if len(r.w.sent) != 5 || r.tick != 5 {
		t.Errorf("%d packets in %d ticks, want 5 and 5", len(r.w.sent), r.tick)
	}
}

// A shard without legs wakes once a second.
func TestIdle(t *testing.T) {
	s := NewShard(start, 0)
	if next := s.Tick(start); next.Sub(start) != time.Second {
		t.Errorf("an idle shard sleeps %v, want 1s", next.Sub(start))
	}
	if !s.LastTick().Equal(start) {
		t.Errorf("LastTick = %v, want %v", s.LastTick(), start)
	}
}

// Legs get the emptiest slot, and a slot is due 20 ms after it was, whatever
// the moment of the tick.
func TestSlots(t *testing.T) {
	s := NewShard(start, 5*ms)
	var wires []*fakeWire
	add := func() *Leg {
		w := &fakeWire{}
		wires = append(wires, w)
		l := NewLeg(LegConfig{Wire: w, Remote: far, Format: ulaw(), Silence: true})
		s.Add(l)
		return l
	}
	first := add()
	for range 5 {
		add()
	}
	var dues []int
	now := start.Add(1 * ms) // the loop comes round late, by a millisecond
	s.Tick(now)
	for range 8 {
		next := s.Tick(now)
		dues = append(dues, int(next.Sub(start)/ms))
		now = next
	}
	// Slot 0 was missed by 1 ms; its next turn is at 20.
	if got, want := fmt.Sprint(dues), "[5 10 15 20 25 30 35 40]"; got != want {
		t.Errorf("Tick was wanted at %v, want %v", got, want)
	}
	count := func() (n []int) {
		for _, sl := range s.slots {
			n = append(n, len(sl.legs))
		}
		return n
	}
	if got, want := fmt.Sprint(count()), "[2 2 1 1]"; got != want {
		t.Errorf("legs in slots: %v, want %v", got, want)
	}
	gone := make(chan struct{})
	go func() { s.Remove(first); close(gone) }()
	for left := false; !left; {
		s.Tick(now) // until the errand is in
		select {
		case <-gone:
			left = true
		default:
			runtime.Gosched()
		}
	}
	add()
	s.Tick(now)
	if got, want := fmt.Sprint(count()), "[2 2 1 1]"; got != want {
		t.Errorf("legs in slots after one left and one came: %v, want %v", got, want)
	}
}

// A late tick sends what is due, with the timestamps it would have had.
func TestLateTick(t *testing.T) {
	r := newRig(t, nil)
	r.ok(r.l.Enqueue(1, clip("abcdefgh")))
	r.frames(2)
	next := r.s.Tick(r.now.Add(87 * ms)) // 40 is due, and 60, 80, 100 and 120
	r.want("sent", r.heard(), "Ma b c d e f g")
	if got, want := next.Sub(start), 140*ms; got != want {
		t.Errorf("the next tick is at %v, want %v", got, want)
	}
	for i, p := range r.w.sent {
		if want := 0xffffff00 + uint32(i)*160; p.TS != want {
			t.Errorf("packet %d has timestamp %d, want %d", i, p.TS, want)
		}
	}
	r.now = next
	r.frames(1)
	r.want("results", r.results(), "Started@0#1, Ended@140#1")
	r.s.close(r.now)
	if got, want := r.l.Stats().Lag, 87*ms; got != want {
		t.Errorf("Lag = %v, want %v", got, want)
	}
	if got := r.l.Stats().Skipped; got != 0 {
		t.Errorf("Skipped = %d, want 0", got)
	}
}

// After the machine stood still for a minute 200 ms are made up for, not 3,000
// packets; the timestamps still tell the truth.
func TestStandstill(t *testing.T) {
	r := newRig(t, nil)
	r.frames(1)
	next := r.s.Tick(start.Add(time.Minute))
	if got := len(r.w.sent); got != 12 {
		t.Errorf("%d packets, want 1 and 11", got)
	}
	last := r.w.sent[len(r.w.sent)-1]
	passed := uint32(3000 * 160)
	if want := 0xffffff00 + passed; last.TS != want || last.Seq != 9 {
		t.Errorf("the last packet has timestamp %d and number %d, want %d and 9", last.TS, last.Seq, want)
	}
	if want := start.Add(time.Minute + 20*ms); !next.Equal(want) {
		t.Errorf("the next tick is at %v, want %v", next, want)
	}
	r.s.close(next)
	if got := r.l.Stats().Skipped; got != 2989 {
		t.Errorf("Skipped = %d, want 2989", got)
	}
}

// A panic ends its leg and no other.
func TestPanicEndsOneLeg(t *testing.T) {
	r := newRig(t, nil)
	others := []*fakeWire{{}, {}}
	s := NewShard(start, 20*ms) // one slot, so that they are neighbours
	legs := []*Leg{}
	for _, w := range []*fakeWire{others[0], r.w, others[1]} {
		l := NewLeg(LegConfig{Wire: w, Remote: far, Format: ulaw(), Silence: true})
		legs = append(legs, l)
		s.Add(l)
	}
	s.Tick(start)
	r.w.boom = true
	for i := range 3 {
		s.Tick(start.Add(time.Duration(i+1) * 20 * ms))
	}
	if len(others[0].sent) != 4 || len(others[1].sent) != 4 {
		t.Errorf("the others sent %d and %d packets, want 4", len(others[0].sent), len(others[1].sent))
	}
	r.l = legs[1]
	r.want("results", r.results(), "Failed@20=pace: panic in a leg: boom")
	if err := r.l.Flush(); !errors.Is(err, ErrGone) {
		t.Errorf("a command to a leg that failed: %v, want %v", err, ErrGone)
	}
	s.Remove(r.l) // returns
	if got := s.legs.Load(); got != 2 {
		t.Errorf("%d legs, want 2", got)
	}
}

func TestStopped(t *testing.T) {
	r := newRig(t, nil)
	r.frames(1)
	r.s.close(r.now)
	r.want("results", r.results(), "Failed@20=pace: the pacer has stopped")
	l := NewLeg(LegConfig{Wire: &fakeWire{}, Remote: far, Format: ulaw()})
	if err := r.s.Add(l); !errors.Is(err, ErrStopped) {
		t.Errorf("Add to a stopped shard: %v, want %v", err, ErrStopped)
	}
	r.s.Remove(l)
	r.s.Remove(r.l)
}

func TestLag(t *testing.T) {
	p := New(Config{Shards: 2})
	p.shards[0].lag.add(100 * time.Microsecond)
	p.shards[1].lag.add(7 * ms)
	p.shards[1].lag.add(time.Minute)
	l := p.Lag()
	if got, want := fmt.Sprint(l.Counts), "[1 0 0 0 0 1 0 0 0 0 0 1]"; got != want || l.Count() != 3 {
		t.Errorf("Counts = %v, want %v", got, want)
	}
	if want := time.Minute + 7100*time.Microsecond; l.Sum != want || l.Max != time.Minute {
		t.Errorf("Sum = %v, Max = %v, want %v, 1m", l.Sum, l.Max, want)
	}
}
