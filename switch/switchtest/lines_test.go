package switchtest

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/phone"
	"ozswitch/switch/server"
	"ozswitch/switch/sip"
	"ozswitch/switch/sip/registrar"
)

// outside is a company with telephone 1001 and a carrier that is known by its
// address: the second phone of the world.
func outside(t *testing.T, f func(w *World, carrier *Phone)) {
	t.Helper()
	company(t, func(w *World) {
		w.Config.Lines = []server.Line{{Name: "carrier", Address: server.Names{PhoneHost(2)}, CallerID: "+4930", Ping: server.Every(-1)}}
		w.Config.Dialplan = []server.Rule{
			{From: "extension", Match: "00*", To: server.Names{"carrier"}, Strip: 2, Prepend: "+"},
			{From: "extension", Match: "112", To: server.Names{"carrier"}},
			{From: "carrier", Match: "+4930", To: server.Names{"1001"}},
		}
		f(w, nil)
	}, "1001")
}

// TestCallsByLine: out to the carrier, and in from it by the rules and no other
// way.
func TestCallsByLine(t *testing.T) {
	outside(t, func(w *World, _ *Phone) {
		a, carrier := w.Phone("1001"), w.Phone("+4930 carrier")
		ac := a.Place("003612", phone.Options{})
		cc := carrier.Next()
		if err := ac.Answered(context.Background()); err != nil {
			t.Fatalf("%v\n%s", err, w.Transcript(""))
		}
		if cc.From() != "+4930" {
			t.Errorf("shown to the called: %q, want +4930", cc.From())
		}
		var lines []struct {
			Name, Address, State string
			Registered           bool
			Calls                int
		}
		if err := json.Unmarshal([]byte(w.Get("/v1/lines")), &lines); err != nil || len(lines) != 1 || lines[0].Name != "carrier" || lines[0].Calls != 1 || lines[0].State != "unknown" {
			t.Errorf("lines %+v, %v", lines, err)
		}
		ac.Says(time.Second)
		w.Pass(2 * time.Second)
		ac.Call.Hangup()
		cc.Over()
		w.Until("the call is over", func() bool { return w.Up() == 0 })
		w.Until("the call is in the history", func() bool {
			return strings.Contains(w.Get("/v1/calls"), `"direction":"Outbound"`)
		})

		in := carrier.Place("+4930", phone.Options{})
		got := a.Next()
		if err := in.Answered(context.Background()); err != nil {
			t.Fatal(err)
		}
		in.Call.Hangup()
		got.Over()
		w.Until("the call is in the history", func() bool {
			h := w.Get("/v1/calls")
			return strings.Contains(h, `"source":"carrier"`) && strings.Contains(h, `"direction":"Inbound"`)
		})
		for number, want := range map[string]int{"1001": 404, "9000": 404, "003612": 404, "*72": 404} {
			if code := carrier.Refused(number); code != want {
				t.Errorf("the carrier calls %s: %d, want %d", number, code, want)
			}
		}
		if code := w.Phone("stranger").Refused("+4930"); code != 401 {
			t.Errorf("a stranger calls the carrier's number: %d", code)
		}
		w.Until("all calls are over", func() bool { return w.Up() == 0 })
	})
}

// TestFullLine: a line that has as many calls as it may have takes no more, either way.
func TestFullLine(t *testing.T) {
	outside(t, func(w *World, _ *Phone) {
		w.Config.Lines[0].MaxCalls = 1
		a, carrier := w.Phone("1001"), w.Phone("carrier")
		in := carrier.Place("+4930", phone.Options{})
		got := a.Next()
		if err := in.Answered(context.Background()); err != nil {
			t.Fatal(err)
		}
		if code := carrier.Refused("+4930"); code != 503 {
			t.Errorf("a second call from the carrier: %d, want 503", code)
		}
		if code := a.Refused("0036"); code != 503 {
			t.Errorf("a call to the carrier: %d, want 503", code)
		}
		in.Call.Hangup()
		got.Over()
		w.Until("the call is over", func() bool { return w.Up() == 0 })
		next := a.Place("0036", phone.Options{})
		if err := next.Answered(context.Background()); err != nil {
			t.Errorf("when it is over: %v", err)
		}
		next.Call.Hangup()
		w.Until("the call is over", func() bool { return w.Up() == 0 })
	})
}

