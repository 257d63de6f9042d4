package script

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ozswitch/ozml"
)

// TestFiles: scripts move and delete within their folders, and nowhere else.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	root := func(name string) *os.Root {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		r, err := os.OpenRoot(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		return r
	}
	l := &Library{Media: root("media"), Recordings: root("recordings"), Voicemail: root("voicemail"), Dir: dir}
	put := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"media/a.wav", "recordings/r.wav", "recordings/s.wav", "recordings/run.wav.part", "secret.key", "media/gone.wav"} {
		put(n)
	}
	root("media/sub")
	if err := os.Symlink(filepath.Join(dir, "secret.key"), filepath.Join(dir, "media", "link.wav")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "media", "out")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to string // to "" deletes
		code     string // of the fault; "" = it is done
		is       string // where it is then
	}{
		{"a.wav", "heard", "", "media/heard/a.wav"},
		{"heard/a.wav", "recordings/kept/deep", "", "recordings/kept/deep/a.wav"},
		{"recordings/r.wav", "recordings", "", "recordings/r.wav"},
		{"recordings/r.wav", filepath.Join(dir, "voicemail", "1001", "old"), "", "voicemail/1001/old/r.wav"},
		{filepath.Join(dir, "recordings", "s.wav"), ".", "", "media/s.wav"},
		{`heard\none.wav`, "x", ozml.CodeNoFile, ""},
		{"../secret.key", "x", ozml.CodePath, "secret.key"},
		{filepath.Join(dir, "secret.key"), "x", ozml.CodePath, "secret.key"},
		{"/etc/hostname", "x", ozml.CodePath, ""},
		{"s.wav", "..", ozml.CodePath, "media/s.wav"},
		{"s.wav", dir, ozml.CodePath, "media/s.wav"},
		{"s.wav", "out", ozml.CodePath, "media/s.wav"},
		{"out/secret.key", "x", ozml.CodePath, "secret.key"},
		{"link.wav", "x", ozml.CodePath, "secret.key"},
		{"sub", "x", ozml.CodePath, "media/sub"},
		{"recordings/run.wav.part", "x", ozml.CodePath, "recordings/run.wav.part"},
		{"recordings/run.wav.part", "", ozml.CodePath, "recordings/run.wav.part"},
		{"sub", "", ozml.CodePath, "media/sub"},
		{"out/secret.key", "", ozml.CodePath, "secret.key"},
		{"gone.wav", "", "", ""},
		{"gone.wav", "", ozml.CodeNoFile, ""},
	} {
		var got error
		if c.to == "" {
			got = l.Delete(c.from)
		} else {
			got = l.Move(c.from, c.to)
		}
		code := ""
		if f, ok := errors.AsType[*ozml.Fault](got); ok {
			code = f.Code
		}
		if (got == nil) != (c.code == "") || code != c.code {
			t.Errorf("%s to %q: %v (%s), want code %q", c.from, c.to, got, code, c.code)
		}
		if c.is != "" {
			if _, err := os.Stat(filepath.Join(dir, c.is)); err != nil {
				t.Errorf("%s to %q: %v", c.from, c.to, err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "media", "gone.wav")); err == nil {
		t.Error("gone.wav is still there")
	}
}
