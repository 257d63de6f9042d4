package tts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs f beside a running voice in a bubble.
func bubble(t *testing.T, e *tones, f func(t *testing.T, v *Voice)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := withTones(t, e, Config{})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- v.Run(ctx) }()
		f(t, v)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

func always(d time.Duration) func(string, string) time.Duration {
	return func(string, string) time.Duration { return d }
}

// sentences is a text of that many characters, none of whose sentences occurs twice.
func sentences(name string, characters int) string {
	var b strings.Builder
	for i := 0; b.Len() < characters; i++ {
		fmt.Fprintf(&b, "This is sentence number %d of the long text called %s. ", i, name)
	}
	return b.String()[:characters]
}

// TestLongTextDelaysNobody: while texts of 10,000 characters are spoken to four calls, as fast as they can be made, the
// first pieces of others are made as if nobody else were there.
func TestLongTextDelaysNobody(t *testing.T) {
	const making = 300 * time.Millisecond
	e := &tones{n: 2, takes: always(making)}
	bubble(t, e, func(t *testing.T, v *Voice) {
		var talkers sync.WaitGroup
		ctx, cancel := context.WithCancelCause(t.Context())
		for i := range 4 {
			talkers.Go(func() {
				for range v.Say(ctx, Request{Text: sentences(fmt.Sprint(i), 10000)}) {
				}
			})
		}
		time.Sleep(10 * time.Second) // all first pieces of these are made
		for i := range 20 {
			begun := time.Now()
			for p, err := range v.Say(t.Context(), Request{Text: fmt.Sprintf("Good morning, caller %d. How are you?", i)}) {
				if d := time.Since(begun); err != nil || d != making {
					t.Errorf("%q came after %v, %v; want %v as on a free machine", p.Text, d, err, making)
				}
				break
			}
			time.Sleep(137 * time.Millisecond)
		}
		cancel(errors.New("hung up"))
		talkers.Wait()
	})
}

// TestOnePlace: with one place a first piece waits for what is being made, and for nothing else.
func TestOnePlace(t *testing.T) {
	const making = 300 * time.Millisecond
	e := &tones{n: 1, takes: always(making)}
	bubble(t, e, func(t *testing.T, v *Voice) {
		ctx, cancel := context.WithCancelCause(t.Context())
		for i := range 4 {
			go func() {
				for range v.Say(ctx, Request{Text: sentences(fmt.Sprint(i), 10000)}) {
				}
			}()
		}
		time.Sleep(5 * time.Second)
		for i := range 10 {
			begun := time.Now()
			for _, err := range v.Say(t.Context(), Request{Text: fmt.Sprintf("Good morning, caller %d.", i)}) {
				if d := time.Since(begun); err != nil || d > 2*making {
					t.Errorf("the first piece came after %v, %v; want at most %v", d, err, 2*making)
				}
			}
			time.Sleep(111 * time.Millisecond)
		}
		cancel(errors.New("hung up"))
		synctest.Wait()
	})
}

// TestHangupLeavesTheQueue: what nobody waits for any more is never made.
func TestHangupLeavesTheQueue(t *testing.T) {
	e := &tones{n: 1}
	bubble(t, e, func(t *testing.T, v *Voice) {
		e.gate = make(chan struct{}) // of the bubble
		var calls sync.WaitGroup
		ctx, hangup := context.WithCancelCause(t.Context())
		for i := range 50 {
			calls.Go(func() {
				if _, err := say(v, ctx, Request{Text: fmt.Sprintf("Caller %d. You are welcome %[1]d. Please wait.", i)}); err == nil || err.Error() != "hung up" {
					t.Errorf("who hung up got %v", err)
				}
			})
		}
		synctest.Wait()
		if v.main.turns.n != 99 {
			t.Errorf("%d pieces wait, want the first two of 50 calls but for the one being made", v.main.turns.n)
		}
		hangup(errors.New("hung up"))
		calls.Wait()
		if v.main.turns.n != 0 {
			t.Errorf("%d pieces wait after all have hung up, want 0", v.main.turns.n)
		}
		close(e.gate)
		synctest.Wait()
		if len(e.asked) != 1 || len(v.flights) != 0 || v.main.turns.free != 1 {
			t.Errorf("made %q, %d flights, %d places free; want one piece, 0, 1", e.asked, len(v.flights), v.main.turns.free)
		}
	})
}

