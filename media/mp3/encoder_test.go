package mp3

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ozswitch/media"
)

// TestMain lets this program be its own worker.
func TestMain(m *testing.M) {
	if i := slices.Index(os.Args, "mp3-worker"); i > 0 {
		e := Engine{}
		for rest := os.Args[i+1:]; len(rest) > 1; rest = rest[2:] {
			switch rest[0] {
			case "--lame":
				e.Lame = rest[1]
			case "--wasm":
				e.Wasm = rest[1]
			}
		}
		if err := Serve(os.Stdin, os.Stdout, e); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// encoder is one whose workers are this test program.
func encoder(t testing.TB, c Config) *Encoder {
	t.Helper()
	c.Program, c.Args, c.Workers = os.Args[0], []string{"mp3-worker"}, 1
	e := NewEncoder(c)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { e.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	return e
}

// embedded skips a test when the program was built without the engine.
func embedded(t testing.TB) {
	t.Helper()
	if err := available("", ""); err != nil {
		t.Skip(err)
	}
}

// voice is something like speech: a pulse train of 120 Hz through three moving resonances, with pauses.
func voice(n int, r media.Rate, seed float64) []int16 {
	pcm := make([]int16, n)
	var y [3][2]float64
	phase := 0.0
	for i := range pcm {
		t := float64(i)/float64(r) + seed
		phase += (120 + 20*math.Sin(2*math.Pi*3*t)) / float64(r)
		x := 0.0
		if phase >= 1 {
			phase--
			x = 1
		}
		if math.Sin(2*math.Pi*0.9*t) < -0.6 {
			x = 0
		}
		sum := 0.0
		for f, hz := range []float64{500 + 200*math.Sin(2*math.Pi*1.3*t), 1400 + 400*math.Sin(2*math.Pi*1.7*t), 2500} {
			rr := math.Exp(-math.Pi * 90 / float64(r))
			v := x + 2*rr*math.Cos(2*math.Pi*hz/float64(r))*y[f][0] - rr*rr*y[f][1]
			y[f][1], y[f][0] = y[f][0], v
			sum += v
		}
		pcm[i] = int16(max(-32000, min(32000, sum*2500)))
	}
	return pcm
}

// lay writes interleaved channels behind 44 bytes of something else.
func lay(t testing.TB, dir string, channels ...[]int16) Sound {
	t.Helper()
	b := make([]byte, 44)
	for i := range channels[0] {
		for _, c := range channels {
			b = binary.LittleEndian.AppendUint16(b, uint16(c[i]))
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "in.wav"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return Sound{Dir: dir, In: "in.wav", Offset: 44, Samples: int64(len(channels[0])), Rate: 8000, Channels: len(channels), Out: "out.mp3"}
}

// snr compares got with want in decibels, LAME's gain of 0.95 undone by the best fit.
func snr(want, got []int16) float64 {
	var xy, yy float64
	for i, w := range want {
		xy += float64(w) * float64(got[i])
		yy += float64(got[i]) * float64(got[i])
	}
	gain := xy / yy
	var signal, noise float64
	for i, w := range want {
		d := float64(w) - gain*float64(got[i])
		signal += float64(w) * float64(w)
		noise += d * d
	}
	return 10 * math.Log10(signal/noise)
}

func play(t testing.TB, name string) []int16 {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := media.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return pcm
}

// engines are those that are here, each with its Config.
func engines(t *testing.T) map[string]Config {
	all := map[string]Config{}
	if available("", "") == nil {
		all["wasm"] = Config{Lame: "off"}
	}
	if p, err := exec.LookPath("lame"); err == nil {
		all["lame"] = Config{Lame: p}
	}
	if len(all) == 0 {
		t.Skip(ErrNoEncoder)
	}
	return all
}

// TestEncodes: what is decoded is as long as the recording, in place, and sounds like it.
func TestEncodes(t *testing.T) {
	for name, c := range engines(t) {
		t.Run(name, func(t *testing.T) {
			e, dir := encoder(t, c), t.TempDir()
			for _, n := range []int{0, 1, 800, 8000, 40001, 240000} {
				pcm := voice(n, 8000, 0)
				size, err := e.Encode(t.Context(), lay(t, dir, pcm))
				if err != nil {
					t.Fatalf("%d samples: %v", n, err)
				}
				if st, err := os.Stat(filepath.Join(dir, "out.mp3")); err != nil || st.Size() != size || size%144 != 0 {
					t.Errorf("%d samples: Encode = %d bytes, the file %v, %v", n, size, st, err)
				}
				if n == 0 {
					continue
				}
				want, _ := media.ReadAll(media.Resample(media.Samples(8000, pcm), 16000))
				got := play(t, filepath.Join(dir, "out.mp3"))
				if len(got) != 2*n || len(want) != 2*n {
					t.Errorf("%d samples at 8 kHz: decoded %d at 16 kHz, want %d", n, len(got), 2*n)
					continue
				}
				if n >= 40000 {
					if db := snr(want, got); db < 20 {
						t.Errorf("%d samples: signal to noise %.1f dB, want 20", n, db)
					} else {
						t.Logf("%d samples: %.1f dB", n, db)
					}
				}
			}
		})
	}
}

// TestTwoChannels: each side stays on its own.
func TestTwoChannels(t *testing.T) {
	for name, c := range engines(t) {
		t.Run(name, func(t *testing.T) {
			e, dir := encoder(t, c), t.TempDir()
			left, right := voice(40000, 8000, 0), voice(40000, 8000, 0.5)
			size, err := e.Encode(t.Context(), lay(t, dir, left, right))
			if err != nil {
				t.Fatal(err)
			}
			if kbit := float64(size) * 8 / 5 / 1000; kbit < 63 || kbit > 66 {
				t.Errorf("%.1f kbit/s, want 64", kbit)
			}
			both := make([]int16, len(left)) // the Reader mixes
			for i := range both {
				both[i] = int16((int(left[i]) + int(right[i])) / 2)
			}
			want, _ := media.ReadAll(media.Resample(media.Samples(8000, both), 16000))
			got := play(t, filepath.Join(dir, "out.mp3"))
			if len(got) != len(want) {
				t.Fatalf("decoded %d samples, want %d", len(got), len(want))
			}
			if db := snr(want, got); db < 15 {
				t.Errorf("signal to noise %.1f dB, want 15", db)
			}
		})
	}
}

// TestOtherPrograms: other decoders find exactly the recording's length too.
func TestOtherPrograms(t *testing.T) {
	decoders := map[string][]string{
		"ffmpeg": {"-v", "error", "-xerror", "-i", "out.mp3", "-f", "s16le", "-y", "out.raw"},
		"mpg123": {"-q", "-s", "out.mp3"},
	}
	for name, c := range engines(t) {
		e := encoder(t, c)
		for decoder, args := range decoders {
			if _, err := exec.LookPath(decoder); err != nil {
				continue
			}
			for _, channels := range []int{1, 2} {
				dir := t.TempDir()
				pcm := voice(40001, 8000, 0)
				if _, err := e.Encode(t.Context(), lay(t, dir, slices.Repeat([][]int16{pcm}, channels)...)); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(decoder, args...)
				cmd.Dir = dir
				var said strings.Builder
				cmd.Stderr = &said
				raw, err := cmd.Output()
				if err != nil || said.Len() > 0 {
					t.Fatalf("%s: %v, it says %q", decoder, err, said.String())
				}
				if decoder == "ffmpeg" {
					raw, _ = os.ReadFile(filepath.Join(dir, "out.raw"))
				}
				if got := len(raw) / 2 / channels; got != 2*len(pcm) {
					t.Errorf("%s, %d channels by %s: %d samples, want %d", decoder, channels, name, got, 2*len(pcm))
					continue
				}
				want, _ := media.ReadAll(media.Resample(media.Samples(8000, pcm), 16000))
				got := make([]int16, len(want)) // the left one
				for i := range got {
					got[i] = int16(binary.LittleEndian.Uint16(raw[2*channels*i:]))
				}
				if db := snr(want, got); db < 20 {
					t.Errorf("%s, %d channels by %s: signal to noise %.1f dB, want 20", decoder, channels, name, db)
				}
			}
		}
	}
}

// TestReplaced: another file of the engine can be named, and a broken one is told of.
func TestReplaced(t *testing.T) {
	embedded(t)
	dir := t.TempDir()
	code, _ := artefacts.ReadFile(lameFile)
	mine, bad := filepath.Join(dir, "mine.wasm"), filepath.Join(dir, "bad.wasm")
	if err := errors.Join(os.WriteFile(mine, code, 0o600), os.WriteFile(bad, code[:1000], 0o600)); err != nil {
		t.Fatal(err)
	}
	// The smallest module there is exports nothing.
	empty, text := filepath.Join(dir, "empty.wasm"), filepath.Join(dir, "text.wasm")
	if err := errors.Join(os.WriteFile(empty, []byte("\x00asm\x01\x00\x00\x00"), 0o600), os.WriteFile(text, []byte("#!/bin/sh"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		mine: "", bad: "compile the encoder", text: "is no WebAssembly", filepath.Join(dir, "none.wasm"): "no such file",
		empty: "does not export _initialize, malloc, free, enc_init, enc_get_pcm, enc_encode, enc_flush, enc_get_out_buf, memory", dir: "is a directory",
	} {
		if err := CheckWasm(file); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CheckWasm(%s) = %v, want %q", filepath.Base(file), err, want)
		}
	}
	s := lay(t, dir, voice(8000, 8000, 0))
	if _, err := encoder(t, Config{Wasm: mine}).Encode(t.Context(), s); err != nil {
		t.Error(err)
	}
	if _, err := encoder(t, Config{Wasm: bad}).Encode(t.Context(), s); err == nil || !strings.Contains(err.Error(), "compile the encoder") {
		t.Errorf("half an engine: %v, want it told", err)
	}
	if err := NewEncoder(Config{Wasm: filepath.Join(dir, "none.wasm"), Program: os.Args[0]}).Ready(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Ready() = %v, want it to miss the file", err)
	}
}

// TestEncodeRefuses: nothing outside of the folder is touched, and errors name the file.
func TestEncodeRefuses(t *testing.T) {
	embedded(t)
	e, dir := encoder(t, Config{Lame: "off"}), t.TempDir()
	s := lay(t, dir, voice(800, 8000, 0))
	for want, change := range map[string]func(*Sound){
		"escapes":       func(s *Sound) { s.Out = "../out.mp3" },
		"no such file":  func(s *Sound) { s.In = "gone.wav" },
		"no such sound": func(s *Sound) { s.Channels = 3 },
	} {
		bad := s
		change(&bad)
		if _, err := e.Encode(t.Context(), bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Encode(%+v) = %v, want %q", bad, err, want)
		}
	}
	if _, err := e.Encode(t.Context(), s); err != nil {
		t.Errorf("after the failures: %v", err)
	}
}

// TestLameFails: a lame that does not work is no reason to have no mp3.
func TestLameFails(t *testing.T) {
	embedded(t)
	dir := t.TempDir()
	script := filepath.Join(dir, "lame")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := encoder(t, Config{Lame: script}).Encode(t.Context(), lay(t, dir, voice(8000, 8000, 0))); err != nil {
		t.Error(err)
	}
	if got := len(play(t, filepath.Join(dir, "out.mp3"))); got != 16000 {
		t.Errorf("decoded %d samples, want 16000", got)
	}
}

// BenchmarkEncode is a minute of speech. Budget: 1 s of CPU.
func BenchmarkEncode(b *testing.B) {
	embedded(b)
	e, dir := encoder(b, Config{Lame: "off"}), b.TempDir()
	s := lay(b, dir, voice(480000, 8000, 0))
	for b.Loop() {
		if _, err := e.Encode(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}
