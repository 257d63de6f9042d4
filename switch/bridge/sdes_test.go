package bridge

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/mediatest"
	"ozswitch/media/pace"
	"ozswitch/media/sdes"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// spied is a wire that remembers whether a frame of silence went out as it is.
type spied struct {
	pace.Wire
	plain *atomic.Bool
}

func (s spied) Send(b []byte) error {
	if bytes.HasSuffix(b, codec.PCMU.Silence) {
		s.plain.Store(true)
	}
	return s.Wire.Send(b)
}

// secureEnds is a bridge for two legs that call each other.
func secureEnds(t *testing.T, f func(t *testing.T, b *Bridge, plain *atomic.Bool)) {
	synctest.Test(t, func(t *testing.T) {
		n := simnet.New(1)
		var plain atomic.Bool
		p := pace.New(pace.Config{Portable: true, Shards: 1})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); _ = p.Run(ctx) }()
		b := New(Config{
			Pacer: p, Listen: func() (pace.Wire, error) { w, err := n.Wire("10.0.0.1:0"); return spied{w, &plain}, err },
			Codecs: []*codec.Codec{codec.PCMU}, Rand: func() uint32 { return 7 }, Silence: true, Slog: slog.New(slog.DiscardHandler),
		})
		defer func() {
			b.Close("a")
			b.Close("b")
			b.Wait()
			cancel()
			<-done
		}()
		f(t, b, &plain)
	})
}

func openLeg(b *Bridge, id call.LegID, remote *call.Media, s call.Security) (call.Media, error) {
	return b.Open(call.OpenMedia{Leg: id, Remote: remote, Security: s}, func(call.Event) bool { return true }, trace.SinkFunc(func(trace.Event) {}))
}

// says plays a text by a leg and gives what the other one hears.
func says(t *testing.T, from, to *Leg, text string) string {
	t.Helper()
	var mu sync.Mutex
	var pcm []int16
	dec := codec.PCMU.NewDecoder()
	stop, err := to.Record(func(b *pace.Block) {
		mu.Lock()
		defer mu.Unlock()
		for i := range b.N {
			frame := make([]int16, 160)
			dec.Decode(frame, b.In(i))
			pcm = append(pcm, frame...)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	frames, err := codec.PCMU.Frames(media.Samples(8000, mediatest.Spell(text, 8000)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := from.Play(t.Context(), func(yield func(*pace.Clip, error) bool) { yield(&pace.Clip{Frames: frames}, nil) }); err != nil {
		t.Fatal(err)
	}
	<-time.After(500 * time.Millisecond)
	stop()
	<-time.After(100 * time.Millisecond)
	mu.Lock()
	defer mu.Unlock()
	return mediatest.Text(pcm, 8000)
}

// Who offers and who answers agree on SRTP, on none, or not at all.
func TestSecurity(t *testing.T) {
	const (
		off, opt, must = call.Plain, call.Optional, call.Mandatory
	)
	for _, c := range []struct {
		offers, answers call.Security
		secure          bool
		refused         string // "" = they talk
	}{
		{off, off, false, ""}, {off, opt, false, ""}, {off, must, false, "srtp: mandatory"},
		{opt, off, false, ""}, {opt, opt, true, ""}, {opt, must, true, ""},
		{must, off, false, "srtp: off"}, {must, opt, true, ""}, {must, must, true, ""},
	} {
		names := [...]string{"off", "optional", "mandatory"}
		t.Run(names[c.offers]+" to "+names[c.answers], func(t *testing.T) {
			secureEnds(t, func(t *testing.T, b *Bridge, plain *atomic.Bool) {
				offer, err := openLeg(b, "a", nil, c.offers)
				if err != nil {
					t.Fatal(err)
				}
				if offer.Secure != (c.offers == must) || (len(offer.Crypto) > 0) != (c.offers != off) {
					t.Errorf("the offer is secure %v with %d keys", offer.Secure, len(offer.Crypto))
				}
				answer, err := openLeg(b, "b", &offer, c.answers)
				if c.refused != "" {
					if _, ok := errors.AsType[*AgreeError](err); !ok || !strings.Contains(err.Error(), c.refused) {
						t.Errorf("the answer: %v, want it refused with %q", err, c.refused)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if answer.Secure != offer.Secure || (len(answer.Crypto) == 1) != c.secure {
					t.Errorf("the answer is secure %v with %d keys", answer.Secure, len(answer.Crypto))
				}
				if err := errors.Join(b.Connect("b", offer), b.Connect("a", answer)); err != nil {
					t.Fatal(err)
				}
				a, z := b.Leg("a"), b.Leg("b")
				if a.Secure() != c.secure || z.Secure() != c.secure {
					t.Errorf("secure: %v and %v, want %v", a.Secure(), z.Secure(), c.secure)
				}
				if got := says(t, a, z, "hello there"); got != "hello there" {
					t.Errorf("heard %q", got)
				}
				if got := says(t, z, a, "and back"); got != "and back" {
					t.Errorf("heard %q", got)
				}
				if plain.Load() == c.secure {
					t.Errorf("silence went out as it is: %v", plain.Load())
				}
			})
		})
	}
}

// A re-INVITE keeps our key, takes a new one of theirs, and cannot take SRTP away
// where it must be.
func TestSecurityLater(t *testing.T) {
	secureEnds(t, func(t *testing.T, b *Bridge, _ *atomic.Bool) {
		offer, err := openLeg(b, "a", nil, call.Mandatory)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := openLeg(b, "b", &offer, call.Mandatory)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(b.Connect("b", offer), b.Connect("a", answer)); err != nil {
			t.Fatal(err)
		}
		if got := says(t, b.Leg("a"), b.Leg("b"), "first"); got != "first" {
			t.Errorf("heard %q", got)
		}
		again, err := b.Agree("b", &offer)
		if err != nil || again.Crypto[0] != answer.Crypto[0] {
			t.Errorf("Agree = %v, %v, want our key as it was", again.Crypto, err)
		}
		if err := b.Connect("b", offer); err != nil {
			t.Fatal(err)
		}
		// The next offer of a has other keys.
		sec, fresh := b.Leg("a").sec, offer
		sec.lines = nil
		for _, c := range offer.Crypto {
			k, err := sdes.New(c.Suite, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			sec.lines = append(sec.lines, keyLine{c.Tag, k})
		}
		sec.describe(&fresh, true)
		if again, err = b.Agree("b", &fresh); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(b.Connect("b", fresh), b.Connect("a", again)); err != nil {
			t.Fatal(err)
		}
		if got := says(t, b.Leg("a"), b.Leg("b"), "second"); got != "second" {
			t.Errorf("heard %q by the new key", got)
		}
		plain := fresh
		plain.Crypto, plain.Secure = nil, false
		if _, err := b.Agree("b", &plain); err == nil {
			t.Error("an offer without keys was taken where SRTP is mandatory")
		}
		if err := b.Connect("a", plain); err == nil {
			t.Error("an answer without keys was taken where SRTP is mandatory")
		}
		alien := fresh
		alien.Crypto = []call.Crypto{{Tag: 1, Suite: "F8_128_HMAC_SHA1_80", Key: fresh.Crypto[0].Key}}
		if _, err := b.Agree("b", &alien); err == nil || !strings.Contains(err.Error(), sdes.AES80) {
			t.Errorf("a suite that is not spoken: %v, want the refusal to name ours", err)
		}
	})
}
