package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
)

func le16(v ...int) (b []byte) {
	for _, v := range v {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func le32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }

func chunkOf(id string, body []byte) []byte {
	b := slices.Concat([]byte(id), le32(len(body)), body)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

func format(tag, channels, rate, bits int) []byte {
	return chunkOf("fmt ", slices.Concat(le16(tag, channels), le32(rate), le32(rate*channels*bits/8), le16(channels*bits/8, bits)))
}

func riff(chunks ...[]byte) []byte {
	body := slices.Concat(chunks...)
	return slices.Concat([]byte("RIFF"), le32(4+len(body)), []byte("WAVE"), body)
}

func TestReads(t *testing.T) {
	list := chunkOf("LIST", []byte("INFOx")) // odd: padded
	open := riff(format(1, 1, 8000, 16), slices.Concat([]byte("data"), le32(-1), le16(1, 2, 3)))
	lying := riff(format(1, 1, 8000, 16), slices.Concat([]byte("data"), le32(1000), le16(1, 2, 3), []byte{9}))
	extensible := chunkOf("fmt ", slices.Concat(le16(0xFFFE, 1), le32(16000), le32(32000), le16(2, 16, 22, 16), le32(4),
		[]byte("\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71")))
	for _, c := range []struct {
		name string
		in   []byte
		rate media.Rate
		want []int16
		long time.Duration
	}{
		{"16 bit", riff(format(1, 1, 8000, 16), chunkOf("data", le16(0, 1, -1, 32767, -32768))), 8000, []int16{0, 1, -1, 32767, -32768}, 625 * time.Microsecond},
		{"8 bit", riff(format(1, 1, 11025, 8), chunkOf("data", []byte{128, 0, 255})), 11025, []int16{0, -32768, 32512}, media.Rate(11025).D(3)},
		{"stereo", riff(format(1, 2, 8000, 16), chunkOf("data", le16(100, 300, 32767, 32767))), 8000, []int16{200, 32767}, 250 * time.Microsecond},
		{"A-law", riff(format(6, 1, 8000, 8), chunkOf("data", []byte{0xD5, 0x55, 0xAA, 0x2A})), 8000, []int16{8, -8, 32256, -32256}, 500 * time.Microsecond},
		{"mu-law", riff(format(7, 1, 8000, 8), chunkOf("data", []byte{0xFF, 0x80, 0x00})), 8000, []int16{0, 32124, -32124}, 375 * time.Microsecond},
		{"extensible", riff(extensible, chunkOf("data", le16(7))), 16000, []int16{7}, 62500 * time.Nanosecond},
		{"other chunks", riff(list, format(1, 1, 8000, 16), list, chunkOf("data", le16(5)), list), 8000, []int16{5}, 125 * time.Microsecond},
		{"data before fmt", riff(chunkOf("data", le16(5, 6)), list, format(1, 1, 8000, 16)), 8000, []int16{5, 6}, 250 * time.Microsecond},
		{"open end", open, 8000, []int16{1, 2, 3}, 0},
		{"cut off", lying, 8000, []int16{1, 2, 3}, 62500 * time.Microsecond},
		{"no sound", riff(format(1, 1, 8000, 16), chunkOf("data", nil)), 8000, nil, 0},
	} {
		r, err := NewReader(bytes.NewReader(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Rate() != c.rate || r.Duration() != c.long {
			t.Errorf("%s: %d Hz, %v; want %d, %v", c.name, r.Rate(), r.Duration(), c.rate, c.long)
		}
		got, err := media.ReadAll(r)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
		if n, err := r.Read(make([]int16, 1)); n != 0 || err != io.EOF {
			t.Errorf("%s: after the end %d, %v", c.name, n, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		in         []byte
	}{
		{"empty", "shorter than a header", nil},
		{"html", "starts with", []byte("<html><body>Not found")},
		{"no chunks", "no sound", riff()},
		{"no data", "no sound", riff(format(1, 1, 8000, 16))},
		{"no format", "no sound", riff(chunkOf("data", le16(1)))},
		{"ADPCM", "ADPCM with 4 bits", riff(format(2, 1, 8000, 4))},
		{"float", "floating point with 32 bits", riff(format(3, 1, 8000, 32))},
		{"24 bit", "PCM with 24 bits", riff(format(1, 1, 8000, 24))},
		{"no rate", "0 samples a second", riff(format(1, 1, 0, 16))},
		{"no channels", "0 channels", riff(format(1, 0, 8000, 16))},
		{"giant chunk", "no sound", riff(slices.Concat([]byte("JUNK"), le32(-1)))},
		{"giant format", "format chunk of", riff(slices.Concat([]byte("fmt "), le32(1<<30)))},
	} {
		_, err := NewReader(bytes.NewReader(c.in))
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestG711 holds the expansion against the codecs of calls, for every byte.
func TestG711(t *testing.T) {
	tested := 0
	for name, f := range map[string]func(byte) int16{"PCMA": aLaw, "PCMU": muLaw} {
		c := codec.ByName(name, 8000)
		if c == nil {
			continue // not in the switch's table (yet)
		}
		tested++
		for b := range 256 {
			var want [1]int16
			c.NewDecoder().Decode(want[:], []byte{byte(b)})
			if got := f(byte(b)); got != want[0] {
				t.Errorf("%s %#x = %d, the codec says %d", name, b, got, want[0])
			}
		}
	}
	if tested == 0 {
		t.Error("the switch has no G.711 to compare with")
	}
}

func create(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "x.wav"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func all(t *testing.T, f *os.File) ([]int16, time.Duration) {
	t.Helper()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := media.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return pcm, r.Duration()
}

func TestWriter(t *testing.T) {
	f := create(t)
	w, err := NewWriter(f, 8000, 1)
	if err != nil {
		t.Fatal(err)
	}
	var want []int16
	for i := range 10 {
		pcm := []int16{int16(i), int16(-i), 32767, -32768}
		want = append(want, pcm...)
		if err := w.Write(pcm); err != nil {
			t.Fatal(err)
		}
	}
	head := make([]byte, 44)
	f.ReadAt(head, 0)
	if riff, data := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint32(head[40:]); riff != 0x7FFFF024 || data != 0x7FFFF000 {
		t.Errorf("growing file says %#x, %#x", riff, data)
	}
	if got, _ := all(t, f); !slices.Equal(got, want) { // it can be played while it grows
		t.Errorf("growing: %v, want %v", got, want)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, d := all(t, f); !slices.Equal(got, want) || d != 5*time.Millisecond || w.Samples() != 40 {
		t.Errorf("closed: %v, %v, %d; want %v, 5 ms, 40", got, d, w.Samples(), want)
	}
}

func TestRepair(t *testing.T) {
	for _, c := range []struct {
		name   string
		tail   []byte
		closed bool
	}{
		{"killed", nil, false},
		{"killed in a sample", []byte{1, 2, 3}, false},
		{"whole", nil, true},
	} {
		f := create(t)
		w, _ := NewWriter(f, 16000, 2)
		w.Write([]int16{1, 1, 3, 3, 5, 5})
		f.Write(c.tail)
		if c.closed {
			w.Close()
		}
		i, err := Repair(f)
		if want := (Info{Rate: 16000, Channels: 2, Samples: 3, Size: 56}); err != nil || i != want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, i, err, want)
		}
		st, _ := f.Stat()
		if got, d := all(t, f); !slices.Equal(got, []int16{1, 3, 5}) || d != media.Rate(16000).D(3) || st.Size() != i.Size {
			t.Errorf("%s: %v, %v, %d bytes", c.name, got, d, st.Size())
		}
	}
	f := create(t)
	f.Write(riff(format(6, 1, 8000, 8), chunkOf("data", make([]byte, 100))))
	before, _ := os.ReadFile(f.Name())
	if _, err := Repair(f); !errors.Is(err, ErrFormat) {
		t.Errorf("Repair of another's file: %v, want ErrFormat", err)
	}
	if after, _ := os.ReadFile(f.Name()); !bytes.Equal(before, after) {
		t.Error("Repair changed another's file")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(riff(format(1, 2, 8000, 16), chunkOf("data", le16(1, 2, 3, 4))))
	f.Add(riff(chunkOf("data", []byte{1, 2, 3}), format(7, 1, 8000, 8)))
	f.Add(riff(format(1, 1, 44100, 8), slices.Concat([]byte("data"), le32(-1), []byte{1, 2})))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := NewReader(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("%v is not ErrFormat", err)
			}
			return
		}
		pcm, err := media.ReadAll(r)
		if err != nil || len(pcm) > len(b) {
			t.Errorf("%d bytes gave %d samples, %v", len(b), len(pcm), err)
		}
	})
}
