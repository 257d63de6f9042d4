package recorder

import (
	"io/fs"
	"strings"
	"testing"
)

func TestCleanPath(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "/": "", "calls": "calls", `C:\Recordings\2026\`: "Recordings/2026", "//server/share": "server/share", "a//b/./c": "a/b/c",
		" x ": "x", "c:": "", "..hidden/x..": "..hidden/x..", "ü/ő": "ü/ő",
	} {
		if got, err := CleanPath(in); err != nil || got != want {
			t.Errorf("CleanPath(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"..", "a/../b", `..\..\etc`, `C:\..\x`, "a\x00b", "a\nb", strings.Repeat("x", 2000)} {
		if got, err := CleanPath(in); err == nil {
			t.Errorf("CleanPath(%q) = %q, want an error", in, got)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	f.Add(`C:\a\..\b`)
	f.Add("/a/./b//")
	f.Fuzz(func(t *testing.T, in string) {
		got, err := CleanPath(in)
		if err == nil && got != "" && (!fs.ValidPath(got) && strings.ToValidUTF8(got, "") == got || strings.HasPrefix(got, "..") && (got == ".." || got[2] == '/')) {
			t.Errorf("CleanPath(%q) = %q", in, got)
		}
	})
}
