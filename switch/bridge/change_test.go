package bridge

import (
	"context"
	"iter"
	"math"
	"sync"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/switch/call"
)

// A call goes from codec to codec, and under other payload types, while a prompt
// plays and is heard: it goes on where it was, is never noise, and keys are heard
// as before.
func TestChangeOfCodec(t *testing.T) {
	offers := []call.Codec{
		{PT: 8, Name: "PCMA", ClockRate: 8000}, {PT: 9, Name: "G722", ClockRate: 8000},
		{PT: 120, Name: "opus", ClockRate: 48000, Channels: 2}, {PT: 121, Name: "opus", ClockRate: 48000, Channels: 2}, {PT: 0, Name: "PCMU", ClockRate: 8000},
	}
	join(t, nil, func(e *ends, far *Bridge, answer call.Media) {
		var mu sync.Mutex
		var pcm []int16 // at 8 kHz, as it was heard
		var of *codec.Codec
		var dec *codec.Patcher
		codecs := ""
		stop, err := e.far.Record(func(b *pace.Block) {
			mu.Lock()
			defer mu.Unlock()
			if c := CodecOf(b); b.N > 0 && c != of {
				of, dec = c, codec.NewPatcher(c)
				codecs += c.Name + " "
			}
			for i := range b.N {
				frame := make([]int16, of.Rate.Frame())
				dec.Decode(frame, b.In(i))
				for j := 0; j < len(frame); j += len(frame) / 160 {
					pcm = append(pcm, frame[j])
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		keys := ""
		e.near.OnKey(func(k byte, _ bool, _ time.Time) { mu.Lock(); defer mu.Unlock(); keys += string(k) })
		var work sync.WaitGroup
		const length = 6 * time.Second
		work.Go(func() {
			begun := time.Now()
			heard, err := e.near.PlayIn(context.Background(), func(co *codec.Codec) iter.Seq2[*pace.Clip, error] {
				return func(yield func(*pace.Clip, error) bool) {
					for i := range 6 { // each second a tone of its own
						frames, err := co.Frames(media.Tone(co.Rate, 400+200*float64(i), -12, time.Second))
						if !yield(&pace.Clip{Frames: frames}, err) {
							return
						}
					}
				}
			})
			if took := time.Since(begun); err != nil || (heard-length).Abs() > 100*time.Millisecond || (took-length).Abs() > 100*time.Millisecond {
				t.Errorf("PlayIn = %v, %v, and took %v, want %v", heard, err, took, length)
			}
		})
		offer := call.Media{Addr: e.far.addr, Dir: call.SendRecv}
		for i, c := range offers {
			time.Sleep(time.Duration(900+10*i) * time.Millisecond)
			offer.Codecs, offer.Keys = []call.Codec{c}, []call.Codec{{PT: uint8(96 + i), Name: "telephone-event", ClockRate: c.ClockRate}}
			again, err := e.near.b.Agree("n", &offer)
			if err != nil || !again.Codecs[0].Is(c.Name, c.ClockRate) || again.Codecs[0].PT != c.PT || len(again.Keys) != 1 {
				t.Fatalf("Agree to %v = %+v, %v", c, again, err)
			}
			if err := e.near.b.Connect("n", offer); err != nil {
				t.Fatal(err)
			}
			if err := far.Connect("f", again); err != nil {
				t.Fatal(err)
			}
			if err := e.far.SendKeys(context.Background(), string(rune('1'+i))); err != nil {
				t.Error(err)
			}
		}
		work.Wait()
		time.Sleep(500 * time.Millisecond)
		stop()
		time.Sleep(500 * time.Millisecond)
		mu.Lock()
		defer mu.Unlock()
		if keys != "12345" {
			t.Errorf("keys %q, want 12345", keys)
		}
		if want := "PCMU PCMA G722 opus PCMU "; codecs != want {
			t.Errorf("heard %q, want %q", codecs, want)
		}
		for i := range 6 { // the middle of each second, which no change touches
			part := pcm[8000*i+2500:][:3200]
			power, crossings := 0.0, 0
			for j, v := range part {
				power += float64(v) * float64(v)
				if j > 0 && part[j-1] < 0 && v >= 0 {
					crossings++
				}
			}
			level, hz := 10*math.Log10(power/float64(len(part)))-90.3, float64(crossings)/0.4
			if math.Abs(hz-(400+200*float64(i))) > 8 || math.Abs(level+15) > 2 {
				t.Errorf("second %d: %.0f Hz at %.1f dBFS, want %d at -15", i, hz, level, 400+200*i)
			}
		}
	})
}
