package bridge

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/switch/call"
)

// The ringing tone sounds in its cadence, a prompt interrupts it, and it goes on; in
// every codec, also where it was wanted before there was sound.
func TestRingback(t *testing.T) {
	for _, co := range codec.Table {
		calls(t, func(w *two) {
			w.connect(w.a, true, co)
			w.b.Ringback("a", true)
			time.Sleep(10*time.Second + 50*time.Millisecond)
			const s = time.Second
			for i := range time.Duration(2) {
				w.wantTone(co.Name+", on", w.a, 5*i*s+s/5, 5*i*s+s, 425, -18.5, -14)
				w.wantTone(co.Name+", off", w.a, 5*i*s+s+s/4, 5*i*s+5*s, 425, -200, -60)
			}
			w.a.heard()
			if _, err := w.a.ours.PlayIn(context.Background(), tone(1000, s/2)); err != nil {
				t.Error(err)
			}
			time.Sleep(s / 4)
			w.wantTone(co.Name+", a prompt", w.a, s/5, s/2, 1000, -15, -11)
			w.wantTone(co.Name+", a prompt", w.a, s/5, s/2, 425, -200, -50)
			w.b.Ringback("a", false)
			time.Sleep(s / 2)
			w.a.heard()
			time.Sleep(6 * s)
			w.wantTone(co.Name+", ended", w.a, 0, 6*s, 425, -200, -60)
		})
	}
}

// Hold music plays until it is ended, also after the codec has become another; it
// goes on after the ringing tone, which comes before it.
func TestMusic(t *testing.T) {
	calls(t, func(w *two) {
		opened := 0
		w.b.c.Music = func() (media.Source, error) { opened++; return media.Tone(44100, 700, -20, 3*time.Second), nil }
		w.connect(w.a, true, codec.PCMU)
		w.connect(w.c, true, codec.PCMU)
		const s = time.Second
		w.b.Music("a", true)
		w.b.Music("c", true)
		w.b.Ringback("a", true)
		time.Sleep(s)
		w.wantTone("music", w.c, s/2, s, 700, -22, -18)
		w.wantTone("ringing", w.a, s/5, s, 425, -20, -14)
		w.b.Ringback("a", false)
		w.a.heard()
		time.Sleep(4 * s)
		w.wantTone("music after the ringing tone", w.a, s/2, s, 700, -22, -18)
		w.wantTone("music over and over", w.a, 3*s+s/2, 4*s, 700, -22, -18)

		again := call.Media{Addr: w.c.leg.addr, Codecs: []call.Codec{{PT: 8, Name: "PCMA", ClockRate: 8000}}}
		w.c.c.Codecs = []*codec.Codec{codec.PCMA}
		answer, err := w.b.Agree("c", &again)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.b.Connect("c", again); err != nil {
			t.Fatal(err)
		}
		if err := w.c.Connect("phone", answer); err != nil {
			t.Fatal(err)
		}
		w.c.heard()
		time.Sleep(s)
		w.wantTone("music in another codec", w.c, s/2, s, 700, -22, -18)
		if w.c.of != codec.PCMA || opened != 1 {
			t.Errorf("c hears %v, the file was opened %d times, want PCMA, once", w.c.of, opened)
		}
	})
}

// Where there is no file, or a broken one, there is a melody; it never clips, is
// quiet, and has an end that fits to its beginning.
func TestMelody(t *testing.T) {
	b := New(Config{Slog: discard, Music: func() (media.Source, error) { return nil, errors.New("broken") }})
	for _, co := range codec.Table {
		c, err := b.backs.clip(b, music, co)
		if err != nil || len(c.Frames) != 800 {
			t.Fatalf("%v: %d frames, %v, want 800", co, len(c.Frames), err)
		}
	}
	pcm, err := media.ReadAll(melody(8000))
	if err != nil {
		t.Fatal(err)
	}
	most, sum := 0, 0.0
	for _, v := range pcm {
		most = max(most, int(v), -int(v))
		sum += float64(v) * float64(v)
	}
	rms := 20 * math.Log10(math.Sqrt(sum/float64(len(pcm)))/32768)
	if most > 3300 || rms > -27 || rms < -34 || pcm[0] != 0 || pcm[len(pcm)-1] > 50 || pcm[len(pcm)-1] < -50 {
		t.Errorf("the melody has peaks of %d, %.1f dBFS, and goes from %d to %d", most, rms, pcm[len(pcm)-1], pcm[0])
	}
}

// Each country's tone has its frequencies and its cadence.
func TestCountries(t *testing.T) {
	for name, want := range map[string]struct {
		hz    []float64
		round time.Duration
	}{
		"": {[]float64{425}, 5 * time.Second}, "EU": {[]float64{425}, 5 * time.Second},
		"us": {[]float64{440, 480}, 6 * time.Second}, "uk": {[]float64{400, 450}, 3 * time.Second},
	} {
		c := ringing[country(name)]
		pcm, err := media.ReadAll(c.source(8000))
		if err != nil || media.Rate(8000).D(len(pcm)) != want.round {
			t.Errorf("%q: a round of %v, %v, want %v", name, media.Rate(8000).D(len(pcm)), err, want.round)
		}
		for _, hz := range want.hz {
			if l := level(8000, pcm[800:2400], hz); l < -21 || l > -14 {
				t.Errorf("%q: %v Hz at %.1f dBFS", name, hz, l)
			}
		}
	}
	if got := strings.Join(Countries(), " "); got != "eu uk us" {
		t.Errorf("Countries = %s", got)
	}
}
