package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ozswitch/media"
	"ozswitch/media/recorder"
	"ozswitch/media/wav"
	"ozswitch/ozml/ozmltest"
)

// talks gives when somebody speaks in a caller's sound file.
func talks(folder string) func(file string) ([]ozmltest.Act, error) {
	return func(file string) (acts []ozmltest.Act, err error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(folder, file)
		}
		pcm, err := readSound(file)
		if err != nil {
			return nil, err
		}
		for _, s := range recorder.Voice(telephone, pcm) {
			acts = append(acts, ozmltest.Act{At: s.From, Say: s.To - s.From})
		}
		return acts, nil
	}
}

// readSound reads a WAV file at the rate of a telephone.
func readSound(name string) ([]int16, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := wav.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s is no WAV file that can be read: %w", name, err)
	}
	return media.ReadAll(media.Resample(r, telephone))
}

// The sounds of two calls are alike while the difference stays this far below
// what is wanted, or below what anybody hears. Filters and roundings of another
// machine stay within; another word, tone or moment does not.
const (
	below = -20.0 // dB
	quiet = -50.0 // dB of full scale
)

// likeSound says where two sounds differ first, "" when they do not.
func likeSound(want, got []int16) string {
	n := telephone.N(media.Frame)
	for at := 0; at < max(len(want), len(got)); at += n {
		a, b := soundFrame(want, at, n), soundFrame(got, at, n)
		diff := make([]float64, n)
		for i := range diff {
			diff[i] = a[i] - b[i]
		}
		if off := decibel(diff); off > quiet && off > decibel(a)+below {
			return fmt.Sprintf("it sounds otherwise from %.2f s on: %.0f dB is heard, %.0f dB is wanted (of %.2f s, wanted %.2f s)",
				telephone.D(at).Seconds(), decibel(b), decibel(a), telephone.D(len(got)).Seconds(), telephone.D(len(want)).Seconds())
		}
	}
	return ""
}

func soundFrame(pcm []int16, at, n int) []float64 {
	f := make([]float64, n)
	for i := range f {
		if at+i < len(pcm) {
			f[i] = float64(pcm[at+i]) / 32768
		}
	}
	return f
}

// decibel is the level of a sound, of full scale; silence is -96.
func decibel(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return max(-96, 10*math.Log10(sum/float64(len(v))))
}

// compareSound compares what the caller heard with the file of --like.
func (r *run) compareSound(heard string) error {
	want, err := readSound(r.like)
	if err != nil {
		return fmt.Errorf("run: --like: %w", err)
	}
	got, err := readSound(heard)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	if diff := likeSound(want, got); diff != "" {
		r.other = r.like + ": " + diff
		talk(r.c, "ozswitch: %s", r.other)
		return errNo
	}
	return nil
}

// golden compares what the caller of a folder's test hears with its want.wav,
// when it has one.
func (t *paperTest) golden(c *cobra.Command, cfg ozmltest.Config, update bool) (failure string, updated bool, err error) {
	file := filepath.Join(filepath.Dir(t.file), "want.wav")
	if !t.folder || !exists(file) {
		return "", false, nil
	}
	dir, err := os.MkdirTemp("", "ozswitch-test")
	if err != nil {
		return "", false, err
	}
	defer os.RemoveAll(dir)
	r := &run{c: c, table: cfg.Table, wav: filepath.Join(dir, "heard.wav")}
	sound, err := r.newSound(filepath.Dir(t.file))
	if err != nil {
		return "", false, err
	}
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	defer sound.start(ctx)()
	cfg.SpeakLength, cfg.PlayLength, cfg.Heard = sound.speakLength(ctx), sound.playLength(ctx), sound.heard(ctx)
	got, err := ozmltest.TryWith(t.a, cfg, talks(filepath.Dir(t.file)))
	if err = errors.Join(err, sound.finish(got.Result.Length)); err != nil {
		return "", false, err
	}
	want, err := readSound(file)
	if err != nil {
		return "", false, err
	}
	heard, err := readSound(r.wav)
	if err != nil {
		return "", false, err
	}
	failure = likeSound(want, heard)
	if failure == "" || !update {
		return failure, false, nil
	}
	b, err := os.ReadFile(r.wav)
	if err == nil {
		err = os.WriteFile(file, b, 0o666)
	}
	return "", true, err
}
