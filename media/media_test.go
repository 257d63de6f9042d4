package media

import (
	"errors"
	"io"
	"math"
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	for _, c := range []struct {
		r Rate
		n int
		d time.Duration
	}{
		{8000, 160, 20 * time.Millisecond},
		{8000, 1, 125 * time.Microsecond},
		{44100, 882, 20 * time.Millisecond},
		{48000, 48000 * 3600 * 24, 24 * time.Hour},
	} {
		if got := c.r.D(c.n); got != c.d {
			t.Errorf("Rate(%d).D(%d) = %v, want %v", c.r, c.n, got, c.d)
		}
		if got := c.r.N(c.d); got != c.n {
			t.Errorf("Rate(%d).N(%v) = %d, want %d", c.r, c.d, got, c.n)
		}
	}
}

func ramp(n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(i + 1)
	}
	return pcm
}

// sources are all stages, each with the number of samples it must give.
func sources() map[string]struct {
	make func() Source
	n    int
} {
	type row = struct {
		make func() Source
		n    int
	}
	s := func(n int) Source { return Samples(8000, ramp(n)) }
	return map[string]row{
		"samples":        {func() Source { return s(1000) }, 1000},
		"empty":          {func() Source { return s(0) }, 0},
		"silence":        {func() Source { return Silence(8000, 125*time.Millisecond) }, 1000},
		"tone":           {func() Source { return Tone(8000, 425, -6, 125*time.Millisecond) }, 1000},
		"mix":            {func() Source { return Mix(s(1000), s(300), s(0)) }, 1000},
		"mix of nothing": {func() Source { return Mix() }, 0},
		"concat":         {func() Source { return Concat(s(300), s(0), s(700)) }, 1000},
		"gain":           {func() Source { return Gain(s(1000), -6) }, 1000},
		"loop":           {func() Source { return Loop(func() (Source, error) { return s(250), nil }, 4) }, 1000},
		"empty loop":     {func() Source { return Loop(func() (Source, error) { return s(0), nil }, 0) }, 0},
		"16 to 8":        {func() Source { return Resample(Samples(16000, ramp(2000)), 8000) }, 1000},
		"16 to 8, odd":   {func() Source { return Resample(Samples(16000, ramp(2001)), 8000) }, 1001},
		"8 to 48":        {func() Source { return Resample(s(1000), 48000) }, 6000},
		"44.1 to 8":      {func() Source { return Resample(Samples(44100, ramp(44100)), 8000) }, 8000},
		"one sample":     {func() Source { return Resample(s(1), 16000) }, 2},
		"none to 16":     {func() Source { return Resample(s(0), 16000) }, 0},
	}
}

// Every stage keeps the contract of Source, in reads of any size.
func TestSourceContract(t *testing.T) {
	for name, c := range sources() {
		whole, err := ReadAll(c.make())
		if err != nil || len(whole) != c.n {
			t.Errorf("%s: %d samples, %v, want %d", name, len(whole), err, c.n)
			continue
		}
		for _, size := range []int{1, 7, 160, 5000} {
			src := c.make()
			var got []int16
			for {
				buf := make([]int16, size)
				n, err := src.Read(buf)
				got = append(got, buf[:n]...)
				if err == nil && n < size || n > size {
					t.Fatalf("%s: Read of %d gave %d, %v", name, size, n, err)
				}
				if err != nil {
					if !errors.Is(err, io.EOF) {
						t.Fatalf("%s: %v", name, err)
					}
					break
				}
			}
			for i := range got {
				if i >= len(whole) || got[i] != whole[i] {
					t.Fatalf("%s: read by %d it differs at %d", name, size, i)
				}
			}
			if n, err := src.Read(make([]int16, 3)); n != 0 || err != io.EOF {
				t.Errorf("%s: Read after the end = %d, %v, want 0, EOF", name, n, err)
			}
		}
	}
}

func TestMix(t *testing.T) {
	got, _ := ReadAll(Mix(Samples(8000, []int16{100, 30000, -30000}), Samples(8000, []int16{-1, 30000, -30000, 5})))
	want := []int16{99, 32767, -32768, 5}
	if len(got) != 4 || [4]int16(got) != [4]int16(want) {
		t.Errorf("Mix = %v, want %v", got, want)
	}
}

func TestLoop(t *testing.T) {
	opened := 0
	l := Loop(func() (Source, error) { opened++; return Samples(8000, ramp(10)), nil }, 0)
	if n, err := l.Read(make([]int16, 95)); n != 95 || err != nil || opened != 10 {
		t.Errorf("endless Loop: Read = %d, %v, opened %d times, want 95, nil, 10", n, err, opened)
	}
	no := errors.New("no such file")
	l = Loop(func() (Source, error) { return nil, no }, 2)
	if _, err := l.Read(make([]int16, 5)); !errors.Is(err, no) {
		t.Errorf("Loop over what cannot be opened: %v, want %v", err, no)
	}
}

type brokenSource struct{ err error }

func (brokenSource) Rate() Rate                      { return 16000 }
func (b brokenSource) Read(buf []int16) (int, error) { return 0, b.err }

