package transaction

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// TestWheelAgainstList sets, moves and stops timers at random and compares
// with a plain list: the same timers, at the exact instants, in order.
func TestWheelAgainstList(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	w := NewWheel(epoch)
	timers := make([]Timer, 200)
	want := map[*Timer]time.Time{}
	now := epoch
	for turn := range 20_000 {
		tm := &timers[r.IntN(len(timers))]
		switch r.IntN(4) {
		case 0, 1:
			at := now.Add(time.Duration(r.Int64N(int64(80 * time.Second))))
			if r.IntN(2) == 0 {
				at = now.Add(time.Duration(r.Int64N(int64(time.Second))))
			}
			w.Set(tm, at)
			want[tm] = at
		case 2:
			w.Set(tm, time.Time{})
			delete(want, tm)
		case 3:
			// Either just to the next one, or a jump.
			if next := w.Next(); !next.IsZero() && r.IntN(2) == 0 {
				now = next
			} else {
				now = now.Add(time.Duration(r.Int64N(int64(2 * time.Second))))
			}
			var expect []time.Time
			for tm, at := range want {
				if !at.After(now) {
					expect = append(expect, at)
					delete(want, tm)
				}
			}
			slices.SortFunc(expect, time.Time.Compare)
			var got []time.Time
			for _, tm := range w.Advance(now) {
				got = append(got, tm.at)
			}
			if !slices.Equal(got, expect) {
				t.Fatalf("turn %d: Advance fired %v, want %v", turn, got, expect)
			}
		}
		for _, at := range want {
			if next := w.Next(); next.IsZero() || next.After(at) && at.After(now) {
				t.Fatalf("turn %d: Next = %v, but a timer is due at %v", turn, next, at)
			}
		}
		if w.Len() != len(want) {
			t.Fatalf("turn %d: Len = %d, want %d", turn, w.Len(), len(want))
		}
	}
}

func TestWheelSameInstantInOrder(t *testing.T) {
	w := NewWheel(epoch)
	var timers [50]Timer
	for i := range timers {
		timers[i].Owner = i
		w.Set(&timers[i], epoch.Add(time.Second))
	}
	for i, tm := range w.Advance(epoch.Add(time.Second)) {
		if tm.Owner != i {
			t.Fatalf("timer %d fired in place %d", tm.Owner, i)
		}
	}
}

func BenchmarkWheelSet(b *testing.B) {
	b.ReportAllocs()
	w := NewWheel(epoch)
	timers := make([]Timer, 10_000)
	for i := range timers {
		w.Set(&timers[i], epoch.Add(time.Duration(i)*time.Millisecond))
	}
	i := 0
	for b.Loop() {
		w.Set(&timers[i%len(timers)], epoch.Add(time.Duration(i%30_000)*time.Millisecond))
		i++
	}
}
