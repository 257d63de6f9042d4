package recorder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/media/mp3"
)

// engine is an Encoder that makes a file of 100 bytes, or what do does.
type engine struct {
	do func(ctx context.Context, s mp3.Sound) error

	mu    sync.Mutex
	order []string
}

func (e *engine) Ready() error { return nil }

func (e *engine) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (e *engine) Encode(ctx context.Context, s mp3.Sound) (int64, error) {
	e.mu.Lock()
	e.order = append(e.order, s.In)
	e.mu.Unlock()
	if e.do != nil {
		if err := e.do(ctx, s); err != nil {
			return 0, err
		}
	}
	return 100, os.WriteFile(filepath.Join(s.Dir, s.Out), make([]byte, 100), 0o600)
}

// seconds writes sound to a recording.
func seconds(rec *Recording, n int) {
	in, _ := coded(1000, 5)
	for range n * 10 {
		rec.Write(block(5, in, nil))
	}
}

// exist tells which of the files of a recording there are.
func exist(dir, base string) (all []string) {
	names, _ := filepath.Glob(filepath.Join(dir, base+".*"))
	for _, n := range names {
		all = append(all, strings.TrimPrefix(filepath.Base(n), base))
	}
	return all
}

func TestMP3(t *testing.T) {
	e := &engine{}
	r, dir := folder(t, Config{Encoder: e})
	e.do = func(_ context.Context, s mp3.Sound) error {
		if s.Samples != 8000 || s.Rate != 8000 || s.Channels != 2 || s.Offset != 44 || s.In != "a/x.mp3.part" || s.Dir != dir {
			t.Errorf("Encode(%+v)", s)
		}
		// What is encoded is a whole wav file.
		if pcm, w := sound(t, filepath.Join(dir, s.In)); len(pcm) != 8000 || w.Duration() != time.Second {
			t.Errorf("%d samples, %v", len(pcm), w.Duration())
		}
		return nil
	}
	stop := running(t, r)
	rec, done := start(t, r, Spec{Name: "a/x.mp3", Channels: 2})
	seconds(rec, 1)
	rec.Stop("digit 1")
	if d := <-done; d.Name != "a/x.mp3" || d.Size != 100 || d.Duration != time.Second || d.Reason != "digit 1" || d.Err != nil || d.Note != "" {
		t.Errorf("Done = %+v", d)
	}
	if got := exist(dir+"/a", "x"); !slices.Equal(got, []string{".mp3"}) {
		t.Errorf("files %v, want .mp3 alone", got)
	}
	stop()
	if all, err := open(t, dir, Config{Encoder: e}).Recover(t.Context()); len(all) > 0 || err != nil {
		t.Errorf("Recover = %v, %v; want nothing", all, err)
	}
}

// TestMP3Fails: without an mp3 the wav is kept and says why.
func TestMP3Fails(t *testing.T) {
	for name, do := range map[string]func(context.Context, mp3.Sound) error{
		"refused": func(context.Context, mp3.Sound) error { return errors.New("no, refused") },
		"panic":   func(context.Context, mp3.Sound) error { panic("refused") },
		"half": func(_ context.Context, s mp3.Sound) error {
			return errors.Join(os.WriteFile(filepath.Join(s.Dir, s.Out), []byte{1}, 0o600), errors.New("refused"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, dir := folder(t, Config{Encoder: &engine{do: do}})
			defer running(t, r)()
			rec, done := start(t, r, Spec{Name: "x.mp3"})
			seconds(rec, 1)
			rec.Stop("hangup")
			d := <-done
			if d.Name != "x.mp3.wav" || d.Size != 44+16000 || d.Err != nil || !strings.Contains(d.Note, "refused") {
				t.Errorf("Done = %+v", d)
			}
			if pcm, _ := sound(t, dir+"/x.mp3.wav"); len(pcm) != 8000 {
				t.Errorf("%d samples", len(pcm))
			}
			if got := exist(dir, "x"); !slices.Equal(got, []string{".mp3.wav"}) {
				t.Errorf("files %v, want one", got)
			}
		})
	}
}

// TestShortestFirst: a message does not wait for somebody's hour; equal ones stay in order.
func TestShortestFirst(t *testing.T) {
	busy, free := make(chan struct{}), make(chan struct{})
	e := &engine{do: func(_ context.Context, s mp3.Sound) error {
		if s.In == "first.mp3.part" {
			close(busy)
			<-free
		}
		return nil
	}}
	r, _ := folder(t, Config{Encoder: e, Workers: 1})
	defer running(t, r)()
	rec, first := start(t, r, Spec{Name: "first.mp3"})
	seconds(rec, 1)
	rec.Stop("hangup")
	<-busy
	var waits []chan Done
	for _, c := range []struct {
		name string
		n    int
	}{{"long.mp3", 5}, {"short.mp3", 2}, {"middle.mp3", 3}, {"other.mp3", 2}} {
		rec, done := start(t, r, Spec{Name: c.name})
		seconds(rec, c.n)
		rec.Stop("hangup")
		waits = append(waits, done)
		for len(waiting(r)) < len(waits) { // the one worker does them in turn
			runtime.Gosched()
		}
	}
	close(free)
	<-first
	for _, w := range waits {
		<-w
	}
	if want := []string{"first.mp3.part", "short.mp3.part", "other.mp3.part", "middle.mp3.part", "long.mp3.part"}; !slices.Equal(e.order, want) {
		t.Errorf("order %v, want %v", e.order, want)
	}
}

func waiting(r *Recorder) []*task {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.tasks)
}