// TestLimitsOfAUser: what a user may use of a line, and that help can always be
// called.
func TestLimitsOfAUser(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*server.Config)
		second int // what the second call gets while the first is up; 0 = it is answered
		third  int // and one when both are over
	}{
		{"none", func(*server.Config) {}, 0, 0},
		{"one call", func(c *server.Config) { c.Limits.User.Calls = 1 }, 503, 0},
		{"one call, but not for her", func(c *server.Config) {
			c.Limits.User.Calls = 1
			c.Extensions[1].Limits.Calls = -1
		}, 0, 0},
		{"one a minute", func(c *server.Config) { c.Extensions[1].Limits.PerMinute = 1 }, 503, 503},
		{"nine seconds a day", func(c *server.Config) { c.Limits.User.SecondsPerDay = 9 }, 403, 403},
		{"one call by the line", func(c *server.Config) { c.Lines[0].MaxCalls = 1 }, 503, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			outside(t, func(w *World, _ *Phone) {
				w.Config.Emergency = []string{"112"}
				c.change(w.Config)
				a := w.Phone("1001")
				w.Phone("carrier")
				try := func(number string, want int) (call *Call) {
					t.Helper()
					call = a.Place(number, phone.Options{})
					err := call.Answered(context.Background())
					got := 0
					if no, ok := err.(*phone.Refused); ok {
						got = no.Code
					}
					if got != want {
						t.Errorf("%s: %d, want %d (%v)", number, got, want, err)
					}
					return call
				}
				first := try("0036", 0)
				w.Pass(10 * time.Second)
				second := try("0037", c.second)
				help := try("112", 0)
				for _, one := range []*Call{first, second, help} {
					one.Call.Hangup()
				}
				w.Until("all calls are over", func() bool { return w.Up() == 0 })
				if c.third == 403 { // the day's seconds outlive a restart
					w.Stop()
					w.Restart()
				}
				third := try("0038", c.third)
				third.Call.Hangup()
				w.Until("all calls are over", func() bool { return w.Up() == 0 })
			})
		})
	}
}

// TestLineGivesUpItsPlace: a switch that stops tells the carrier, and so does a line
// that a reload takes out.
func TestLineGivesUpItsPlace(t *testing.T) {
	Run(t, func(w *World) {
		ctx, stop := context.WithCancel(context.Background())
		carrier := sip.New(sip.Config{Listen: []string{"udp://10.2.0.1:5060"}, Realm: "carrier.test", Rand: rand.NewPCG(5, 5), Log: slog.New(slog.DiscardHandler),
			Accounts:     []registrar.Account{registrar.NewAccount("u", "carrier.test", "p", "")},
			ListenPacket: func(_, at string) (net.PacketConn, error) { return w.Net.PacketConn(at) }}, nil)
		if err := carrier.Bind(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			carrier.Run(ctx)
		}()
		w.Config.Lines = []server.Line{{Name: "carrier", Address: server.Names{"10.2.0.1"}, User: "u", Password: "p", Register: true}}
		w.Config.Users = nil // a reload would find their password too short
		w.Start()
		w.Until("the line is registered", func() bool { return len(carrier.Bindings("u")) == 1 })
		was := carrier.Bindings("u")[0].Contact
		w.Options = func(o *server.Options) { o.Rand = rand.New(rand.NewPCG(7, 7)) } // another run makes other Call-IDs
		w.Stop()
		if at := carrier.Bindings("u"); len(at) != 0 {
			t.Errorf("left behind %+v", at)
		}
		w.Restart()
		w.Until("the line is registered again", func() bool { return len(carrier.Bindings("u")) == 1 })
		if is := carrier.Bindings("u")[0].Contact; is != was {
			t.Errorf("its contact is %s now, was %s", is, was)
		}
		without := *w.Config
		without.Lines = nil
		if _, err := w.Server.Reload(&without); err != nil {
			t.Fatal(err)
		}
		w.Until("the line that was taken out is registered no longer", func() bool { return len(carrier.Bindings("u")) == 0 })
		if _, err := w.Server.Reload(w.Config); err != nil {
			t.Fatal(err)
		}
		w.Until("the line is back", func() bool { return len(carrier.Bindings("u")) == 1 })
		w.Stop()
		stop()
		<-ended
	})
}
