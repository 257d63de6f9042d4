package bridge

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"net/netip"
	"strings"
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

const near, far = "10.0.0.1", "10.0.0.2"

// TestAnswer: the caller's preference counts, its numbers are kept, and
// directions are mirrored (RFC 3264 6.1).
func TestAnswer(t *testing.T) {
	pcmu, pcma := call.Codec{PT: 0, Name: "PCMU", ClockRate: 8000}, call.Codec{PT: 8, Name: "pcma", ClockRate: 8000}
	keys := call.Codec{PT: 97, Name: "telephone-event", ClockRate: 8000, Fmtp: "0-15"}
	wide := call.Codec{PT: 98, Name: "telephone-event", ClockRate: 48000}
	unknown := call.Codec{PT: 18, Name: "G729", ClockRate: 8000}
	b := New(Config{})
	for _, c := range []struct {
		name  string
		offer call.Media
		codec call.Codec
		keys  uint8
		dir   call.MediaDir
		err   string
	}{
		{"theirs first", call.Media{Codecs: []call.Codec{pcma, pcmu}}, pcma, 0, call.SendRecv, ""},
		{"unknown ones are passed over", call.Media{Codecs: []call.Codec{unknown, pcmu}, Keys: []call.Codec{wide, keys}}, pcmu, 97, call.SendRecv, ""},
		{"keys of another clock do not count", call.Media{Codecs: []call.Codec{pcmu}, Keys: []call.Codec{wide}}, pcmu, 0, call.SendRecv, ""},
		{"hold", call.Media{Codecs: []call.Codec{pcmu}, Dir: call.SendOnly}, pcmu, 0, call.RecvOnly, ""},
		{"they only listen", call.Media{Codecs: []call.Codec{pcmu}, Dir: call.RecvOnly}, pcmu, 0, call.SendOnly, ""},
		{"inactive", call.Media{Codecs: []call.Codec{pcmu}, Dir: call.Inactive}, pcmu, 0, call.Inactive, ""},
		{"none in common", call.Media{Codecs: []call.Codec{unknown}}, call.Codec{}, 0, 0, "offered G729, we take "},
		{"nothing offered", call.Media{}, call.Codec{}, 0, 0, "offered nothing, we take "},
	} {
		m, _, err := b.answer(call.OpenMedia{Remote: &c.offer}, nil)
		if c.err != "" {
			if _, ok := errors.AsType[*CodecError](err); !ok || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", c.name, err, c.err)
			}
			continue
		}
		if err != nil || len(m.Codecs) != 1 || m.Codecs[0] != c.codec || m.Dir != c.dir {
			t.Errorf("%s: %+v, %v; want %v %v", c.name, m, err, c.codec, c.dir)
		}
		if got := len(m.Keys) == 1 && m.Keys[0].PT == c.keys; got != (c.keys != 0) {
			t.Errorf("%s: keys %+v, want payload type %d", c.name, m.Keys, c.keys)
		}
	}
}

// A rig is a bridge with one leg that is connected.
type rig struct {
	*Bridge
	leg    *Leg
	mu     sync.Mutex
	posted []call.Event
	events []trace.Event
	stop   func()
}

func newRig(t *testing.T) *rig {
	t.Helper()
	n := simnet.New(1)
	r := &rig{}
	p := pace.New(pace.Config{Portable: true, Shards: 1})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	r.Bridge = New(Config{
		Pacer: p, Listen: func() (pace.Wire, error) { return n.Wire(near + ":0") }, Advertise: netip.MustParseAddr("192.0.2.1"),
		Rand: func() uint32 { return 7 }, Silence: true, Timeout: 5 * time.Second, Slog: slog.New(slog.DiscardHandler),
	})
	post := func(e call.Event) bool { r.mu.Lock(); defer r.mu.Unlock(); r.posted = append(r.posted, e); return true }
	sink := trace.SinkFunc(func(e trace.Event) { r.mu.Lock(); defer r.mu.Unlock(); r.events = append(r.events, e) })
	offer := call.Media{Addr: netip.MustParseAddrPort(far + ":4000"), Codecs: []call.Codec{{PT: 0, Name: "PCMU", ClockRate: 8000}}}
	m, err := r.Open(call.OpenMedia{Leg: "leg", Remote: &offer}, post, sink)
	if err != nil || m.Addr.Addr() != netip.MustParseAddr("192.0.2.1") || m.Addr.Port() == 0 {
		t.Fatalf("Open: %+v, %v", m, err)
	}
	if err := r.Connect("leg", offer); err != nil {
		t.Fatal(err)
	}
	r.leg = r.Leg("leg")
	r.stop = func() {
		r.Close("leg")
		r.Close("leg") // twice is once
		r.Wait()
		cancel()
		<-done
	}
	return r
}

