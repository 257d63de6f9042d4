package ozmltest

import (
	"time"
	"unicode"
)

// Estimate says how long it takes to say a text, roughly: 15 letters a second,
// a pause at a comma and at the end of a sentence. It is a multiple of 20 ms,
// the length of a frame.
func Estimate(text string) time.Duration {
	var d, pause time.Duration
	said := false
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			d, pause, said = d+pause+250*time.Millisecond, 0, true
		case r >= 0x2E80 && unicode.IsLetter(r): // a syllable rather than a letter
			d, pause, said = d+pause+200*time.Millisecond, 0, true
		case unicode.IsLetter(r):
			d, pause, said = d+pause+57*time.Millisecond, 0, true
		case !said: // silence before the first word is not waited for
		case r == '.' || r == '!' || r == '?':
			pause = max(pause, 400*time.Millisecond)
		case r == ',' || r == ';' || r == ':':
			pause = max(pause, 200*time.Millisecond)
		default:
			pause = max(pause, 30*time.Millisecond)
		}
	}
	const frame = 20 * time.Millisecond
	return (d + frame - 1).Truncate(frame)
}
