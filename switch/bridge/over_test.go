package bridge

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"ozswitch/media/codec"
)

// What a visitor plays lies over what plays already, which is 12 dB lower meanwhile
// and ends when it would have ended without him (decisions 7.4a).
func TestPlayOver(t *testing.T) {
	for _, co := range codec.Table {
		t.Run(co.Name, func(t *testing.T) {
			calls(t, func(w *two) {
				w.connect(w.a, true, co)
				time.Sleep(150 * time.Millisecond)
				w.a.heard()
				const s = time.Second
				var both sync.WaitGroup
				both.Go(func() {
					begun := time.Now()
					if heard, err := w.a.ours.PlayIn(context.Background(), tone(300, 4*s)); err != nil || heard != 4*s {
						t.Errorf("PlayIn = %v, %v, want 4 s", heard, err)
					}
					if took := time.Since(begun).Round(20 * time.Millisecond); took != 4*s {
						t.Errorf("what played took %v, want 4 s", took)
					}
				})
				time.Sleep(s)
				if heard, err := w.a.ours.PlayOver(context.Background(), tone(1000, s)); err != nil || heard != s {
					t.Errorf("PlayOver = %v, %v, want 1 s", heard, err)
				}
				both.Wait()
				if _, err := w.a.ours.PlayOver(context.Background(), tone(2000, s)); err != nil {
					t.Error(err)
				}
				time.Sleep(s / 2)
				w.wantTone("before", w.a, s/2, s, 300, -15, -11)
				w.wantTone("with the visitor", w.a, s+s/5, 2*s, 300, -27, -23)
				w.wantTone("with the visitor", w.a, s+s/5, 2*s, 1000, -15, -11)
				w.wantTone("after him", w.a, 2*s+s/4, 4*s, 300, -15, -11)
				w.wantTone("after him", w.a, 2*s+s/4, 4*s, 1000, -200, -50)
				w.wantTone("over nothing", w.a, 4*s+s/4, 5*s, 2000, -15, -11)
			})
		})
	}
}

// Each ends without the other.
func TestPlayOverStops(t *testing.T) {
	calls(t, func(w *two) {
		w.connect(w.a, true, codec.PCMU)
		time.Sleep(150 * time.Millisecond)
		w.a.heard()
		const s = time.Second
		why := errors.New("why")
		var all sync.WaitGroup
		playFor := func(d time.Duration, play func(ctx context.Context) (time.Duration, error)) {
			all.Go(func() {
				ctx, cancel := context.WithCancelCause(context.Background())
				defer time.AfterFunc(d, func() { cancel(why) }).Stop()
				if heard, err := play(ctx); err != why || heard.Round(50*time.Millisecond) != d {
					t.Errorf("played for %v, %v, want %v", heard, err, d)
				}
			})
		}
		playFor(s, func(ctx context.Context) (time.Duration, error) { return w.a.ours.PlayOver(ctx, tone(1000, 4*s)) })
		playFor(3*s, func(ctx context.Context) (time.Duration, error) { return w.a.ours.PlayIn(ctx, tone(300, 4*s)) })
		time.Sleep(2 * s)
		playFor(2*s, func(ctx context.Context) (time.Duration, error) { return w.a.ours.PlayOver(ctx, tone(2000, 4*s)) })
		all.Wait()
		time.Sleep(s / 2)
		w.wantTone("both", w.a, s/2, s, 300, -27, -23)
		w.wantTone("both", w.a, s/2, s, 1000, -15, -11)
		w.wantTone("the visitor has stopped", w.a, s+s/4, 2*s, 300, -15, -11)
		w.wantTone("the visitor has stopped", w.a, s+s/4, 2*s, 1000, -200, -50)
		w.wantTone("the script has stopped", w.a, 3*s+s/4, 4*s, 2000, -15, -11)
		w.wantTone("the script has stopped", w.a, 3*s+s/4, 4*s, 300, -200, -50)
	})
}

// A visitor of a call of two lies over what the other party says.
func TestPlayOverJoin(t *testing.T) {
	calls(t, func(w *two) {
		w.connect(w.a, true, codec.PCMU)
		w.connect(w.c, true, codec.PCMU)
		w.b.Join("a", "c")
		time.Sleep(150 * time.Millisecond)
		w.a.heard()
		w.c.heard()
		const s = time.Second
		var both sync.WaitGroup
		both.Go(func() { w.a.says(t, 200, 3*s) })
		time.Sleep(s)
		if _, err := w.c.ours.PlayOver(context.Background(), tone(1000, s)); err != nil {
			t.Error(err)
		}
		both.Wait()
		time.Sleep(s / 2)
		w.wantTone("before", w.c, s/2, s, 200, -15, -11)
		w.wantTone("with the visitor", w.c, s+s/5, 2*s, 200, -27, -23)
		w.wantTone("with the visitor", w.c, s+s/5, 2*s, 1000, -15, -11)
		w.wantTone("after him", w.c, 2*s+s/4, 3*s, 200, -15, -11)
		w.wantTone("the other party", w.a, 0, 3*s, 1000, -200, -60)
	})
}
