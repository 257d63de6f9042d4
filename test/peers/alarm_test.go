//go:build peers

package peers

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ozswitch/ozml/contactid"
	"ozswitch/switch/alarm"
)

// The frequencies of the digits, as DC-05 has them: B to F are the keys * # A B C.
var contactID = map[rune][2]int{
	'1': {697, 1209}, '2': {697, 1336}, '3': {697, 1477}, 'D': {697, 1633},
	'4': {770, 1209}, '5': {770, 1336}, '6': {770, 1477}, 'E': {770, 1633},
	'7': {852, 1209}, '8': {852, 1336}, '9': {852, 1477}, 'F': {852, 1633},
	'B': {941, 1209}, '0': {941, 1336}, 'C': {941, 1477},
}

// TestAlarmFromSox has sox play an alarm panel, then the receiver of an alarm: its
// tones, its noise and its G.711 are nobody's of ours.
func TestAlarmFromSox(t *testing.T) {
	need(t, "sox")
	dir := t.TempDir()
	const digits, letters = "1234181131010158", "BCDE183FB001C022"
	for _, law := range []string{"mu-law", "a-law"} {
		for _, said := range []string{digits, letters} {
			// 1.6 s of silence while the handshake is given, then 50 ms on, 50 ms off.
			parts := []string{silence(t, dir, 1.6)}
			for i, d := range said {
				f := contactID[d]
				key := filepath.Join(dir, fmt.Sprintf("key%d.wav", i))
				run(t, dir, "sox", "-r", "8000", "-c", "2", "-n", "-b", "16", key, "synth", "0.05", "sine", fmt.Sprint(f[0]), "sine", fmt.Sprint(f[1]),
					"remix", "-", "gain", "-14", "pad", "0", "0.05")
				parts = append(parts, key)
			}
			r := alarm.NewReceiver()
			spoken := drive(t, r, soxed(t, dir, law, append(parts, silence(t, dir, 7))))
			got, ok := r.Next()
			if !ok || got.Digits != said || r.Err() != nil {
				t.Errorf("%s: received %v %v, %v, want %s", law, got, ok, r.Err(), said)
				continue
			}
			t.Logf("%s: %s: %v", law, got.Digits, got)
			// And sox finds our kiss-off: 1400 Hz in the middle of it.
			file := filepath.Join(dir, "spoken.raw")
			raw := make([]byte, 0, 2*len(spoken))
			for _, v := range spoken {
				raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
			}
			if err := os.WriteFile(file, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			wav := filepath.Join(dir, "spoken.wav")
			run(t, dir, "sox", "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-c", "1", file, wav)
			wantTone(t, wav, 3.7, 0.6, 1400)
		}

		// Handshake, 2.3 s for the message, kiss-off.
		m, err := contactid.Parse(digits)
		if err != nil {
			t.Fatal(err)
		}
		s, err := alarm.NewSender(m)
		if err != nil {
			t.Fatal(err)
		}
		drive(t, s, soxed(t, dir, law, []string{
			silence(t, dir, 1), tone(t, filepath.Join(dir, "1400.wav"), 1400, 0.1), silence(t, dir, 0.1), tone(t, filepath.Join(dir, "2300.wav"), 2300, 0.1),
			silence(t, dir, 2.3), tone(t, filepath.Join(dir, "kiss.wav"), 1400, 0.85), silence(t, dir, 1),
		}))
		if s.Err() != nil || len(s.Sent()) != 1 || s.Tries() != 1 {
			t.Errorf("%s: the sender: %v, %d confirmed after %d tries, want 1 after 1", law, s.Err(), len(s.Sent()), s.Tries())
		}
	}
}

// silence makes a file of silence.
func silence(t *testing.T, dir string, seconds float64) string {
	name := filepath.Join(dir, fmt.Sprintf("silence%g.wav", seconds))
	run(t, dir, "sox", "-n", "-r", "8000", "-b", "16", "-c", "1", name, "trim", "0", fmt.Sprint(seconds))
	return name
}

// soxed is files one after another, with a little noise, after G.711 there and back.
func soxed(t *testing.T, dir, law string, files []string) []int16 {
	t.Helper()
	joined, noise, coded, out := filepath.Join(dir, "joined.wav"), filepath.Join(dir, "noise.wav"), filepath.Join(dir, "coded.raw"), filepath.Join(dir, "out.raw")
	run(t, dir, append(append([]string{"sox"}, files...), joined)...)
	run(t, dir, "sox", "-R", joined, noise, "synth", "pinknoise", "gain", "-45")
	run(t, dir, "sox", "-m", "-v", "1", joined, "-v", "1", noise, "-t", "raw", "-e", law, coded)
	run(t, dir, "sox", "-t", "raw", "-r", "8000", "-c", "1", "-e", law, coded, "-t", "raw", "-e", "signed", "-b", "16", "-L", out)
	raw, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return pcm
}

// An alarmEnd is a Sender or a Receiver.
type alarmEnd interface {
	Read([]int16) (int, error)
	Write([]int16) error
}

// drive gives an end all of pcm and returns what it says meanwhile.
func drive(t *testing.T, end alarmEnd, pcm []int16) (said []int16) {
	t.Helper()
	buf := make([]int16, 160)
	for ; len(pcm) >= 160; pcm = pcm[160:] {
		n, _ := end.Read(buf)
		said = append(said, buf[:n]...)
		if err := end.Write(pcm[:160]); err != nil {
			t.Fatal(err)
		}
	}
	return said
}
