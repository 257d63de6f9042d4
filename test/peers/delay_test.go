//go:build peers

package peers

import (
	"encoding/binary"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestDelay prints how long a tone is on its way. A burst of the caller's is sought
// in the recording's left channel, one of the switch's in its right channel and in
// what the caller heard. Where the two time lines begin is not known to better than
// a frame, so one way alone is known to 20 ms; in the sum of both the beginnings
// cancel out. It is the sum of sending, the network of this machine, the jitter
// buffer, and hearing.
func TestDelay(t *testing.T) {
	need(t, "sox")
	const said, played = 2.5, 1.0 // seconds after the answer
	app := newWebApp(t, map[string]string{})
	app.answers["IncomingCall"] = `<Response><Record Format="wav"/><Delay>1</Delay><Play>burst.wav</Play><Delay>20</Delay></Response>`
	n := serve(t, app.URL, fmt.Sprintf("  - {number: \"9001\", type: api, url: %q, record_channels: 2}\n", app.URL))
	burst := tone(t, filepath.Join(mkdir(t, n.data, "media"), "burst.wav"), 1000, 0.1)
	heard := filepath.Join(t.TempDir(), "heard.wav")
	n.call(t, "9001", "--say", burst+"@2.5s", "--record", heard, "--hangup-after", "5s")
	n.close(t)
	files := n.recordings(t)
	if len(files) != 1 {
		t.Fatalf("recordings %q, want one", files)
	}
	left, right, ear := onset(t, files[0], "1"), onset(t, files[0], "2"), onset(t, heard, "1")
	way, back := left-said, ear-right
	t.Logf("caller to recording %.1f ms, switch to caller %.1f ms; there and back %.1f ms, one way %.1f ms", 1000*way, 1000*back, 1000*(way+back), 500*(way+back))
	if way+back <= 0 || math.Abs(right-played) > 0.5 {
		t.Errorf("the caller's burst lies at %.3f s, the switch's at %.3f s and is heard at %.3f s", left, right, ear)
	}
}

// onset is where the first loud sound of a channel begins, in seconds.
func onset(t *testing.T, file, channel string) float64 {
	t.Helper()
	raw, err := exec.Command("sox", file, "-t", "raw", "-r", "8000", "-b", "16", "-e", "signed", "-L", "-", "remix", channel).Output()
	if err != nil {
		t.Fatalf("sox %s: %v", file, err)
	}
	for i := 0; i+1 < len(raw); i += 2 {
		if v := int16(binary.LittleEndian.Uint16(raw[i:])); v > 4000 || v < -4000 {
			return float64(i/2) / 8000
		}
	}
	t.Fatalf("%s: nothing is heard on channel %s", filepath.Base(file), channel)
	return 0
}
