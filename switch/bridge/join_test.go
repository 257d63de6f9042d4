package bridge

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// A party is a telephone with a bridge of its own: its leg "phone" talks to leg
// <name> of the switch.
type party struct {
	name string
	*Bridge
	leg  *Leg // the telephone's
	ours *Leg // the switch's leg to it

	mu   sync.Mutex
	keys string
	pcm  []int16 // what it hears, at its codec's rate
	dec  *codec.Patcher
	of   *codec.Codec
}

// A call of two parties by one switch.
type two struct {
	t    *testing.T
	net  *simnet.Net
	b    *Bridge // the switch
	a, c *party
	told []call.Event
	logs []trace.Event
	mu   sync.Mutex
}

// calls runs f in a bubble with a switch and a pacer.
func calls(t *testing.T, f func(w *two)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &two{t: t, net: simnet.New(1)}
		p := pace.New(pace.Config{Portable: true, Shards: 2})
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { p.Run(ctx) })
		w.b = w.bridge(p, 1, true)
		w.a = &party{name: "a", Bridge: w.bridge(p, 2, true)}
		w.c = &party{name: "c", Bridge: w.bridge(p, 3, true)}
		f(w)
		for _, x := range []*party{w.a, w.c} {
			x.Close("phone")
			w.b.Close(call.LegID(x.name))
			x.Wait()
		}
		w.b.Wait()
		cancel()
		wg.Wait()
	})
}

func (w *two) bridge(p *pace.Pacer, host int, silence bool) *Bridge {
	dice := rand.New(rand.NewPCG(1, uint64(host)))
	port := 20000
	return New(Config{Pacer: p, Timeout: time.Minute, Silence: silence, Rand: dice.Uint32, Slog: discard,
		Listen: func() (pace.Wire, error) { port += 2; return w.net.Wire(fmt.Sprintf("10.0.0.%d:%d", host, port)) },
		ListenControl: func(above pace.Wire) (pace.Wire, error) {
			return w.net.Wire(fmt.Sprintf("10.0.0.%d:%d", host, above.LocalAddr().Port()+1))
		}})
}

func (w *two) post(e call.Event) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, e)
	return true
}

func (w *two) sink() trace.Sink {
	return trace.SinkFunc(func(e trace.Event) { w.mu.Lock(); defer w.mu.Unlock(); w.logs = append(w.logs, e) })
}

// connect brings a party up: it offers only the codecs, with keys or without.
func (w *two) connect(p *party, keys bool, codecs ...*codec.Codec) {
	w.t.Helper()
	p.c.Codecs = codecs
	offer, err := p.Open(call.OpenMedia{Leg: "phone"}, func(call.Event) bool { return true }, trace.SinkFunc(func(trace.Event) {}))
	if err != nil {
		w.t.Fatal(err)
	}
	if !keys {
		offer.Keys = nil
	}
	answer, err := w.b.Open(call.OpenMedia{Leg: call.LegID(p.name), Remote: &offer}, w.post, w.sink())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.b.Connect(call.LegID(p.name), offer); err != nil {
		w.t.Fatal(err)
	}
	w.connected(p, answer)
}

// connected brings up the telephone's end.
func (w *two) connected(p *party, answer call.Media) {
	w.t.Helper()
	if err := p.Connect("phone", answer); err != nil {
		w.t.Fatal(err)
	}
	p.leg, p.ours = p.Leg("phone"), w.b.Leg(call.LegID(p.name))
	p.leg.OnKey(func(k byte, _ bool, _ time.Time) { p.mu.Lock(); defer p.mu.Unlock(); p.keys += string(k) })
	if _, err := p.leg.Record(p.record); err != nil {
		w.t.Fatal(err)
	}
}

func (p *party) record(b *pace.Block)    { p.take(b, b.In) }
func (p *party) recordOut(b *pace.Block) { p.take(b, b.Out) }

func (p *party) take(b *pace.Block, frames func(int) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := CodecOf(b); b.N > 0 && c != p.of {
		p.of, p.dec = c, codec.NewPatcher(c)
	}
	for i := range b.N {
		frame := make([]int16, p.of.Rate.Frame())
		p.dec.Decode(frame, frames(i))
		p.pcm = append(p.pcm, frame...)
	}
}

// heard takes what the party has heard since the last time.
func (p *party) heard() (media.Rate, []int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pcm := p.pcm
	if p.pcm = nil; p.of == nil {
		return 8000, nil
	}
	return p.of.Rate, pcm
}

// pressed takes the keys that the party has heard.
func (p *party) pressed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := p.keys
	p.keys = ""
	return keys
}

// says plays a tone at the party's own end; it returns when that is over.
func (p *party) says(t *testing.T, hz float64, d time.Duration) {
	t.Helper()
	if _, err := p.leg.PlayIn(context.Background(), tone(hz, d)); err != nil {
		t.Error(err)
	}
}

// tone is a prompt in any codec.
func tone(hz float64, d time.Duration) func(*codec.Codec) iter.Seq2[*pace.Clip, error] {
	return func(co *codec.Codec) iter.Seq2[*pace.Clip, error] {
		return func(yield func(*pace.Clip, error) bool) {
			frames, err := co.Frames(media.Tone(co.Rate, hz, -12, d))
			yield(&pace.Clip{Frames: frames}, err)
		}
	}
}

