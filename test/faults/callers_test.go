//go:build faults

package faults

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/switch/phone"
)

// rate is that of all calls here: G.711 changes no sample of a prompt that was
// G.711 before, so that what is heard can be compared sample by sample.
const rate = media.Rate(8000)

// A caller is one call and what it heard.
type caller struct {
	from   string
	placed time.Time
	call   *phone.Call
	events []phone.Event // read after the end
	phone.Result
}

// newPhone runs a phone until the test's end.
func newPhone(t *testing.T) *phone.Phone {
	t.Helper()
	p := phone.New(phone.Config{})
	if err := p.Bind(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the phone: %v", err)
		}
		if n := p.Panics(); n != 0 {
			t.Errorf("the phone caught %d panics", n)
		}
	})
	return p
}

// place calls number as from.
func place(t *testing.T, p *phone.Phone, n *node, from, number string, o phone.Options) *caller {
	t.Helper()
	c := &caller{from: from}
	o.Server, o.From, o.Record = n.sip, from, true
	o.Codecs = []*codec.Codec{codec.ByName("PCMU", 8000)}
	o.Events = func(e phone.Event) { c.events = append(c.events, e) }
	c.placed = time.Now()
	var err error
	if c.call, err = p.Place(number, o); err != nil {
		t.Fatal(err)
	}
	return c
}

// wait waits for the end of the call.
func (c *caller) wait(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*limit)
	defer cancel()
	c.Result = c.call.Wait(ctx)
}

// rang tells when the first 180 came.
func (c *caller) rang() (time.Duration, bool) {
	for _, e := range c.events {
		if e.Kind == phone.Ringing && e.Code == 180 {
			return e.At, true
		}
	}
	return 0, false
}

// sound is what was heard without the silence around it, and when it began.
func (c *caller) sound() (pcm []int16, began time.Time) {
	if c.Heard == nil {
		return nil, time.Time{}
	}
	first, last := -1, 0
	step := rate.N(10 * time.Millisecond)
	for at := 0; at+step <= len(c.Heard.PCM); at += step {
		if power(c.Heard.PCM[at:at+step]) > 1e-5 { // -50 dBFS
			if first < 0 {
				first = at
			}
			last = at + step
		}
	}
	if first < 0 {
		return nil, time.Time{}
	}
	return c.Heard.PCM[first:last], c.placed.Add(c.Heard.From + rate.D(first))
}

// gapless fails unless every packet of sound has come and says when it is to be
// heard: sequence numbers by one, timestamps by their length.
func (c *caller) gapless() error {
	if c.Heard == nil || len(c.Heard.Packets) == 0 {
		return fmt.Errorf("no packet came")
	}
	seen := 0
	var seq uint16
	var ts uint32
	for _, p := range c.Heard.Packets {
		if p.PT != 0 {
			continue
		}
		if seen > 0 && (p.Seq != seq+1 || p.TS != ts) {
			return fmt.Errorf("packet %d after %v has number %d and time %d, want %d and %d", seen, p.At, p.Seq, p.TS, seq+1, ts)
		}
		seq, ts = p.Seq, p.TS+uint32(p.Len)
		seen++
	}
	// One packet every 20 ms, from the first to the call's end, silence included.
	if want := int((c.Length + c.Setup - c.Heard.From) / media.Frame); seen < want*9/10-25 {
		return fmt.Errorf("%d packets came in %v, want about %d", seen, c.Length, want)
	}
	return nil
}

// power is the mean square of sound, 1 = full scale.
func power(pcm []int16) (p float64) {
	for _, v := range pcm {
		p += float64(v) / 32768 * float64(v) / 32768
	}
	return p / float64(max(1, len(pcm)))
}

// alike is the greatest correlation of two sounds within 10 ms of shift: 1 =
// the same but for loudness, 0 = nothing in common. What one has more than the
// other counts against it.
func alike(a, b []int16) (best float64) {
	most := rate.N(10 * time.Millisecond)
	for shift := -most; shift <= most; shift++ {
		var ab float64
		for i := max(0, -shift); i < len(a) && i+shift < len(b); i++ {
			ab += float64(a[i]) * float64(b[i+shift])
		}
		best = max(best, ab)
	}
	whole := math.Sqrt(power(a)*float64(len(a))*power(b)*float64(len(b))) * 32768 * 32768
	if whole == 0 {
		return 0
	}
	return best / whole
}
