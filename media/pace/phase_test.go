package pace

import (
	"net/netip"
	"testing"
	"time"

	"ozswitch/media/rtp"
)

// timedWire hears a packet each 20 ms, and knows when.
type timedWire struct {
	fakeWire
	now    func() time.Time
	next   time.Time
	jitter time.Duration // each other packet comes so much later
	n      int
	at     [8]time.Time
}

func (w *timedWire) Came(i int) time.Time { return w.at[i] }

func (w *timedWire) Recv(bufs [][]byte, from []netip.AddrPort) (n int) {
	for n < len(bufs) {
		at := w.next.Add(time.Duration(w.n%2) * w.jitter)
		if at.After(w.now()) {
			break
		}
		p := sound(w.n, "a")
		b := make([]byte, rtp.HeaderLen)
		rtp.PutHeader(b, p)
		bufs[n], from[n], w.at[n] = append(append(bufs[n][:0], b...), p.Payload...), far, at
		w.n, w.next = w.n+1, w.next.Add(20*ms)
		n++
	}
	return n
}

// Whenever packets come, once the leg has found its slot each turn passes one, a few
// ms after it came; where they come at any time it stays.
func TestPhase(t *testing.T) {
	for _, c := range []struct {
		offset, jitter time.Duration
		stays          bool
	}{
		{0, 1 * ms, false}, {19 * ms, 2 * ms, false}, {7 * ms, 3 * ms, false}, {12 * ms, 0, false}, {16500 * time.Microsecond, 1 * ms, false}, {5 * ms, 10 * ms, true},
	} {
		r := newPair(t, nil)
		w := &timedWire{now: func() time.Time { return r.now }, next: start.Add(c.offset + 3*time.Second), jitter: c.jitter}
		r.x.cfg.Wire = w
		r.x.ear.came = w
		r.join(nil)
		slot := r.x.slot
		r.frames(10 * 50)
		if c.stays {
			if r.x.slot != slot {
				t.Errorf("offset %v, jitter %v: moved from slot %d to %d", c.offset, c.jitter, slot, r.x.slot)
			}
			continue
		}
		before := len(r.wy.sent)
		ts := r.wy.sent[before-1].TS
		most := time.Duration(0)
		for i := range 500 { // 10 s: every turn of x passes one
			heard := w.n
			for w.n == heard {
				r.now = r.s.Tick(r.now)
			}
			if w.n != heard+1 {
				t.Fatalf("offset %v, jitter %v: turn %d heard %d packets", c.offset, c.jitter, i, w.n-heard)
			}
			// Tick returns when it wants to be called next, so the turn was that before.
			most = max(most, r.x.due(r.s).Add(-20*ms).Sub(w.at[0]))
		}
		if most > 10*ms || most < 2*ms {
			t.Errorf("offset %v, jitter %v: a packet waits up to %v, want 2 to 10 ms", c.offset, c.jitter, most)
		}
		if got := len(r.wy.sent) - before; got != 500 || r.wy.sent[len(r.wy.sent)-1].TS-ts != 500*160 {
			t.Errorf("offset %v, jitter %v: %d packets passed, want 500 in a row", c.offset, c.jitter, got)
		}
		if m := r.x.phase.moved; m > 2 {
			t.Errorf("offset %v, jitter %v: moved %d times", c.offset, c.jitter, m)
		}
	}
}

// due is when the leg has its next turn.
func (l *Leg) due(s *Shard) time.Time { return s.slots[l.slot].due }
