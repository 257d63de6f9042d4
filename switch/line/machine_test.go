package line

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/sip"
)

func at(n byte) sip.Place {
	return sip.Place{Transport: "udp", Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 5060)}
}

// A world answers what a machine asks; what it does is written down.
type world struct {
	m      *Machine
	now    time.Time
	begun  time.Time
	names  func(w *world) ([]sip.Place, error)
	answer func(w *world, a Action) sip.Asked // Register and Ping
	log    []string
	last   string
}

func (w *world) since() time.Duration { return w.now.Sub(w.begun) }

// run lets the machine do for so long what it will. An answer is there at once,
// but for silence, which takes 32 s.
func (w *world) run(d time.Duration) {
	end := w.now.Add(d)
	type pending struct {
		at time.Time
		do func()
	}
	var late []pending
	for range 10000 {
		for _, a := range w.m.Due(w.now) {
			switch a := a.(type) {
			case Resolve:
				p, err := w.names(w)
				w.m.Resolved(w.now, p, err)
			case Register:
				w.say("register %s %v", short(a.At), a.Expires)
				got := w.answer(w, a)
				if !got.Heard && got.Code == 408 {
					late = append(late, pending{w.now.Add(32 * time.Second), func() { w.m.Registered(w.now, a.At, got) }})
				} else {
					w.m.Registered(w.now, a.At, got)
				}
			case Ping:
				got := w.answer(w, a)
				if !got.Heard && got.Code == 408 {
					late = append(late, pending{w.now.Add(8 * time.Second), func() { w.m.Pinged(w.now, a.At, got) }})
				} else {
					w.m.Pinged(w.now, a.At, got)
				}
			}
		}
		s := w.m.Status(w.now)
		if told := strings.TrimSpace(fmt.Sprintf("%s %s", s.State, yes(s.Registered, "registered"))); told != w.last {
			w.last = told
			w.say("is %s", told)
		}
		next := w.m.Next()
		for _, p := range late {
			if next.IsZero() || p.at.Before(next) {
				next = p.at
			}
		}
		if next.IsZero() || next.After(end) {
			w.now = end
			return
		}
		w.now = later(w.now, next)
		for i, p := range late {
			if !p.at.After(w.now) {
				late = append(late[:i:i], late[i+1:]...)
				p.do()
				break
			}
		}
	}
	panic("it never rests")
}

func yes(b bool, word string) string {
	if b {
		return word
	}
	return ""
}

func short(p sip.Place) string { return fmt.Sprint(p.Addr.Addr().As4()[3]) }

func (w *world) say(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%v ", w.since())+fmt.Sprintf(format, args...))
}

var (
	silence = sip.Asked{Code: 408, Reason: "no answer in time"}
	refused = sip.Asked{Code: 503, Reason: "connection refused"}
)

func said(code int) sip.Asked { return sip.Asked{Code: code, Reason: "R", Heard: true} }

func ok(d time.Duration) sip.Asked {
	return sip.Asked{Code: 200, Reason: "OK", Heard: true, Granted: d}
}

// newWorld gives a machine without jitter (0.5 is the middle) at a carrier with two
// places.
func newWorld(c Config) *world {
	w := &world{begun: time.Unix(1e9, 0), names: func(*world) ([]sip.Place, error) { return []sip.Place{at(1), at(2)}, nil }, last: "unknown"}
	w.now = w.begun
	c.Name, c.Addresses = "carrier", []string{"10.0.0.1", "10.0.0.2"}
	w.m = NewMachine(c, w.now, func() float64 { return 0.5 })
	return w
}

