package switchtest

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"ozswitch/switch/phone"
)

// A stock is what a process holds.
type stock struct{ goroutines, descriptors, objects int }

func take() (s stock) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.goroutines, s.objects = runtime.NumGoroutine(), int(m.HeapObjects)
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		s.descriptors = len(fds)
	}
	return s
}

// TestNothingIsLeftOfCalls: after five hundred calls the switch holds what it
// held before. Calls end in all ways; each has a prompt, a fetch, a recording.
func TestNothingIsLeftOfCalls(t *testing.T) {
	Run(t, func(w *World) {
		w.Config.Log.Calls = "brief"
		w.Web.Serve("/ivr", `<Response><Record Format="wav" FinishedUrl="http://app/rec"/><Speak>hi</Speak><UserInput Timeout="1" Digits="1" ForwardToUrl="http://app/more"/></Response>`)
		w.Web.Serve("/more", `<Response><Hangup/></Response>`)
		w.Web.Serve("/rec", "")
		ann := w.Phone("1001")
		serial := 0
		batch := func(n int) stock {
			var calls []*Call
			for range n {
				serial++
				o := phone.Options{From: fmt.Sprint(10000 + serial), HangupAfter: time.Minute}
				switch serial % 4 {
				case 0:
					o.HangupAfter = 500 * time.Millisecond
				case 1:
					o.Keys = []phone.Press{{At: time.Second, Keys: "1"}}
				case 2:
					o.HangupAfter = time.Nanosecond
				}
				calls = append(calls, ann.Place("9000", o))
				w.Pass(5 * time.Millisecond)
			}
			for _, c := range calls {
				c.Over()
			}
			calls = nil
			w.Forget()
			w.Pass(5 * time.Minute) // transactions, idle connections
			w.Forget()
			return take()
		}
		// The event log's ring and other caches of fixed size are full by then.
		batch(300)
		before := batch(300)
		after := batch(500)
		t.Logf("before %+v, after %+v", before, after)
		if d := after.goroutines - before.goroutines; d > 2 {
			t.Errorf("%d goroutines more", d)
		}
		if d := after.descriptors - before.descriptors; d > 2 {
			t.Errorf("%d descriptors more", d)
		}
		if d := after.objects - before.objects; d > 500 {
			t.Errorf("%d objects more: some of each call", d)
		}
	})
}
