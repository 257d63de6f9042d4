package pace

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/mediatest"
)

func pcmu() Format {
	c := codec.PCMU
	return Format{PT: c.PT, Ticks: c.Ticks(), Silence: c.Silence, Lasts: c.Lasts, Join: c.Join}
}

// spelled is text as a clip, by way of 16 kHz as the voice makes it.
func spelled(t testing.TB, text string) *Clip {
	frames, err := codec.PCMU.Frames(media.Samples(16000, mediatest.Spell(text, 16000)))
	if err != nil {
		t.Fatal(err)
	}
	return &Clip{Frames: frames}
}

// decode reads one direction of a tap.
func decode(tap *Tap, in bool) []int16 {
	d, pcm := codec.PCMU.NewDecoder(), []int16(nil)
	for {
		b, ok := tap.Next()
		if !ok {
			return pcm
		}
		for i := range b.N {
			f := b.Out(i)
			if in {
				f = b.In(i)
			}
			frame := make([]int16, 160)
			d.Decode(frame, f)
			pcm = append(pcm, frame...)
		}
		tap.Release(b)
	}
}

// bubble runs two legs that talk to each other over a network, in virtual time.
func bubble(t *testing.T, link simnet.Link, f func(p *Pacer, a, b *Leg)) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		n.SetDefault(link)
		p := New(Config{Portable: true})
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { p.Run(ctx) })
		wire := func(at string) *simnet.Wire {
			w, err := n.Wire(at)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		wa, wb := wire("10.0.0.1:20000"), wire("10.0.0.2:20000")
		leg := func(w Wire, to netip.AddrPort, ssrc uint32) *Leg {
			l := NewLeg(LegConfig{Wire: w, Remote: to, Format: pcmu(), DTMFPT: 101, SSRC: ssrc, Seq: 65500, TS: 1<<32 - 9999, Silence: true})
			if err := p.Add(l); err != nil {
				t.Fatal(err)
			}
			return l
		}
		a := leg(wa, wb.LocalAddr(), 1)
		time.Sleep(7 * ms) // b's frames fall between a's
		b := leg(wb, wa.LocalAddr(), 2)
		f(p, a, b)
		p.Remove(a)
		p.Remove(b)
		wa.Close()
		wb.Close()
		cancel()
		wg.Wait()
	})
}

// waitFor takes results until one of the kind comes.
func waitFor(t *testing.T, l *Leg, k Kind) Result {
	t.Helper()
	for {
		for r, ok := l.Next(); ok; r, ok = l.Next() {
			if r.Kind == k {
				return r
			}
			if r.Kind == Failed {
				t.Fatalf("the leg failed: %v", r.Err)
			}
		}
		select {
		case <-l.Bell():
		case <-time.After(time.Minute):
			t.Fatalf("no %v came", k)
		}
	}
}

func TestWordsArrive(t *testing.T) {
	const text = "press one for sales or two for sup" // 2.04 s
	for name, link := range map[string]simnet.Link{
		"good": {Delay: 5 * ms},
		"far":  {Delay: 250 * ms, Jitter: 25 * ms, Duplicate: 0.2},
		"odd":  {Delay: 20 * ms, Reorder: 0.2, ReorderBy: 30 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, link, func(p *Pacer, a, b *Leg) {
				tap := NewTap(TapConfig{Blocks: 64})
				b.SetTap(tap)
				waitFor(t, b, FirstPacket)
				begin := time.Now()
				a.Enqueue(1, spelled(t, text))
				first := waitFor(t, a, Started)
				last := waitFor(t, a, Ended)
				if got, want := last.At.Sub(first.At)+media.Frame, time.Duration(len(text))*mediatest.LetterLen; got != want {
					t.Errorf("the clip lasted %v, want %v", got, want)
				}
				if d := first.At.Sub(begin); d < 0 || d > media.Frame {
					t.Errorf("the clip began %v after it was enqueued, want 20 ms at most", d)
				}
				time.Sleep(time.Second)
				b.SetTap(nil)
				time.Sleep(20 * ms)
				if got := mediatest.Text(decode(tap, true), 8000); got != text {
					t.Errorf("heard %q, want %q", got, text)
				}
				p.Remove(b)
				st := b.Stats()
				if st.Lost != 0 || st.Late != 0 || st.Refused != 0 || (name == "far") != (st.Duplicates > 0) {
					t.Errorf("Stats = %+v, want nothing lost or late, copies only when far", st)
				}
				if st.Lag != 0 {
					t.Errorf("in virtual time a tick was %v late, want 0", st.Lag)
				}
			})
		})
	}
}