func TestMachine(t *testing.T) {
	for _, c := range []struct {
		name   string
		c      Config
		answer func(w *world, a Action) sip.Asked
		lasts  time.Duration
		want   string
		why    string // the Status at the end
	}{
		{"refresh", Config{Register: true}, func(*world, Action) sip.Asked { return ok(1000 * time.Second) }, 30 * time.Minute,
			"0s register 1 1h0m0s; 0s is up registered; 12m55s register 1 1h0m0s; 25m50s register 1 1h0m0s", ""},
		{"a short grant at its half", Config{Register: true, Expires: time.Minute}, func(*world, Action) sip.Asked { return ok(40 * time.Second) }, time.Minute,
			"0s register 1 1m0s; 0s is up registered; 19s register 1 1m0s; 38s register 1 1m0s; 57s register 1 1m0s", ""},
		{"too brief", Config{Register: true, Expires: time.Minute}, func(w *world, a Action) sip.Asked {
			if r := a.(Register); r.Expires < 20*time.Minute {
				x := said(423)
				x.Least = 20 * time.Minute
				return x
			}
			return ok(20 * time.Minute)
		}, time.Minute, "0s register 1 1m0s; 0s register 1 20m0s; 0s is up registered", ""},
		{"too brief for ever", Config{Register: true}, func(w *world, a Action) sip.Asked {
			x := said(423)
			x.Least = a.(Register).Expires + time.Hour
			return x
		}, 10 * time.Minute, "0s register 1 1h0m0s; 0s register 1 2h0m0s; 0s is down", "the carrier wants registrations of at least"},
		{"a wrong password", Config{Register: true, User: "u", Password: "p"}, func(*world, Action) sip.Asked { return said(403) }, 31 * time.Minute,
			"0s register 1 1h0m0s; 0s is down; 15m0s register 1 1h0m0s; 30m0s register 1 1h0m0s", `the carrier does not take user "u" with this password (403 R)`},
		{"no password", Config{Register: true, User: "u"}, func(*world, Action) sip.Asked { return said(401) }, time.Minute,
			"0s register 1 1h0m0s; 0s is down", "the carrier asks for a password, and the line has none (401 R)"},
		{"another realm", Config{Register: true, User: "u", Password: "p"}, func(*world, Action) sip.Asked {
			x := said(401)
			x.Realm = "evil"
			return x
		}, time.Minute, "0s register 1 1h0m0s; 0s is down", `of realm "evil", which is not the line's`},
		{"nobody there", Config{Register: true}, func(*world, Action) sip.Asked { return refused }, 11 * time.Minute,
			"0s register 1 1h0m0s; 0s register 2 1h0m0s; 0s is down; 2s register 1 1h0m0s; 2s register 2 1h0m0s; " +
				"6s register 1 1h0m0s; 6s register 2 1h0m0s; 14s register 1 1h0m0s; 14s register 2 1h0m0s; 30s register 1 1h0m0s; 30s register 2 1h0m0s; " +
				"1m2s register 1 1h0m0s; 1m2s register 2 1h0m0s; 2m6s register 1 1h0m0s; 2m6s register 2 1h0m0s; " +
				"4m14s register 1 1h0m0s; 4m14s register 2 1h0m0s; 8m30s register 1 1h0m0s; 8m30s register 2 1h0m0s", "udp 10.0.0.2:5060 cannot be reached: connection refused"},
		{"silence, then the next", Config{Register: true}, func(w *world, a Action) sip.Asked {
			if a.(Register).At == at(1) {
				return silence
			}
			return ok(time.Hour)
		}, time.Hour, "0s register 1 1h0m0s; 32s register 2 1h0m0s; 32s is up registered; 47m2s register 2 1h0m0s", ""},
		{"later, please", Config{Register: true}, func(w *world, a Action) sip.Asked {
			if w.since() < 100*time.Second {
				x := said(503)
				x.RetryAfter = 100 * time.Second
				return x
			}
			return ok(time.Hour)
		}, 10 * time.Minute, "0s register 1 1h0m0s; 0s register 2 1h0m0s; 0s is down; 1m40s register 1 1h0m0s; 1m40s is up registered", ""},
		{"a refresh that fails is not the end yet", Config{Register: true}, func(w *world, a Action) sip.Asked {
			if w.since() > 0 && w.since() < 70*time.Second {
				return refused
			}
			return ok(100 * time.Second)
		}, 2 * time.Minute, "0s register 1 1h0m0s; 0s is up registered; 47.5s register 1 1h0m0s; 47.5s register 2 1h0m0s; 47.5s is down registered; " +
			"49.5s register 1 1h0m0s; 49.5s register 2 1h0m0s; 53.5s register 1 1h0m0s; 53.5s register 2 1h0m0s; 1m1.5s register 1 1h0m0s; 1m1.5s register 2 1h0m0s; " +
			"1m17.5s register 1 1h0m0s; 1m17.5s is up registered", ""},
		{"known by address", Config{Ping: 30 * time.Second}, func(*world, Action) sip.Asked { return said(404) }, 5 * time.Minute, "0s is up", ""},
		{"neither", Config{}, nil, time.Hour, "", ""},
		{"three pings", Config{Ping: 30 * time.Second}, func(w *world, a Action) sip.Asked {
			if w.since() > 59*time.Second && w.since() < 5*time.Minute {
				return silence
			}
			return said(200)
		}, 10 * time.Minute, "0s is up; 1m44s is down; 5m24s is up", ""}, // at 60, 78 and 96 s, each 8 s long
		{"nobody ever", Config{Ping: 30 * time.Second}, func(*world, Action) sip.Asked { return said(503) }, 10 * time.Minute, "20s is down", "udp 10.0.0.1:5060 answers 503 R"},
		{"one of two", Config{Ping: 30 * time.Second}, func(w *world, a Action) sip.Asked {
			if a.(Ping).At == at(1) {
				return refused
			}
			return said(200)
		}, 10 * time.Minute, "0s is up", "udp 10.0.0.1:5060 cannot be reached: connection refused"},
		{"registered where nobody is any more", Config{Register: true, Ping: 30 * time.Second}, func(w *world, a Action) sip.Asked {
			switch a := a.(type) {
			case Register:
				if w.since() > 20*time.Second && a.At == at(1) {
					return refused
				}
				return ok(time.Hour)
			case Ping:
				if a.At == at(1) && w.since() > 20*time.Second {
					return refused
				}
			}
			return said(200)
		}, 10 * time.Minute, "0s register 1 1h0m0s; 0s is up registered; 50s register 2 1h0m0s", "udp 10.0.0.1:5060 cannot be reached: connection refused"},
		{"away and back, when there is no other", Config{Register: true, Ping: 30 * time.Second}, func(w *world, a Action) sip.Asked {
			if w.since() > 50*time.Second && w.since() < 3*time.Minute {
				return refused
			}
			return ok(time.Hour)
		}, 10 * time.Minute, "0s register 1 1h0m0s; 0s is up registered; 1m20s is down registered; 1m20s register 2 1h0m0s; 1m20s register 1 1h0m0s; 1m22s register 1 1h0m0s; 1m22s register 2 1h0m0s; " +
			"1m26s register 1 1h0m0s; 1m26s register 2 1h0m0s; 1m34s register 1 1h0m0s; 1m34s register 2 1h0m0s; 1m50s register 1 1h0m0s; 1m50s register 2 1h0m0s; " +
			"2m22s register 1 1h0m0s; 2m22s register 2 1h0m0s; 3m20s is up registered; 3m20s register 1 1h0m0s", ""},
		{"back before the wait is over", Config{Register: true, Ping: 30 * time.Second}, func(w *world, a Action) sip.Asked {
			if w.since() < 4*time.Minute+20*time.Second {
				return refused
			}
			return ok(time.Hour)
		}, 10 * time.Minute, "0s register 1 1h0m0s; 0s register 2 1h0m0s; 0s is down; 2s register 1 1h0m0s; 2s register 2 1h0m0s; 6s register 1 1h0m0s; 6s register 2 1h0m0s; " +
			"14s register 1 1h0m0s; 14s register 2 1h0m0s; 30s register 1 1h0m0s; 30s register 2 1h0m0s; 1m2s register 1 1h0m0s; 1m2s register 2 1h0m0s; " +
			"2m6s register 1 1h0m0s; 2m6s register 2 1h0m0s; 4m14s register 1 1h0m0s; 4m14s register 2 1h0m0s; 4m20s register 1 1h0m0s; 4m20s is up registered", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(c.c)
			w.answer = c.answer
			w.run(c.lasts)
			if got := strings.Join(w.log, "; "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if s := w.m.Status(w.now); !strings.Contains(s.Why, c.why) || c.why == "" && s.Why != "" {
				t.Errorf("why %q, want %q", s.Why, c.why)
			}
		})
	}
}

