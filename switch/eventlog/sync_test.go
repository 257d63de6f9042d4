package eventlog

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// TestSyncEach: each file is made to last, and trouble is told by name.
func TestSyncEach(t *testing.T) {
	dir := t.TempDir()
	var files []*os.File
	for i := range 20 {
		f, err := os.Create(filepath.Join(dir, strconv.Itoa(i)))
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
	syncEach(files, fail)
	if len(told) != 0 {
		t.Errorf("trouble with %q, want none", told)
	}
	files[7].Close()
	syncEach(files, fail)
	if len(told) != 1 || told[0] != "7" {
		t.Errorf("trouble with %q, want it with the closed file 7", told)
	}
}
