package recorder

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/wav"
)

// folder is a recorder that does not run yet, on an empty folder.
func folder(t testing.TB, c Config) (*Recorder, string) {
	t.Helper()
	dir := t.TempDir()
	return open(t, dir, c), dir
}

func open(t testing.TB, dir string, c Config) *Recorder {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	c.Dir = root
	c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	return New(c)
}

// running starts a recorder; the function ends it.
func running(t testing.TB, r *Recorder) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	}
}

func start(t testing.TB, r *Recorder, s Spec) (*Recording, chan Done) {
	t.Helper()
	done := make(chan Done, 2)
	s.OnDone = func(d Done) { d.Told(); done <- d }
	if s.Codec == nil {
		s.Codec = codec.PCMU
	}
	if s.Channels == 0 {
		s.Channels = 1
	}
	rec, err := r.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	return rec, done
}

// turn is what a worker does with a recording that waits.
func turn(rec *Recording) {
	rec.r.queue = rec.r.queue[:0]
	rec.turn()
}

// coded is n frames of one value in PCMU, and the value that comes back.
func coded(v int16, n int) ([]byte, int16) {
	pcm := slices.Repeat([]int16{v}, 160)
	b := make([]byte, 160)
	codec.PCMU.NewEncoder().Encode(b, pcm)
	codec.PCMU.NewDecoder().Decode(pcm, b)
	return slices.Repeat(b, n), pcm[0]
}

func sound(t testing.TB, name string) ([]int16, *wav.Reader) {
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
	pcm, err := media.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return pcm, r
}

// block is frames of PCMU of both directions, one after another.
func block(frames int, in, out []byte) Block {
	b := Block{Frames: frames}
	for i := range frames {
		if size := len(in) / frames; size > 0 {
			b.In[i] = in[i*size:][:size]
		}
		if size := len(out) / frames; size > 0 {
			b.Out[i] = out[i*size:][:size]
		}
	}
	return b
}

// TestMixes: both sides are heard at their time; what did not come of ours is silence, of the caller's as a telephone
// would fill it.
func TestMixes(t *testing.T) {
	r, dir := folder(t, Config{})
	defer running(t, r)()
	in, a := coded(1000, 5)
	out, b := coded(-3000, 5)
	loud, l := coded(32000, 1)

	rec, done := start(t, r, Spec{Name: "2026/x.wav", Data: "hello"})
	if _, err := os.Stat(dir + "/2026/x.wav.part"); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	holes := block(5, in, out)
	holes.In[1], holes.Out[1], holes.Out[2] = nil, nil, nil
	rec.Write(holes)
	rec.Write(Block{Frames: 2})
	rec.Write(block(1, loud, loud))
	rec.Write(block(1, in, nil)) // of the wrong size: as if it had not come
	rec.Stop("digit")
	rec.Stop("hangup")
	rec.Write(block(1, loud, nil))
	d := <-done
	want := Done{Name: "2026/x.wav", Size: 44 + 9*320, Duration: 180 * time.Millisecond, Channels: 1, Rate: 8000, Reason: "digit", Data: "hello"}
	if d.settle = nil; !reflect.DeepEqual(d, want) {
		t.Errorf("Done = %+v, want %+v", d, want)
	}
	pcm, _ := sound(t, dir+"/2026/x.wav")
	for _, want := range []struct {
		from, to int // samples
		v        int16
	}{
		{0, 160, a + b},
		{160, 240, a}, // nothing came: the caller's sound is carried on, ours was silence
		{320 + 40, 480, a},
		{480, 800, a + b},
		{800, 880, a},
		{1120 + 40, 1280, 32767}, // clipped, not wrapped round
		{1280, 1360, l},
	} {
		if got := pcm[want.from:want.to]; !slices.Equal(got, slices.Repeat([]int16{want.v}, len(got))) {
			t.Errorf("samples %d to %d: %d... %d, want %d", want.from, want.to, got[0], got[len(got)-1], want.v)
		}
	}
	if _, err := os.Stat(dir + "/2026/x.wav.part"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf(".part after the end: %v", err)
	}
}

func TestTwoChannelsAndMax(t *testing.T) {
	r, dir := folder(t, Config{})
	defer running(t, r)()
	in, a := coded(500, 5)
	out, b := coded(9000, 5)
	rec, done := start(t, r, Spec{Name: "x.wav", Channels: 2, Max: 250 * time.Millisecond})
	for range 4 {
		rec.Write(block(5, in, out))
	}
	rec.Stop("duration")
	if d := <-done; d.Duration != 250*time.Millisecond || d.Size != 44+2000*4 || d.Err != nil {
		t.Errorf("Done = %+v, want 250 ms", d)
	}
	raw, err := os.ReadFile(dir + "/x.wav")
	if err != nil {
		t.Fatal(err)
	}
	left, right := int16(uint16(raw[44])|uint16(raw[45])<<8), int16(uint16(raw[46])|uint16(raw[47])<<8)
	if left != a || right != b {
		t.Errorf("left %d, right %d; want the caller's %d, the switch's %d", left, right, a, b)
	}
}

