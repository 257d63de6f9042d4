//go:build bench && linux

package bench

import (
	"fmt"
	"sync"
	"time"

	"ozswitch/media/pace"
	"ozswitch/switch/phone"
)

// A holding is what N calls that hold cost and lost.
type holding struct {
	c      *crowd
	cpu    time.Duration // of the switch in the window
	window time.Duration
	allocs float64 // of the switch's process in the window, by packet in or out
	theirs float64 // packets that the switch missed
	late   string  // p99.9 of its ticks
}

// lost counts all packets that did not arrive, either way.
func (h *holding) lost() int64 { return h.c.sound().Lost + int64(h.theirs) }

// perMinute is CPU seconds a call-minute, perPair µs for one packet out and one in.
func (h *holding) perMinute(calls int) float64 {
	return h.cpu.Seconds() / (float64(calls) * h.window.Minutes())
}
func (h *holding) perPair(calls int) float64 { return h.perMinute(calls) * 1e6 / 3000 }

// hold lets calls hold: a prompt plays, the caller talks. inside is called when
// all are up and the window is over. extra calls come from another place.
func (b *bench) hold(n *node, calls int, window time.Duration, extra *crowd, inside func()) (*holding, error) {
	before, err := n.metrics()
	if err != nil {
		return nil, err
	}
	say := []phone.Say{{Clip: &pace.Clip{Frames: tone(50 * time.Second)}}}
	rest := calls
	if extra != nil {
		rest -= len(extra.calls)
	}
	h := &holding{c: b.place(n, "9004", rest, 50, phone.Options{Say: say}, nil)}
	h.c.up(b)
	b.pause(time.Second)
	first, err := n.metrics()
	if err != nil {
		return nil, err
	}
	cpu, began := n.cpu(), time.Now()
	b.pause(window)
	h.cpu, h.window = n.cpu()-cpu, time.Since(began)
	last, err := n.metrics()
	if err != nil {
		return nil, err
	}
	packets := float64(calls) * h.window.Seconds() * 100
	h.allocs = (last["go_memstats_mallocs_total"] - first["go_memstats_mallocs_total"]) / packets
	h.late = last.late(first, .999)
	if inside != nil {
		inside()
	}
	h.c.hangup()
	h.c.wait(b)
	h.c.note(b.table)
	if err := n.idle(b); err != nil {
		return nil, err
	}
	after, err := n.metrics()
	if err != nil {
		return nil, err
	}
	h.theirs = after.sum("ozswitch_rtp_packets_lost_total") - before.sum("ozswitch_rtp_packets_lost_total")
	return h, h.c.failedIn(fmt.Sprintf("%d calls that hold", calls))
}

func hold(b *bench) error {
	n, err := b.node()
	if err != nil {
		return err
	}
	if err := b.hold200(n); err != nil {
		return err
	}
	for _, calls := range pick([]int{300, 500, 800, 1000}, []int{300}) {
		h, err := b.hold(n, calls, pick(12*time.Second, 10*time.Second), nil, nil)
		if err != nil {
			return err
		}
		lost := h.lost()
		figure := fmt.Sprintf("H %d: lost; CPU s a call-minute", calls)
		measured := fmt.Sprintf("%d (%d of %d good); %.3f", lost, h.c.good(), calls, h.perMinute(calls))
		b.table.row(lost == 0, figure, measured, map[bool]string{true: "0 at 800", false: "0 at 1,000 (stretch)"}[calls <= 800], "0 at 300-400")
		s := h.c.sound()
		b.table.note("   ticks late p99.9; caller's worst tick", "%s; %s ms", h.late, ms(s.Lag))
		if calls == 300 {
			b.holds(2, lost == 0 && h.c.good() == calls, "%d lost of %d, %d of %d calls good", lost, s.PacketsIn+s.PacketsOut, h.c.good(), calls)
		}
	}
	return nil
}

// hold200 is H 200 beside the C floor, which runs before and after it, with the
// gaps between packets by the kernel's own clock on twenty of the calls.
func (b *bench) hold200(n *node) error {
	const calls, probes = 200, 20
	before, err := b.floorC(calls, 3*time.Second)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var wires []*probe
	extra := b.place(n, "9004", probes, 50, phone.Options{Say: []phone.Say{{Clip: &pace.Clip{Frames: tone(50 * time.Second)}}}}, func() (pace.Wire, error) {
		w, err := newProbe()
		if err == nil {
			mu.Lock()
			wires = append(wires, w)
			mu.Unlock()
		}
		return w, err
	})
	h, err := b.hold(n, calls, pick(12*time.Second, 8*time.Second), extra, extra.hangup)
	extra.wait(b)
	if err != nil {
		return err
	}
	after, err := b.floorC(calls, 3*time.Second)
	if err != nil {
		return err
	}
	floor := (before + after) / 2
	ratio := h.perPair(calls) / floor
	lost := h.lost() + extra.sound().Lost
	b.table.row(h.perMinute(calls) <= 0.07, "H 200, CPU s a call-minute", fmt.Sprintf("%.3f (%.1f µs a packet pair)", h.perMinute(calls), h.perPair(calls)), "≤ 0.07", "0.23")
	b.table.row(ratio <= 2.3, "H 200, ratio to the C floor", fmt.Sprintf("%.2f (floor %.3f, %.1f µs)", ratio, floor*3000/1e6, floor), "≤ 2.3", "7.2")
	b.holds(0, ratio <= 3.5, "%.2f", ratio)
	var gaps []time.Duration
	for _, w := range wires {
		gaps = append(gaps, w.gaps()...)
	}
	text := spread(gaps)
	b.table.row(quantile(gaps, .99) <= 22*time.Millisecond && lost == 0, "H 200, RTP gaps p50 / p99 / max; lost", fmt.Sprintf("%s; %d", text, lost), "p99 ≤ 22 ms; 0", "p99 25.6 ms; 0")
	b.table.note("   all of the switch: allocations a packet", "%.3f", h.allocs)
	b.table.note("   ticks late p99.9", "%s", h.late)
	return nil
}

// memory is RSS at 500 calls that hold less RSS at the start. A process cannot
// be told from outside to collect its garbage, so this switch runs with GOGC=20,
// which keeps what is not collected yet below a fifth of what lives.
func memory(b *bench) error {
	b.stop()
	n, err := b.serve("", "GOGC=20")
	if err != nil {
		return err
	}
	defer n.stop()
	if err := b.warm(n); err != nil {
		return err
	}
	b.pause(8 * time.Second) // what the start has used goes back to the kernel
	start := n.rss()
	const calls = 500
	var during float64
	var m metrics
	_, err = b.hold(n, calls, pick(12*time.Second, 6*time.Second), nil, func() {
		during = n.rss()
		m, _ = n.metrics()
	})
	if err != nil {
		return err
	}
	kb := (during - start) / calls / 1e3
	b.table.row(kb <= 60, "memory per concurrent media call (500 H)", fmt.Sprintf("%.0f kB (RSS %.0f, was %.0f MB)", kb, during/1e6, start/1e6), "≤ 60 kB", "125 kB + a thread")
	b.table.note("   of it at 500: heap in use, stacks; goroutines", "%.0f, %.0f MB; %.0f", m["go_memstats_heap_inuse_bytes"]/1e6, m["go_memstats_stack_inuse_bytes"]/1e6, m["go_goroutines"])
	return nil
}
