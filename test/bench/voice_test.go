//go:build bench && linux

package bench

import (
	"fmt"
	"slices"
	"time"

	"ozswitch/switch/phone"
)

// voice is calls with sentences that nobody has spoken before, at three rates;
// then the sound's clock with the voice busy, beside the same load without it.
func voice(b *bench) error {
	b.stop()
	n, err := b.node()
	if err != nil {
		return err
	}
	warm := b.place(n, "9006", 1, 1, phone.Options{}, nil)
	warm.wait(b)
	for _, rate := range []int{1, 5, 10} {
		before, err := n.metrics()
		if err != nil {
			return err
		}
		c, own, all, err := b.scenario(n, "9006", 6*rate, float64(rate), phone.Options{Record: true})
		if err != nil {
			return err
		}
		m, err := n.metrics()
		if err != nil {
			return err
		}
		var waits []time.Duration
		var spoken time.Duration
		for _, r := range c.results {
			if first, length, ok := speech(r.Heard); ok {
				waits = append(waits, first)
				spoken += length
			}
		}
		each := spoken / time.Duration(max(1, len(waits)))
		b.table.note(fmt.Sprintf("%d fresh sentences/s: first sound after 200", rate), "%s (p50 / p99 / max)", spread(waits))
		count := m.sum("ozswitch_tts_seconds_count") - before.sum("ozswitch_tts_seconds_count")
		b.table.note("   CPU a call: switch; with workers", "%.1f; %.1f ms, %.1f ms/s of speech", own.Seconds()*1e3, all.Seconds()*1e3, (all-own).Seconds()*1e3/max(.001, each.Seconds()))
		b.table.note("   in the engine, mean", "%.0f ms (%.0f utterances)", (m.sum("ozswitch_tts_seconds_sum")-before.sum("ozswitch_tts_seconds_sum"))/max(1, count)*1e3, count)
	}

	h, err := b.hold(n, 100, 6*time.Second, nil, nil)
	if err != nil {
		return err
	}
	done := make(chan *crowd, 1)
	go func() {
		c := b.place(n, "9006", 100, 10, phone.Options{}, nil)
		c.wait(b)
		done <- c
	}()
	busy, err := b.hold(n, 100, 6*time.Second, nil, nil)
	c := <-done
	if err != nil {
		return err
	}
	c.note(b.table)
	b.table.note("H 100, ticks late p99.9: alone; voice busy", "%s; %s", h.late, busy.late)
	return nil
}

// speech finds the first sound in what was heard, counted from the first packet,
// and how long it lasts.
func speech(h *phone.Heard) (first, length time.Duration, ok bool) {
	if h == nil {
		return 0, 0, false
	}
	loud := func(v int16) bool { return v > 300 || v < -300 }
	i := slices.IndexFunc(h.PCM, loud)
	if i < 0 {
		return 0, 0, false
	}
	j := len(h.PCM)
	for !loud(h.PCM[j-1]) {
		j--
	}
	at := func(n int) time.Duration { return time.Duration(n) * time.Second / time.Duration(h.Rate) }
	return at(i), at(j - i), true
}
