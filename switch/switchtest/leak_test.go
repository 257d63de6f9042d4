package switchtest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
)

// A stock is what a process holds.
type stock struct{ goroutines, descriptors, objects int }

// ours are the packages whose objects are counted: those that hold calls.
var ours = []string{"switch/exchange.", "switch/bridge.", "switch/sip.", "switch/script.", "media/pace.", "switch/call."}

func take(t *testing.T, where map[string]int) (s stock) {
	t.Helper()
	runtime.GC()
	runtime.GC() // the profile is that of the last but one
	s.goroutines = runtime.NumGoroutine()
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		s.descriptors = len(fds)
	}
	records := make([]runtime.MemProfileRecord, 20000)
	n, ok := runtime.MemProfile(records, false)
	if !ok {
		t.Fatalf("%d places allocate, too many to look at", n)
	}
	for _, r := range records[:n] {
		if place := call(r.Stack()); place != "" {
			s.objects += int(r.InUseObjects())
			where[place] += int(r.InUseObjects())
		}
	}
	return s
}

// call is where of ours an object was made, "" when it is none of a call's.
func call(stack []uintptr) (place string) {
	frames := runtime.CallersFrames(stack)
	for {
		f, more := frames.Next()
		name, own := strings.CutPrefix(f.Function, "ozswitch/")
		switch {
		case strings.HasPrefix(name, "switch/sip/transaction.(*Wheel).Set"):
			return "" // its slots grow to what was once in them, and that is all
		case strings.HasPrefix(name, "switch/phone.") && place != "":
			return "" // the other end
		}
		for _, p := range ours {
			if own && place == "" && strings.HasPrefix(name, p) {
				place = name
			}
		}
		if !more {
			return place
		}
	}
}

// TestNothingIsLeftOfCalls: after five hundred calls the switch holds what it
// held before. Calls end in all ways, with a prompt, a fetch, a recording.
func TestNothingIsLeftOfCalls(t *testing.T) {
	if testing.Short() {
		t.Skip("counts every object: some seconds")
	}
	old := runtime.MemProfileRate
	runtime.MemProfileRate = 1
	defer func() { runtime.MemProfileRate = old }()
	Run(t, func(w *World) {
		w.Config.Log.Calls = "off"
		script := `<Response>%s<Speak>hi</Speak><UserInput Timeout="1" Digits="1" ForwardToUrl="http://app/more"/></Response>`
		n := 0
		w.Web.Handle("/ivr", func(Post) Answer {
			if n++; n%10 == 0 {
				return Answer{Body: fmt.Sprintf(script, `<Record Format="wav" FinishedUrl="http://app/rec"/>`)}
			}
			return Answer{Body: fmt.Sprintf(script, "")}
		})
		w.Web.Serve("/more", `<Response><Hangup/></Response>`)
		w.Web.Serve("/rec", "")
		ann := w.Phone("1001")
		batch := func(n int, where map[string]int) stock {
			var calls []*Call
			for i := range n {
				o := phone.Options{From: fmt.Sprint(10000 + i), HangupAfter: time.Minute}
				switch i % 4 {
				case 0:
					o.HangupAfter = 500 * time.Millisecond
				case 1:
					o.Keys = []phone.Press{{At: time.Second, Keys: "1"}}
				case 2:
					o.HangupAfter = time.Nanosecond
				}
				calls = append(calls, ann.Place("9000", o))
				w.Pass(10 * time.Millisecond)
			}
			for _, c := range calls {
				c.Over()
			}
			w.Pass(2 * time.Minute) // transactions, idle connections
			for i := range 8192 {   // the event log keeps so many of the latest
				if w.Server.Events().Emit(trace.Event{Type: trace.Registration}); i%64 == 0 {
					w.Settle()
				}
			}
			w.Forget()
			return take(t, where)
		}
		was, is := map[string]int{}, map[string]int{}
		before := batch(100, was)
		after := batch(500, is)
		if d := after.goroutines - before.goroutines; d > 2 {
			t.Errorf("%d goroutines more", d)
		}
		if d := after.descriptors - before.descriptors; d > 2 {
			t.Errorf("%d descriptors more", d)
		}
		// A leak is an object a call at least, five hundred here; pools and maps
		// that have grown keep a few dozen more or less.
		if d := after.objects - before.objects; d > 250 || before.objects == 0 {
			t.Errorf("%d objects more than the %d there were:", d, before.objects)
			for place, n := range is {
				if n -= was[place]; n > 5 {
					t.Errorf("%6d %s", n, place)
				}
			}
		}
		t.Logf("before %+v, after %+v", before, after)
	})
}
