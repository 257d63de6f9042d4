package tts

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tones is an engine that takes its time and makes a sample a letter.
type tones struct {
	mu    sync.Mutex
	asked []string                               // voice and text
	gate  chan struct{}                          // if set: say waits for it
	takes func(voice, text string) time.Duration // if set: say lasts that long
	n     int                                    // places; 0: 3
	fast  string                                 // the quick voice
}

func (e *tones) name() string                     { return "tones" }
func (e *tones) voices() []string                 { return []string{"one", "two"} }
func (e *tones) pick(r Request) (string, string)  { return pickEnglish(r, e.voices()) }
func (e *tones) prepare(r Request) string         { return r.Text }
func (e *tones) workers() int                     { return 3 }
func (e *tones) places() int                      { return or(e.n, 3) }
func (e *tones) quick() string                    { return e.fast }
func (e *tones) english(r Request, _ string) bool { return english(r.Language) }
func (e *tones) run(ctx context.Context) error    { <-ctx.Done(); return nil }

func (e *tones) say(ctx context.Context, voice, text string) (sound, error) {
	e.mu.Lock()
	e.asked = append(e.asked, voice+" "+text)
	e.mu.Unlock()
	if e.takes != nil {
		made := time.NewTimer(e.takes(voice, text))
		defer made.Stop()
		select {
		case <-made.C:
		case <-ctx.Done():
			return sound{}, context.Cause(ctx)
		}
	}
	if e.gate != nil {
		select {
		case <-e.gate:
		case <-ctx.Done():
			return sound{}, context.Cause(ctx)
		}
	}
	switch {
	case strings.HasPrefix(text, "fail"):
		return sound{}, errors.New("broken")
	case strings.HasPrefix(text, "panic"):
		panic("broken")
	case strings.HasPrefix(text, "mute"):
		return sound{8000, make([]int16, 1000)}, nil
	}
	return sound{8000, slices.Repeat([]int16{1000}, 100*len(text))}, nil
}

func withTones(t *testing.T, e *tones, c Config) *Voice {
	t.Helper()
	v := &Voice{cfg: c, main: newMaker(e), memory: newMemory(or(c.Memory, 64<<20)), flights: map[string]*flight{}}
	v.cfg.Log = discard()
	if c.CacheDir != "" {
		v.disk = &disk{dir: c.CacheDir, most: or(c.Disk, 1<<30), log: discard()}
	}
	return v
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func say(v *Voice, ctx context.Context, r Request) (texts []string, err error) {
	for p, err := range v.Say(ctx, r) {
		if err != nil {
			return texts, err
		}
		texts = append(texts, p.Text)
	}
	return texts, nil
}

func TestSay(t *testing.T) {
	e := &tones{}
	v := withTones(t, e, Config{})
	run(t, v)
	got, err := say(v, t.Context(), Request{Text: "Hello there. Second. Third."})
	if want := []string{"Hello there.", "Second.", "Third."}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("Say = %q, %v; want %q", got, err, want)
	}
	want := []string{"one Hello there.", "one Second.", "one Third."}
	slices.Sort(e.asked) // several are made at the same time, as the workers come to it
	if !slices.Equal(e.asked, want) {
		t.Errorf("asked %q, want %q", e.asked, want)
	}
	if _, err := say(v, t.Context(), Request{Text: "Third. Hello there."}); err != nil || len(e.asked) != 3 {
		t.Errorf("said again: %v, asked %q; want all from the cache", err, e.asked)
	}
	if _, err := say(v, t.Context(), Request{Text: "Third.", Voice: "two"}); err != nil || len(e.asked) != 4 {
		t.Errorf("another voice: %v, asked %q; want it made", err, e.asked)
	}
	for text, want := range map[string]string{"fail": "broken", "panic": "panic: broken", "mute": ErrSilent.Error(), "!": ErrNothing.Error()} {
		if _, err := say(v, t.Context(), Request{Text: text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Say(%q) = %v, want %q", text, err, want)
		}
	}
	if len(v.flights) != 0 {
		t.Errorf("%d flights left", len(v.flights))
	}
	e.asked = nil
	if err := v.Warm(t.Context()); err != nil || len(e.asked) != 3 {
		t.Errorf("Warm() = %v, asked %q; want each of 3 workers asked", err, e.asked)
	}
}

// TestTogether: two calls that want one sentence share its making, and it goes on when one of them leaves.
func TestTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &tones{gate: make(chan struct{})}
		v := withTones(t, e, Config{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- v.Run(ctx) }()
		type result struct {
			texts []string
			err   error
		}
		results := make(chan result, 3)
		gone, leave := context.WithCancelCause(t.Context())
		for _, c := range []context.Context{gone, t.Context(), t.Context()} {
			go func() {
				texts, err := say(v, c, Request{Text: "Good morning"})
				results <- result{texts, err}
			}()
		}
		synctest.Wait()
		leave(errors.New("hung up"))
		if r := <-results; r.err == nil || r.err.Error() != "hung up" {
			t.Errorf("who left got %v", r)
		}
		close(e.gate)
		for range 2 {
			if r := <-results; r.err != nil || len(r.texts) != 1 {
				t.Errorf("who stayed got %v", r)
			}
		}
		if len(e.asked) != 1 {
			t.Errorf("made %d times: %q", len(e.asked), e.asked)
		}

		// When all have left a sentence that is being made, it is finished and kept for the next.
		e.gate = make(chan struct{})
		alone, leave := context.WithCancelCause(t.Context())
		go func() {
			time.Sleep(time.Millisecond)
			leave(errors.New("hung up"))
		}()
		if _, err := say(v, alone, Request{Text: "Good evening"}); err == nil || err.Error() != "hung up" {
			t.Errorf("who left got %v", err)
		}
		close(e.gate)
		synctest.Wait()
		if texts, err := say(v, t.Context(), Request{Text: "Good evening"}); err != nil || len(texts) != 1 || len(e.asked) != 2 {
			t.Errorf("who came then got %q, %v; asked %q", texts, err, e.asked)
		}
		if len(v.flights) != 0 {
			t.Errorf("%d flights left", len(v.flights))
		}
		e.gate = make(chan struct{})

		// The end of the voice ends what is being made.
		go func() {
			texts, err := say(v, t.Context(), Request{Text: "Good night"})
			results <- result{texts, err}
		}()
		synctest.Wait()
		cancel()
		if r := <-results; !errors.Is(r.err, ErrEnded) {
			t.Errorf("at the end: %v, want ErrEnded", r)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if _, err := say(v, t.Context(), Request{Text: "Too late"}); !errors.Is(err, ErrEnded) {
			t.Errorf("after the end: %v, want ErrEnded", err)
		}
	})
}

