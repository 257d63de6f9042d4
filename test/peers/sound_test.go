//go:build peers

package peers

import (
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// tone makes a WAV file at 8 kHz with sox.
func tone(t *testing.T, name string, hertz int, seconds float64) string {
	t.Helper()
	run(t, filepath.Dir(name), "sox", "-n", "-r", "8000", "-b", "16", "-c", "1", name,
		"synth", fmt.Sprint(seconds), "sine", fmt.Sprint(hertz), "gain", "-6")
	return name
}

// seconds is how long sound files last, as sox reads them.
func seconds(t *testing.T, files ...string) (all []float64) {
	t.Helper()
	for _, word := range strings.Fields(run(t, ".", append([]string{"soxi", "-D"}, files...)...)) {
		all = append(all, number(t, word))
	}
	return all
}

// number reads what a program or the switch printed.
func number(t *testing.T, word string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(word, 64)
	if err != nil {
		t.Fatalf("want a number, got %q", word)
	}
	return v
}

var statLine = regexp.MustCompile(`(?m)^(RMS +amplitude|Rough +frequency): +([0-9.]+)`)

// hear gives loudness (1 = full scale) and pitch of a piece of a file.
func hear(t *testing.T, file string, from, length float64) (rms, hertz float64) {
	t.Helper()
	out := run(t, ".", "sox", file, "-n", "remix", "-", "rate", "8000", "trim", fmt.Sprint(from), fmt.Sprint(length), "stat")
	for _, m := range statLine.FindAllStringSubmatch(out, -1) {
		v := number(t, m[2])
		if strings.HasPrefix(m[1], "RMS") {
			rms = v
		} else {
			// sox takes the difference of neighbours for the slope; undo that.
			hertz = 8000 / math.Pi * math.Asin(min(1, v*math.Pi/8000))
		}
	}
	return rms, hertz
}

// wantTone fails unless the piece is a loud tone of that pitch.
func wantTone(t *testing.T, file string, from, length, hertz float64) {
	t.Helper()
	rms, got := hear(t, file, from, length)
	if rms < 0.1 || math.Abs(got-hertz) > hertz/50 {
		t.Errorf("%s at %v s: loudness %.3f and %.0f Hz, want a loud tone of %.0f Hz", filepath.Base(file), from, rms, got, hertz)
	}
}

// TestSoundBothWays: what the switch plays, from wav as from mp3, is what the
// caller hears; what the caller says is in the recording, and others read it.
func TestSoundBothWays(t *testing.T) {
	need(t, "sox", "ffmpeg")
	for _, prompt := range []string{"prompt.wav", "prompt.mp3"} {
		t.Run(prompt, func(t *testing.T) {
			app := newWebApp(t, map[string]string{})
			app.answers["IncomingCall"] = fmt.Sprintf(
				`<Response><Play>%s</Play><Record FinishDigits="#" Format="wav" FinishedUrl="%s"/><Delay>30</Delay></Response>`, prompt, app.URL)
			n := serve(t, app.URL, "")
			media := mkdir(t, n.data, "media")
			run(t, media, "ffmpeg", "-v", "error", "-i", tone(t, filepath.Join(t.TempDir(), "tone.wav"), 1000, 2), "-ar", "16000", prompt)
			dir := t.TempDir()
			said, heard := tone(t, filepath.Join(dir, "said.wav"), 440, 4), filepath.Join(dir, "heard.wav")
			n.call(t, "9000", "--say", said+"@2.5s", "--press", "#@7s", "--record", heard, "--hangup-after", "8s")

			eventually(t, "RecordCompleted came", func() bool { return len(app.notifications("RecordCompleted")) == 1 })
			n.close(t)
			note := app.notifications("RecordCompleted")[0]
			if note.Get("Reason") != "digit" || note.Get("Digit") != "#" || note.Get("Format") != "wav" {
				t.Errorf("RecordCompleted %v, want it ended by # in wav", note)
			}
			files := n.recordings(t)
			if len(files) != 1 {
				t.Fatalf("recordings %q, want one", files)
			}
			length := number(t, note.Get("Duration"))
			if got := seconds(t, files[0])[0]; length < 3 || math.Abs(got-length) > 0.02 {
				t.Errorf("the file lasts %.3f s, RecordCompleted says %.3f", got, length)
			}
			wantTone(t, files[0], 1.5, 2, 440)
			wantTone(t, heard, 0.5, 1, 1000)
			if out := run(t, ".", "ffmpeg", "-v", "error", "-xerror", "-i", files[0], "-f", "null", "-"); out != "" {
				t.Errorf("ffmpeg complains: %s", out)
			}
		})
	}
}

// TestSpeech: a sentence is heard, by the voice of espeak-ng as by the embedded one.
func TestSpeech(t *testing.T) {
	need(t, "sox", "espeak-ng")
	for _, engine := range []string{"auto", "espeak-ng"} {
		t.Run(engine, func(t *testing.T) {
			app := newWebApp(t, map[string]string{
				"IncomingCall": `<Response><Speak>The quick brown fox jumps over the lazy dog, twice.</Speak></Response>`,
			})
			n := serve(t, app.URL, fmt.Sprintf("speech: {engine: %s}\n", engine))
			heard := filepath.Join(t.TempDir(), "heard.wav")
			n.call(t, "9000", "--record", heard)
			n.close(t)
			length := seconds(t, heard)[0]
			if length < 2 || length > 15 {
				t.Fatalf("the caller heard %.1f s, want a sentence's length", length)
			}
			if rms, _ := hear(t, heard, 0.5, length-1); rms < 0.01 {
				t.Errorf("loudness %.4f: the caller heard nothing", rms)
			}
		})
	}
}
