//go:build peers

package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var kills = flag.Int("kills", 5, "how often the switch is killed with 20 recordings running")

// What may be missing of a recording when the switch is killed: 250 ms, and what the jitter buffer held.
const mayMiss = 0.25 + 0.04

// TestKilledWhileRecording: after kill -9 every running recording plays as it lies, with all but its last moment; after
// the restart it has its name, as wav or mp3, and RecordCompleted has come once.
func TestKilledWhileRecording(t *testing.T) {
	need(t, "ffmpeg", "sox", "mpg123", "lame") // lame makes the mp3 files, since it is there; media/mp3 shows both
	app := newWebApp(t, map[string]string{})
	script := `<Response><Record Format="%s" FinishDigits="#" FinishedUrl="` + app.URL + `"/><Delay>600</Delay></Response>`
	wav, mp3 := newWebApp(t, map[string]string{"IncomingCall": fmt.Sprintf(script, "wav")}), newWebApp(t, map[string]string{"IncomingCall": fmt.Sprintf(script, "mp3")})
	n := serve(t, wav.URL, fmt.Sprintf("  - {number: \"9001\", type: api, url: %q, record_channels: 2}\nweb: {allow: [loopback]}\n", mp3.URL))
	said := tone(t, filepath.Join(t.TempDir(), "said.wav"), 440, 60)

	bad := map[string]bool{} // files that broke the promise
	for round := range *kills {
		var callers []*proc
		for _, number := range []string{"9000", "9001"} {
			callers = append(callers, start(t, t.TempDir(), nil, program(t), "call", number, "--server", n.sip,
				"--calls", "10", "--rate", "20", "--say", said+"@0s", "--quiet"))
		}
		var parts []string
		eventually(t, "20 recordings run for 2 s", func() bool {
			parts, _ = filepath.Glob(filepath.Join(n.data, "recordings", "*.part"))
			for _, p := range parts {
				if st, err := os.Stat(p); err != nil || st.Size() < 32000 { // of one channel
					return false
				}
			}
			return len(parts) == 20
		})
		killed := time.Now()
		if err := n.cmd.Process.Signal(os.Kill); err != nil {
			t.Fatal(err)
		}
		<-n.done
		for _, c := range callers { // they would wait for the switch
			_ = c.cmd.Process.Signal(os.Kill)
			<-c.done
		}
		saved, worst := map[string]int64{}, 0.0 // samples by final name
		for _, p := range parts {
			name := strings.TrimSuffix(filepath.Base(p), ".part")
			count, err := plays(p)
			rate := 8000.0
			if err != nil {
				bad[name] = true
				t.Errorf("round %d: as it lies: %v", round, err)
				continue
			}
			saved[name] = count
			missing := killed.Sub(recordingBegan(t, n.data, name)).Seconds() - float64(count)/rate
			worst = max(worst, missing)
			if missing > mayMiss {
				bad[name] = true
				t.Errorf("round %d: %s lacks its last %.0f ms, want at most %.0f", round, name, 1000*missing, 1000*mayMiss)
			}
		}

		before := len(app.notifications("RecordCompleted"))
		n.restart(t)
		eventually(t, "every RecordCompleted came", func() bool {
			return len(app.notifications("RecordCompleted")) >= before+len(parts)
		})
		told := map[string]url.Values{}
		for _, note := range app.notifications("RecordCompleted")[before:] {
			told[filepath.Base(note.Get("RecordPath"))] = note
		}
		for name, count := range saved {
			if err := kept(filepath.Join(n.data, "recordings", name), count, told[name]); err != nil {
				bad[name] = true
				t.Errorf("round %d: %v", round, err)
			}
		}
		t.Logf("round %d: %d files, at most %.0f ms missing", round, len(parts), 1000*worst)
	}
	n.close(t)
	files := n.recordings(t)
	if left, _ := filepath.Glob(filepath.Join(n.data, "recordings", "*.new")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if got := len(app.notifications("RecordCompleted")); got != 20**kills || len(files) != 20**kills {
		t.Errorf("%d RecordCompleted and %d files of %d recordings", got, len(files), 20**kills)
	}
	t.Logf("%d of %d files kept the promise", len(files)-len(bad), 20**kills)
}

// restart starts a switch that was killed again, on its data.
func (n *node) restart(t *testing.T) {
	t.Helper()
	n.proc = start(t, filepath.Dir(n.data), nil, program(t), "serve", "--config", filepath.Join(filepath.Dir(n.data), "ozswitch.yaml"))
	eventually(t, "the switch is ready again", func() bool {
		if n.ended() {
			t.Fatalf("ozswitch serve ended: %v\n%s", n.err, tail(n.out.String()))
		}
		answer, err := http.Get("http://" + n.http + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

// recordingBegan is when the event log says so.
func recordingBegan(t *testing.T, data, name string) time.Time {
	t.Helper()
	id := strings.Split(name, "_")[1]
	logs, _ := filepath.Glob(filepath.Join(data, "calls", "*", "*", id+".jsonl"))
	for _, file := range logs {
		text, _ := os.ReadFile(file)
		for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
			var e struct {
				T    time.Time
				Type string
			}
			if json.Unmarshal(s.Bytes(), &e) == nil && e.Type == "recording.started" {
				return e.T
			}
		}
	}
	t.Fatalf("no event log says when %s began: %q", name, logs)
	return time.Time{}
}

// plays decodes a .part with ffmpeg and with sox; both must read every sample that is in it.
func plays(part string) (samples int64, err error) {
	st, err := os.Stat(part)
	if err != nil {
		return 0, err
	}
	header := make([]byte, 44)
	f, err := os.Open(part)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.ReadAt(header, 0); err != nil {
		return 0, err
	}
	channels := int64(header[22])
	want := (st.Size() - 44) / (2 * channels)
	for _, arg := range [][]string{
		{"ffmpeg", "-v", "fatal", "-i", "-", "-f", "s16le", "-"},
		{"sox", "-V1", "-t", "wav", "--ignore-length", "-", "-t", "raw", "-"},
		{"sox", "-V1", "-t", "wav", "-", "-t", "raw", "-"},
	} {
		cmd := exec.Command(arg[0], arg[1:]...)
		if _, err := f.Seek(0, 0); err != nil {
			return 0, err
		}
		cmd.Stdin = f
		raw, err := cmd.Output()
		if got := int64(len(raw)) / (2 * channels); err != nil || got != want {
			return 0, fmt.Errorf("%s reads %d samples of %s, which holds %d: %v", arg[0], got, filepath.Base(part), want, err)
		}
	}
	return want, nil
}

// kept looks at a recording after the restart.
func kept(file string, samples int64, note url.Values) error {
	name := filepath.Base(file)
	if note == nil {
		return fmt.Errorf("%s: no RecordCompleted", name)
	}
	ext := strings.TrimPrefix(filepath.Ext(file), ".")
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	if note.Get("Reason") != "error" || note.Get("Error") == "" || note.Get("Format") != ext || note.Get("Size") != fmt.Sprint(st.Size()) ||
		note.Get("Duration") != fmt.Sprintf("%.3f", math.Round(float64(samples)/8)/1000) {
		return fmt.Errorf("%s: %d samples, RecordCompleted says %v", name, samples, note)
	}
	rate, channels := int64(8000), int64(1)
	if ext == "mp3" {
		rate, channels = 16000, 2
	}
	decoders := [][]string{{"ffmpeg", "-v", "error", "-xerror", "-i", file, "-f", "s16le", "-"}}
	if ext == "mp3" {
		decoders = append(decoders, []string{"mpg123", "-q", "-s", file})
	}
	for _, arg := range decoders {
		cmd := exec.Command(arg[0], arg[1:]...)
		var said bytes.Buffer
		cmd.Stderr = &said
		raw, err := cmd.Output()
		if err != nil || said.Len() > 0 {
			return fmt.Errorf("%s: %s: %v %s", name, arg[0], err, said.Bytes())
		}
		if got := int64(len(raw)) / (2 * channels); got != samples*rate/8000 {
			return fmt.Errorf("%s: %s decodes %d samples at %d Hz, want %d", name, arg[0], got, rate, samples*rate/8000)
		}
	}
	return nil
}