// clips are n clips of a length each.
func clips(n int, each time.Duration) iter.Seq2[*pace.Clip, error] {
	return func(yield func(*pace.Clip, error) bool) {
		for range n {
			frames := make([][]byte, each/(20*time.Millisecond))
			for i := range frames {
				frames[i] = codec.Table[0].Silence
			}
			if !yield(&pace.Clip{Frames: frames}, nil) {
				return
			}
		}
	}
}

// TestPlay: a prompt lasts as long as it is, to the nanosecond, however it is cut
// into clips, and is cut short by its context and by the end of the leg.
func TestPlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		begun := time.Now()
		took := func(want time.Duration) {
			t.Helper()
			if got := time.Since(begun); got != want {
				t.Errorf("took %v, want %v", got, want)
			}
			begun = time.Now()
		}
		for n, each := range map[int]time.Duration{1: 40 * time.Millisecond, 7: time.Second, 100: 200 * time.Millisecond} {
			heard, err := r.leg.Play(t.Context(), clips(n, each))
			if err != nil || heard != time.Duration(n)*each {
				t.Errorf("Play = %v, %v, want %v", heard, err, time.Duration(n)*each)
			}
			took(time.Duration(n) * each)
		}
		if heard, err := r.leg.Play(t.Context(), clips(0, 0)); heard != 0 || err != nil {
			t.Errorf("Play of nothing = %v, %v", heard, err)
		}
		took(0)

		why := errors.New("why")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 1500*time.Millisecond, why)
		defer cancel()
		if heard, err := r.leg.Play(ctx, clips(9, time.Second)); err != why || heard != 1500*time.Millisecond {
			t.Errorf("Play that was cut short = %v, %v, want 1.5s, why", heard, err)
		}
		took(1500 * time.Millisecond)

		bad := errors.New("bad")
		broken := func(yield func(*pace.Clip, error) bool) { yield(nil, bad) }
		if _, err := r.leg.Play(t.Context(), broken); err != bad {
			t.Errorf("Play of a broken prompt: %v", err)
		}
		time.AfterFunc(time.Second, func() { r.Close("leg") })
		if _, err := r.leg.Play(t.Context(), clips(9, time.Second)); !errors.Is(err, ErrClosed) {
			t.Errorf("Play on a leg that is closed: %v, want ErrClosed", err)
		}
		r.stop()
	})
}

// TestMediaLost: nothing ever came; that is told, and the leg lives on until it
// is closed.
func TestMediaLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		time.Sleep(6 * time.Second)
		r.mu.Lock()
		if len(r.posted) != 1 || r.posted[0] != (call.MediaLost{Leg: "leg"}) {
			t.Errorf("posted %+v, want MediaLost once", r.posted)
		}
		r.mu.Unlock()
		r.stop()
		if len(r.events) != 2 || r.events[0].Type != trace.MediaStarted || r.events[0].Name != "PCMU" || r.events[0].Peer == "" || r.events[0].Local == "" ||
			r.events[1].Type != trace.MediaQuality || r.events[1].Sent < 290 || r.events[1].Received != 0 {
			t.Errorf("events %+v, want the beginning, and the quality of 6 s", r.events)
		}
	})
}

// TestNoSocket: what cannot be opened is said so; an unknown leg too.
func TestNoSocket(t *testing.T) {
	full := errors.New("every port is taken")
	b := New(Config{Listen: func() (pace.Wire, error) { return nil, full }})
	if _, err := b.Open(call.OpenMedia{Leg: "leg"}, nil, nil); !errors.Is(err, full) {
		t.Errorf("Open: %v, want %v", err, full)
	}
	if err := b.Connect("nobody", call.Media{}); err == nil {
		t.Error("Connect of a leg without a socket was done")
	}
	b.Close("nobody")
}
