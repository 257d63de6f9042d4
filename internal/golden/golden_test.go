package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFileTellsWhatDiffers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "want.txt")
	if err := os.WriteFile(name, []byte("one\ntwo\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	File(t, name, []byte("one\ntwo\n"))
	for got, want := range map[string]string{"one\nthree\n": "line 2", "one\n": "line 2", "one\ntwo\nthree\n": "line 3"} {
		said := &recorder{TB: t}
		File(said, name, []byte(got))
		if !strings.Contains(said.text, want) {
			t.Errorf("File(%q) said %q, want %q in it", got, said.text, want)
		}
	}
}

// recorder is a test that notes its failures and does not fail.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, arg ...any) { r.text += fmt.Sprintf(format, arg...) }
