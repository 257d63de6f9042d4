package mediatest

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/dtmf"
)

const pangram = "the quick brown fox jumps over the lazy dog 0123456789"

func TestSpellIsHeard(t *testing.T) {
	for _, r := range []media.Rate{8000, 16000, 24000, 48000} {
		if got := Text(Spell(pangram, r), r); got != pangram {
			t.Errorf("at %d Hz heard %q, want %q", r, got, pangram)
		}
	}
	// Double letters, punctuation, capitals; resampled, soft, from the middle of a frame.
	src := media.Concat(
		media.Silence(16000, 13*time.Millisecond),
		media.Gain(media.Samples(16000, Spell("Hello,  Anna! Press 1.", 16000)), -18),
		media.Silence(16000, 33*time.Millisecond))
	pcm, err := media.ReadAll(media.Resample(src, 8000))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Text(pcm, 8000), "hello anna press 1"; got != want {
		t.Errorf("heard %q, want %q", got, want)
	}
	if got, want := media.Rate(8000).D(len(Spell("hello", 8000))), 5*LetterLen; got != want {
		t.Errorf("hello lasts %v, want %v", got, want)
	}
}

// Whatever happens to a single frame, silence in its place, its loss or its
// doubling, it is heard, unless it held no sound at all.
func TestFaultsAreHeard(t *testing.T) {
	const text = "support"
	pcm := Spell(text, 8000)
	for i := 0; i+160 <= len(pcm); i += 160 {
		gap := i/160%3 == 2
		silenced := append([]int16(nil), pcm...)
		clear(silenced[i : i+160])
		lost := append(append([]int16(nil), pcm[:i]...), pcm[i+160:]...)
		doubled := append(append([]int16(nil), pcm[:i+160]...), pcm[i:]...)
		for name, bad := range map[string][]int16{"silenced": silenced, "lost": lost, "doubled": doubled} {
			// A gap is only a pause, which nobody misses but between the two p's.
			unheard := gap && !(name == "lost" && i/160 == 8)
			if got := Text(bad, 8000); (got == text) != unheard {
				t.Errorf("frame %d %s: heard %q", i/160, name, got)
			}
		}
	}
}

func TestHear(t *testing.T) {
	keys, err := dtmf.Keys(8000, "12#", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := media.ReadAll(media.Concat(
		media.Samples(8000, Spell("one two", 8000)),
		media.Silence(8000, 300*time.Millisecond),
		media.Samples(8000, Spell("three", 8000)),
		media.Tone(8000, 425, -10, 200*time.Millisecond),
		media.Silence(8000, 200*time.Millisecond),
		keys,
		media.Silence(8000, 200*time.Millisecond),
		media.Samples(8000, hiss(2000)),
		media.Silence(8000, 200*time.Millisecond),
	))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"one two", "three", "tone 425", "keys 12#", "noise"}
	if got := Hear(pcm, 8000); !reflect.DeepEqual(got, want) {
		t.Errorf("Hear = %q, want %q", got, want)
	}
	if !Hears(pcm, 8000, "Two") || Hears(pcm, 8000, "four") {
		t.Error("Hears two, four: want true, false")
	}
	if got := Hear(make([]int16, 8000), 8000); got != nil {
		t.Errorf("Hear(silence) = %q, want nothing", got)
	}
}

func hiss(n int) []int16 {
	rnd := rand.New(rand.NewPCG(3, 4))
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(rnd.IntN(16000) - 8000)
	}
	return pcm
}

func TestLevel(t *testing.T) {
	pcm, _ := media.ReadAll(media.Tone(8000, 1000, -20, time.Second))
	if got := Level(pcm, 8000, 1000); math.Abs(got+20) > 0.1 {
		t.Errorf("Level = %.2f dBFS, want -20", got)
	}
	if got := Level(pcm, 8000, 1500); got > -60 {
		t.Errorf("Level beside the tone = %.2f dBFS, want less than -60", got)
	}
}
