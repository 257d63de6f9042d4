package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	src := "What it shows.\n\n-- script.xml --\n<Response/>\n-- empty --\n-- want --\n0.00  call ended"
	a := Parse([]byte(src))
	want := &Archive{"What it shows.\n\n", []Entry{{"script.xml", "<Response/>\n"}, {"empty", ""}, {"want", "0.00  call ended\n"}}}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("Parse = %+v, want %+v", a, want)
	}
	if got := Parse(a.Format()); !reflect.DeepEqual(got, a) {
		t.Errorf("Parse(Format) = %+v, want %+v", got, a)
	}
	a.Set("empty", "no more")
	if got, ok := a.Get("empty"); got != "no more\n" || !ok {
		t.Errorf("Get = %q, %v", got, ok)
	}
	if _, ok := a.Get("nothing"); ok {
		t.Error("Get found a section that is not there")
	}
}

func TestSectionTellsWhatDiffers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.txtar")
	if err := os.WriteFile(name, []byte("-- want --\none\ntwo\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	Section(t, name, "want", "one\ntwo\n")
	said := &recorder{TB: t}
	Section(said, name, "want", "one\nthree\n")
	if !strings.Contains(said.text, "line 2") {
		t.Errorf("Section said %q, want the line that differs", said.text)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a\n-- b --\nc"))
	f.Add([]byte("--  --\n-- --\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		a := Parse(src)
		again := Parse(a.Format())
		if !reflect.DeepEqual(a.Files, again.Files) {
			t.Errorf("Parse(Format(%q)) = %+v, want %+v", src, again.Files, a.Files)
		}
	})
}

// recorder is a test that notes its failures and does not fail.
type recorder struct {
	testing.TB
	text string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, arg ...any) { r.text += fmt.Sprintf(format, arg...) }