// A letter is lost with its packet: what mediatest hears is what was carried.
func TestLossIsHeard(t *testing.T) {
	bubble(t, simnet.Link{Delay: 5 * ms, Loss: 0.1}, func(p *Pacer, a, b *Leg) {
		tap := NewTap(TapConfig{Blocks: 64})
		b.SetTap(tap)
		a.Enqueue(1, spelled(t, "press one for sales"))
		waitFor(t, a, Ended)
		time.Sleep(200 * ms)
		p.Remove(b)
		got := mediatest.Text(decode(tap, true), 8000)
		if b.Stats().Lost == 0 || got == "press one for sales" {
			t.Errorf("heard %q with %d packets lost", got, b.Stats().Lost)
		}
	})
}

func TestKeysArrive(t *testing.T) {
	const keys = "0123456789*#ABCD1155"
	for name, link := range map[string]simnet.Link{
		"good": {Delay: 5 * ms},
		"bad":  {Delay: 50 * ms, Jitter: 30 * ms, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, link, func(p *Pacer, a, b *Leg) {
				a.SendKeys(9, keys)
				if r := waitFor(t, a, KeysSent); r.ID != 9 {
					t.Errorf("KeysSent for %d, want 9", r.ID)
				}
				time.Sleep(time.Second)
				var got []byte
				for r, ok := b.Next(); ok; r, ok = b.Next() {
					if r.Kind == KeyPressed {
						got = append(got, r.Key)
					}
				}
				if string(got) != keys {
					t.Errorf("received %q, want %q", got, keys)
				}
			})
		})
	}
}