func TestStartRefuses(t *testing.T) {
	r, dir := folder(t, Config{})
	outside := t.TempDir()
	if err := errors.Join(os.WriteFile(dir+"/taken.wav", nil, 0o600), os.WriteFile(dir+"/file", nil, 0o600), os.Symlink(outside, dir+"/link")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"taken.wav": "exist", "file/x.wav": "", "../x.wav": "no clean name", "/x.wav": "no clean name", "link/x.wav": "escapes",
		"a\x00.wav": "no clean name", "x.ogg": "does not end in .wav", "": "does not end in .wav",
	} {
		_, err := r.Start(Spec{Name: name, Channels: 1, Codec: codec.PCMU})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start(%q) = %v, want %q", name, err, want)
		}
	}
	if got, _ := filepath.Glob(outside + "/*"); len(got) != 0 {
		t.Errorf("made outside the folder: %v", got)
	}
	if len(r.live) != 0 {
		t.Errorf("%d recordings live after failed starts", len(r.live))
	}
}

// TestFailures: whatever goes wrong is in Done, once, and what was written is kept.
func TestFailures(t *testing.T) {
	in, _ := coded(1000, 5)
	for _, c := range []struct {
		name string
		do   func(r *Recorder, rec *Recording, dir string)
		want string
		kept bool
	}{
		{"the disk fails", func(r *Recorder, rec *Recording, _ string) {
			rec.Write(block(5, in, nil))
			turn(rec)
			rec.file.Close()
			rec.Write(block(5, in, nil))
		}, "file already closed", true},
		{"the disk is too slow", func(r *Recorder, rec *Recording, _ string) {
			for range 20 {
				rec.Write(block(5, in, nil))
			}
		}, "does not keep up", true},
		{"the folder is gone", func(r *Recorder, rec *Recording, dir string) {
			rec.Write(block(5, in, nil))
			os.RemoveAll(dir + "/sub")
			rec.Stop("hangup")
		}, "no such file", false},
		{"a decoder's panic", func(r *Recorder, rec *Recording, _ string) {
			rec.w.lanes.begin(codec.PCMU, 8000)
			rec.w.lanes.out = broken{}
			rec.Write(block(5, nil, in))
		}, "panic: broken", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, dir := folder(t, Config{Buffer: 4000})
			rec, done := start(t, r, Spec{Name: "sub/x.wav"})
			c.do(r, rec, dir)
			stop := running(t, r)
			d := <-done
			if d.Err == nil || !strings.Contains(d.Err.Error(), c.want) {
				t.Errorf("Err = %v, want %q", d.Err, c.want)
			}
			_, err := os.Stat(dir + "/sub/x.wav")
			if kept := err == nil; kept != c.kept || kept != (d.Size > 0) {
				t.Errorf("kept %v (%v), Size %d; want %v", kept, err, d.Size, c.kept)
			}
			rec.Write(block(5, in, nil))
			rec.Stop("hangup")
			stop()
			if len(done) > 0 {
				t.Errorf("a second Done: %+v", <-done)
			}
		})
	}
}

type broken struct{}

func (broken) Decode([]int16, []byte) int { panic("broken") }

// TestShutdown: a recorder that ends finishes what runs.
func TestShutdown(t *testing.T) {
	r, dir := folder(t, Config{})
	stop := running(t, r)
	in, _ := coded(1000, 5)
	rec, done := start(t, r, Spec{Name: "x.wav"})
	rec.Write(block(5, in, nil))
	stop()
	if d := <-done; d.Reason != "shutdown" || d.Duration != 100*time.Millisecond || d.Err != nil {
		t.Errorf("Done = %+v", d)
	}
	if pcm, w := sound(t, dir+"/x.wav"); len(pcm) != 800 || w.Duration() != 100*time.Millisecond {
		t.Errorf("%d samples, %v", len(pcm), w.Duration())
	}
	if _, err := r.Start(Spec{Name: "y.wav", Channels: 1, Codec: codec.PCMU}); !errors.Is(err, ErrEnded) {
		t.Errorf("Start after the end = %v, want ErrEnded", err)
	}
	if all, err := open(t, dir, Config{}).Recover(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("Recover after an orderly end = %v, %v; want nothing", all, err)
	}
}

