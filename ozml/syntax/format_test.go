package syntax

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestFormatGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in testdata: %v", err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(name, src)
		if err != nil {
			t.Errorf("Parse: %v", err)
			continue
		}
		got := f.Format()
		golden := strings.TrimSuffix(name, ".xml") + ".golden"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("Format of %s = \n%s\nwant\n%s", name, got, want)
		}
		again, err := Parse(golden, got)
		if err != nil {
			t.Errorf("Parse(Format(%s)): %v", name, err)
			continue
		}
		if !equal(f.Root, again.Root) {
			t.Errorf("Parse(Format(%s)) has another tree", name)
		}
		if twice := again.Format(); string(twice) != string(got) {
			t.Errorf("formatting %s twice = \n%s\nwant\n%s", name, twice, got)
		}
	}
}
