package switchtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/phone"
)

// TestCrowd: a dozen people call each other all day, let it ring, hold, hand on,
// pick up, press keys and hang up whenever they like. In the end nobody is left
// in a call, and nothing went wrong inside.
func TestCrowd(t *testing.T) {
	var numbers []string
	for i := range 12 {
		numbers = append(numbers, fmt.Sprint(1001+i))
	}
	company(t, func(w *World) {
		w.Web.Serve("/ivr", `<Response><Speak>Welcome</Speak><BlindTransfer RingTime="8">1001</BlindTransfer><Speak>Nobody came</Speak></Response>`)
		var mu sync.Mutex
		var up []*phone.Call
		r := rand.New(rand.NewPCG(3, 3))
		dice := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return r.IntN(n)
		}
		add := func(c *phone.Call) {
			mu.Lock()
			defer mu.Unlock()
			up = append(up, c)
		}
		for _, n := range numbers {
			p := w.Phone(n)
			p.Reply = func() phone.Reply {
				if dice(8) == 0 {
					return phone.Reply{Refuse: []int{486, 603, 480}[dice(3)]}
				}
				return phone.Reply{Options: phone.Options{RingFor: time.Duration(dice(12)) * time.Second, HangupAfter: time.Duration(10+dice(120)) * time.Second}}
			}
		}
		some := func() string { return numbers[dice(len(numbers))] }
		var doing sync.WaitGroup
		for range 300 {
			w.Pass(time.Duration(dice(2000)) * time.Millisecond)
			for _, p := range w.phones { // who was called
				for more := true; more; {
					select {
					case c := <-p.calls:
						add(c.Call)
					default:
						more = false
					}
				}
			}
			if len(up) == 0 || dice(4) == 0 {
				to := some()
				switch dice(8) {
				case 0:
					to = "9000"
				case 1:
					to = "**"
				}
				add(w.Phone(some()).Place(to, phone.Options{HangupAfter: time.Duration(5+dice(200)) * time.Second}).Call)
				continue
			}
			mu.Lock()
			c, other := up[r.IntN(len(up))], up[r.IntN(len(up))]
			mu.Unlock()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			doing.Go(func() { // what comes of it is theirs to bear
				defer cancel()
				switch dice(7) {
				case 0:
					c.Hangup()
				case 1:
					_ = c.Hold(ctx, true)
				case 2:
					_ = c.Hold(ctx, false)
				case 3, 4:
					_ = c.Refer(ctx, at(some()))
				case 5:
					_ = c.ReferTo(ctx, other, at(some()))
				case 6:
					_ = c.Press("5")
				}
			})
		}
		doing.Wait()
		for _, c := range up {
			c.Hangup()
		}
		w.Pass(4 * time.Minute) // for those who were called meanwhile
		if n := w.Up(); n != 0 {
			for _, e := range w.Events("") {
				if e.Type == trace.CallStarted {
					if all := w.Events(e.Call); count(all, trace.CallEnded) == 0 {
						t.Errorf("%s is still up:\n%s", e.Call, w.Transcript(e.Call))
					}
				}
			}
		}
		all := w.Events("")
		for _, e := range all {
			if e.Type == trace.Error {
				t.Errorf("call %s: %s %s", e.Call, e.Code, e.Text)
			}
		}
		if n := count(all, trace.CallTransferred); n < 10 {
			t.Errorf("only %d transfers came about", n)
		}
	}, numbers...)
}