// level is how strong hz is in pcm, in dB below full scale of its peaks.
func level(rate media.Rate, pcm []int16, hz float64) float64 {
	var re, im float64
	for i, v := range pcm {
		s, c := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		re, im = re+c*float64(v), im+s*float64(v)
	}
	return 20 * math.Log10(1e-9+2*math.Hypot(re, im)/float64(len(pcm))/32768)
}

// middle is what lies between two times.
func middle(rate media.Rate, pcm []int16, from, to time.Duration) []int16 {
	return pcm[min(len(pcm), rate.N(from)):min(len(pcm), rate.N(to))]
}

// wantTone checks the level of a tone in what was heard between two times.
func (w *two) wantTone(what string, p *party, from, to time.Duration, hz, least, most float64) {
	w.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if got := level(p.of.Rate, middle(p.of.Rate, p.pcm, from, to), hz); got < least || got > most {
		w.t.Errorf("%s: %s hears %v Hz at %.1f dBFS from %v to %v, want %v to %v", what, p.name, hz, got, from, to, least, most)
	}
}

// Packets of one format pass both ways, in every codec; after Part nothing does.
func TestJoinSame(t *testing.T) {
	for _, co := range codec.Table {
		t.Run(co.Name, func(t *testing.T) {
			calls(t, func(w *two) {
				w.b.Join("a", "c") // before either is connected
				w.connect(w.a, true, co)
				w.connect(w.c, true, co)
				time.Sleep(150 * time.Millisecond)
				var both sync.WaitGroup
				both.Go(func() { w.a.says(t, 500, time.Second) })
				both.Go(func() { w.c.says(t, 900, time.Second) })
				both.Wait()
				time.Sleep(time.Second)
				w.wantTone("joined", w.c, 300*time.Millisecond, time.Second, 500, -15, -10)
				w.wantTone("joined", w.a, 300*time.Millisecond, time.Second, 900, -15, -10)
				w.wantTone("joined", w.a, 300*time.Millisecond, time.Second, 500, -200, -50)
				if err := w.a.leg.SendKeys(context.Background(), "12#"); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
				if c, a := w.c.pressed(), w.a.pressed(); c != "12#" || a != "" {
					t.Errorf("keys at c %q, at a %q, want 12# and none", c, a)
				}
				w.b.Part("a", "c")
				time.Sleep(150 * time.Millisecond)
				w.c.heard()
				w.a.says(t, 500, time.Second)
				w.wantTone("parted", w.c, 0, time.Second, 500, -200, -60)
			})
		})
	}
}

var discard = slog.New(slog.DiscardHandler)

// A party on hold is parted and hears music; taken back, the two hear each other
// again. Another codec in the middle of a call turns passing into coding and back.
func TestHoldAndChange(t *testing.T) {
	calls(t, func(w *two) {
		w.connect(w.a, true, codec.PCMU)
		w.connect(w.c, true, codec.PCMU)
		w.b.Join("a", "c")
		time.Sleep(150 * time.Millisecond)
		const s = time.Second
		talk := func(what string, hears bool) {
			t.Helper()
			w.a.heard()
			w.c.heard()
			var both sync.WaitGroup
			both.Go(func() { w.a.says(t, 500, s) })
			both.Go(func() { w.c.says(t, 900, s) })
			both.Wait()
			least, most := -15.0, -10.0
			if !hears {
				least, most = -200, -50
			}
			w.wantTone(what, w.c, s/2, s-s/10, 500, least, most)
			w.wantTone(what, w.a, s/2, s-s/10, 900, least, most)
		}
		offer := func(p *party, dir call.MediaDir, co *codec.Codec) {
			t.Helper()
			again := call.Media{Addr: p.leg.addr, Dir: dir, Codecs: []call.Codec{{PT: co.PT, Name: co.Name, ClockRate: co.ClockRate, Channels: co.Channels}}}
			p.c.Codecs = []*codec.Codec{co}
			answer, err := w.b.Agree(call.LegID(p.name), &again)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.b.Connect(call.LegID(p.name), again); err != nil {
				t.Fatal(err)
			}
			answer.Dir = again.Mirror() // ours is seen from the other side
			if err := p.Connect("phone", answer); err != nil {
				t.Fatal(err)
			}
		}
		talk("joined", true)
		offer(w.a, call.SendOnly, codec.PCMU) // a holds c
		w.b.Part("a", "c")
		w.b.Music("c", true)
		talk("held", false)
		if _, err := w.c.ours.PlayIn(context.Background(), tone(1000, s)); err != nil {
			t.Error(err)
		}
		w.wantTone("a prompt while held", w.c, s+s/4, 2*s-s/10, 1000, -15, -10)
		offer(w.a, call.SendRecv, codec.PCMU)
		w.b.Music("c", false)
		w.b.Join("c", "a")
		time.Sleep(150 * time.Millisecond)
		talk("taken back", true)
		offer(w.c, call.SendRecv, codec.Opus)
		time.Sleep(150 * time.Millisecond)
		talk("in two codecs", true)
		offer(w.a, call.SendRecv, codec.Opus)
		time.Sleep(150 * time.Millisecond)
		talk("in one codec again", true)
		w.b.Close("a")
		w.c.heard()
		if _, err := w.c.ours.PlayIn(context.Background(), tone(1000, s)); err != nil {
			t.Error(err)
		}
		w.wantTone("a prompt after the other left", w.c, s/4, s-s/10, 1000, -15, -10)
	})
}
