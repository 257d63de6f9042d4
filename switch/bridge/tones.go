package bridge

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"ozswitch/media"
)

// A cadence is a tone of a telephone exchange: some frequencies at once, on and off
// in turn, over and over.
type cadence struct {
	hz      []float64
	on, on2 time.Duration // how long it sounds, and a second time; 0 = once
	off     time.Duration // between the two
	rest    time.Duration // after the last
}

// ringing is what who calls hears while the other's telephone rings, by country:
// ITU-T E.180, supplement 2 (2003).
var ringing = map[string]cadence{
	"eu": {hz: []float64{425}, on: time.Second, rest: 4 * time.Second},
	"us": {hz: []float64{440, 480}, on: 2 * time.Second, rest: 4 * time.Second},
	"uk": {hz: []float64{400, 450}, on: 400 * time.Millisecond, off: 200 * time.Millisecond, on2: 400 * time.Millisecond, rest: 2 * time.Second},
}

// DefaultCountry is whose tones are heard where nothing else is said.
const DefaultCountry = "eu"

// Countries are those whose tones we know.
func Countries() []string { return slices.Sorted(maps.Keys(ringing)) }

func country(name string) string {
	if name == "" {
		return DefaultCountry
	}
	return strings.ToLower(name)
}

// toneLevel is that of the peaks of all frequencies together: -13 dBm0, in the middle
// of what E.180 (5.2) allows.
const toneLevel = -16

// source is one round of c.
func (c *cadence) source(r media.Rate) media.Source {
	sound := func(d time.Duration) media.Source {
		var all []media.Source
		for _, hz := range c.hz {
			all = append(all, media.Tone(r, hz, toneLevel-3*float64(len(c.hz)-1), d))
		}
		return media.Mix(all...)
	}
	parts := []media.Source{sound(c.on)}
	if c.on2 > 0 {
		parts = append(parts, media.Silence(r, c.off), sound(c.on2))
	}
	return media.Concat(append(parts, media.Silence(r, c.rest))...)
}

// melody is hold music of our own: quiet broken chords, 16 seconds, over and over.
// It is made, so that nobody has to own a recording.
func melody(r media.Rate) media.Source {
	const beat = 250 * time.Millisecond
	chords := [...][4]int{ // in semitones above A3
		{0, 7, 12, 16}, {0, 7, 12, 16}, {-3, 4, 9, 16}, {-3, 4, 9, 12},
		{-7, 0, 5, 12}, {-7, 0, 9, 12}, {-5, 2, 7, 14}, {-5, 2, 11, 14},
	}
	order := [...]int{0, 1, 2, 3, 2, 3, 2, 1}
	pcm := make([]int16, 0, r.N(time.Duration(len(chords)*len(order))*beat))
	n := r.N(beat)
	sum := make([]float64, n)
	for _, chord := range chords {
		for _, o := range order {
			hz := 220 * math.Pow(2, float64(chord[o])/12)
			for i := range sum {
				t := float64(i) / float64(r)
				soft := math.Min(1, t/0.01) * math.Min(1, (beat.Seconds()-t)/0.02) // no clicks
				v := math.Sin(2*math.Pi*hz*t) + 0.3*math.Sin(4*math.Pi*hz*t)
				sum[i] = 2400 * soft * math.Exp(-4*t) * v // -20 dBFS at most
			}
			for _, v := range sum {
				pcm = append(pcm, int16(v))
			}
		}
	}
	return media.Samples(r, pcm)
}
