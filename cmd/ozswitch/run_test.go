package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/tts"
	"ozswitch/media/wav"
)

// TestRunSound runs a call of speech, a beep, a pause and a sound file, and
// looks for each at its place in the file of --wav.
func TestRunSound(t *testing.T) {
	t.Parallel() // the voice takes long to start under the race detector
	dir := t.TempDir()
	script, out := filepath.Join(dir, "s.xml"), filepath.Join(dir, "out.wav")
	write(t, script, `<Response><Beep/><Delay>1</Delay><Play>tone.wav</Play><Delay>1</Delay><Speak>Good morning to you.</Speak><Delay>1</Delay></Response>`)
	tone(t, filepath.Join(dir, "tone.wav"), 16000, 440, 700*time.Millisecond)

	stdout, code := program(t, "run", script, "--wav", out)
	if code != 0 {
		t.Fatalf("exit status %d, want 0\n%s", code, stdout)
	}
	pcm := readWAV(t, out)

	at := func(d time.Duration) int { return telephone.N(d) }
	pieces := []struct {
		what     string
		from, to time.Duration
		loud     bool
	}{
		{"beep", 0, 500 * time.Millisecond, true},
		{"pause", 500 * time.Millisecond, 1500 * time.Millisecond, false},
		{"file", 1500 * time.Millisecond, 2200 * time.Millisecond, true},
		{"pause", 2200 * time.Millisecond, 3200 * time.Millisecond, false},
		{"speech", 3200 * time.Millisecond, 3800 * time.Millisecond, tts.BuiltIn() == nil},
	}
	if len(pcm) < at(4800*time.Millisecond) {
		t.Fatalf("file is %v long, want all of the call\n%s", telephone.D(len(pcm)), stdout)
	}
	for _, p := range pieces {
		// 20 ms at both ends are left to filters
		part := pcm[at(p.from+media.Frame):at(p.to-media.Frame)]
		if got := loudness(part) > 200; got != p.loud {
			t.Errorf("%s from %v to %v: loud = %v, want %v (%d)", p.what, p.from, p.to, got, p.loud, loudness(part))
		}
	}
	if got := loudness(pcm[len(pcm)-at(900*time.Millisecond):]); got > 200 {
		t.Errorf("last pause: loudness %d, want silence", got)
	}
	if hz := frequency(pcm[at(100*time.Millisecond):at(400*time.Millisecond)]); hz < 990 || hz > 1010 {
		t.Errorf("beep: %d Hz, want 1000", hz)
	}
	if hz := frequency(pcm[at(1600*time.Millisecond):at(2100*time.Millisecond)]); hz < 430 || hz > 450 {
		t.Errorf("file: %d Hz, want 440: resampled wrongly", hz)
	}
	// The transcript's end is the file's.
	var seconds float64
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	last := lines[len(lines)-1]
	if _, err := fmt.Sscan(last, &seconds); err != nil {
		t.Fatalf("last line %q: %v", last, err)
	}
	if got := telephone.D(len(pcm)).Seconds(); got < seconds-0.02 || got > seconds+0.02 {
		t.Errorf("file is %.2f s long, want %.2f as the call", got, seconds)
	}
}

// TestRunSoundFails: a file that cannot be written is a failure, told.
func TestRunSoundFails(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "s.xml")
	write(t, script, `<Response><Beep/></Response>`)
	var stderr bytes.Buffer
	code := execute(context.Background(), []string{"run", script, "--wav", filepath.Join(dir, "no", "out.wav")}, strings.NewReader(""), &bytes.Buffer{}, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "--wav") {
		t.Errorf("exit status %d, %q; want 1 and the flag's name", code, stderr.String())
	}
}

// TestDoctorVoice lets the embedded voice speak.
func TestDoctorVoice(t *testing.T) {
	t.Parallel() // the voice takes long to start under the race detector
	dir := t.TempDir()
	cfg := filepath.Join(dir, "c.yaml")
	write(t, cfg, "data: "+dir+"\nsip: {listen: [udp://127.0.0.1:0]}\nhttp: {listen: 127.0.0.1:0}\nretention: {min_free: 0}\n")
	stdout, code := program(t, "doctor", "--config", cfg)
	want, status := "ok    voice", 0
	if tts.BuiltIn() != nil {
		want, status = "fail  voice", 1
	}
	if code != status || !strings.Contains(stdout, want) {
		t.Errorf("exit status %d, want %d and %q in\n%s", code, status, want, stdout)
	}
}

// program runs the command line in a process of its own, as the voice needs: it
// starts the same program as its worker. TestMain has put it onto PATH.
func program(t *testing.T, args ...string) (stdout string, status int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "ozswitch", args...)
	c.Stderr = t.Output()
	out, err := c.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), e.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return string(out), 0
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func tone(t *testing.T, name string, r media.Rate, hz float64, d time.Duration) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.NewWriter(f, r, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := media.Copy(w, media.Tone(r, hz, -12, d)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func readWAV(t *testing.T, name string) []int16 {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := wav.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if r.Rate() != telephone {
		t.Fatalf("rate %d, want %d", r.Rate(), telephone)
	}
	pcm, err := media.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return pcm
}

// loudness is the mean of the absolute samples.
func loudness(pcm []int16) int {
	sum := 0
	for _, s := range pcm {
		sum += max(int(s), -int(s))
	}
	return sum / max(len(pcm), 1)
}

// frequency counts the upward crossings of zero in a second.
func frequency(pcm []int16) int {
	n := 0
	for i := 1; i < len(pcm); i++ {
		if pcm[i-1] < 0 && pcm[i] >= 0 {
			n++
		}
	}
	return int(float64(n) / telephone.D(len(pcm)).Seconds())
}
