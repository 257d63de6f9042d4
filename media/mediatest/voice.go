// Package mediatest recognises sound, so that a test can say what a caller hears.
//
// In tests the voice is [Spell]: each letter of the text is a pair of tones, 40
// ms long with 20 ms of silence after it. [Hear] reads it back from what arrived,
// without knowing where it begins, after resampling, coding and any loudness. A
// frame that was lost, doubled or held up spoils its letter, which reads '?': so
// text that is heard right was carried without a fault. Hear knows beeps and keys
// as well.
//
// It is for tests only. Start with Hear, in hear.go.
package mediatest

import (
	"strings"
	"time"

	"ozswitch/media"
	"ozswitch/media/dtmf"
)

// A letter is one low and one high tone. None is a tone of a telephone's keys,
// and all are multiples of 200 Hz, so that they do not disturb each other in a
// window of 10 ms.
const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789 "

const (
	lows, highs = 6, 7
	step        = 200
	firstLow    = 400
	firstHigh   = 1800

	toneLen = 40 * time.Millisecond
	gapLen  = 20 * time.Millisecond
)

// LetterLen is how long each letter of a spelled text lasts.
const LetterLen = toneLen + gapLen

// Normal is text as Hear gives it back: small letters, digits and single spaces;
// everything else separates words.
func Normal(text string) string {
	keep := func(c rune) rune {
		if strings.ContainsRune(alphabet, c) {
			return c
		}
		return ' '
	}
	return strings.Join(strings.Fields(strings.Map(keep, strings.ToLower(text))), " ")
}

// Spell says Normal(text) letter by letter; it lasts LetterLen for each.
func Spell(text string, r media.Rate) []int16 {
	var parts []media.Source
	for _, c := range Normal(text) {
		i := strings.IndexRune(alphabet, c)
		lo, hi := firstLow+step*(i%lows), firstHigh+step*(i/lows)
		parts = append(parts, dtmf.Two(r, float64(lo), float64(hi), -12, toneLen), media.Silence(r, gapLen))
	}
	if len(parts) == 0 {
		return nil
	}
	pcm, _ := media.ReadAll(media.Concat(parts...)) // made of tones, it has no error
	return pcm
}
