//go:build faults

package switchtest

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ozswitch/media/recorder"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
	"ozswitch/switch/phone"
	"ozswitch/switch/sip"
)

// TestPanicEndsOneCall: with twenty calls up a bug strikes one of them, at each
// boundary behind which outside bytes are handled. The nineteen notice nothing
// and end well.
func TestPanicEndsOneCall(t *testing.T) {
	const good, unlucky = 19, "1020"
	host := PhoneHost(2) // the unlucky one's
	at := func(point string) func(w *World) func() {
		return func(w *World) func() {
			f := func(p string, remote netip.AddrPort) bool { return p == point && remote.Addr().String() == host }
			bridge.Fault.Store(&f)
			return func() { bridge.Fault.Store(nil) }
		}
	}
	for _, c := range []struct {
		name   string
		dial   string
		script string // of the unlucky call; "" = as the others
		set    func(w *World) (undo func())
		strike func(w *World, c *Call)
		lives  bool   // the struck call itself goes on
		where  string // in the switch's log; "" = in the call's alone
	}{
		{name: "exchange", dial: "panic.exchange.handle", where: "injected at exchange.handle"},
		{name: "bridge", set: at("run"), where: "injected at bridge run"},
		{name: "pace", set: at("tick"), where: "fault injected at tick"},
		{name: "command", script: `<Response><Broken/><Speak>still here</Speak><Delay>20</Delay></Response>`, lives: true},
		{name: "recorder", script: `<Response><Record Format="wav" FinishedUrl="http://app/rec"/><Speak>still here</Speak><Delay>20</Delay></Response>`, lives: true,
			set: func(w *World) func() {
				f := func(string) bool { return true }
				recorder.Fault.Store(&f)
				return func() { recorder.Fault.Store(nil) }
			}, where: "injected at recorder"},
		{name: "sip", where: "injected at sip", strike: func(w *World, c *Call) {
			var once atomic.Bool
			sip.SetFault(func(point string) {
				if point == "request" && once.CompareAndSwap(false, true) {
					panic("injected at sip")
				}
			})
			c.Call.Hangup() // its BYE strikes
			w.Pass(100 * time.Millisecond)
			sip.SetFault(nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			Run(t, func(w *World) {
				w.Errors = true
				w.Commands = with("Broken", func(context.Context, *ozml.Machine) error { panic("broken command") })
				w.Web.Serve("/rec", "")
				w.Web.Handle("/ivr", func(p Post) Answer {
					if p.Fields.Get("CallerID") == unlucky && c.script != "" {
						return Answer{Body: c.script}
					}
					return Answer{Body: `<Response><Delay>2</Delay><Speak>I am ` + p.Fields.Get("CallerID") + `</Speak><Delay>5</Delay><Speak>bye</Speak></Response>`}
				})
				if c.set != nil {
					defer c.set(w)()
				}
				ann, bob := w.Phone("1001"), w.Phone(unlucky)
				var others []*Call
				for i := range good {
					others = append(others, ann.Place("9000", phone.Options{From: fmt.Sprint(1001 + i)}))
				}
				w.Pass(500 * time.Millisecond)
				to := "9000"
				if c.dial != "" {
					to = c.dial
				}
				struck := bob.Place(to, phone.Options{})
				w.Pass(time.Second)
				if c.strike != nil {
					c.strike(w, struck)
				}
				if c.lives {
					struck.Hears("still here")
					struck.Call.Hangup()
				}
				r := struck.Over()
				t.Logf("the struck call: %v", r)
				if r.Length > 10*time.Second {
					t.Errorf("the struck call went on for %v", r.Length)
				}
				for i, o := range others {
					r := o.Over()
					want := fmt.Sprintf("i am %d bye", 1001+i)
					length := 7*time.Second + Length(want[:9]) + Length("bye")
					if got := strings.TrimSpace(o.Text()); got != want || r.Cause != phone.TheyHungUp || r.Stats.Lost != 0 || r.Length != length {
						t.Errorf("call %d: %v after %v, %d packets lost, heard %q; want %q and %v", i, r, r.Length, r.Stats.Lost, got, want, length)
					}
				}
				w.Pass(time.Minute)
				if n := w.Up(); n != 0 {
					t.Errorf("%d calls are still up", n)
				}
				if log := strings.Join(w.Logged(), "\n"); !strings.Contains(log, c.where) {
					t.Errorf("the log does not tell of %q: %s", c.where, log)
				}
				if ids := w.Dialled(unlucky); c.name != "exchange" || len(ids) > 0 {
					e := w.Events(ids[0])
					if count(e, trace.Error)+count(e, trace.CommandFail)+count(e, trace.RecordFail) == 0 && c.name != "sip" {
						t.Errorf("the call's own log does not tell of it:\n%s", w.Transcript(ids[0]))
					}
					if count(e, trace.CallEnded) != 1 {
						t.Errorf("the call's end was told %d times:\n%s", count(e, trace.CallEnded), w.Transcript(ids[0]))
					}
				}
				// The switch goes on.
				next := ann.Dial("9000")
				next.Hears("bye")
				next.Ends()
			})
		})
	}
}
