package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/ozml/trace"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// open makes a Log with a running writer; it ends with the test.
func open(t testing.TB, c Config) *Log {
	t.Helper()
	l, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := l.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait(); l.Close() })
	flush(t, l) // so that Run runs
	return l
}

func flush(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// all reads a call's file and fails on an error in it.
func all(t testing.TB, l *Log, call string) []trace.Event {
	t.Helper()
	var es []trace.Event
	for e, err := range l.Read(call) {
		if err != nil {
			t.Fatal(err)
		}
		es = append(es, e)
	}
	return es
}

// texts are the events in few words.
func texts(es []trace.Event) string {
	var s []string
	for _, e := range es {
		s = append(s, strings.TrimSpace(fmt.Sprintf("%d %s %s", e.Seq, e.Type, e.Text)))
	}
	return strings.Join(s, "; ")
}

func at(now time.Time) func() time.Time { return func() time.Time { return now } }

func TestFile(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Now: at(noon)})
	zone := time.FixedZone("", 2*3600)
	a := l.ForCall("q7Lx2", time.Date(2026, 11, 22, 1, 59, 59, 0, zone))
	b := l.ForCall("b81Qx", time.Date(2026, 11, 22, 2, 0, 0, 0, zone))
	a.Emit(trace.Event{Type: trace.CallStarted, From: "1001", To: "9000"})
	b.Emit(trace.Event{Type: trace.CallStarted})
	a.Emit(trace.Event{T: noon.Add(time.Second), Type: trace.CallEnded, Reason: "script", Seconds: 63.1})
	a.Close()
	flush(t, l)

	if got, want := texts(all(t, l, "q7Lx2")), "1 call.started; 2 call.ended"; got != want {
		t.Errorf("Read = %s, want %s", got, want)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "2026-11-21", "23", "q7Lx2.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	id := noon.UnixMicro()
	want := fmt.Sprintf(`{"t":"2026-11-22T12:00:00Z","seq":1,"call":"q7Lx2","type":"call.started","id":%d,"from":"1001","to":"9000"}
{"t":"2026-11-22T12:00:01Z","seq":2,"call":"q7Lx2","type":"call.ended","id":%d,"reason":"script","seconds":63.1}
`, id, id+2)
	if string(raw) != want {
		t.Errorf("file =\n%swant\n%s", raw, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "2026-11-22", "00", "b81Qx.jsonl")); err != nil {
		t.Errorf("the other call's hour: %v", err)
	}
	for _, name := range []string{"none", "../x", "", "a/b", "_switch"} {
		for _, err := range l.Read(name) {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Read(%q) = %v, want fs.ErrNotExist", name, err)
			}
		}
		if l.Known(name) {
			t.Errorf("Known(%q) = true", name)
		}
	}
	if !l.Known("q7Lx2") {
		t.Error("Known(q7Lx2) = false")
	}
}

// The events of no call go to a file of the hour, and move on with it.
func TestSwitchLogByHour(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Now: at(noon)})
	for i, minute := range []int{0, 59, 60, 61, 125} {
		l.Emit(trace.Event{T: noon.Add(time.Duration(minute) * time.Minute), Type: trace.Registration, Text: fmt.Sprint(i)})
		if i == 1 {
			flush(t, l)
		}
	}
	flush(t, l)
	for hour, want := range map[string]string{"12": "1 registration 0; 2 registration 1", "13": "3 registration 2; 4 registration 3", "14": "5 registration 4"} {
		f, err := os.Open(filepath.Join(dir, "2026-11-22", hour, "_switch.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		var es []trace.Event
		for e := range Decode(f) {
			es = append(es, e)
		}
		f.Close()
		if got := texts(es); got != want {
			t.Errorf("hour %s: %s, want %s", hour, got, want)
		}
	}
}

// What gathers within 200 ms is written in one go, not before.
func TestTurn(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := open(t, Config{Dir: dir})
		c := l.ForCall("turn1", time.Now())
		size := func() int64 {
			st, err := os.Stat(filepath.Join(dir, c.path))
			if err != nil {
				return 0
			}
			return st.Size()
		}
		c.Emit(trace.Event{Type: trace.CallStarted})
		time.Sleep(199 * time.Millisecond)
		c.Emit(trace.Event{Type: trace.CallEnded})
		synctest.Wait()
		if size() != 0 {
			t.Error("written before the turn was over")
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := len(all(t, l, "turn1")); got != 2 {
			t.Errorf("%d events on disk after 200 ms, want 2", got)
		}
		time.Sleep(2 * time.Second) // an fsync round later the file is closed, and opens again
		c.Emit(trace.Event{Type: trace.NotifySent})
		time.Sleep(turn)
		synctest.Wait()
		if got := len(all(t, l, "turn1")); got != 3 {
			t.Errorf("%d events on disk, want 3", got)
		}
	})
}

