//go:build bench && linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/switch/phone"
)

// The two telephones of the switch: one calls, many times at once, the other
// answers.
const caller, callee, secret = "2001", "2002", "a secret of the bench"

// answering registers the callee's telephone, which answers every call and talks.
func (b *bench) answering(n *node, o phone.Options) (*crowd, error) {
	ctx, cancel := context.WithCancel(b.ctx)
	registered := make(chan error, 1)
	var mu sync.Mutex
	c := &crowd{failed: map[string]int{}}
	p := phone.New(phone.Config{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Register: n.sip, User: callee, Password: secret,
		Registered: func(err error) {
			select {
			case registered <- err:
			default:
			}
		},
		Incoming: func(call *phone.Call) phone.Reply {
			mu.Lock()
			defer mu.Unlock()
			c.calls = append(c.calls, call)
			return phone.Reply{Options: o}
		},
	})
	var wg sync.WaitGroup
	c.stop = func() { cancel(); wg.Wait() }
	err := p.Bind()
	if err == nil {
		wg.Go(func() {
			if err := p.Run(ctx); err != nil {
				mu.Lock()
				c.failed[err.Error()]++
				mu.Unlock()
			}
		})
		select {
		case err = <-registered:
		case <-time.After(20 * time.Second):
			err = errors.New("the callee was not registered in time")
		}
	}
	if err != nil {
		c.stop()
	}
	return c, err
}

// A talk is what N calls between two telephones cost and lost.
type talk struct {
	from, to *crowd
	cpu      time.Duration
	window   time.Duration
	allocs   float64
	late     string
	gaps     []time.Duration
}

// perMinute is CPU seconds a call-minute of two legs.
func (t *talk) perMinute(calls int) float64 {
	return t.cpu.Seconds() / (float64(calls) * t.window.Minutes())
}

func (t *talk) lost() int64 { return t.from.sound().Lost + t.to.sound().Lost }

// talks lets calls of one codec be answered in another, both sides talking.
func (b *bench) talks(n *node, calls int, window time.Duration, from, to *codec.Codec) (*talk, error) {
	say := func(c *codec.Codec) (phone.Options, error) {
		voice, err := c.Frames(media.Tone(c.Rate, 300, -15, 60*time.Second))
		return phone.Options{Codecs: []*codec.Codec{c}, Say: []phone.Say{{Clip: &pace.Clip{Frames: voice}}}}, err
	}
	ours, err := say(from)
	if err != nil {
		return nil, err
	}
	theirs, err := say(to)
	if err != nil {
		return nil, err
	}
	t := &talk{}
	if t.to, err = b.answering(n, theirs); err != nil {
		return nil, err
	}
	defer t.to.stop()
	const probes = 20
	var wires []*probe
	probed := func() (pace.Wire, error) {
		w, err := newProbe()
		if err == nil {
			wires = append(wires, w) // by the goroutine that places calls
		}
		return w, err
	}
	as := phone.Config{User: caller, Password: secret}
	t.from = b.placeAs(as, n, callee, calls-probes, 40, ours)
	as.ListenRTP = probed
	some := b.placeAs(as, n, callee, probes, 20, ours)
	t.from.up(b)
	some.up(b)
	b.pause(time.Second)
	first, err := n.metrics()
	if err != nil {
		return nil, err
	}
	cpu, began := n.cpu(), time.Now()
	b.pause(window)
	t.cpu, t.window = n.cpu()-cpu, time.Since(began)
	last, err := n.metrics()
	if err != nil {
		return nil, err
	}
	t.allocs = (last["go_memstats_mallocs_total"] - first["go_memstats_mallocs_total"]) / (float64(calls) * t.window.Seconds() * 200)
	t.late = last.late(first, .999)
	for _, c := range []*crowd{some, t.from} {
		c.hangup()
		c.wait(b)
		c.note(b.table)
	}
	for _, w := range wires {
		t.gaps = append(t.gaps, w.gaps()...)
	}
	t.from.calls, t.from.results = append(t.from.calls, some.calls...), append(t.from.results, some.results...)
	t.to.wait(b)
	t.to.note(b.table)
	if err := n.idle(b); err != nil {
		return nil, err
	}
	return t, t.from.failedIn(fmt.Sprintf("%d calls from %s to %s", calls, from, to))
}

// bridged is 200 calls whose packets pass, beside the floor in C with as many legs,
// and 50 whose sound is decoded and coded anew.
func bridged(b *bench) error {
	n, err := b.node()
	if err != nil {
		return err
	}
	const calls = 200
	before, err := b.floorC(2*calls, 3*time.Second)
	if err != nil {
		return err
	}
	t, err := b.talks(n, calls, pick(12*time.Second, 8*time.Second), codec.PCMU, codec.PCMU)
	if err != nil {
		return err
	}
	after, err := b.floorC(2*calls, 3*time.Second)
	if err != nil {
		return err
	}
	floor := (before + after) / 2 * 2 * 3000 / 1e6 // of two legs, CPU seconds a minute
	b.table.note("200 bridged calls (PCMU), CPU s a call-minute", "%.3f (%d of %d good)", t.perMinute(calls), t.from.good(), calls)
	b.table.note("   two legs in C; ratio to it", "%.3f; %.2f", floor, t.perMinute(calls)/floor)
	b.table.note("   lost, both ways; allocations a packet", "%d of %d; %.3f", t.lost(), t.from.sound().PacketsIn+t.to.sound().PacketsIn, t.allocs)
	b.table.note("   RTP gaps p50 / p99 / max; ticks late p99.9", "%s; %s", spread(t.gaps), t.late)
	const few = 50
	if t, err = b.talks(n, few, pick(12*time.Second, 8*time.Second), codec.Opus, codec.PCMU); err != nil {
		return err
	}
	slices.Sort(t.gaps)
	b.table.note("50 transcoded Opus-PCMU, CPU s a call-minute", "%.3f (%d of %d good)", t.perMinute(few), t.from.good(), few)
	b.table.note("   lost, both ways; gaps p99; ticks late p99.9", "%d; %s ms; %s", t.lost(), ms(quantile(t.gaps, .99)), t.late)
	return nil
}
