package eventlog

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestSyncAll: few files and many are made to last; where the one call for all of
// them cannot be made, each is asked by itself, and trouble is told by name.
func TestSyncAll(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var files []*os.File
	for i := range 20 {
		f, err := os.Create(filepath.Join(dir.Name(), strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("{}\n"); err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	var told []string
	fail := func(name string, err error) {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
		told = append(told, filepath.Base(name))
	}
	syncAll(dir, files[:3], fail)
	syncAll(dir, files, fail)
	if len(told) != 0 {
		t.Errorf("trouble with %q, want none", told)
	}
	dir.Close()
	files[7].Close()
	syncAll(dir, files, fail)
	if len(told) != 1 || told[0] != "7" {
		t.Errorf("trouble with %q, want it with the closed file 7", told)
	}
}
