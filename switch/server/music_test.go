package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/wav"
)

// TestMusic: the file that the configuration names, else music.wav, else nothing.
func TestMusic(t *testing.T) {
	dir := t.TempDir()
	data, err := openData(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer data.close()
	s := &Server{data: data}
	open := func(name string) (media.Source, error) {
		s.state.Store(&state{cfg: &Config{Tones: Tones{Music: name}}})
		return s.music()
	}
	write := func(name string, rate media.Rate) {
		t.Helper()
		f, err := os.Create(filepath.Join(dir, "media", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, err := wav.NewWriter(f, rate, 1)
		if err == nil {
			err = media.Copy(w, media.Tone(rate, 440, -20, time.Second))
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if m, err := open(""); m != nil || err != nil {
		t.Errorf("without a file: %v, %v, want neither", m, err)
	}
	write("music.wav", 16000)
	write("other.wav", 8000)
	for name, rate := range map[string]media.Rate{"": 16000, "other.wav": 8000} {
		if m, err := open(name); err != nil || m.Rate() != rate {
			t.Errorf("tones.music %q: %v, %v, want %d Hz", name, m, err, rate)
		}
	}
	for _, name := range []string{"none.wav", "../ozswitch.db"} {
		if _, err := open(name); err == nil || !strings.Contains(err.Error(), "tones.music") {
			t.Errorf("tones.music %q: %v, want an error that names the key", name, err)
		}
	}
}
