// Package dtmf is the keys of a telephone as sound: made and recognised.
//
// [Keys] is a Source of the tones of ITU-T Q.23 for sending in band and for
// tests; [Detector] finds keys in samples by the rules of Q.24. Keys as packets
// (RFC 4733) are in media/rtp. [Power] measures a single frequency.
package dtmf

import (
	"fmt"
	"io"
	"math"
	"time"

	"ozswitch/media"
)

// The frequencies of Q.23: a key is one of its row and one of its column.
var (
	rows    = [4]float64{697, 770, 852, 941}
	columns = [4]float64{1209, 1336, 1477, 1633}
	layout  = [4]string{"123A", "456B", "789C", "*0#D"}
)

// Pair is the two frequencies of a key, in Hz.
func Pair(key byte) (row, column float64, ok bool) {
	if key >= 'a' && key <= 'd' {
		key -= 'a' - 'A'
	}
	for r, keys := range layout {
		for c := range len(keys) {
			if keys[c] == key {
				return rows[r], columns[c], true
			}
		}
	}
	return 0, 0, false
}

// Keys is the tones of keys, each for tone with gap after it; 0 means 100 ms and
// 60 ms. A comma is a second's pause. The error names what is no key.
func Keys(r media.Rate, keys string, tone, gap time.Duration) (media.Source, error) {
	if tone <= 0 {
		tone = 100 * time.Millisecond
	}
	if gap <= 0 {
		gap = 60 * time.Millisecond
	}
	var parts []media.Source
	for i := range len(keys) {
		if keys[i] == ',' {
			parts = append(parts, media.Silence(r, time.Second))
			continue
		}
		lo, hi, ok := Pair(keys[i])
		if !ok {
			return nil, fmt.Errorf("dtmf: %q in %q is not a key", keys[i], keys)
		}
		parts = append(parts, Two(r, lo, hi, -9, tone), media.Silence(r, gap))
	}
	if len(parts) == 0 {
		return media.Silence(r, 0), nil
	}
	return named{media.Concat(parts...), fmt.Sprintf("keys(%s)", keys)}, nil
}

type named struct {
	media.Source
	name string
}

func (n named) String() string { return n.name }

// Two is two tones at once for d, each with peaks of dBFS.
func Two(r media.Rate, lo, hi, dBFS float64, d time.Duration) media.Source {
	return media.Mix(media.Tone(r, lo, dBFS, d), media.Tone(r, hi, dBFS, d))
}

// Power is how strong hz is in pcm, as the mean square of that component (the
// Goertzel algorithm): a full-scale sine has 1/2. Other frequencies count as
// little as the length allows: 1/length apart they vanish.
func Power(pcm []int16, r media.Rate, hz float64) float64 {
	if len(pcm) == 0 {
		return 0
	}
	k := 2 * math.Cos(2*math.Pi*hz/float64(r))
	var s1, s2 float64
	for _, v := range pcm {
		s1, s2 = float64(v)/32768+k*s1-s2, s1
	}
	n := float64(len(pcm))
	return 2 * (s1*s1 + s2*s2 - k*s1*s2) / (n * n)
}

// ReadKeys is the keys heard in all of src: for files and tests.
func ReadKeys(src media.Source) (string, error) {
	d := NewDetector(src.Rate())
	var out []byte
	buf := make([]int16, src.Rate().Frame())
	for {
		n, err := src.Read(buf)
		out = append(out, d.Write(buf[:n])...)
		if err == io.EOF {
			return string(out), nil
		}
		if err != nil {
			return string(out), err
		}
	}
}