// TestQuickVoice speaks for an engine that takes too long, and only then.
func TestQuickVoice(t *testing.T) {
	for _, c := range []struct {
		name     string
		language string
		slow     time.Duration
		fast     string
		quick    bool
		after    time.Duration
	}{
		{"in time", "", 999 * time.Millisecond, "two", false, 999 * time.Millisecond},
		{"late", "", 3 * time.Second, "two", true, 1020 * time.Millisecond},
		{"another language", "hu", 3 * time.Second, "two", false, 3 * time.Second},
		{"no quick voice", "", 3 * time.Second, "", false, 3 * time.Second},
		{"it is the quick voice", "", 3 * time.Second, "one", false, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &tones{fast: c.fast, takes: func(voice, text string) time.Duration {
				if voice == "two" {
					return 20 * time.Millisecond
				}
				if text == "Second." {
					return 100 * time.Millisecond
				}
				return c.slow
			}}
			bubble(t, e, func(t *testing.T, v *Voice) {
				begun, n := time.Now(), 0
				for p, err := range v.Say(t.Context(), Request{Text: "Hello. Second.", Language: c.language}) {
					if err != nil {
						t.Fatal(err)
					}
					if n == 0 && (p.Quick != c.quick || time.Since(begun) != c.after) {
						t.Errorf("the first piece: quick %v after %v, want %v after %v", p.Quick, time.Since(begun), c.quick, c.after)
					}
					if n > 0 && p.Quick {
						t.Error("a later piece is quick")
					}
					n++
				}
				if n != 2 {
					t.Errorf("%d pieces, want 2", n)
				}
				time.Sleep(5 * time.Second) // the good voice has finished: the next hears it
				begun = time.Now()
				for p, err := range v.Say(t.Context(), Request{Text: "Hello.", Language: c.language}) {
					if err != nil || p.Quick || time.Since(begun) != 0 {
						t.Errorf("said again: quick %v after %v, %v; want what was made then", p.Quick, time.Since(begun), err)
					}
				}
			})
		})
	}
}

// TestQuickVoiceUnderLoad: more sentences come than the good voice can make; nobody waits much longer than a second,
// and the first hear the good one.
func TestQuickVoiceUnderLoad(t *testing.T) {
	e := &tones{n: 2, fast: "two", takes: func(voice, _ string) time.Duration {
		if voice == "two" {
			return 20 * time.Millisecond
		}
		return 500 * time.Millisecond
	}}
	bubble(t, e, func(t *testing.T, v *Voice) {
		var calls sync.WaitGroup
		var mu sync.Mutex
		good, quick, worst := 0, 0, time.Duration(0)
		for i := range 200 { // 10 a second, of which the good voice makes 4
			calls.Go(func() {
				begun := time.Now()
				for p, err := range v.Say(t.Context(), Request{Text: fmt.Sprintf("Hello, caller %d.", i)}) {
					mu.Lock()
					if err != nil {
						t.Error(err)
					} else if p.Quick {
						quick++
					} else {
						good++
					}
					worst = max(worst, time.Since(begun))
					mu.Unlock()
				}
			})
			time.Sleep(100 * time.Millisecond)
		}
		calls.Wait()
		if worst > 1600*time.Millisecond || good == 0 || quick == 0 || good+quick != 200 {
			t.Errorf("%d good, %d quick, the slowest after %v; want some of each, 200 in all, 1.6 s at most", good, quick, worst)
		}
	})
}

