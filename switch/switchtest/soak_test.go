package switchtest

import (
	"flag"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
)

// soak is how long TestSoak goes on. Ten minutes (go test ./switch/switchtest -run
// TestSoak -v -soak 10m) take a processor one, so make test has less.
var soak = flag.Duration("soak", 15*time.Second, "how long the calls of TestSoak go on, in the bubble's time")

// TestSoak: a hundred calls at once, each with a script, through a network that
// loses every twentieth packet; when one ends another begins. When all is over
// goroutines and descriptors are what they were before, ± 5, and the heap is ± 5 %
// (of what lives after two collections).
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("a hundred calls at once: some seconds")
	}
	Run(t, func(w *World) {
		const seats = 100
		w.Config.Log.Calls = "off" // files are no part of this
		w.Config.Web.Allow = append(w.Config.Web.Allow, webHost)
		menu := `<Response>%s<Speak>Press one for the next menu, two for the end.</Speak><UserInput Timeout="4" Digits="1" ForwardToUrl="http://app/more"/><GoTo Url="http://app/more"/></Response>`
		var mu sync.Mutex
		n := 0
		w.Web.Handle("/ivr", func(Post) Answer {
			mu.Lock()
			defer mu.Unlock()
			if n++; n%5 == 0 {
				return Answer{Body: fmt.Sprintf(menu, `<Record Format="wav" Duration="3" FinishedUrl="http://app/rec"/>`)}
			}
			return Answer{Body: fmt.Sprintf(menu, "")}
		})
		w.Web.Serve("/more", `<Response><Speak>Thank you very much for calling us today.</Speak><Hangup/></Response>`)
		w.Web.Serve("/rec", "")
		ann := w.Phone("1001")
		for _, way := range [][2]string{{switchHost, ann.Host}, {ann.Host, switchHost}} {
			w.Net.SetLink(netip.MustParseAddr(way[0]), netip.MustParseAddr(way[1]), simnet.Link{Delay: Link, Loss: 0.05})
		}
		var placed, failed int
		one := func(i int) {
			o := phone.Options{From: fmt.Sprint(10000 + i), HangupAfter: time.Minute, Say: []phone.Say{{At: time.Second, Source: Noise(2 * time.Second)}}}
			switch i % 4 {
			case 0:
				o.HangupAfter = 2500 * time.Millisecond
			case 1, 2:
				o.Keys = []phone.Press{{At: 6 * time.Second, Keys: "1"}}
			}
			mu.Lock()
			c := ann.Place("9000", o)
			placed++
			mu.Unlock()
			r := c.Over()
			mu.Lock()
			defer mu.Unlock()
			if r.Code != 0 || r.Cause != phone.HungUp && r.Cause != phone.TheyHungUp {
				failed++
				t.Logf("call %d: %v", i, r)
			}
		}
		run := func(d time.Duration) {
			end := time.Now().Add(d)
			var wg sync.WaitGroup
			for seat := range seats {
				wg.Go(func() {
					w.Pass(time.Duration(seat) * 37 * time.Millisecond)
					for i := seat; time.Now().Before(end); i += seats + 1 {
						one(i)
					}
				})
			}
			wg.Wait()
		}
		count := func() (s stock, heap int64) {
			w.Pass(2 * time.Minute) // transactions, idle connections
			for i := range 8192 {   // the event log keeps so many of the latest
				if w.Server.Events().Emit(trace.Event{Type: trace.Registration}); i%64 == 0 {
					w.Settle()
				}
			}
			w.Forget()
			s = take(t, map[string]int{})
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return s, int64(m.HeapAlloc)
		}
		run(10 * time.Second) // pools, caches and maps have their size
		before, heap := count()
		first, lost := placed, w.Net.Lost()
		run(*soak)
		after, heapAfter := count()
		t.Logf("%d calls (%d failed), %d packets lost; goroutines %d, then %d; descriptors %d, then %d; heap %d kB, then %d kB",
			placed-first, failed, w.Net.Lost()-lost, before.goroutines, after.goroutines, before.descriptors, after.descriptors, heap>>10, heapAfter>>10)
		if failed > 0 {
			t.Errorf("%d of %d calls failed", failed, placed)
		}
		if d := after.goroutines - before.goroutines; d < -5 || d > 5 {
			t.Errorf("%+d goroutines, want ± 5", d)
		}
		if d := after.descriptors - before.descriptors; d < -5 || d > 5 {
			t.Errorf("%+d descriptors, want ± 5", d)
		}
		if d := float64(heapAfter-heap) / float64(heap); d < -0.05 || d > 0.05 {
			t.Errorf("heap %+.1f %%, want ± 5 %%", 100*d)
		}
	})
}
