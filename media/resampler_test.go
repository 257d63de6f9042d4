package media

import (
	"testing"
	"time"
)

// Frame by frame it is what Resample makes of the whole, later by the filter's
// delay; and it allocates nothing.
func TestResampler(t *testing.T) {
	for _, c := range []struct{ from, to, late int }{{8000, 16000, 48}, {16000, 8000, 24}, {48000, 8000, 24}, {16000, 48000, 72}, {8000, 8000, 0}} {
		pcm, err := ReadAll(Tone(Rate(c.from), 700, -6, time.Second))
		if err != nil {
			t.Fatal(err)
		}
		want, err := ReadAll(Resample(Samples(Rate(c.from), pcm), Rate(c.to)))
		if err != nil {
			t.Fatal(err)
		}
		s := NewResampler(Rate(c.from), Rate(c.to))
		var got []int16
		dst := make([]int16, Rate(c.to).Frame())
		n := Rate(c.from).Frame()
		for i := 0; i+n <= len(pcm); i += n {
			if m := s.Write(dst, pcm[i:i+n]); m != len(dst) {
				t.Fatalf("%d to %d: frame %d has %d samples, want %d", c.from, c.to, i/n, m, len(dst))
			}
			got = append(got, dst...)
		}
		for i, v := range got[c.late:] {
			if d := int(v) - int(want[i]); d < -2 || d > 2 {
				t.Fatalf("%d to %d: sample %d is %d, want %d", c.from, c.to, i, v, want[i])
			}
		}
		if a := testing.AllocsPerRun(100, func() { s.Write(dst, pcm[:n]) }); a > 0 {
			t.Errorf("%d to %d: %v allocations a frame", c.from, c.to, a)
		}
	}
}
