//go:build bench && linux

package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/switch/phone"
)

// tone is a caller's voice in ready frames.
func tone(d time.Duration) [][]byte {
	frames, err := codec.PCMU.Frames(media.Tone(8000, 300, -15, d))
	if err != nil {
		panic(err) // a tone cannot fail
	}
	return frames
}

// A crowd is calls of one phone.
type crowd struct {
	calls   []*phone.Call
	results []phone.Result
	failed  map[string]int // by why; also what could not be placed
	late    time.Duration  // of the latest start: this machine was too slow
	stop    func()
}

// place places calls at a rate, each at its own moment, and returns when the
// last one is placed. The sockets for sound are wire's, when given.
func (b *bench) place(n *node, number string, calls int, rate float64, o phone.Options, wire func() (pace.Wire, error)) *crowd {
	return b.placeBy("udp", n, number, calls, rate, o, wire)
}

// placeBy is place by another transport; ws is a browser's.
func (b *bench) placeBy(transport string, n *node, number string, calls int, rate float64, o phone.Options, wire func() (pace.Wire, error)) *crowd {
	return b.placeAs(phone.Config{ListenRTP: wire, Transport: transport}, n, number, calls, rate, o)
}

// placeAs is place by a phone of another kind.
func (b *bench) placeAs(pc phone.Config, n *node, number string, calls int, rate float64, o phone.Options) *crowd {
	ctx, cancel := context.WithCancel(b.ctx)
	pc.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	p := phone.New(pc)
	var wg sync.WaitGroup
	c := &crowd{failed: map[string]int{}, stop: func() { cancel(); wg.Wait() }}
	if err := p.Bind(); err != nil {
		c.failed[err.Error()] = calls
		return c
	}
	wg.Go(func() {
		if err := p.Run(ctx); err != nil {
			c.failed[err.Error()]++
		}
	})
	if o.Server = n.sip; pc.Transport == "ws" {
		o.Server = n.http
	}
	if o.Codecs == nil {
		o.Codecs = []*codec.Codec{codec.PCMU}
	}
	began := time.Now()
	for i := range calls {
		due := began.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		b.pause(time.Until(due))
		c.late = max(c.late, time.Since(due))
		call, err := p.Place(number, o)
		if err != nil {
			c.failed[err.Error()]++
			continue
		}
		c.calls = append(c.calls, call)
	}
	return c
}

// up waits until all calls are answered, or not.
func (c *crowd) up(b *bench) {
	ctx, cancel := context.WithTimeout(b.ctx, 40*time.Second)
	defer cancel()
	for _, call := range c.calls {
		_ = call.Answered(ctx) // wait tells
	}
}

func (c *crowd) hangup() {
	for _, call := range c.calls {
		call.Hangup()
	}
}

// wait waits for the end of all calls.
func (c *crowd) wait(b *bench) {
	ctx, cancel := context.WithTimeout(b.ctx, 90*time.Second)
	defer cancel()
	for _, call := range c.calls {
		r := call.Wait(ctx)
		c.results = append(c.results, r)
		if r.Code != 0 || r.Cause != phone.HungUp && r.Cause != phone.TheyHungUp {
			c.failed[r.String()]++
		}
	}
	c.stop()
}

// good is the number of calls that were answered and ended well.
func (c *crowd) good() int {
	n := len(c.results)
	for _, r := range c.results {
		if r.Code != 0 || r.Cause != phone.HungUp && r.Cause != phone.TheyHungUp {
			n--
		}
	}
	return n
}

// err tells of calls that failed; the run goes on with the others.
func (c *crowd) note(t *table) {
	for why, n := range c.failed {
		t.note("   failed calls", "%d × %s", n, why)
	}
}

// setups are the times from INVITE to answer.
func (c *crowd) setups() (all []time.Duration) {
	for _, r := range c.results {
		if r.Setup > 0 {
			all = append(all, r.Setup)
		}
	}
	return all
}

// sound sums what the callers counted.
func (c *crowd) sound() (s pace.Stats) {
	for _, r := range c.results {
		s.PacketsOut += r.Stats.PacketsOut
		s.PacketsIn += r.Stats.PacketsIn
		s.Lost += r.Stats.Lost
		s.Late += r.Stats.Late
		s.Skipped += r.Stats.Skipped
		s.Lag = max(s.Lag, r.Stats.Lag)
	}
	return s
}

// failedIn is an error when so few calls were good that figures mean nothing.
func (c *crowd) failedIn(what string) error {
	if all := len(c.calls); c.good()*2 < all || all == 0 {
		return fmt.Errorf("%s: %d of %d calls good: %v", what, c.good(), all, c.failed)
	}
	return nil
}