func TestTornLine(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Now: at(noon)})
	c := l.ForCall("torn1", noon)
	if err := os.MkdirAll(filepath.Join(dir, "2026-11-22/12"), 0o750); err != nil {
		t.Fatal(err)
	}
	whole := `{"t":"2026-11-22T12:00:00Z","seq":1,"call":"torn1","type":"call.started"}` + "\n"
	for n := range len(whole) {
		if err := os.WriteFile(filepath.Join(dir, c.path), []byte(whole+whole[:n]), 0o640); err != nil {
			t.Fatal(err)
		}
		if got := len(all(t, l, "torn1")); got != 1 {
			t.Fatalf("torn after %d bytes: %d events, want 1", n, got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, c.path), []byte(whole+whole[:40]), 0o640); err != nil {
		t.Fatal(err)
	}
	c.Emit(trace.Event{Type: trace.CallEnded})
	flush(t, l)
	var good, bad int
	for e, err := range l.Read("torn1") {
		switch {
		case err != nil && strings.Contains(err.Error(), "line 2"):
			bad++
		case err == nil && (e.Type == trace.CallStarted || e.Type == trace.CallEnded):
			good++
		default:
			t.Errorf("event %v, error %v", e, err)
		}
	}
	if good != 2 || bad != 1 {
		t.Errorf("after writing on: %d events and %d bad lines, want 2 and 1", good, bad)
	}
}

