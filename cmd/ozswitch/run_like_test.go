package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/wav"
)

// words writes a sound file with so many words: bursts that rise and fall, as
// speech does, one second each and one second apart.
func words(t *testing.T, name string, n int) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.NewWriter(f, 16000, 1)
	if err != nil {
		t.Fatal(err)
	}
	put := func(s media.Source) {
		if err := media.Copy(w, s); err != nil {
			t.Fatal(err)
		}
	}
	for range n {
		for range 5 {
			put(media.Tone(16000, 600, -15, 120*time.Millisecond))
			put(media.Silence(16000, 80*time.Millisecond))
		}
		put(media.Silence(16000, time.Second))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// runHere runs the command line here, without a voice.
func runHere(args ...string) (stdout, stderr string, status int) {
	var out, diag bytes.Buffer
	status = execute(context.Background(), args, strings.NewReader(""), &out, &diag)
	return out.String(), diag.String(), status
}

// TestCallerSaysAFile: a recording lasts as long as the caller talks in its
// sound file, and what the caller hears is compared with a file.
func TestCallerSaysAFile(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write(t, in("script.xml"), "<Response>\n<Beep/>\n<Record Inactivity=\"2\" Duration=\"60\"/>\n</Response>\n")
	write(t, in("caller.txt"), "at 1s say talk.wav\n")
	words(t, in("talk.wav"), 3) // voice from 1 s to 6 s of the call: it ends at 8 s
	out, diag, status := runHere("run", dir, "--wav", in("want.wav"))
	if status != 0 || !strings.Contains(out, "Record ended: inactivity, 7.") {
		t.Fatalf("status %d, want a recording of 7 s that silence ended\n%s%s", status, out, diag)
	}
	if out, diag, status := runHere("run", dir, "--like", in("want.wav")); status != 0 {
		t.Errorf("status %d: the same call sounds otherwise\n%s%s", status, out, diag)
	}
	write(t, in("want.txt"), "")
	if out, _, status := runHere("test", dir, "--update"); status != 0 || !strings.Contains(out, "1 updated") {
		t.Errorf("test --update: %d\n%s", status, out)
	}
	if out, _, status := runHere("test", dir); status != 0 {
		t.Errorf("test: %d\n%s", status, out)
	}

	// The beep comes later: the transcript tells, and the sound.
	write(t, in("script.xml"), "<Response>\n<Delay>1</Delay><Beep/>\n<Record Inactivity=\"2\" Duration=\"60\"/>\n</Response>\n")
	if _, diag, status := runHere("run", dir, "--like", in("want.wav")); status != 1 || !strings.Contains(diag, "it sounds otherwise from 0.00 s on: -96 dB is heard") {
		t.Errorf("status %d, want 1 and the moment: %s", status, diag)
	}
	junit := in("report.xml")
	if out, _, status := runHere("test", dir, "--junit", junit); status != 1 || !strings.Contains(out, "want.wav: it sounds otherwise from 0.00 s") {
		t.Errorf("test: %d\n%s", status, out)
	}
	if b, err := os.ReadFile(junit); err != nil || !strings.Contains(string(b), "it sounds otherwise") {
		t.Errorf("JUnit (%v):\n%s", err, b)
	}
	if out, _, status := runHere("test", dir, "--update"); status != 0 || !strings.Contains(out, "1 updated") {
		t.Errorf("test --update: %d\n%s", status, out)
	}
	if out, _, status := runHere("test", dir); status != 0 {
		t.Errorf("test after --update: %d\n%s", status, out)
	}

	write(t, in("caller.txt"), "at 1s say nobody.wav\n")
	if _, diag, status := runHere("run", dir); status != 1 || !strings.Contains(diag, "say nobody.wav: ") {
		t.Errorf("status %d, want 1 and the file's name: %s", status, diag)
	}
}

// TestExamples: the tests of the examples pass for whoever runs them.
func TestExamples(t *testing.T) {
	if out, _, status := runHere("test", filepath.Join("..", "..", "examples")); status != 0 {
		t.Errorf("status %d\n%s", status, out)
	}
}
