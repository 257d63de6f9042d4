package dialplan

import (
	"fmt"
	"regexp"
	"strings"
)

// A Pattern is what a number is compared with. Between slashes it is a regular
// expression (package regexp), found anywhere in the number unless it says ^ and
// $. Else it is the whole number: * is any characters or none, ? any one, X any
// digit, [2-46*] one of a set; \ takes the next character as it stands, so
// \*97 is the star key, nine, seven.
type Pattern struct {
	text  []rune
	regex *regexp.Regexp // nil = text counts
}

// Compile reads a pattern; the error says what is wrong with it.
func Compile(s string) (Pattern, error) {
	if len(s) > 1 && strings.HasPrefix(s, "/") && strings.HasSuffix(s, "/") {
		re, err := regexp.Compile(s[1 : len(s)-1])
		if err != nil {
			return Pattern{}, fmt.Errorf("match %s: %v", s, err)
		}
		return Pattern{regex: re}, nil
	}
	p := []rune(s)
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '[':
			end, err := set(p, i, 0, nil)
			if err != nil {
				return Pattern{}, fmt.Errorf("match %q: %v", s, err)
			}
			i = end - 1
		}
	}
	return Pattern{text: p}, nil
}

// set reads the set that begins at p[i] and gives the place after it; in, if not
// nil, becomes whether c is one of it.
func set(p []rune, i int, c rune, in *bool) (end int, err error) {
	begin := i
	for i++; i < len(p) && p[i] != ']'; i++ {
		low := p[i]
		high := low
		if i+2 < len(p) && p[i+1] == '-' && p[i+2] != ']' {
			high = p[i+2]
			i += 2
		}
		if high < low {
			return 0, fmt.Errorf("the range %c-%c runs backwards", low, high)
		}
		if in != nil && low <= c && c <= high {
			*in = true
		}
	}
	switch {
	case i >= len(p):
		return 0, fmt.Errorf("the set that begins at character %d has no ]", begin+1)
	case i == begin+1:
		return 0, fmt.Errorf("the set at character %d is empty", begin+1)
	}
	return i + 1, nil
}

// Match tells whether a number fits. Its time grows with the product of the
// lengths at most.
func (m Pattern) Match(number string) bool {
	if m.regex != nil {
		return m.regex.MatchString(number)
	}
	p, n := m.text, []rune(number)
	// After this star (its place in p), n[:taken] is what it stands for.
	star, taken := -1, 0
	i, j := 0, 0
	for j < len(n) {
		if i < len(p) && p[i] == '*' {
			star, taken = i, j
			i++
			continue
		}
		if next, ok := matchOne(p, i, n[j]); ok {
			i, j = next, j+1
			continue
		}
		if star < 0 {
			return false
		}
		taken++
		i, j = star+1, taken
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// matchOne matches one character and gives the place after it in the pattern.
func matchOne(p []rune, i int, c rune) (next int, ok bool) {
	if i >= len(p) {
		return i, false
	}
	switch {
	case p[i] == '?':
		return i + 1, true
	case p[i] == 'X':
		return i + 1, c >= '0' && c <= '9'
	case p[i] == '\\' && i+1 < len(p):
		return i + 2, p[i+1] == c
	case p[i] == '[':
		end, _ := set(p, i, c, &ok) // Compile has checked it
		return end, ok
	}
	return i + 1, p[i] == c
}