// run starts the writer and lets it end at once: it writes what waits.
func run(t *testing.T, l *Log) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestDropPolicy(t *testing.T) {
	l, err := New(Config{Dir: t.TempDir(), Queue: 4, Now: at(noon)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, d := l.ForCall("drop1", noon), l.ForCall("drop2", noon)
	for _, ty := range []trace.Type{
		"sip.received", "sip.sent", "key", "media.quality", // fill the queue
		"sip.received", "media.quality", // dropped
		"command.started", "key", "recording.saved", "script.ended", // kept: half of the way to the second bound
		"command.ended", "key", "sip.sent", // dropped
		"recording.failed", "error", "script.refused", "call.ended", // kept whatever happens
	} {
		c.Emit(trace.Event{Type: ty})
	}
	d.Emit(trace.Event{Type: trace.SIPSent})
	run(t, l)
	got := texts(all(t, l, "drop1"))
	want := "1 sip.received; 2 sip.sent; 3 key; 4 media.quality; 7 command.started; 8 key; 9 recording.saved; 10 script.ended; " +
		"14 recording.failed; 15 error; 16 script.refused; 17 call.ended; 18 log.dropped"
	if got != want {
		t.Errorf("on disk:\n%s\nwant\n%s", got, want)
	}
	for call, want := range map[string]int64{"drop1": 5, "drop2": 1} {
		es := all(t, l, call)
		if last := es[len(es)-1]; last.Type != trace.LogDropped || last.Count != want {
			t.Errorf("%s: last event %s with count %d, want log.dropped with %d", call, last.Type, last.Count, want)
		}
	}
	// After Run nothing gathers any more.
	c.Emit(trace.Event{Type: trace.Error})
	if n := l.waiting(); n != 0 {
		t.Errorf("%d events wait after Run, want 0", n)
	}
	if err := l.Flush(t.Context()); err != nil { // and does not hang
		t.Errorf("Flush after Run = %v", err)
	}
}

func TestLevels(t *testing.T) {
	for _, level := range []Level{Full, Brief, Off} {
		l := open(t, Config{Dir: t.TempDir(), Level: level, Now: at(noon)})
		c := l.ForCall("level", noon)
		c.Emit(trace.Event{Type: trace.SIPSent, Text: "INVITE", Body: "INVITE sip:9000"})
		flush(t, l)
		if level == Off {
			for _, err := range l.Read("level") {
				if err == nil {
					t.Error("off: an event on disk")
				}
			}
			continue
		}
		e := all(t, l, "level")[0]
		if got, want := e.Body != "", level == Full; got != want || e.Text != "INVITE" {
			t.Errorf("level %d: body %q, text %q", level, e.Body, e.Text)
		}
	}
	for s, want := range map[string]Level{"": Full, "full": Full, "brief": Brief, "off": Off} {
		if got, err := ParseLevel(s); got != want || err != nil {
			t.Errorf("ParseLevel(%q) = %v, %v", s, got, err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil {
		t.Error("ParseLevel(loud): no error")
	}
}

func TestCut(t *testing.T) {
	l, _ := New(Config{Now: at(noon)})
	c := l.ForCall("cut", noon)
	s := l.Subscribe("cut", 0)
	defer s.Close()
	c.Emit(trace.Event{Type: trace.ScriptFetch, Body: strings.Repeat("é", 10_000), MS: math.Inf(1)})
	e, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Body) > maxBody || len(e.Body) < maxBody-3 || !strings.HasSuffix(e.Body, "é") || e.Size != 20_000 {
		t.Errorf("body of %d bytes, size %d, want at most %d and 20000", len(e.Body), e.Size, maxBody)
	}
}

// An infinite number must not cost the event, nor the batch.
func TestNoNumber(t *testing.T) {
	l := open(t, Config{Dir: t.TempDir(), Now: at(noon)})
	c := l.ForCall("nan", noon)
	c.Emit(trace.Event{Type: trace.MediaQuality, JitterMS: math.NaN(), Lost: 3})
	c.Emit(trace.Event{Type: trace.CallEnded})
	flush(t, l)
	if es := all(t, l, "nan"); len(es) != 2 || es[0].Lost != 3 {
		t.Errorf("on disk: %+v", es)
	}
}

// A disk that fails is told by Err, and no call notices.
func TestTrouble(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Now: at(noon)})
	in := filepath.Join(dir, "2026-11-22")
	if err := os.WriteFile(in, nil, 0o600); err != nil { // where the folder should be
		t.Fatal(err)
	}
	c := l.ForCall("bad", noon)
	c.Emit(trace.Event{Type: trace.CallStarted})
	flush(t, l)
	if l.Err() == nil {
		t.Error("Err() = nil while nothing can be written")
	}
	os.Remove(in)
	c.Emit(trace.Event{Type: trace.CallEnded})
	flush(t, l)
	if err := l.Err(); err != nil {
		t.Errorf("Err() = %v after the disk came back", err)
	}
	if got, want := texts(all(t, l, "bad")), "1 call.started; 2 call.ended"; got != want {
		t.Errorf("on disk: %s, want %s", got, want)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir, Now: at(noon)})
	for _, f := range []string{"2026-10-01/23", "2026-10-02/00", "2026-10-02/01", "notes/x"} {
		if err := os.MkdirAll(filepath.Join(dir, f), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	n, err := l.Sweep(time.Date(2026, 10, 2, 1, 0, 0, 0, time.UTC))
	if n != 2 || err != nil {
		t.Errorf("Sweep = %d, %v, want 2, nil", n, err)
	}
	var left []string
	for _, day := range l.folders(".") {
		left = append(left, day)
		for _, h := range l.folders(day) {
			left = append(left, day+"/"+h)
		}
	}
	if want := []string{"notes", "notes/x", "2026-10-02", "2026-10-02/01"}; !reflect.DeepEqual(left, want) {
		t.Errorf("left %q, want %q", left, want)
	}
}

func TestConcurrent(t *testing.T) {
	l := open(t, Config{Dir: t.TempDir()})
	const calls, events = 8, 500
	var wg sync.WaitGroup
	seen := make([]int, calls)
	for i := range calls {
		id := fmt.Sprintf("call%d", i)
		c := l.ForCall(id, noon)
		sub := l.Subscribe(id, 0)
		wg.Go(func() {
			for e, err := range sub.Events(t.Context()) {
				if err != nil {
					t.Errorf("%s: %v", id, err)
				}
				if seen[i]++; e.Seq != seen[i] {
					t.Errorf("%s: event %d has seq %d", id, seen[i], e.Seq)
					return
				}
			}
		})
		wg.Go(func() {
			for range events {
				c.Emit(trace.Event{Type: trace.Key, Key: "1"})
			}
			c.Close()
		})
	}
	wg.Wait()
	flush(t, l)
	for i := range calls {
		if got := len(all(t, l, fmt.Sprintf("call%d", i))); got != events || seen[i] != events {
			t.Errorf("call%d: %d on disk, %d seen, want %d", i, got, seen[i], events)
		}
	}
}

func TestEmitAllocs(t *testing.T) {
	l, c, e := emitter(t)
	if n := testing.AllocsPerRun(1000, func() { c.Emit(e) }); n > 1 {
		t.Errorf("Emit allocates %v times, want at most 1", n)
	}
	_ = l
}

func emitter(t testing.TB) (*Log, *CallLog, trace.Event) {
	l := open(t, Config{Dir: t.TempDir()})
	c := l.ForCall("q7Lx2", noon)
	return l, c, trace.Event{Type: trace.SIPReceived, Method: "INVITE", Peer: "10.0.0.7:5060", Body: strings.Repeat("Via: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK776\r\n", 14)}
}

// Budget: under 5 µs and no allocation without the disk, which is the part that
// a call pays for; with it a flood is measured, as no calls could make it.
func BenchmarkEmit(b *testing.B) {
	l := open(b, Config{})
	c := l.ForCall("q7Lx2", noon)
	_, _, e := emitter(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Emit(e)
	}
}

func BenchmarkEmitFlood(b *testing.B) {
	_, c, e := emitter(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Emit(e)
	}
}

func BenchmarkEmitWithListener(b *testing.B) {
	l, c, e := emitter(b)
	for range 4 {
		defer l.Subscribe("", Now).Close()
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Emit(e)
	}
}
