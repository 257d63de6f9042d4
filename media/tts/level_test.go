package tts

import (
	"context"
	"math"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/media"
)

func TestLevel(t *testing.T) {
	for _, peak := range []float64{600, 3000, 12000, 32000} {
		pcm := make([]int16, 32000)
		for i := range 16000 { // a second of tone, a second of silence
			pcm[i] = int16(peak * math.Sin(float64(i)/5))
		}
		level(pcm, 16000)
		if l := loud(pcm, 16000); math.Abs(l-loudness) > 0.2 {
			t.Errorf("a tone of peak %.0f comes to %.1f dBFS, want %.0f", peak, l, loudness)
		}
	}
	hiss := make([]int16, 16000)
	hiss[5] = 3
	level(hiss, 16000)
	if hiss[5] != 3 {
		t.Errorf("silence was amplified: %d", hiss[5])
	}
	burst := make([]int16, 16000) // speech with a crest of 30 dB: bent, never over the top
	for i := range burst {
		burst[i] = int16(200 * math.Sin(float64(i)/5))
	}
	for i := 0; i < len(burst); i += 1600 {
		burst[i] = 32767
	}
	level(burst, 16000)
	for i, s := range burst {
		if i%1600 == 0 && s < 1000 {
			t.Fatalf("sample %d turned over: %d", i, s)
		}
	}
}

// TestProgramsAsLoud: what is installed here speaks as loud as the embedded voice.
func TestProgramsAsLoud(t *testing.T) {
	for _, name := range []string{"espeak-ng", "flite"} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skip(err)
			}
			v, err := New(Config{Engine: name})
			if err != nil {
				t.Fatal(err)
			}
			run(t, v)
			for _, r := range []Request{{Text: "Your call will be recorded."}, {Text: "One."}, {Text: "Please press 1.", Voice: "kal16"}} {
				for p, err := range v.Say(t.Context(), r) {
					if err != nil {
						t.Fatal(err)
					}
					if l := loud(p.PCM, p.Rate); math.Abs(l-loudness) > 1 {
						t.Errorf("%+v: level %.1f dBFS, want %.0f", r, l, loudness)
					}
				}
			}
		})
	}
}

// TestDiskIsSwept: within a minute the cache is below its limit again, while the voice runs.
func TestDiskIsSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			most int64
			left bool
		}{{2000, false}, {-1, true}} {
			d := &disk{dir: t.TempDir(), most: c.most, log: discard()}
			done := make(chan struct{})
			ctx, cancel := context.WithCancel(t.Context())
			go func() { d.run(ctx); close(done) }()
			synctest.Wait()
			for i := range 10 {
				d.put(string(rune('a'+i))+"bcdef", sound{media.Rate(8000), make([]int16, 400)})
			}
			time.Sleep(61 * time.Second)
			synctest.Wait()
			if n := d.bytes.Load(); (n > 2000) != c.left || n == 0 {
				t.Errorf("limit %d: %d bytes are left of 8160", c.most, n)
			}
			cancel()
			<-done
		}
	})
}
