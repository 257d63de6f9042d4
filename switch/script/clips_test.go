package script

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/media/codec"
	"ozswitch/media/wav"
	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// A shelf is Prompts that count: files opened, closed, and decoded beyond their start.
type shelf struct {
	wav            []byte
	gate           chan struct{} // what is beyond the start waits for it; nil = no waiting
	opened, closed atomic.Int32
	read           atomic.Int32
}

func (s *shelf) Open(context.Context, string) (*PromptFile, error) {
	s.opened.Add(1)
	return &PromptFile{&shelved{ReadSeeker: bytes.NewReader(s.wav), s: s}, "key", func() error { s.closed.Add(1); return nil }}, nil
}

type shelved struct {
	io.ReadSeeker
	s    *shelf
	late bool
}

func (f *shelved) Read(b []byte) (int, error) {
	if at, err := f.Seek(0, io.SeekCurrent); err == nil && at > 40000 && !f.late {
		f.late = true
		f.s.read.Add(1)
		if f.s.gate != nil {
			<-f.s.gate
		}
	}
	return f.ReadSeeker.Read(b)
}

// ramp is sound in which each moment is another.
func ramp(t *testing.T, d time.Duration) []byte {
	t.Helper()
	pcm := make([]int16, 8000*int(d/time.Second))
	for i := range pcm {
		pcm[i] = int16(i)
	}
	name := filepath.Join(t.TempDir(), "ramp.wav")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := wav.NewWriter(f, 8000, 1)
	if err == nil {
		err = errors.Join(w.Write(pcm), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hear plays the file until most clips were heard and gives what they hold.
func hear(ctx context.Context, t *testing.T, r *Runner, most int) (sound []byte, err error) {
	t.Helper()
	n := 0
	for clip, e := range r.prompt(ctx, codec.PCMU, ozml.Prompt{File: "a.wav"}, trace.SinkFunc(func(trace.Event) {})) {
		if err = e; e != nil {
			break
		}
		for _, f := range clip.Frames {
			sound = append(sound, f...)
		}
		if n++; n == most {
			break
		}
	}
	return sound, err
}

// TestPromptIsMadeOnce: callers who hear a prompt together, and those who hang
// up before its end, cause it to be decoded once.
func TestPromptIsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{wav: ramp(t, 10*time.Second), gate: make(chan struct{})}
		r := New(Config{Prompts: s})
		for range 5 {
			if sound, err := hear(t.Context(), t, r, 1); err != nil || len(sound) != 8000 {
				t.Fatalf("%d bytes heard, %v; want a second", len(sound), err)
			}
		}
		left, leave := context.WithCancelCause(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := hear(left, t, r, 0)
			gone <- err
		}()
		synctest.Wait()
		why := errors.New("hung up")
		leave(why)
		if err := <-gone; !errors.Is(err, why) {
			t.Errorf("who hung up while waiting got %v, want %v", err, why)
		}
		close(s.gate)
		r.wg.Wait() // as at shutdown
		whole, err := hear(t.Context(), t, r, 0)
		if err != nil || len(whole) != 80000 {
			t.Fatalf("%d bytes heard at last, %v; want ten seconds", len(whole), err)
		}
		if n := s.read.Load(); n != 1 {
			t.Errorf("decoded %d times, want once", n)
		}
		if o, c := s.opened.Load(), s.closed.Load(); o != 7 || c != o {
			t.Errorf("%d files opened, %d closed, want 7", o, c)
		}
		if len(r.clips.making) != 0 {
			t.Errorf("%d prompts are still being made", len(r.clips.making))
		}
	})
}

// TestLongPrompt: what is too long to be kept is heard whole, by the first and
// by the next, and takes no room.
func TestLongPrompt(t *testing.T) {
	s := &shelf{wav: ramp(t, 150*time.Second)}
	r := New(Config{Prompts: s})
	want, err := func() (all []byte, err error) {
		for clip, err := range decoded("a.wav", bytes.NewReader(s.wav), codec.PCMU) {
			if err != nil {
				return nil, err
			}
			for _, f := range clip.Frames {
				all = append(all, f...)
			}
		}
		return all, nil
	}()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := hear(t.Context(), t, r, 0)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes heard, %v; want the %d of the file", len(got), err, len(want))
		}
	}
	r.wg.Wait()
	if o, c := s.opened.Load(), s.closed.Load(); c != o {
		t.Errorf("%d files opened, %d closed", o, c)
	}
	if r.clips.size > 1000 {
		t.Errorf("%d bytes are kept of what is too long", r.clips.size)
	}
}

// TestUnmade: a file that cannot be read fails for all who wait, and a panic
// leaves nobody waiting.
func TestUnmade(t *testing.T) {
	s := &shelf{wav: []byte("RIFF")}
	r := New(Config{Prompts: s})
	if _, err := hear(t.Context(), t, r, 0); err == nil {
		t.Error("a broken file was played")
	}
	r.wg.Wait()
	s.wav = ramp(t, 10*time.Second)
	s.gate = make(chan struct{})
	if sound, err := hear(t.Context(), t, r, 1); err != nil || len(sound) != 8000 {
		t.Errorf("%d bytes heard, %v: a fault must not be kept", len(sound), err)
	}
	close(s.gate)
	r.wg.Wait()

	p := &Runner{c: Config{Slog: slog.New(slog.DiscardHandler), Prompts: bugs{}}, clips: newClips(1 << 20)}
	if _, err := hear(t.Context(), t, p, 0); !errors.Is(err, errUnmade) {
		t.Errorf("a decoder that panics gave %v, want %v", err, errUnmade)
	}
}

// bugs is Prompts whose files panic.
type bugs struct{}

func (bugs) Open(context.Context, string) (*PromptFile, error) {
	return &PromptFile{nil, "key", nil}, nil
}
