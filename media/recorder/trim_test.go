package recorder

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/mp3"
)

// lanesOf writes PCM of both directions to a recording, frame by frame; nil is
// nothing that came, or was sent.
func lanesOf(rec *Recording, in, out []int16) {
	frame := func(pcm []int16, at int) []byte {
		if at+160 > len(pcm) {
			return nil
		}
		b := make([]byte, 160)
		codec.PCMU.NewEncoder().Encode(b, pcm[at:at+160])
		return b
	}
	for at := 0; at < max(len(in), len(out)); at += 160 {
		b := Block{Frames: 1}
		b.In[0], b.Out[0] = frame(in, at), frame(out, at)
		rec.Write(b)
	}
}

func both(a, b []int16) []int16 {
	all := slices.Clone(a)
	for i := range min(len(a), len(b)) {
		all[i] += b[i]
	}
	return all
}

func TestTrim(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	said := talk(8*s, -20, [2]time.Duration{3 * s, 5 * s})
	twice := talk(8*s, -20, [2]time.Duration{2 * s, 3 * s}, [2]time.Duration{5 * s, 6 * s})
	click := make([]int16, 8*hz)
	for i := range 200 {
		click[6*hz+i] = 20000
	}
	prompt := append(make([]int16, 6*hz), hum(s, 440, -15)...)
	for _, c := range []struct {
		name     string
		in, out  []int16
		from, to time.Duration // what is kept, of the eight seconds
	}{
		{"silence before and after", said, nil, 2800 * ms, 5200 * ms},
		{"comfort noise is no voice", both(said, noise(8*s, -52)), nil, 2800 * ms, 5200 * ms},
		{"a pause is kept", both(twice, noise(8*s, -60)), nil, 1800 * ms, 6200 * ms},
		{"a click is no voice", both(said, click), nil, 2800 * ms, 5200 * ms},
		{"a prompt counts", said, prompt, 2800 * ms, 7200 * ms},
		{"the other side's voice counts", noise(8*s, -55), said, 2800 * ms, 5200 * ms},
		{"voice at the very start", talk(8*s, -20, [2]time.Duration{0, s}), nil, 0, 1200 * ms},
		{"voice at the very end", talk(8*s, -20, [2]time.Duration{7 * s, 8 * s}), nil, 6800 * ms, 8 * s},
		{"something loud that does not rise and fall", slices.Concat(make([]int16, 4*hz), hum(s, 700, -10), make([]int16, 3*hz)), nil, 3800 * ms, 5200 * ms},
		{"silence", make([]int16, 8*hz), nil, 0, 500 * ms},
		{"noise", noise(8*s, -50), nil, 0, 500 * ms},
		{"nothing came", nil, make([]int16, 8*hz), 0, 500 * ms},
	} {
		for _, channels := range []int{1, 2} {
			t.Run(c.name, func(t *testing.T) {
				r, dir := folder(t, Config{})
				defer running(t, r)()
				rec, done := start(t, r, Spec{Name: "x.wav", Channels: channels, Trim: true})
				lanesOf(rec, c.in, c.out)
				rec.Stop("digit")
				d := <-done
				want := c.to - c.from
				if off := d.Duration - want; d.Err != nil || off < -120*ms || off > 120*ms {
					t.Fatalf("%v long, want %v; %v", d.Duration, want, d.Err)
				}
				pcm, w := sound(t, filepath.Join(dir, "x.wav"))
				if st, err := os.Stat(filepath.Join(dir, "x.wav")); err != nil || w.Duration() != d.Duration || st.Size() != d.Size {
					t.Errorf("the file has %d samples, %v; told %v, %d bytes", len(pcm), w.Duration(), d.Duration, d.Size)
				}
				if c.to-c.from == 500*ms {
					return
				}
				// What is kept begins and ends with silence as long as the margin.
				loudest := func(pcm []int16) (m int16) {
					for _, v := range pcm {
						m = max(m, v, -v)
					}
					return m
				}
				const n = hz / 20 // 50 ms
				if c.from > 0 && loudest(pcm[:n]) > 1500 || c.to < 8*s && loudest(pcm[len(pcm)-n:]) > 1500 {
					t.Errorf("cut into the voice: begins with %d, ends with %d", loudest(pcm[:n]), loudest(pcm[len(pcm)-n:]))
				}
			})
		}
	}
}

// TestTrimMP3: what is made an mp3 of is trimmed, and what is told is its length.
func TestTrimMP3(t *testing.T) {
	var got mp3.Sound
	e := &engine{do: func(_ context.Context, s mp3.Sound) error { got = s; return nil }}
	r, dir := folder(t, Config{Encoder: e})
	defer running(t, r)()
	rec, done := start(t, r, Spec{Name: "x.mp3", Trim: true})
	lanesOf(rec, talk(6*time.Second, -20, [2]time.Duration{2 * time.Second, 4 * time.Second}), nil)
	rec.Stop("hangup")
	d := <-done
	if d.Duration < 2300*time.Millisecond || d.Duration > 2500*time.Millisecond || got.Samples != int64(codec.PCMU.Rate.N(d.Duration)) {
		t.Errorf("told %v, encoded %d samples, want 2.4 s", d.Duration, got.Samples)
	}
	if all := exist(dir, "x"); !slices.Equal(all, []string{".mp3"}) {
		t.Errorf("files %v", all)
	}
}

// TestTrimLimit: the longest length is that of the recording, silence and all.
func TestTrimLimit(t *testing.T) {
	r, _ := folder(t, Config{})
	defer running(t, r)()
	rec, done := start(t, r, Spec{Name: "x.wav", Trim: true, Max: 3*time.Second + 10*time.Millisecond})
	lanesOf(rec, talk(6*time.Second, -20, [2]time.Duration{2 * time.Second, 6 * time.Second}), nil)
	rec.Stop("duration")
	if d := <-done; d.Duration < 1150*time.Millisecond || d.Duration > 1250*time.Millisecond {
		t.Errorf("%v long, want what is between 1.8 and 3.01 s", d.Duration)
	}
}
