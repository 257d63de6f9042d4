package eventlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml/trace"
)

// record is one packet in the form of the file.
func record(at time.Time, sent bool, data string) []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano()))
	b = append(b, map[bool]byte{true: 1}[sent])
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
	return append(b, data...)
}

// heard reads the packets of a call, a word each.
func heard(t *testing.T, l *Log, call string) string {
	t.Helper()
	f, err := l.OpenSound(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	for p, err := range Packets(f) {
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("%d@%v%s%s", p.Offset, p.At.Sub(noon), map[bool]string{true: ">", false: "<"}[p.Sent], p.Data))
	}
	return strings.Join(out, " ")
}

// Packets stand beside the events, are read while the call is live and after it,
// and go when the events go.
func TestSound(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Now: at(noon)})
	c := l.ForCall("snd1", noon)
	c.Emit(trace.Event{Type: trace.CallStarted})
	if _, err := l.OpenSound(t.Context(), "snd1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before any packet: %v, want fs.ErrNotExist", err)
	}
	both := append(record(noon, true, "ab"), record(noon.Add(20*time.Millisecond), false, "cde")...)
	c.Sound(both, 2, 0)
	clear(both) // it is the caller's again
	const first = "0@0s>ab 13@20ms<cde"
	if got := heard(t, l, "snd1"); got != first {
		t.Errorf("live: %s, want %s", got, first)
	}
	c.Sound(record(noon.Add(time.Second), true, "f"), 1, 0)
	c.Close()
	if got, want := heard(t, l, "snd1"), first+" 27@1s>f"; got != want {
		t.Errorf("past: %s, want %s", got, want)
	}
	if got, want := texts(all(t, l, "snd1")), "1 call.started"; got != want {
		t.Errorf("events: %s, want %s", got, want)
	}
	if n, err := l.Sweep(noon.Add(2 * time.Hour)); n != 1 || err != nil {
		t.Errorf("swept %d folders, %v", n, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*")); len(left) != 0 {
		t.Errorf("left after the sweep: %v", left)
	}
}

// A crash tears the last record at any byte; what is no record ends the reading.
func TestTornSound(t *testing.T) {
	whole := append(record(noon, true, "ab"), record(noon, false, "cde")...)
	for n := range whole {
		var got []string
		for p, err := range Packets(bytes.NewReader(whole[:n])) {
			if err != nil {
				t.Fatalf("cut at %d: %v", n, err)
			}
			got = append(got, string(p.Data))
		}
		want := ""
		if n >= 13 {
			want = "ab"
		}
		if strings.Join(got, " ") != want {
			t.Errorf("cut at %d: %v, want %q", n, got, want)
		}
	}
	bad := bytes.Clone(whole)
	bad[13+8] = 7
	var errs int
	for _, err := range Packets(bytes.NewReader(bad)) {
		if err != nil {
			errs++
		}
	}
	if errs != 1 {
		t.Errorf("%d errors for a record that is none, want 1", errs)
	}
}

// Sound is the first to be dropped, is counted, and ends at 64 MiB a call.
func TestSoundIsBounded(t *testing.T) {
	l, err := New(Config{Dir: t.TempDir(), Queue: 2, Now: at(noon)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := l.ForCall("b1", noon)
	c.Sound(record(noon, true, "kept"), 1, 0)
	c.Sound(nil, 0, 3)
	c.Emit(trace.Event{Type: trace.CallStarted})
	c.Emit(trace.Event{Type: trace.CallAnswered})
	c.Sound(record(noon, true, "no room"), 1, 0)
	run(t, l)
	if got, want := heard(t, l, "b1"), "0@0s>kept"; got != want {
		t.Errorf("kept %s, want %s", got, want)
	}
	es := all(t, l, "b1")
	if last := es[len(es)-1]; last.Type != trace.LogDropped || last.Count != 4 {
		t.Errorf("last event %s with count %d, want log.dropped with 4", last.Type, last.Count)
	}

	l = open(t, Config{Dir: t.TempDir(), Now: at(noon)})
	c = l.ForCall("b2", noon)
	big := bytes.Repeat(record(noon, true, strings.Repeat("x", 60000)), 100)
	for range 14 { // 84 MB
		c.Sound(big, 100, 0)
		flush(t, l)
	}
	f, err := l.OpenSound(t.Context(), "b2")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || st.Size() > maxSound || st.Size() < maxSound-int64(len(big)) {
		t.Errorf("%d bytes are kept, want nearly %d (%v)", st.Size(), maxSound, err)
	}
	if got := texts(all(t, l, "b2")); got != "1 log.dropped 64 MiB of sound are kept, nothing more of this call" {
		t.Errorf("events: %s", got)
	}
}

// Sound that cannot be written is let go; events are kept for the next try.
func TestSoundWithoutDisk(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Now: at(noon)})
	c := l.ForCall("d1", noon)
	day := filepath.Join(dir, "2026-11-22")
	if err := os.WriteFile(day, nil, 0o600); err != nil { // where a folder should be
		t.Fatal(err)
	}
	c.Emit(trace.Event{Type: trace.CallStarted})
	c.Sound(record(noon, true, "lost"), 1, 0)
	flush(t, l)
	if l.Err() == nil {
		t.Error("the log says that all is well")
	}
	if err := os.Remove(day); err != nil {
		t.Fatal(err)
	}
	c.Sound(record(noon, true, "kept"), 1, 0)
	flush(t, l)
	if got := heard(t, l, "d1"); got != "0@0s>kept" {
		t.Errorf("sound %s, want that of the second turn", got)
	}
	if got := texts(all(t, l, "d1")); got != "1 call.started" {
		t.Errorf("events %s, want the one of the first turn", got)
	}
}
