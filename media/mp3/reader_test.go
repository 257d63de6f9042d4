package mp3

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"ozswitch/media"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// tone measures the share of a sound's power that is at hz.
func tone(pcm []int16, rate, hz float64) float64 {
	var re, im, sum float64
	for i, s := range pcm {
		v := float64(s)
		a := 2 * math.Pi * hz * float64(i) / rate
		re, im, sum = re+v*math.Cos(a), im+v*math.Sin(a), sum+v*v
	}
	return 2 * (re*re + im*im) / float64(len(pcm)) / sum
}

func TestPlays(t *testing.T) {
	for _, c := range []struct {
		file string
		rate media.Rate
		n    int // the length before it was encoded, in samples
	}{
		{"mono16k.mp3", 16000, 16000},
		{"stereo44k.mp3", 44100, 22050},
	} {
		r, err := NewReader(bytes.NewReader(read(t, c.file)))
		if err != nil {
			t.Fatalf("%s: %v", c.file, err)
		}
		if r.Rate() != c.rate {
			t.Errorf("%s: rate %d, want %d", c.file, r.Rate(), c.rate)
		}
		if got, want := r.Duration(), c.rate.D(c.n); got != want {
			t.Errorf("%s: Duration() = %v, want %v", c.file, got, want)
		}
		pcm, err := media.ReadAll(r)
		if err != nil || len(pcm) != c.n {
			t.Fatalf("%s: %d samples, %v; want %d", c.file, len(pcm), err, c.n)
		}
		// The middle is the tone and nothing else; the ends begin and stop with it, so the encoder's delay is gone.
		if p := tone(pcm[c.n/4:c.n*3/4], float64(c.rate), 440); p < 0.98 {
			t.Errorf("%s: %.3f of the power at 440 Hz, want 0.98", c.file, p)
		}
		if n, err := r.Read(make([]int16, 10)); n != 0 || err != io.EOF {
			t.Errorf("%s: after the end: %d, %v; want 0, EOF", c.file, n, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	long := bytes.Repeat([]byte{0}, 100_000)
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"MPEG-2.5", read(t, "mpeg25.mp3"), "MPEG-2.5 (8000 samples"},
		{"layer II", read(t, "layer2.mp2"), "layer II;"},
		{"empty", nil, "no mp3 frame"},
		{"zeros", long, "no mp3 frame"},
		{"wav", []byte("RIFF\x24\x00\x00\x00WAVEfmt "), "no mp3 frame"},
		{"half a frame", read(t, "mono16k.mp3")[:100], "no mp3 frame"},
		{"only a tag", []byte("ID3\x04\x00\x00\x00\x00\x7f\x7f..."), "nothing but a tag"},
		{"giant tag", []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f..."), "a tag of"},
	} {
		_, err := NewReader(bytes.NewReader(c.in))
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestCutOff: a file that ends early plays as far as it goes.
func TestCutOff(t *testing.T) {
	b := read(t, "mono16k.mp3")
	r, err := NewReader(bytes.NewReader(b[:len(b)/2]))
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := media.ReadAll(r)
	if err != nil || len(pcm) < 4000 || len(pcm) > 10000 {
		t.Errorf("half a second's file: %d samples, %v", len(pcm), err)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, os.ErrPermission }

func TestInputFails(t *testing.T) {
	if _, err := NewReader(failing{}); !errors.Is(err, os.ErrPermission) || errors.Is(err, ErrFormat) {
		t.Errorf("NewReader = %v, want the input's error", err)
	}
}

func FuzzReader(f *testing.F) {
	for _, n := range []string{"mono16k.mp3", "stereo44k.mp3", "mpeg25.mp3"} {
		f.Add(read(f, n))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		// A frame has at least 24 bytes and 1152 samples: more sound than that was made up.
		pcm, _ := media.ReadAll(r)
		if most := (len(b)/24 + 2) * 1152; len(pcm) > most {
			t.Errorf("%d bytes gave %d samples", len(b), len(pcm))
		}
	})
}
