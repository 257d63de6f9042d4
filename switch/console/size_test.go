package console

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// firstLoad is what the page may take before it shows itself, in bytes of gzip;
// the editor comes only with the scripts (ux.md 7).
const firstLoad = 120_000

// TestFirstLoad adds up index.html, the files that it names and those that they
// import at once, as they are sent. build.mjs refuses as well, by what esbuild
// says; this is about what is in the program.
func TestFirstLoad(t *testing.T) {
	files := New().files
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		t.Fatalf("the pages are not there (%v): run make assets", err)
	}
	named := regexp.MustCompile(`"/assets/([^"]+)"`)
	imported := regexp.MustCompile(`(?:\bfrom|\bimport)\s*"\./([^"]+)"`)
	seen, total, editor := map[string]bool{}, len(index), false
	var add func(name string)
	add = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		packed, err := fs.ReadFile(files, name+".gz")
		if err != nil {
			t.Fatal(err)
		}
		total += len(packed)
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range imported.FindAllSubmatch(text, -1) {
			add(string(m[1]))
		}
		editor = editor || strings.HasPrefix(name, "editor-")
	}
	for _, m := range named.FindAllSubmatch(index, -1) {
		add(string(m[1]))
	}
	if len(seen) < 3 || editor {
		t.Errorf("the first load is %v: want the icon, the styles and the program, without the editor", seen)
	}
	t.Logf("%d bytes of gzip in %d files", total, len(seen))
	if total > firstLoad {
		t.Errorf("the first load takes %d bytes of gzip, more than %d: load what is not needed at once with import()", total, firstLoad)
	}
}
