package syntax

import "strings"

// Nearest returns the candidate that was probably meant by word, "" when none
// is near enough. Letter case does not count; of equals the first wins.
func Nearest(word string, candidates []string) string {
	w := []rune(strings.ToLower(word))
	if len(w) > 64 {
		return ""
	}
	allowed := 0 // mistakes forgiven
	switch n := len(w); {
	case n > 8:
		allowed = 3
	case n > 4:
		allowed = 2
	case n > 2:
		allowed = 1
	}
	best, found := "", allowed+1
	for _, c := range candidates {
		r := []rune(strings.ToLower(c))
		if d := len(r) - len(w); d >= found || -d >= found {
			continue
		}
		if d := distance(w, r); d < found {
			best, found = c, d
		}
	}
	return best
}

// Distance counts the letters to insert, delete, change or swap with their
// neighbour to make b of a, whatever their case. Names only: longer than 64 is
// as far as can be.
func Distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	return distance([]rune(strings.ToLower(a)), []rune(strings.ToLower(b)))
}

// distance counts the letters to insert, delete, change or swap with their
// neighbour to make b of a (optimal string alignment).
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			d := min(row[j]+1, last[j+1]+1, last[j]+change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row[j+1] = d
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
