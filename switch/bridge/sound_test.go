package bridge

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
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// ends is two bridges that call each other on a network in memory.
type ends struct {
	near, far *Leg
	events    chan call.Event // near's
	final     [2]Stats
	quality   trace.Event // near's last event
}

// join connects them with what the caller offers. during runs while both are up.
func join(t *testing.T, offer func(*call.Media), during func(e *ends, far *Bridge, answer call.Media)) *ends {
	t.Helper()
	e := &ends{events: make(chan call.Event, 100)}
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		p := pace.New(pace.Config{Portable: true, Shards: 1})
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { p.Run(ctx) })
		bridge := func(i int) *Bridge {
			dice := rand.New(rand.NewPCG(1, uint64(i)))
			return New(Config{Pacer: p, Timeout: time.Minute, Silence: true, Rand: dice.Uint32,
				Packets:       func(s Stats) { e.final[i] = s },
				Listen:        func() (pace.Wire, error) { return n.Wire(fmt.Sprintf("10.0.0.%d:20000", i+1)) },
				ListenControl: func(w pace.Wire) (pace.Wire, error) { return n.Wire(fmt.Sprintf("10.0.0.%d:20001", i+1)) }})
		}
		near, far := bridge(0), bridge(1)
		post := func(ev call.Event) bool { e.events <- ev; return true }
		remote, err := far.Open(call.OpenMedia{Leg: "f"}, func(call.Event) bool { return true }, trace.SinkFunc(func(trace.Event) {}))
		if err != nil {
			t.Fatal(err)
		}
		if offer != nil {
			offer(&remote)
		}
		answer, err := near.Open(call.OpenMedia{Leg: "n", Remote: &remote}, post, trace.SinkFunc(func(ev trace.Event) { e.quality = ev }))
		if err != nil {
			t.Fatal(err)
		}
		if err := near.Connect("n", remote); err != nil {
			t.Fatal(err)
		}
		if err := far.Connect("f", answer); err != nil {
			t.Fatal(err)
		}
		e.near, e.far = near.Leg("n"), far.Leg("f")
		during(e, far, answer)
		near.Close("n")
		far.Close("f")
		near.Wait()
		far.Wait()
		cancel()
		wg.Wait()
	})
	return e
}

// Reports go by the port above, or by that of the sound where both ends know how. We
// offer it; with false the other end answers as one that does not know it.
func TestReportsBothWays(t *testing.T) {
	for _, mux := range []bool{false, true} {
		e := join(t, func(m *call.Media) { m.Mux = mux }, func(e *ends, _ *Bridge, answer call.Media) {
			if answer.Mux != mux {
				t.Errorf("rtcp-mux offered %v, answered %v", mux, answer.Mux)
			}
			if near, far := e.near.control != nil, e.far.control != nil; near == mux || far == mux {
				t.Errorf("rtcp-mux %v: a socket of its own: %v, with who offered %v", mux, near, far)
			}
			time.Sleep(time.Minute)
		})
		for i, s := range e.final {
			if s.ReportsIn < 8 || s.ReportsOut < 8 || s.RoundTrip <= 0 || s.RoundTrip > 50*time.Millisecond {
				t.Errorf("rtcp-mux %v, end %d: %+v, want reports both ways and a round trip", mux, i, s)
			}
		}
		near := e.final[0]
		if q, trip := e.quality, float64(near.RoundTrip)/1e6; q.Type != trace.MediaQuality || q.RoundTripMS != trip || q.TheirLost != near.TheirLost || q.HoldSeconds != 0 || q.MOS < 4.3 || q.MOS > 4.42 {
			t.Errorf("rtcp-mux %v: %+v, want the quality with a round trip of %v ms", mux, q, trip)
		}
	}
}

// Keys go as events where those were agreed, else as tones, in every codec.
func TestKeysBothWays(t *testing.T) {
	for _, c := range codec.Table {
		for _, events := range []bool{true, false} {
			join(t, func(m *call.Media) {
				m.Codecs = []call.Codec{{PT: c.PT, Name: c.Name, ClockRate: c.ClockRate}}
				if !events {
					m.Keys = nil
				}
			}, func(e *ends, _ *Bridge, _ call.Media) {
				var mu sync.Mutex
				got, wrong := "", 0
				e.near.OnKey(func(k byte, inband bool, _ time.Time) {
					mu.Lock()
					defer mu.Unlock()
					got += string(k)
					if inband == events {
						wrong++
					}
				})
				time.Sleep(time.Second)
				if err := e.far.SendKeys(context.Background(), "1590*#AD"); err != nil {
					t.Errorf("%v, events %v: %v", c, events, err)
				}
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				if got != "1590*#AD" || wrong > 0 {
					t.Errorf("%v, events %v: heard %q, %d by the wrong way, want 1590*#AD", c, events, got, wrong)
				}
			})
		}
	}
}

// A far end that goes silent ends the call after the timeout, on hold after 30
// minutes; being taken back begins the time anew.
func TestTimeoutOnHold(t *testing.T) {
	e := join(t, nil, func(e *ends, far *Bridge, _ call.Media) {
		held := call.Media{Addr: netip.MustParseAddrPort("10.0.0.2:20000"), Codecs: far.offer(nil, nil).Codecs, Keys: far.offer(nil, nil).Keys, Dir: call.SendOnly}
		reinvite := func(dir call.MediaDir) {
			held.Dir = dir
			if err := e.near.b.Connect("n", held); err != nil {
				t.Fatal(err)
			}
		}
		lost := func() bool {
			select {
			case ev := <-e.events:
				_, ok := ev.(call.MediaLost)
				return ok
			default:
				return false
			}
		}
		reinvite(call.Inactive)
		time.Sleep(time.Second)
		far.Close("f")
		time.Sleep(29 * time.Minute)
		if lost() {
			t.Error("lost within 29 minutes of hold")
		}
		reinvite(call.SendRecv)
		time.Sleep(59 * time.Second)
		if lost() {
			t.Error("lost within 59 s of being taken back")
		}
		time.Sleep(2 * time.Second)
		if !lost() {
			t.Error("not lost after 61 s without a packet")
		}
		reinvite(call.SendOnly)
		time.Sleep(31 * time.Minute)
		if !lost() {
			t.Error("not lost after 31 minutes of hold")
		}
	})
	if want := (60*time.Minute + time.Second).Seconds(); e.quality.HoldSeconds != want {
		t.Errorf("%v s on hold, want %v", e.quality.HoldSeconds, want)
	}
}
