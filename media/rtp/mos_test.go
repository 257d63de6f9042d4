package rtp

import (
	"math"
	"testing"
	"time"
)

// Values worked out by hand from the formulas, and what must hold everywhere.
func TestMOS(t *testing.T) {
	for _, c := range []struct {
		codec string
		delay time.Duration
		loss  float64
		want  float64
	}{
		{"PCMU", 0, 0, 4.41},
		{"pcma", 100 * time.Millisecond, 0, 4.36},                 // R = 90.8
		{"PCMU", 250 * time.Millisecond, 0, 4.02},                 // R = 93.2 - 6 - 8.0 = 79.2
		{"opus", 0, 0.05, 3.91},                                   // R = 93.2 - 15.8 = 77.4
		{"G729", 0, 0, 4.12},                                      // R = 82.2
		{"G729", 150 * time.Millisecond, 0.03, 3.47},              // R = 93.2 - 3.6 - 11 - 11.45 = 67.1
		{"iLBC", 0, 0, 4.12},                                      // as G.729
		{"PCMU", 5 * time.Second, 0.5, 1}, {"PCMU", -1, -1, 4.41}, // out of range
	} {
		if got := MOS(c.codec, c.delay, c.loss); math.Abs(got-c.want) > 0.03 {
			t.Errorf("MOS(%s, %v, %v) = %.2f, want %.2f", c.codec, c.delay, c.loss, got, c.want)
		}
	}
	for _, codec := range []string{"PCMU", "G729", "AMR"} {
		last := 5.0
		for ms := range 1000 {
			m := MOS(codec, time.Duration(ms)*time.Millisecond, float64(ms)/1000)
			if m > last || m < 1 || m > 4.5 {
				t.Fatalf("%s: %v after %v at %d ms and as many per mille", codec, m, last, ms)
			}
			last = m
		}
	}
}