// TestPostponed: a switch that ends does not wait for an hour's mp3; the next one makes it and tells, as if nothing
// had been.
func TestPostponed(t *testing.T) {
	busy := make(chan struct{}, 2)
	stuck := &engine{do: func(ctx context.Context, s mp3.Sound) error {
		os.WriteFile(filepath.Join(s.Dir, s.Out), []byte("half"), 0o600)
		busy <- struct{}{}
		<-ctx.Done()
		return context.Cause(ctx)
	}}
	r, dir := folder(t, Config{Encoder: stuck, Workers: 1})
	stop := running(t, r)
	rec, one := start(t, r, Spec{Name: "one.mp3", Data: "1"})
	seconds(rec, 1)
	rec.Stop("digit 7")
	<-busy
	rec, two := start(t, r, Spec{Name: "two.mp3", Data: "2"})
	seconds(rec, 2)
	rec.Stop("hangup")
	_, three := start(t, r, Spec{Name: "three.mp3", Data: "3"}) // runs to the end
	stop()
	for i, c := range []chan Done{one, two, three} {
		if d := <-c; !d.Postponed || d.Err != nil {
			t.Errorf("%d: Done = %+v, want it postponed", i, d)
		}
	}

	done := make(chan Done, 3)
	next := open(t, dir, Config{Encoder: &engine{}, Late: func(d Done) { d.Told(); done <- d }})
	all, err := next.Recover(t.Context())
	if len(all) > 0 || err != nil {
		t.Fatalf("Recover = %v, %v; want all of it later", all, err)
	}
	defer running(t, next)()
	reasons := map[string]string{}
	for range 3 {
		d := <-done
		reasons[d.Data] = d.Reason
		if d.Err != nil || d.Postponed || d.Size != 100 {
			t.Errorf("Late %+v", d)
		}
	}
	if reasons["1"] != "digit 7" || reasons["2"] != "hangup" || reasons["3"] != "shutdown" {
		t.Errorf("reasons %v", reasons)
	}
	if got := exist(dir, "one"); !slices.Equal(got, []string{".mp3"}) {
		t.Errorf("files %v, want .mp3 alone", got)
	}
}

// TestCrashedAnywhere: wherever the switch was killed on the way from sound to report, the next one has the file under
// its name and tells once.
func TestCrashedAnywhere(t *testing.T) {
	for _, c := range []struct {
		name   string
		at     func(r *Recorder, rec *Recording, dir string) // what was done of it
		reason string
		fault  bool
		file   string // which is left
		told   bool   // before the crash
	}{
		{"it ran", func(_ *Recorder, rec *Recording, _ string) {}, "", true, "x.mp3", false},
		{"during the encode", func(r *Recorder, rec *Recording, dir string) {
			rec.Stop("digit 1")
			turn(rec)
			os.WriteFile(dir+"/x.mp3.new", []byte("half"), 0o600)
		}, "digit 1", false, "x.mp3", false},
		{"after the rename", func(r *Recorder, rec *Recording, dir string) {
			rec.Stop("digit 1")
			turn(rec)
			os.WriteFile(dir+"/x.mp3", make([]byte, 100), 0o600)
		}, "digit 1", false, "x.mp3", false},
		{"before the report", func(r *Recorder, rec *Recording, dir string) {
			rec.Stop("digit 1")
			turn(rec)
			r.encode(context.Background(), r.tasks[0])
		}, "digit 1", false, "x.mp3", false},
		{"after the report", func(r *Recorder, rec *Recording, dir string) {
			rec.spec.OnDone = func(d Done) { d.Told() }
			rec.Stop("digit 1")
			turn(rec)
			r.encode(context.Background(), r.tasks[0])
		}, "", false, "x.mp3", true},
		{"kept as wav, before the report", func(r *Recorder, rec *Recording, dir string) {
			rec.Stop("digit 1")
			turn(rec)
			r.keepWAV(r.tasks[0], errors.New("no"))
		}, "digit 1", false, "x.mp3.wav", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, dir := folder(t, Config{Encoder: &engine{}})
			rec, err := r.Start(Spec{Name: "x.mp3", Channels: 1, Codec: codecPCMU, Data: "data", OnDone: func(Done) {}})
			if err != nil {
				t.Fatal(err)
			}
			seconds(rec, 1)
			turn(rec)
			c.at(r, rec, dir)

			for want := 1; want >= 0; want-- { // the second start has nothing to tell
				if c.told {
					want = 0
				}
				late := make(chan Done, 2)
				next := open(t, dir, Config{Encoder: &engine{}, Late: func(d Done) { late <- d }})
				all, err := next.Recover(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				stop := running(t, next)
				if len(all) == 0 && want == 1 {
					all = append(all, <-late)
				}
				if len(all) != want {
					t.Errorf("told %v, want %d", all, want)
				}
				for _, d := range all {
					if d.Reason != c.reason || (d.Err != nil) != c.fault || d.Name != c.file || d.Duration != time.Second || d.Data != "data" || d.Size == 0 {
						t.Errorf("told %+v", d)
					}
					d.Told()
				}
				stop()
				if len(late) > 0 {
					t.Errorf("told again: %+v", <-late)
				}
			}
			if got, _ := filepath.Glob(dir + "/x*"); !slices.Equal(got, []string{filepath.Join(dir, c.file)}) {
				t.Errorf("files %v, want %s alone", got, c.file)
			}
		})
	}
}

// TestNoEncoder: who asks is told before a recording begins.
func TestNoEncoder(t *testing.T) {
	r, _ := folder(t, Config{MP3: mp3.Config{Wasm: "/nowhere/lame.wasm"}})
	if err := r.MP3(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("MP3() = %v, want it to miss the file", err)
	}
}