// TestNames: a name that leads nowhere is asked for again, one that leads
// elsewhere is followed, and an error forgets nothing.
func TestNames(t *testing.T) {
	w := newWorld(Config{Register: true})
	w.m.c.Addresses = []string{"sip.carrier.test"}
	var asked []string
	w.names = func(w *world) ([]sip.Place, error) {
		asked = append(asked, w.since().String())
		switch d := w.since(); {
		case d < 10*time.Second:
			return nil, errors.New("no such host")
		case d < 400*time.Second:
			return []sip.Place{at(1)}, nil
		case d < 700*time.Second:
			return nil, errors.New("server misbehaving")
		}
		return []sip.Place{at(2)}, nil
	}
	w.answer = func(*world, Action) sip.Asked { return ok(time.Hour) }
	w.run(10 * time.Second)
	if s := w.m.Status(w.now); s.State != Down || s.Why != "no such host" {
		t.Errorf("%+v", s)
	}
	w.run(20 * time.Minute)
	if got, want := strings.Join(w.log, "; "), "0s is down; 14s is unknown; 14s register 1 1h0m0s; 14s is up registered; 12m20s register 2 1h0m0s"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := strings.Join(asked[:3], " "); got != "0s 2s 6s" {
		t.Errorf("asked at %s", got)
	}
}

// TestOrder: calls are sent first where somebody is known to be.
func TestOrder(t *testing.T) {
	w := newWorld(Config{Ping: 30 * time.Second})
	up := at(2)
	w.answer = func(w *world, a Action) sip.Asked {
		if a.(Ping).At == up {
			return said(200)
		}
		return refused
	}
	if got := fmt.Sprint(w.m.Places()); got != "[]" {
		t.Errorf("before: %s", got)
	}
	w.run(0)
	if got := w.m.Places(); got[0] != at(2) || len(got) != 2 {
		t.Errorf("the first is unknown yet: %v", got)
	}
	up = at(1)
	w.run(5 * time.Minute)
	if got := w.m.Places(); got[0] != at(1) {
		t.Errorf("the second is down: %v", got)
	}
}

