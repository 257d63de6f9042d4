package script

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ozswitch/media/pace"
	"ozswitch/ozml"
)

// TestLibrary: paths lead below the two roots and nowhere else.
func TestLibrary(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []string{"media/a.wav", "media/sub/b.wav", "recordings/c.wav", "secret.key"} {
		write(f)
	}
	if err := os.Symlink(filepath.Join(dir, "secret.key"), filepath.Join(dir, "media/link.wav")); err != nil {
		t.Fatal(err)
	}
	root := func(name string) *os.Root {
		r, err := os.OpenRoot(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	l := &Library{Media: root("media"), Recordings: root("recordings"), Dir: dir}
	for name, code := range map[string]string{
		"a.wav": "", `sub\b.wav`: "", "sub/../a.wav": "", "recordings/c.wav": "", dir + "/media/a.wav": "", dir + "/recordings/c.wav": "",
		"b.wav": ozml.CodeNoFile, "sub": ozml.CodeNoFile, "link.wav": ozml.CodeNoFile, "../secret.key": ozml.CodeNoFile,
		"recordings/../../secret.key": ozml.CodeNoFile, "a.wav\x00": ozml.CodeNoFile,
		dir + "/secret.key": ozml.CodePath, "/etc/passwd": ozml.CodePath, dir + "/media": ozml.CodePath,
	} {
		f, err := l.Open(t.Context(), name)
		if code == "" {
			if err != nil {
				t.Errorf("Open(%q): %v", name, err)
				continue
			}
			f.Close()
			continue
		}
		if fault, ok := errors.AsType[*ozml.Fault](err); !ok || fault.Code != code || fault.Hint == "" {
			t.Errorf("Open(%q) = %v, want %s and a hint", name, err, code)
		}
	}
}

func TestFreshness(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		control, expires string
		fresh            time.Duration
		store            bool
	}{
		{"", "", 0, true},
		{"max-age=60", "", time.Minute, true},
		{`public, Max-Age="10"`, "", 10 * time.Second, true},
		{"no-store, max-age=60", "", 0, false},
		{"max-age=60, no-store", "", 0, false},
		{"max-age=60, no-cache", "", 0, true},
		{"no-cache", "", 0, true},
		{"max-age=x", "Thu, 01 Jan 2026 01:00:00 GMT", time.Hour, true},
		{"", "yesterday", 0, true},
	} {
		h := http.Header{}
		if c.control != "" {
			h.Set("Cache-Control", c.control)
		}
		if c.expires != "" {
			h.Set("Expires", c.expires)
		}
		fresh, store := freshness(h, now)
		if store != c.store || store && fresh.Sub(now) != c.fresh {
			t.Errorf("freshness(%q, %q) = %v, %v, want %v, %v", c.control, c.expires, fresh.Sub(now), store, c.fresh, c.store)
		}
	}
}

// TestClips: what came to its end is kept, the least recently used goes first,
// what failed is made again.
func TestClips(t *testing.T) {
	c := newClips(3 * (100 + 24))
	made := map[string]int{}
	play := func(key string, fail error) (n int) {
		for clip, err := range c.through(key, func(yield func(*pace.Clip, error) bool) {
			made[key]++
			if fail != nil {
				yield(nil, fail)
				return
			}
			yield(&pace.Clip{Frames: [][]byte{make([]byte, 100)}}, nil)
		}) {
			if err == nil {
				n += len(clip.Frames)
			}
		}
		return n
	}
	for _, k := range []string{"a", "b", "c", "a", "d", "a", "b"} { // d drives b out, b then c
		if play(k, nil) != 1 {
			t.Errorf("%s was not played", k)
		}
	}
	if made["a"] != 1 || made["b"] != 2 || c.size > c.most {
		t.Errorf("made %v, %d bytes kept, want at most %d", made, c.size, c.most)
	}
	play("bad", errors.New("no"))
	if play("bad", nil) != 1 || made["bad"] != 2 {
		t.Errorf("a prompt that failed was kept: %v", made)
	}
}
