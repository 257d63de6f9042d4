package eventlog

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestRecent: the files of the hours that count, counted from the newest, and
// nothing else that lies there.
func TestRecent(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"2026-11-22/21/new.jsonl", "2026-11-22/21/new.rtp", "2026-11-22/19/old.jsonl", "2026-11-22/16/edge.jsonl",
		"2026-11-22/15/gone.jsonl", "2026-11-21/21/ancient.jsonl", "junk/21/x.jsonl"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(f)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got, want := slices.Collect(l.Recent(4*time.Hour)), []string{"new", "old", "edge"}; !slices.Equal(got, want) {
		t.Errorf("Recent = %q, want %q", got, want)
	}
}