// TestPrepare: first pieces of all texts are made before the rest, after whom somebody waits for, and Say finds them.
func TestPrepare(t *testing.T) {
	const making = 100 * time.Millisecond
	e := &tones{n: 1, takes: always(making)}
	bubble(t, e, func(t *testing.T, v *Voice) {
		ctx, cancel := context.WithCancelCause(t.Context())
		go v.Prepare(ctx, Request{Text: "Welcome. Press one."}, Request{Text: "Goodbye. See you."}, Request{Text: "..."})
		synctest.Wait()
		if texts, err := say(v, t.Context(), Request{Text: "Goodbye. Quite new."}); err != nil || len(texts) != 2 {
			t.Errorf("Say = %q, %v", texts, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want := []string{"one Welcome.", "one Goodbye.", "one Quite new.", "one Press one.", "one See you."}
		if !slices.Equal(e.asked, want) {
			t.Errorf("made %q, want %q", e.asked, want)
		}
		begun := time.Now()
		if _, err := say(v, t.Context(), Request{Text: "Welcome. Press one."}); err != nil || time.Since(begun) != 0 || len(e.asked) != 5 {
			t.Errorf("a prepared text took %v, %v; asked %q", time.Since(begun), err, e.asked)
		}

		// The end of a call ends its preparations; too long texts are left to Say.
		go v.Prepare(ctx, Request{Text: sentences("a", 4000)}, Request{Text: sentences("b", 7000)})
		time.Sleep(250 * time.Millisecond)
		cancel(errors.New("hung up"))
		time.Sleep(time.Second)
		synctest.Wait()
		if len(e.asked) != 8 || v.preparing != 0 || len(v.flights) != 0 {
			t.Errorf("after the call's end: %d made, %d preparing, %d flights; want 8, 0, 0", len(e.asked), v.preparing, len(v.flights))
		}
		v.Prepare(t.Context(), Request{Text: sentences("c", 10001)})
		v.preparing = mostPreparing
		v.Prepare(t.Context(), Request{Text: "One too many."})
		v.preparing = 0
		if len(e.asked) != 8 {
			t.Errorf("beyond the limits %q was made", e.asked[8:])
		}
	})
}

// TestRaise: a piece that is prepared and then wanted goes before other preparations.
func TestRaise(t *testing.T) {
	e := &tones{n: 1, takes: always(100 * time.Millisecond)}
	bubble(t, e, func(t *testing.T, v *Voice) {
		for _, text := range []string{"A.", "B.", "C.", "D."} {
			go v.Prepare(t.Context(), Request{Text: text})
			synctest.Wait()
		}
		if _, err := say(v, t.Context(), Request{Text: "D."}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if want := []string{"one A.", "one D.", "one B.", "one C."}; !slices.Equal(e.asked, want) {
			t.Errorf("made %q, want %q", e.asked, want)
		}
	})
}

// TestTooManyWait: the queue has an end.
func TestTooManyWait(t *testing.T) {
	e := &tones{n: 1}
	bubble(t, e, func(t *testing.T, v *Voice) {
		e.gate = make(chan struct{}) // of the bubble
		var calls sync.WaitGroup
		ctx, hangup := context.WithCancelCause(t.Context())
		for i := range mostWaiting + 1 {
			calls.Go(func() { _, _ = say(v, ctx, Request{Text: fmt.Sprint(i)}) })
		}
		synctest.Wait()
		if _, err := say(v, t.Context(), Request{Text: "one more"}); !errors.Is(err, ErrBusy) {
			t.Errorf("Say = %v, want ErrBusy", err)
		}
		hangup(errors.New("hung up"))
		calls.Wait()
		close(e.gate)
		if _, err := say(v, t.Context(), Request{Text: "one more"}); err != nil {
			t.Errorf("when there is room again: %v", err)
		}
	})
}
