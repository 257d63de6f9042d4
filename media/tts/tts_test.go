package tts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
)

// TestMain lets the test binary be its own worker.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		if err := Serve(os.Stdin, os.Stdout, os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	switch filepath.Base(os.Args[0]) {
	case "espeak-ng":
		os.Exit(fakeEspeak())
	case "flite":
		os.Exit(fakeFlite())
	}
	os.Exit(m.Run())
}

// needEmbedded fails, rather than skips, without the artefact: a product without a voice is not what is tested.
func needEmbedded(t testing.TB) {
	t.Helper()
	if err := BuiltIn(); err != nil {
		t.Fatal(err)
	}
}

// speaking returns a running Voice whose workers are this binary.
func speaking(t testing.TB, c Config) *Voice {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c.Program = self
	if c.Args == nil {
		// The compiled engine is kept between tests: compiling takes its time.
		c.Args = []string{"worker", engineCache}
	}
	c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	v, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	run(t, v)
	return v
}

func run(t testing.TB, v *Voice) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- v.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

var engineCache = os.TempDir() + "/ozswitch-test-engine"

// rms is the level of the loud half of a sound, in dBFS.
func rms(pcm []int16) float64 {
	sum, n := 0.0, 0
	for at := 0; at+320 <= len(pcm); at += 320 {
		e := 0.0
		for _, s := range pcm[at : at+320] {
			e += float64(s) * float64(s)
		}
		if e/320 > 300*300 {
			sum, n = sum+e/320, n+1
		}
	}
	return 10*math.Log10(sum/float64(max(n, 1))) - 20*math.Log10(32768)
}

// TestEmbeddedVoices: every voice says a sentence, of plausible length, and all are equally loud.
func TestEmbeddedVoices(t *testing.T) {
	needEmbedded(t)
	v := speaking(t, Config{Workers: 1})
	for _, name := range v.Voices() {
		var pcm []int16
		var rate media.Rate
		for p, err := range v.Say(t.Context(), Request{Text: "Your call will be recorded. Please press one for sales, or two for support.", Voice: name}) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if p.Note != "" {
				t.Errorf("%s: note %q", name, p.Note)
			}
			pcm, rate = append(pcm, p.PCM...), p.Rate
		}
		if rate != 16000 {
			t.Errorf("%s: rate %d, want 16000", name, rate)
		}
		if d := rate.D(len(pcm)).Seconds(); d < 3 || d > 8 {
			t.Errorf("%s: %.2f s of speech, want 3 to 8", name, d)
		}
		if l := rms(pcm); math.Abs(l+20) > 2 {
			t.Errorf("%s: level %.1f dBFS, want -20 within 2", name, l)
		} else {
			t.Logf("%s: %.2f s, %.1f dBFS", name, rate.D(len(pcm)).Seconds(), l)
		}
	}
}

// TestEmbeddedRefuses: notes and errors of the real voice.
func TestEmbeddedRefuses(t *testing.T) {
	needEmbedded(t)
	v := speaking(t, Config{Workers: 1})
	for _, text := range []string{"", " ", "...", "日本語", "<b></b>"} {
		for p, err := range v.Say(t.Context(), Request{Text: text}) {
			if !errors.Is(err, ErrNothing) {
				t.Errorf("Say(%q) = %d samples, %v; want ErrNothing", text, len(p.PCM), err)
			}
		}
	}
	for _, c := range []struct {
		r    Request
		note string
	}{
		{Request{Text: "hi", Voice: "SLT", Language: "en-UK"}, ""},
		{Request{Text: "hi", Voice: "Microsoft Anna"}, `no voice "Microsoft Anna": slt speaks`},
		{Request{Text: "hi", Language: "hu"}, `no voice speaks "hu"`},
	} {
		n := 0
		for p, err := range v.Say(t.Context(), c.r) {
			if err != nil || len(p.PCM) == 0 || !strings.Contains(p.Note, c.note) || (c.note == "") != (p.Note == "") {
				t.Errorf("%+v: %d samples, note %q, %v; want note %q", c.r, len(p.PCM), p.Note, err, c.note)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%+v: %d pieces, want 1", c.r, n)
		}
	}
}

// TestEmbeddedLongText: pieces of a text of thousands of letters come one by one, each of bounded length.
func TestEmbeddedLongText(t *testing.T) {
	needEmbedded(t)
	v := speaking(t, Config{Workers: 2, Voice: "kal16"})
	text := strings.Repeat("This is one more sentence of a long text. ", 10) + strings.Repeat("word ", 200)
	n := 0
	for p, err := range v.Say(t.Context(), Request{Text: text}) {
		if err != nil {
			t.Fatal(err)
		}
		if d := p.Rate.D(len(p.PCM)); d > 90*time.Second || d < 500*time.Millisecond || d%media.Frame != 0 {
			t.Errorf("%q lasts %v", p.Text, d)
		}
		n++
	}
	if n < 13 {
		t.Errorf("%d pieces, want 14", n)
	}
}

// TestWarm starts the engine; the compiled engine stays on disk for the next process.
func TestWarm(t *testing.T) {
	needEmbedded(t)
	dir := t.TempDir()
	v := speaking(t, Config{Workers: 1, Args: []string{"worker", dir}})
	if err := v.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) == 0 {
		t.Errorf("nothing kept in the engine's folder: %v", err)
	}
}