func TestMemory(t *testing.T) {
	m := newMemory(1000)
	s := sound{8000, make([]int16, 100)} // 400 bytes with its overhead
	m.put("a", s)
	m.put("b", s)
	m.get("a")
	m.put("c", s)
	for key, want := range map[string]bool{"a": true, "b": false, "c": true} {
		if _, ok := m.get(key); ok != want {
			t.Errorf("%s kept: %v, want %v", key, ok, want)
		}
	}
	m.put("huge", sound{8000, make([]int16, 10000)})
	if m.bytes > 1000 {
		t.Errorf("%d bytes kept, at most 1000", m.bytes)
	}
}

func TestDisk(t *testing.T) {
	dir := t.TempDir()
	e := &tones{}
	texts := []string{"one.", "two.", "three.", "four."}
	for _, text := range texts {
		if _, err := say(started(t, e, Config{CacheDir: dir}), t.Context(), Request{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := say(started(t, e, Config{CacheDir: dir}), t.Context(), Request{Text: "one."}); err != nil || len(e.asked) != 4 {
		t.Errorf("a new voice on an old cache: %v, asked %q", err, e.asked)
	}
	files, _ := filepath.Glob(dir + "/*/*")
	if len(files) != 4 {
		t.Fatalf("%d files, want 4", len(files))
	}
	// A damaged file is made again.
	for _, f := range files {
		b, _ := os.ReadFile(f)
		b[len(b)-1] ^= 1
		os.WriteFile(f, b, 0o600)
	}
	if _, err := say(started(t, e, Config{CacheDir: dir}), t.Context(), Request{Text: "one."}); err != nil || len(e.asked) != 5 {
		t.Errorf("after damage: %v, asked %q", err, e.asked)
	}
	// A sweep leaves what was used last.
	now := time.Now()
	files, _ = filepath.Glob(dir + "/*/*")
	for i, f := range files {
		os.Chtimes(f, now, now.Add(time.Duration(i)*time.Minute))
	}
	st, _ := os.Stat(files[len(files)-1])
	d := &disk{dir: dir, most: st.Size() + 100, log: discard()}
	d.sweep(now)
	left, _ := filepath.Glob(dir + "/*/*")
	if len(left) > 1 || len(left) == 1 && left[0] != files[len(files)-1] {
		t.Errorf("left %v of %v, want the last", left, files)
	}
}

func started(t *testing.T, e *tones, c Config) *Voice {
	v := withTones(t, e, c)
	run(t, v)
	return v
}

// TestDiskFails: a cache that cannot be written costs time, not speech.
func TestDiskFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := say(started(t, &tones{}, Config{CacheDir: file}), t.Context(), Request{Text: "hello"}); err != nil {
		t.Errorf("Say = %v", err)
	}
}

func FuzzSound(f *testing.F) {
	f.Add(formatSound(sound{16000, []int16{1, 2, 3}}))
	f.Add([]byte(diskMagic))
	f.Add(wavOf(1, 2, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, ok := parseSound(b); ok && string(formatSound(s)) != string(b) {
			t.Errorf("%q is not what is written", b)
		}
		if s, err := pcmOf(b); err == nil && 2*len(s.pcm) > len(b) {
			t.Errorf("%d samples of %d bytes", len(s.pcm), len(b))
		}
	})
}

// wavOf is a WAV file as espeak-ng writes it to a pipe: its lengths are not filled in.
func wavOf(pcm ...int16) []byte {
	b := []byte("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x22\x56\x00\x00\x44\xac\x00\x00\x02\x00\x10\x00data\xff\xff\xff\x7f")
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// fakeEspeak is what the test binary is under that name. It speaks en only.
func fakeEspeak() int {
	in, _ := io.ReadAll(os.Stdin)
	args := strings.Join(os.Args[1:], " ")
	switch {
	case !strings.Contains(args, "-v en ") || !strings.Contains(args, "--stdin"):
		fmt.Fprintln(os.Stderr, "Error: The specified espeak-ng voice does not exist.")
		return 1
	case strings.Contains(string(in), "crash"):
		return 3
	}
	os.Stdout.Write(wavOf(slices.Repeat([]int16{7000}, 220*len(in))...))
	return 0
}

// fakeFlite writes to the file after -o, as the true one can do only.
func fakeFlite() int {
	in, _ := io.ReadAll(os.Stdin)
	i := slices.Index(os.Args, "-o")
	if i < 0 || !strings.Contains(strings.Join(os.Args, " "), "-voice rms ") {
		return 1
	}
	if err := os.WriteFile(os.Args[i+1], wavOf(slices.Repeat([]int16{7000}, 220*len(in))...), 0o600); err != nil {
		return 2
	}
	return 0
}

func TestProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, dir+"/espeak-ng"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	v, err := New(Config{Engine: "espeak-ng"})
	if err != nil {
		t.Fatal(err)
	}
	run(t, v)
	for _, c := range []struct {
		r    Request
		note string
		want string
	}{
		{Request{Text: "--version; <b>ő</b>"}, "", "--version; ő"}, // text is no option
		{Request{Text: "szia", Language: "hu"}, "", "szia"},        // not installed here: English speaks
		{Request{Text: "hi", Voice: "../../etc"}, "no voice", "hi"},
		{Request{Text: "hi", Language: "-x"}, "no language", "hi"},
	} {
		n := 0
		for p, err := range v.Say(t.Context(), c.r) {
			if err != nil || p.Rate != 22050 || p.Text != c.want || !strings.HasPrefix(p.Note, c.note) || (c.note == "") != (p.Note == "") {
				t.Errorf("%+v: %q at %d Hz, note %q, %v", c.r, p.Text, p.Rate, p.Note, err)
			}
			n++
		}
		if n != 1 {
			t.Errorf("%+v: %d pieces", c.r, n)
		}
	}
	if _, err := say(v, t.Context(), Request{Text: "crash"}); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("crash = %v", err)
	}
	if _, err := New(Config{Engine: "flite"}); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("New with a missing program = %v", err)
	}
	if err := os.Symlink(self, dir+"/flite"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	f, err := New(Config{Engine: "flite", Voice: "rms"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after run's: a slow first piece has a quick voice beside it, which may still be at work
		if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	run(t, f)
	if texts, err := say(f, t.Context(), Request{Text: "It costs €5. Thank you."}); err != nil || !slices.Equal(texts, []string{"It costs 5 euros.", "Thank you."}) {
		t.Errorf("flite said %q, %v", texts, err)
	}
	if _, err := New(Config{Engine: "festival"}); err == nil || !strings.Contains(err.Error(), "unknown engine") {
		t.Errorf("New with an unknown engine = %v", err)
	}
}
