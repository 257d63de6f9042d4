//go:build bench && linux

package bench

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/pace"
)

// floorC runs the floor in C: CPU µs for one packet sent plus one received.
func (b *bench) floorC(legs int, d time.Duration) (float64, error) {
	bin := filepath.Join(b.dir, "floor")
	if !b.cc {
		out, err := exec.Command("gcc", "-O2", "-Wall", "-o", bin, "test/bench/testdata/floor.c").CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("gcc: %w\n%s", err, out)
		}
		b.cc = true
	}
	out, err := exec.CommandContext(b.ctx, bin, fmt.Sprint(legs), fmt.Sprint(int(d.Seconds()))).Output()
	if err != nil {
		return 0, fmt.Errorf("the C floor: %w", err)
	}
	var sent, received, us int64
	if _, err := fmt.Sscan(string(out), &sent, &received, &us); err != nil || sent == 0 {
		return 0, fmt.Errorf("the C floor printed %q", out)
	}
	return float64(us) / float64(sent), nil
}

// A pacing is what media/pace did.
type pacing struct {
	us     float64 // CPU µs for one packet sent plus one received
	allocs float64 // per pair
	lost   int64
	lag    time.Duration // p99.9 of ticks
}

// paced lets media/pace carry as many legs as the floor does, joined two and
// two, in this process.
func (b *bench) paced(legs int, d time.Duration) (r pacing, err error) {
	p := pace.New(pace.Config{Shards: 1})
	ctx, cancel := context.WithCancel(b.ctx)
	var wg sync.WaitGroup
	var all []*pace.Leg
	var wires []pace.Wire
	defer func() {
		cancel()
		wg.Wait()
		for _, w := range wires {
			w.Close()
		}
	}()
	clip := &pace.Clip{Frames: tone(d + 3*time.Second)}
	for range legs / 2 {
		var pair [2]pace.Wire
		for i := range pair {
			if pair[i], err = pace.Listen(netip.MustParseAddrPort("127.0.0.1:0")); err != nil {
				return r, err
			}
			wires = append(wires, pair[i])
		}
		for i, w := range pair {
			c := codec.PCMU
			l := pace.NewLeg(pace.LegConfig{Wire: w, Remote: pair[1-i].LocalAddr(), SSRC: uint32(len(all)), Silence: true,
				Format: pace.Format{PT: c.PT, Ticks: c.Ticks(), Silence: c.Silence}})
			if err := l.Enqueue(1, clip); err != nil {
				return r, err
			}
			if err := p.Add(l); err != nil {
				return r, err
			}
			all = append(all, l)
		}
	}
	wg.Go(func() { err = p.Run(ctx) })
	b.pause(1500 * time.Millisecond) // wires are bound, stacks have grown
	for _, l := range all {
		for _, ok := l.Next(); ok; _, ok = l.Next() {
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	lag := p.Lag()
	runtime.ReadMemStats(&before)
	cpu, began := ownCPU(), time.Now()
	b.pause(d)
	used, took := ownCPU()-cpu, time.Since(began)
	runtime.ReadMemStats(&after)
	pairs := took.Seconds() * 50 * float64(legs)
	r.us = float64(used.Microseconds()) / pairs
	r.allocs = float64(after.Mallocs-before.Mallocs) / pairs
	r.lag = late(lag, p.Lag(), .999)
	for _, l := range all {
		p.Remove(l)
		st := l.Stats()
		r.lost += st.Lost + st.Skipped
	}
	return r, b.ctx.Err()
}

// late is a quantile of the ticks between two counts: the upper end of the
// bucket that it falls into.
func late(before, after pace.Lag, q float64) time.Duration {
	n, all := uint64(0), after.Count()-before.Count()
	for i, c := range after.Counts {
		if n += c - before.Counts[i]; float64(n) >= q*float64(all) && i < len(after.Bounds) {
			return after.Bounds[i]
		}
	}
	return after.Max
}

// paceAndFloor runs both in turns, so that a noisy machine troubles both.
func paceAndFloor(b *bench) error {
	d := pick(3*time.Second, 2*time.Second)
	for _, legs := range []int{50, 200, 1000} {
		var c, g pacing
		rounds := pick(3, 1)
		for range rounds {
			us, err := b.floorC(legs, d)
			if err != nil {
				return err
			}
			p, err := b.paced(legs, d)
			if err != nil {
				return err
			}
			c.us += us / float64(rounds)
			g.us += p.us / float64(rounds)
			g.allocs = max(g.allocs, p.allocs)
			g.lag = max(g.lag, p.lag)
			g.lost += p.lost
		}
		b.floor[legs] = c.us
		b.table.row(g.us/c.us <= 2.3, fmt.Sprintf("%d legs, CPU a packet pair: pace, C, ratio", legs),
			fmt.Sprintf("%.1f µs, %.1f µs, %.2f", g.us, c.us, g.us/c.us), "ratio 2.3", "")
		b.table.note("   allocations a pair; lost; ticks late p99.9", "%.4f; %d; ≤ %v", g.allocs, g.lost, g.lag)
		// One for every hundred pairs would be 1 call in 100 allocating at a tick;
		// what is below is the runtime's own.
		ok := g.allocs < 0.005
		if legs == 1000 || !ok {
			b.holds(1, ok, "%.4f at %d legs", g.allocs, legs)
		}
		if !ok {
			b.table.row(false, "   allocations per packet", fmt.Sprintf("%.4f", g.allocs), "0", "")
		}
	}
	return nil
}

// ownCPU is what this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