// Run ends with its context, at once and with nothing left running; the legs
// that were left are told.
func TestRunEnds(t *testing.T) {
	for _, portable := range []bool{true, false} {
		p := New(Config{Shards: 2, Portable: portable})
		l := NewLeg(LegConfig{Wire: &fakeWire{}, Remote: far, Format: ulaw(), Silence: true})
		if err := p.Add(l); err != nil { // before Run
			t.Fatal(err)
		}
		if got := p.LastTick(); !got.IsZero() {
			t.Errorf("LastTick before Run = %v, want none", got)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		other := NewLeg(LegConfig{Wire: &fakeWire{}, Remote: far, Format: ulaw(), Silence: true})
		if err := p.Add(other); err != nil {
			t.Fatal(err)
		}
		p.Remove(other) // returns: the loop was woken
		if got := p.Legs(); got != 1 {
			t.Errorf("%d legs, want 1", got)
		}
		if other.home.Load().LastTick().IsZero() {
			t.Error("LastTick is still zero after a leg was removed")
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
		<-l.Done()
		if r, ok := l.Next(); !ok || !errors.Is(r.Err, ErrStopped) {
			t.Errorf("the leg that was left has %v, %v, want %v", r, ok, ErrStopped)
		}
		p.Remove(l)
	}
}

// The thread of the real loop paces legs on real sockets.
func TestThread(t *testing.T) {
	p := New(Config{})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { p.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	wa, wb := pair(t)
	a := NewLeg(LegConfig{Wire: wa, Remote: wb.LocalAddr(), Format: pcmu(), DTMFPT: 101, SSRC: 1, Silence: true})
	b := NewLeg(LegConfig{Wire: wb, Remote: wa.LocalAddr(), Format: pcmu(), DTMFPT: 101, SSRC: 2, Silence: true})
	p.Add(a)
	p.Add(b)
	a.Enqueue(1, spelled(t, "hello"))
	waitFor(t, a, Ended)
	a.SendKeys(2, "42")
	var got []byte
	for len(got) < 2 {
		got = append(got, waitFor(t, b, KeyPressed).Key)
	}
	if string(got) != "42" {
		t.Errorf("received %q, want 42", got)
	}
	p.Remove(a)
	p.Remove(b)
	if st := a.Stats(); st.SendErrors != 0 || st.PacketsOut < 15 || p.Lag().Count() == 0 {
		t.Errorf("Stats = %+v, Lag %v, want 15 packets and more without errors", st, p.Lag())
	}
}

// pair is two wires on the loopback, closed at the end of the test.
func pair(t testing.TB) (a, b Wire) {
	t.Helper()
	var ws [2]Wire
	for i := range ws {
		w, err := Listen(addr("127.0.0.1:0"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		ws[i] = w
	}
	return ws[0], ws[1]
}

// crowd is a shard with n pairs of legs that talk to each other on loopback.
func crowd(t testing.TB, n int) (s *Shard, legs []*Leg) {
	s = NewShard(start, 0)
	for i := range n {
		wa, wb := pair(t)
		for j, w := range []Wire{wa, wb} {
			to := []Wire{wb, wa}[j].LocalAddr()
			l := NewLeg(LegConfig{Wire: w, Remote: to, Format: pcmu(), DTMFPT: 101, SSRC: uint32(2*i + j), Silence: true, Mux: true, Name: "x"})
			if err := s.Add(l); err != nil {
				t.Fatal(err)
			}
			legs = append(legs, l)
		}
	}
	return s, legs
}

// A shard whose legs play, hear, are tapped and get keys allocates nothing.
func TestNoAllocation(t *testing.T) {
	s, legs := crowd(t, 4)
	long := spelled(t, "a long long story that goes on and on and on and on")
	var taps []*Tap
	for i, l := range legs {
		tap := NewTap(TapConfig{})
		l.SetTap(tap)
		taps = append(taps, tap)
		for j := range 10 {
			l.Enqueue(uint32(j), long)
		}
		if i == 0 {
			l.SendKeys(1, "12345678901234567890")
		}
	}
	now := start
	keys := 0
	step := func() {
		now = s.Tick(now)
		for i, tap := range taps {
			if b, ok := tap.Next(); ok {
				tap.Release(b)
			}
			for r, ok := legs[i].Next(); ok; r, ok = legs[i].Next() {
				if r.Kind == KeyPressed {
					keys++
				}
			}
		}
	}
	for range 100 {
		step() // the sources are locked by now
	}
	if got := testing.AllocsPerRun(2000, step); got != 0 {
		t.Errorf("%v allocations a tick, want 0", got)
	}
	s.close(now)
	for i, l := range legs {
		if st := l.Stats(); st.PacketsIn < 200 || st.Refused > 0 || st.Lost > 0 {
			t.Errorf("leg %d: %+v, want 200 packets and more, none lost", i, st)
		}
	}
	if keys != 20 {
		t.Errorf("%d keys came, want 20", keys)
	}
}

// Budget: 0 allocations; 1.3 µs beyond the kernel's path, which is nearly all of
// it (see design/performance.md: 14 µs at 200 legs, 7.6-9 at 1,000).
func BenchmarkPacketPair(b *testing.B) {
	for _, n := range []int{50, 200} {
		b.Run(fmt.Sprintf("legs=%d", n), func(b *testing.B) {
			s, legs := crowd(b, n/2)
			now := s.Tick(start)
			for range 100 {
				now = s.Tick(now)
			}
			drain := func() {
				for _, l := range legs {
					for _, ok := l.Next(); ok; _, ok = l.Next() {
					}
				}
			}
			drain()
			b.ReportAllocs()
			b.ResetTimer()
			pairs := 0
			for pairs < b.N { // a pair: one packet sent and one received
				now = s.Tick(now)
				pairs += n / len(s.slots)
			}
		})
	}
}

// The same without the kernel: what is ours.
func BenchmarkPacketPairFake(b *testing.B) {
	s := NewShard(start, 20*ms)
	w := &echoWire{}
	l := NewLeg(LegConfig{Wire: w, Remote: far, Format: ulaw(), Silence: true})
	s.Add(l)
	now := start
	b.ReportAllocs()
	for b.Loop() {
		now = s.Tick(now)
	}
	if l.ear.st.PacketsIn == 0 {
		b.Fatal("nothing came back")
	}
}

// echoWire gives back what was sent.
type echoWire struct {
	fakeWire
	b [200]byte
	n int
}

func (w *echoWire) Send(b []byte) error { w.n = copy(w.b[:], b); return nil }

func (w *echoWire) Recv(bufs [][]byte, from []netip.AddrPort) int {
	bufs[0], from[0] = append(bufs[0][:0], w.b[:w.n]...), far
	return 1
}
