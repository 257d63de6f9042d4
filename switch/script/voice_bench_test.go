package script

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/media/tts"
)

// TestMain lets the test binary be the voice's worker.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		if err := tts.Serve(os.Stdin, os.Stdout, os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// BenchmarkPacingBesideVoice paces 200 legs on real sockets for five seconds, without a voice and with every worker of
// one busy all the time, and tells how late the pacing threads were: the upper end of the histogram's bucket that holds
// the 99.9th percentile. Budget: under 20 ms beside a busy voice, so that no packet misses its turn (measured on two
// shared cores: 2 ms without a voice, 20 with).
func BenchmarkPacingBesideVoice(b *testing.B) {
	for _, talking := range []bool{false, true} {
		name := "voice=none"
		if talking {
			name = "voice=busy"
		}
		b.Run(name, func(b *testing.B) {
			p := pace.New(pace.Config{})
			ctx, cancel := context.WithCancel(context.Background())
			var all sync.WaitGroup
			all.Go(func() { _ = p.Run(ctx) })
			defer all.Wait()
			defer cancel()
			for i := range 100 {
				talkers(b, p, uint32(2*i))
			}
			made := 0
			if talking {
				made = chatter(b, ctx, &all)
			}
			before := p.Lag()
			for b.Loop() {
				wait := time.NewTimer(5 * time.Second)
				<-wait.C
			}
			after := p.Lag()
			b.ReportMetric(float64(late(before, after).Microseconds())/1000, "late-ms-p99.9")
			b.ReportMetric(float64(after.Max.Microseconds())/1000, "late-ms-max")
			b.ReportMetric(float64(made), "workers")
		})
	}
}

// talkers adds two legs that send each other silence.
func talkers(b *testing.B, p *pace.Pacer, ssrc uint32) {
	b.Helper()
	var ws [2]pace.Wire
	for i := range ws {
		w, err := pace.Listen(netip.MustParseAddrPort("127.0.0.1:0"))
		if err != nil {
			b.Fatal(err)
		}
		ws[i] = w
	}
	co := codec.PCMU
	for i, w := range ws {
		l := pace.NewLeg(pace.LegConfig{Wire: w, Remote: ws[1-i].LocalAddr(), Format: pace.Format{PT: co.PT, Ticks: co.Ticks(), Silence: co.Silence, Lasts: co.Lasts, Join: co.Join}, SSRC: ssrc + uint32(i), Silence: true})
		if err := p.Add(l); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { p.Remove(l) })
	}
}

// chatter keeps two workers of the embedded voice busy with fresh sentences until ctx ends.
func chatter(b *testing.B, ctx context.Context, all *sync.WaitGroup) (workers int) {
	b.Helper()
	if err := tts.BuiltIn(); err != nil {
		b.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	v, err := tts.New(tts.Config{Workers: 2, Program: self, Args: []string{"worker", os.TempDir() + "/ozswitch-test-engine"}})
	if err != nil {
		b.Fatal(err)
	}
	all.Go(func() { _ = v.Run(ctx) })
	if err := v.Warm(ctx); err != nil {
		b.Fatal(err)
	}
	for i := range 4 {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				text := fmt.Sprintf("Caller number %d of line %d, your call is important to us, please wait until somebody is free.", n, i)
				for range v.Say(ctx, tts.Request{Text: text}) {
				}
			}
		})
	}
	return 2
}

// late is the 99.9th percentile of what came between two readings.
func late(before, after pace.Lag) time.Duration {
	var n, seen uint64
	for i := range after.Counts {
		n += after.Counts[i] - before.Counts[i]
	}
	for i := range after.Counts {
		if seen += after.Counts[i] - before.Counts[i]; seen*1000 >= n*999 {
			if i < len(after.Bounds) {
				return after.Bounds[i]
			}
			break
		}
	}
	return after.Max
}