// TestRecover: after a crash the files get exact headers and their names, and the owner what it needs for its report.
func TestRecover(t *testing.T) {
	r, dir := folder(t, Config{})
	in, _ := coded(1000, 5)
	running, _ := start(t, r, Spec{Name: "a/running.wav", Data: `{"call":"q7"}`})
	running.Write(block(5, in, nil))
	turn(running)
	running.file.Write([]byte{1}) // half a sample
	named, done := start(t, r, Spec{Name: "named.wav"})
	named.Write(block(5, in, nil))
	turn(named)
	named.Stop("hangup")
	turn(named)
	<-done // reported: not again
	gone, _ := start(t, r, Spec{Name: "gone.wav"})
	os.Remove(dir + "/gone.wav.part")
	_ = gone
	f, _ := os.OpenFile(dir+"/.journal", os.O_WRONLY|os.O_APPEND, 0)
	f.WriteString(`{"op":"begin","name":"../../etc/x"}` + "\n" + `{"op":"beg`) // foreign, and cut off
	f.Close()

	again := open(t, dir, Config{})
	all, err := again.Recover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b Done) int { return strings.Compare(a.Name, b.Name) })
	if len(all) != 2 {
		t.Fatalf("Recover = %+v, want two", all)
	}
	if d := all[0]; d.Name != "a/running.wav" || d.Size != 44+1600 || d.Duration != 100*time.Millisecond || d.Data != `{"call":"q7"}` || d.Err == nil {
		t.Errorf("running: %+v", d)
	}
	if d := all[1]; d.Name != "gone.wav" || d.Size != 0 || !errors.Is(d.Err, fs.ErrNotExist) {
		t.Errorf("gone: %+v", d)
	}
	for _, name := range []string{"a/running.wav", "named.wav"} {
		if pcm, w := sound(t, filepath.Join(dir, name)); len(pcm) != 800 || w.Duration() != 100*time.Millisecond {
			t.Errorf("%s: %d samples, %v", name, len(pcm), w.Duration())
		}
	}
	// Until they are told of, a crash has them told again.
	for want := 2; want >= 0; want-- {
		again := open(t, dir, Config{})
		all, err := again.Recover(t.Context())
		if len(all) != want || err != nil {
			t.Errorf("Recover = %v, %v; want %d", all, err, want)
		}
		if len(all) > 0 {
			all[0].Told()
		}
	}
}

// TestJournalStaysSmall: a journal holds what runs, not history.
func TestJournalStaysSmall(t *testing.T) {
	r, dir := folder(t, Config{})
	keep, _ := start(t, r, Spec{Name: "keep.wav"})
	_ = keep
	for range 2000 {
		if err := errors.Join(r.journal.begin("x.wav", ""), r.journal.whole(Done{Name: "x.wav"}), r.journal.told("x.wav"), r.journal.end("x.wav")); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(dir + "/.journal")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), "\n"); n > 1100 || !strings.Contains(string(b), "keep.wav") {
		t.Errorf("%d lines, keep.wav in it: %v", n, strings.Contains(string(b), "keep.wav"))
	}
}

func TestOnVoice(t *testing.T) {
	r, _ := folder(t, Config{})
	defer running(t, r)()
	type change struct {
		on bool
		at time.Duration
	}
	var changes []change
	rec, done := start(t, r, Spec{Name: "x.wav", OnVoice: func(on bool, at time.Duration) { changes = append(changes, change{on, at}) }})
	enc := codec.PCMU.NewEncoder()
	pcm := make([]int16, 160)
	for i, s := range speech(3*time.Second, time.Second, 2*time.Second, 3000) {
		pcm[i%160] = s
		if i%160 == 159 {
			b := make([]byte, 160)
			enc.Encode(b, pcm)
			rec.Write(block(1, b, nil))
		}
	}
	rec.Stop("hangup")
	<-done
	near := func(a, b time.Duration) bool { return (a - b).Abs() <= 60*time.Millisecond }
	if len(changes) != 2 || !changes[0].on || changes[1].on || !near(changes[0].at, time.Second) || !near(changes[1].at, 2*time.Second) {
		t.Errorf("changes %v, want on at 1 s, off at 2 s", changes)
	}
}

// TestWriteAllocates: nothing, in the thread that paces calls.
func TestWriteAllocates(t *testing.T) {
	r, _ := folder(t, Config{})
	in, _ := coded(1000, 5)
	rec, _ := start(t, r, Spec{Name: "x.wav"})
	b := block(5, in, in)
	for range 2 { // both halves of the buffer
		for range 10 {
			rec.Write(b)
		}
		turn(rec)
	}
	if n := testing.AllocsPerRun(5, func() { rec.Write(b) }); n != 0 {
		t.Errorf("Write allocates %v times, want 0", n)
	}
}

// BenchmarkBlock is 100 ms of a recording, written, decoded, mixed and put into the file. Budget: 10 µs, 0 allocations.
func BenchmarkBlock(b *testing.B) {
	r, _ := folder(b, Config{})
	in, _ := coded(1000, 5)
	rec, _ := start(b, r, Spec{Name: "x.wav", OnVoice: func(bool, time.Duration) {}})
	b.ReportAllocs()
	for b.Loop() {
		rec.Write(block(5, in, in))
		turn(rec)
	}
}