func TestErrorsPass(t *testing.T) {
	no := errors.New("disk on fire")
	ok := Samples(16000, ramp(100))
	for name, s := range map[string]Source{
		"mix":      Mix(ok, brokenSource{no}),
		"concat":   Concat(brokenSource{no}),
		"gain":     Gain(brokenSource{no}, 3),
		"loop":     Loop(func() (Source, error) { return brokenSource{no}, nil }, 0),
		"resample": Resample(brokenSource{no}, 8000),
	} {
		if _, err := ReadAll(s); !errors.Is(err, no) {
			t.Errorf("%s: %v, want %v", name, err, no)
		}
	}
	if err := Copy(&Buffer{R: 8000}, ok); err == nil {
		t.Error("Copy from 16 to 8 kHz went through")
	}
}

func TestNames(t *testing.T) {
	src := Mix(Gain(Tone(16000, 425, -6, time.Second), -6), Concat(Silence(8000, 2*time.Second), Samples(16000, ramp(320))))
	want := "mix(gain(-6 dB, tone(425 Hz)), concat(silence(2s), samples(20ms) -> resample(8000)) -> resample(16000))"
	if got := Name(src); got != want {
		t.Errorf("Name = %s, want %s", got, want)
	}
}

// level is the power of hz in pcm in dB, by correlation with a Hann window.
func level(pcm []int16, r Rate, hz float64) float64 {
	var re, im, sum float64
	for i, v := range pcm {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(len(pcm)))
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / float64(r))
		re += w * cos * float64(v)
		im += w * sin * float64(v)
		sum += w
	}
	return 20 * math.Log10(2*math.Hypot(re, im)/sum/32767+1e-9)
}

// A tone keeps its level through the telephone band and comes through nowhere
// else; one above it vanishes instead of folding back.
func TestResampleQuality(t *testing.T) {
	for _, c := range []struct{ from, to Rate }{
		{16000, 8000}, {24000, 8000}, {48000, 8000}, {48000, 16000}, {8000, 16000},
		{8000, 48000}, {8000, 24000}, {44100, 8000}, {22050, 8000}, {44100, 48000},
	} {
		low := float64(min(c.from, c.to))
		for _, part := range []float64{0.02, 0.1, 0.25, 0.4, 0.425} {
			hz := part * low
			pcm, err := ReadAll(Resample(Tone(c.from, hz, -6, time.Second), c.to))
			if err != nil {
				t.Fatal(err)
			}
			if got := level(pcm, c.to, hz); math.Abs(got+6) > 0.15 {
				t.Errorf("%d to %d: %g Hz has %.2f dB, want -6", c.from, c.to, hz, got)
			}
			if image := low - hz; c.to > c.from {
				if got := level(pcm, c.to, image); got > -70 {
					t.Errorf("%d to %d: image of %g Hz at %g has %.1f dB, want below -70", c.from, c.to, hz, image, got)
				}
			}
		}
		if c.to < c.from {
			for _, part := range []float64{0.53, 0.6, 0.9} {
				hz := part * float64(c.to)
				if hz >= float64(c.from)/2 {
					continue
				}
				pcm, _ := ReadAll(Resample(Tone(c.from, hz, -6, time.Second), c.to))
				alias := math.Abs(hz - float64(c.to)*math.Round(hz/float64(c.to)))
				if got := level(pcm, c.to, alias); got > -65 {
					t.Errorf("%d to %d: %g Hz folds to %g with %.1f dB, want below -65", c.from, c.to, hz, alias, got)
				}
			}
		}
	}
}

// The filter's delay is taken out: a click stays where it was.
func TestResampleInTime(t *testing.T) {
	pcm := make([]int16, 1600)
	pcm[800] = 30000
	got, _ := ReadAll(Resample(Samples(16000, pcm), 8000))
	best := 0
	for i, v := range got {
		if v > got[best] {
			best = i
		}
	}
	if best != 400 {
		t.Errorf("a click at 50 ms comes out at sample %d of 8 kHz, want 400", best)
	}
}

func TestNoAllocation(t *testing.T) {
	buf := make([]int16, 160)
	endless := -time.Second
	for name, src := range map[string]Source{
		"mix":      Mix(Tone(8000, 425, -6, endless), Silence(8000, endless)),
		"gain":     Gain(Tone(8000, 425, -6, endless), 3),
		"resample": Resample(Tone(16000, 425, -6, endless), 8000),
	} {
		src.Read(buf)
		if got := testing.AllocsPerRun(100, func() { src.Read(buf) }); got != 0 {
			t.Errorf("%s: %v allocations a frame, want 0", name, got)
		}
	}
}

func BenchmarkMix(b *testing.B) { // budget: 2 µs a frame of two, 0 allocations
	m := Mix(Silence(8000, -1), Silence(8000, -1))
	buf := make([]int16, 160)
	b.ReportAllocs()
	for b.Loop() {
		m.Read(buf)
	}
}

func BenchmarkResample16to8(b *testing.B) { // budget: 25 µs a frame, 0 allocations
	r := Resample(Silence(16000, -1), 8000)
	buf := make([]int16, 160)
	b.ReportAllocs()
	for b.Loop() {
		r.Read(buf)
	}
}
