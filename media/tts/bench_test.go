package tts

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkVoice says fresh sentences by the embedded voice, at so many a second for five seconds, and alone. Budget:
// 50 ms of CPU for a second of speech. queue-ms is how long first pieces waited for their turn, first-ms until they
// were there.
func BenchmarkVoice(b *testing.B) {
	needEmbedded(b)
	for _, rate := range []int{0, 1, 5, 10} {
		name := "alone"
		if rate > 0 {
			name = fmt.Sprintf("fresh=%d/s", rate)
		}
		b.Run(name, func(b *testing.B) {
			v := speaking(b, Config{})
			watched := &watch{engine: v.main.engine, begun: map[string]time.Time{}}
			v.main.engine = watched
			if err := v.Warm(b.Context()); err != nil {
				b.Fatal(err)
			}
			var mu sync.Mutex
			var queue, came []time.Duration
			speech, quick, n := time.Duration(0), 0, 0
			sentence := func() {
				mu.Lock()
				n++
				text := fmt.Sprintf("Caller number %d, your call is important to us, please wait.", n)
				mu.Unlock()
				begun := time.Now()
				for p, err := range v.Say(b.Context(), Request{Text: text}) {
					if err != nil {
						b.Error(err)
						return
					}
					mu.Lock()
					if at := watched.at(p.Text); !at.IsZero() {
						queue = append(queue, at.Sub(begun))
					}
					came = append(came, time.Since(begun))
					if p.Quick {
						quick++
					}
					speech += p.Rate.D(len(p.PCM))
					mu.Unlock()
				}
			}
			cpu := childrenCPU()
			for b.Loop() {
				if rate == 0 {
					sentence()
					continue
				}
				var calls sync.WaitGroup
				next := time.NewTicker(time.Second / time.Duration(rate))
				for range 5 * rate {
					calls.Go(sentence)
					<-next.C
				}
				next.Stop()
				calls.Wait()
			}
			cpu = childrenCPU() - cpu
			ms := func(ds []time.Duration, p int) float64 {
				slices.Sort(ds)
				if len(ds) == 0 {
					return 0
				}
				return float64(ds[min(len(ds)-1, len(ds)*p/100)].Microseconds()) / 1000
			}
			b.ReportMetric(float64(cpu.Milliseconds())/speech.Seconds(), "cpu-ms/speech-s")
			b.ReportMetric(ms(queue, 50), "queue-ms-p50")
			b.ReportMetric(ms(queue, 99), "queue-ms-p99")
			b.ReportMetric(ms(came, 99), "first-ms-p99")
			b.ReportMetric(float64(quick), "quick")
		})
	}
}

// watch is an engine that notes when it begins with a text.
type watch struct {
	engine
	mu    sync.Mutex
	begun map[string]time.Time
}

func (w *watch) say(ctx context.Context, voice, text string) (sound, error) {
	w.mu.Lock()
	if w.begun[text].IsZero() {
		w.begun[text] = time.Now()
	}
	w.mu.Unlock()
	return w.engine.say(ctx, voice, text)
}

func (w *watch) at(text string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.begun[text]
}

// childrenCPU is what the processes below this one have used; 0 where there is no /proc. Clock ticks are 10 ms on every
// Linux that Go runs on.
func childrenCPU() (sum time.Duration) {
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		b, err := os.ReadFile("/proc/" + d.Name() + "/stat")
		if err != nil {
			continue
		}
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(f) < 13 || f[1] != strconv.Itoa(os.Getpid()) {
			continue
		}
		for _, ticks := range f[11:13] {
			n, _ := strconv.Atoi(ticks)
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return sum
}
