package pace

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/dtmf"
)

// pins presses n random numbers of six keys on legs that all work at once, over a
// network, and returns how many were received whole.
func pins(t *testing.T, n, legs int, link simnet.Link, format func() (Format, *codec.Codec), inband bool) (right int) {
	synctest.Test(t, func(t *testing.T) {
		net := simnet.New(7)
		p := New(Config{Portable: true, Shards: 1})
		ctx, cancel := context.WithCancel(context.Background())
		var loop, work sync.WaitGroup
		loop.Go(func() { p.Run(ctx) })
		var mu sync.Mutex
		next := 0
		for i := range legs {
			f, c := format()
			wire := func(at string) *simnet.Wire {
				w, err := net.Wire(at)
				if err != nil {
					t.Fatal(err)
				}
				return w
			}
			here, there := fmt.Sprintf("10.1.%d.%d:20000", i/250, i%250), fmt.Sprintf("10.2.%d.%d:20000", i/250, i%250)
			wa, wb := wire(here), wire(there)
			net.SetLink(addr(here).Addr(), addr(there).Addr(), link)
			leg := func(w Wire, to netip.AddrPort, ssrc uint32, decode func([]int16, []byte) int) *Leg {
				lc := LegConfig{Wire: w, Remote: to, Format: f, DTMFPT: 101, SSRC: ssrc, Seq: uint16(65000 + i), TS: -uint32(i * 5000), Silence: true}
				if inband {
					lc.DTMFPT, lc.Decode, lc.Rate = 0, decode, c.Rate
				}
				l := NewLeg(lc)
				if err := p.Add(l); err != nil {
					t.Fatal(err)
				}
				return l
			}
			a := leg(wa, wb.LocalAddr(), uint32(2*i+1), nil)
			b := leg(wb, wa.LocalAddr(), uint32(2*i+2), c.NewDecoder().Decode)
			dice := rand.New(rand.NewPCG(3, uint64(i)))
			work.Go(func() {
				defer wa.Close()
				defer wb.Close()
				defer p.Remove(b)
				defer p.Remove(a)
				time.Sleep(time.Second)
				for {
					mu.Lock()
					done := next == n
					if !done {
						next++
					}
					mu.Unlock()
					if done {
						return
					}
					pin := fmt.Sprintf("%06d", dice.IntN(1000000))
					if inband {
						src, _ := dtmf.Keys(c.Rate, pin, 0, 0)
						// Some silence first, which lets G.722's two ends agree.
						frames, _ := c.Frames(media.Concat(media.Silence(c.Rate, 100*ms), src))
						a.Enqueue(1, &Clip{Frames: frames})
					} else if err := a.SendKeys(1, pin); err != nil {
						t.Error(err)
						return
					}
					time.Sleep(time.Second + 400*ms) // six keys take 960 ms
					var got []byte
					for r, ok := b.Next(); ok; r, ok = b.Next() {
						if r.Kind == KeyPressed {
							got = append(got, r.Key)
							if r.Inband != inband {
								t.Errorf("a key came in band: %v, want %v", r.Inband, inband)
							}
						}
					}
					for _, ok := a.Next(); ok; _, ok = a.Next() {
					}
					mu.Lock()
					if string(got) == pin {
						right++
					} else {
						t.Logf("pressed %s, got %q", pin, got)
					}
					mu.Unlock()
				}
			})
		}
		work.Wait()
		cancel()
		loop.Wait()
	})
	return right
}

func formatOf(c *codec.Codec) func() (Format, *codec.Codec) {
	return func() (Format, *codec.Codec) {
		return Format{PT: c.PT, Ticks: c.Ticks(), Silence: c.Silence, Lasts: c.Lasts, Join: c.Join}, c
	}
}

// Issue 3 C: random PINs through 5 % of loss and 60 ms of jitter, 99.99 % right;
// and with packets that overtake and come twice.
func TestPINs(t *testing.T) {
	n := 10000
	if testing.Short() || raceEnabled {
		n = 300
	}
	bad := simnet.Link{Delay: 20 * ms, Loss: 0.05, Jitter: 60 * ms}
	worse := bad
	worse.Duplicate, worse.Reorder = 0.02, 0.05
	for _, c := range []struct {
		name string
		link simnet.Link
		n    int
	}{{"5 % loss, 60 ms jitter", bad, n}, {"and overtaking, copies", worse, n / 5}} {
		if got := pins(t, c.n, 100, c.link, formatOf(codec.PCMU), false); got < c.n-c.n/10000 {
			t.Errorf("%s: %d of %d numbers are right, want 99.99 %%", c.name, got, c.n)
		}
	}
}

// In band, on a line without loss, keys are heard in every codec; with 1 % of loss
// in nearly all numbers.
func TestPINsInband(t *testing.T) {
	for _, c := range codec.Table {
		if got := pins(t, 100, 20, simnet.Link{Delay: 20 * ms, Jitter: 10 * ms}, formatOf(c), true); got != 100 {
			t.Errorf("%v: %d of 100 numbers are right, want all", c, got)
		}
	}
	if got := pins(t, 200, 20, simnet.Link{Delay: 20 * ms, Loss: 0.01}, formatOf(codec.PCMU), true); got < 190 {
		t.Errorf("with loss %d of 200 numbers are right, want 190", got)
	}
}

// Where telephone-events were agreed the sound is not looked at.
func TestInbandOnlyAlone(t *testing.T) {
	src, _ := dtmf.Keys(8000, "159", 0, 0)
	frames, err := codec.PCMU.Frames(media.Concat(src, media.Silence(8000, 200*time.Millisecond)))
	if err != nil {
		t.Fatal(err)
	}
	for pt, want := range map[uint8]string{101: "FirstPacket@0=192.0.2.1:4000",
		0: "FirstPacket@0=192.0.2.1:4000, KeyPressed@60=1, KeyPressed@220=5, KeyPressed@380=9"} {
		r := newRig(t, func(c *LegConfig) { c.DTMFPT, c.Decode, c.Rate = pt, codec.PCMU.NewDecoder().Decode, 8000 })
		for i, f := range frames {
			p := speech(i)
			p.Payload = f
			r.w.comes(far, p)
			r.frames(1)
		}
		r.want("results", r.results(), want)
	}
}