// TestStop: what is registered is given up, once; what is not is not.
func TestStop(t *testing.T) {
	w := newWorld(Config{Register: true})
	w.answer = func(*world, Action) sip.Asked { return ok(time.Hour) }
	if got := w.m.Stop(w.now); got != nil {
		t.Errorf("not registered, and %v", got)
	}
	w = newWorld(Config{Register: true})
	w.answer = func(*world, Action) sip.Asked { return ok(time.Hour) }
	w.run(time.Minute)
	if got := fmt.Sprint(w.m.Stop(w.now)); got != fmt.Sprint([]Action{Register{At: at(1)}}) {
		t.Errorf("got %v", got)
	}
	if got := w.m.Stop(w.now); got != nil || !w.m.Next().IsZero() || w.m.Due(w.now.Add(time.Hour)) != nil {
		t.Errorf("stopped, and %v", got)
	}
}

// TestJitter: waits differ by a quarter either way.
func TestJitter(t *testing.T) {
	for _, c := range []struct {
		rand float64
		want time.Duration
	}{{0, 1500 * time.Millisecond}, {0.5, 2 * time.Second}, {0.999999, 2500 * time.Millisecond}} {
		m := NewMachine(Config{}, time.Time{}, func() float64 { return c.rand })
		if got := m.wait(1).Round(time.Millisecond); got != c.want {
			t.Errorf("%v: %v, want %v", c.rand, got, c.want)
		}
		if got := m.wait(50); got > longestWait*5/4 || got < longestWait*3/4 {
			t.Errorf("%v: the longest is %v", c.rand, got)
		}
	}
}

func TestShown(t *testing.T) {
	for _, c := range []struct {
		c                Config
		rule, own, shown string
	}{
		{Config{CallerID: "+36", User: "u"}, "+99", "1001", "+99"},
		{Config{CallerID: "+36", User: "u"}, "", "1001", "+36"},
		{Config{User: "u"}, "", "1001", "u"},
		{Config{}, "", "1001", "1001"},
	} {
		if got := c.c.Shown(c.rule, c.own); got != c.shown {
			t.Errorf("%+v %q %q: %q, want %q", c.c, c.rule, c.own, got, c.shown)
		}
	}
	for addr, want := range map[string]string{"sip.x.test": "sip.x.test", "sip.x.test:5070": "sip.x.test", "10.0.0.1:5060": "10.0.0.1", "[fd00::1]:5060": "[fd00::1]", "[fd00::1]": "[fd00::1]"} {
		if got := (&Config{Addresses: []string{addr}}).Domain(); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
}

// TestAnythingGoes: whatever a carrier answers, a line neither stands still nor
// hammers, and never says what it is not.
func TestAnythingGoes(t *testing.T) {
	codes := []int{200, 200, 200, 301, 400, 401, 403, 404, 407, 408, 423, 480, 486, 500, 503, 603}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(Config{Register: r.IntN(4) > 0, Ping: time.Duration(r.IntN(2)) * 30 * time.Second, Expires: time.Duration(1+r.IntN(7200)) * time.Second})
		w.m.c.Addresses = []string{"carrier.test"}
		w.names = func(*world) ([]sip.Place, error) {
			var all []sip.Place
			for i := range r.IntN(4) {
				all = append(all, at(byte(1+(i+r.IntN(2))%4)))
			}
			if r.IntN(5) == 0 {
				return nil, errors.New("no such host")
			}
			return slices.Compact(all), nil
		}
		registers := 0
		w.answer = func(_ *world, a Action) sip.Asked {
			if _, ok := a.(Register); ok {
				registers++
			}
			switch r.IntN(6) {
			case 0:
				return silence
			case 1:
				return refused
			}
			x := said(codes[r.IntN(len(codes))])
			x.Granted = time.Duration(r.IntN(4000)) * time.Second
			x.Least = time.Duration(r.IntN(9000)) * time.Second
			x.RetryAfter = time.Duration(r.IntN(2)*r.IntN(500)) * time.Second
			return x
		}
		const days = 2
		for range days * 24 {
			w.run(time.Hour)
			s := w.m.Status(w.now)
			if s.Registered != w.now.Before(s.Until) || s.State == Up && w.m.c.Register && !s.Registered || s.State == Down && s.Why == "" {
				t.Fatalf("seed %d: %+v", seed, s)
			}
		}
		if w.m.Next().IsZero() && w.m.c.Register {
			t.Fatalf("seed %d: it has stopped: %+v", seed, w.m.Status(w.now))
		}
		if w.m.c.Register && registers < 5 || registers > days*24*400 { // 10 s is the shortest grant
			t.Fatalf("seed %d: %d registrations in %d days", seed, registers, days)
		}
	}
}
