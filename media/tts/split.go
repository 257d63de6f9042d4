package tts

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ozswitch/media"
)

const (
	firstWords = 12  // of the first piece: it should come soon
	mostRunes  = 300 // of any piece: an engine is slow and hungry on more
)

// part is a stretch of text that is made at once, with the silence that belongs behind it.
type part struct {
	text  string
	pause time.Duration
}

// The silences between pieces, by what stands there.
const (
	afterSentence = 350 * time.Millisecond
	afterClause   = 180 * time.Millisecond
	afterEnd      = 200 * time.Millisecond // the text's end without a full stop
	afterWord     = 0
)

// split cuts a text at the ends of its sentences; a sentence that is too long at its clauses, at a joining word, and
// only then between any two words. Parts without a letter or digit are left out.
func split(text string) []part {
	var parts []part
	words := firstWords
	add := func(s string, pause time.Duration) {
		if s = strings.TrimSpace(s); speakable(s) {
			parts = append(parts, part{s, pause})
			words = 1 << 30
		}
	}
	for text = strings.TrimSpace(text); text != ""; {
		end, pause := sentence(text)
		s := strings.TrimSpace(text[:end])
		text = strings.TrimSpace(text[end:])
		for s != "" {
			at := cut(s, words)
			if at >= len(s) {
				add(s, pause)
				break
			}
			head := strings.TrimSpace(s[:at])
			s = strings.TrimSpace(s[at:])
			if r, _ := utf8.DecodeLastRuneInString(head); clauseEnd(r) {
				add(head, afterClause)
			} else {
				add(head+",", afterWord) // the comma keeps the voice up
			}
		}
	}
	return parts
}

// sentence finds the end of the first sentence of s.
func sentence(s string) (end int, pause time.Duration) {
	for i, r := range s {
		next := i + utf8.RuneLen(r)
		if r == utf8.RuneError {
			continue
		}
		switch r {
		case '。', '！', '？':
			return next, afterSentence
		case '.', '!', '?':
			if next == len(s) || s[next] == ' ' {
				return next, afterSentence
			}
		}
	}
	return len(s), afterEnd
}

func clauseEnd(r rune) bool { return strings.ContainsRune(",;:、，", r) }

// cut says where to break s so that the first part has at most that many words and mostRunes: len(s) when it fits.
func cut(s string, words int) int {
	n, runes := 1, 0
	clause, joint, space := 0, 0, 0
	var last rune
	for i, r := range s {
		if r == ' ' {
			space = i
			if clauseEnd(last) && n >= 3 {
				clause = i
			}
			if next, _, _ := strings.Cut(s[i+1:], " "); joins(next) && n >= 4 {
				joint = i
			}
			n++
		}
		runes++
		if n > words || runes > mostRunes {
			for _, at := range []int{clause, joint, space} {
				if at > 0 {
					return at
				}
			}
			if runes > mostRunes {
				return i // one enormous word
			}
		}
		last = r
	}
	return len(s)
}

// joins tells the words before which a speaker may breathe.
func joins(w string) bool {
	switch strings.ToLower(w) {
	case "and", "or", "but", "then", "please", "because", "if", "when", "while", "which", "who", "for", "to":
		return true
	}
	return false
}

// speakable tells whether there is anything to say.
func speakable(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// trim cuts the silence that engines put around a sentence and puts the wanted one behind it. The result is whole
// frames of 20 ms; nothing when there is no sound above -50 dBFS.
func trim(pcm []int16, r media.Rate, pause time.Duration) []int16 {
	const quiet = 100
	loud := func(s int16) bool { return s > quiet || s < -quiet }
	from, to := 0, len(pcm)
	for from < to && !loud(pcm[from]) {
		from++
	}
	for to > from && !loud(pcm[to-1]) {
		to--
	}
	if from == to {
		return nil
	}
	from = max(0, from-r.N(20*time.Millisecond))
	to = min(len(pcm), to+r.N(40*time.Millisecond))
	frame := r.Frame()
	n := to - from + r.N(pause)
	n = (n + frame - 1) / frame * frame
	out := make([]int16, n)
	copy(out, pcm[from:to])
	return out
}
