package bridge

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"ozswitch/media/codec"
)

// Legs of different formats hear each other, with keys in the clock of each.
func TestJoinDifferent(t *testing.T) {
	for _, x := range codec.Table {
		for _, y := range codec.Table {
			if x == y {
				continue
			}
			t.Run(fmt.Sprintf("%s-%s", x.Name, y.Name), func(t *testing.T) {
				calls(t, func(w *two) {
					w.connect(w.a, true, x)
					w.b.Join("a", "c")
					w.connect(w.c, true, y)
					time.Sleep(150 * time.Millisecond)
					var both sync.WaitGroup
					both.Go(func() { w.a.says(t, 500, time.Second) })
					both.Go(func() { w.c.says(t, 900, time.Second) })
					both.Wait()
					time.Sleep(time.Second)
					w.wantTone("joined", w.c, 400*time.Millisecond, time.Second, 500, -15, -10)
					w.wantTone("joined", w.a, 400*time.Millisecond, time.Second, 900, -15, -10)
					w.wantTone("joined", w.a, 400*time.Millisecond, time.Second, 500, -200, -45)
					if err := w.c.leg.SendKeys(context.Background(), "159#"); err != nil {
						t.Error(err)
					}
					time.Sleep(time.Second)
					if a, c := w.a.pressed(), w.c.pressed(); a != "159#" || c != "" {
						t.Errorf("keys at a %q, at c %q, want 159# and none", a, c)
					}
				})
			})
		}
	}
}

// A sound to one party is not heard by the other. What the other says is 12 dB lower
// meanwhile, and comes back without a click.
func TestPromptOverJoin(t *testing.T) {
	type pair struct{ x, y *codec.Codec }
	for _, p := range []pair{{codec.PCMU, codec.PCMU}, {codec.PCMA, codec.PCMA}, {codec.G722, codec.G722}, {codec.Opus, codec.Opus}, {codec.PCMU, codec.Opus}, {codec.Opus, codec.PCMU}} {
		t.Run(p.x.Name+"-"+p.y.Name, func(t *testing.T) {
			calls(t, func(w *two) {
				w.connect(w.a, true, p.x)
				w.connect(w.c, true, p.y)
				w.b.Join("a", "c")
				time.Sleep(150 * time.Millisecond)
				w.a.heard()
				w.c.heard()
				var both sync.WaitGroup
				both.Go(func() { w.a.says(t, 200, 4*time.Second) })
				time.Sleep(time.Second)
				if _, err := w.c.ours.PlayIn(context.Background(), tone(1000, time.Second)); err != nil {
					t.Error(err)
				}
				both.Wait()
				time.Sleep(500 * time.Millisecond)
				const s = time.Second
				w.wantTone("before the prompt", w.c, s/2, s, 200, -15, -11)
				w.wantTone("with the prompt", w.c, s+s/5, 2*s, 200, -27, -23)
				w.wantTone("with the prompt", w.c, s+s/5, 2*s, 1000, -15, -11)
				w.wantTone("after the prompt", w.c, 2*s+s/4, 4*s, 200, -15, -11)
				w.wantTone("after the prompt", w.c, 2*s+s/4, 4*s, 1000, -200, -50)
				w.wantTone("the other party", w.a, 0, 4*s, 1000, -200, -60)
				// The prompt's own edges are soft; a jump in the tone of 200 Hz would be
				// steeper than 1 kHz at full level.
				rate, pcm := w.c.heard()
				steep := int(2 * 8231 * 6.3 * 1200 / float64(rate))
				for i, v := range pcm[1:] {
					if d := int(v) - int(pcm[i]); d > steep || d < -steep {
						t.Errorf("a step of %d after %v, want %d at most", d, rate.D(i), steep)
						break
					}
				}
			})
		})
	}
}

// A joined leg is recorded, both directions, while packets pass and while a prompt
// lies over them.
func TestRecordJoin(t *testing.T) {
	calls(t, func(w *two) {
		w.connect(w.a, true, codec.PCMU)
		w.connect(w.c, true, codec.PCMU)
		w.b.Join("a", "c")
		both := &party{name: "recording"} // hears what our leg to c says
		stop, err := w.c.ours.Record(both.recordOut)
		if err != nil {
			t.Fatal(err)
		}
		var work sync.WaitGroup
		work.Go(func() { w.a.says(t, 500, 3*time.Second) })
		time.Sleep(time.Second)
		if _, err := w.c.ours.PlayIn(context.Background(), tone(1000, time.Second)); err != nil {
			t.Error(err)
		}
		work.Wait()
		stop()
		time.Sleep(time.Second)
		const s = time.Second
		w.wantTone("passing", both, s/5, s, 500, -15, -11)
		w.wantTone("with a prompt", both, s+s/5, 2*s, 1000, -15, -11)
		w.wantTone("with a prompt", both, s+s/5, 2*s, 500, -27, -23)
		w.wantTone("passing again", both, 2*s+s/4, 3*s, 500, -15, -11)
		if r, pcm := both.heard(); r.D(len(pcm)) < 2900*time.Millisecond || r.D(len(pcm)) > 3100*time.Millisecond {
			t.Errorf("the recording lasts %v, want 3 s", r.D(len(pcm)))
		}
	})
}
