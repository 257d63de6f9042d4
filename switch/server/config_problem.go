package server

import (
	"fmt"
	"slices"
	"strings"
)

// A Problem is one remark about a configuration.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`   // from 1, 0 = not from a file
	Column  int    `json:"column,omitempty"` // from 1
	Path    string `json:"path,omitempty"`   // users[0].password
	Msg     string `json:"message"`
	Warning bool   `json:"warning,omitempty"` // it works, but look at it
	Source  string `json:"source,omitempty"`  // the line itself, secrets starred
}

// Error prints "ozswitch.yaml:3:5: error: unknown key "prot"".
func (p Problem) Error() string {
	kind := "error"
	if p.Warning {
		kind = "warning"
	}
	where := p.Path
	if p.Line > 0 {
		where = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	} else if where == "" {
		where = p.File
	}
	return fmt.Sprintf("%s: %s: %s", where, kind, p.Msg)
}

// Excerpt prints the line with a caret below the place, "" without a line.
func (p Problem) Excerpt() string {
	if p.Line == 0 || p.Source == "" {
		return ""
	}
	r := []rune(p.Source)
	lead := string(r[:max(0, min(p.Column-1, len(r)))])
	indent := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, lead)
	return fmt.Sprintf("%5d | %s\n      | %s^", p.Line, p.Source, indent)
}

// Problems are remarks in the order of the file. As an error it prints those
// that are errors, each with its line.
type Problems []Problem

// Errors gives those that are no warnings.
func (ps Problems) Errors() Problems {
	return slices.DeleteFunc(slices.Clone(ps), func(p Problem) bool { return p.Warning })
}

// Err gives nil when there are only warnings.
func (ps Problems) Err() error {
	if e := ps.Errors(); len(e) > 0 {
		return e
	}
	return nil
}

func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.Error())
		if x := p.Excerpt(); x != "" {
			b.WriteString("\n" + x)
		}
	}
	return b.String()
}

// nearest gives the name that key may have meant, "" when none is near.
func nearest(key string, names []string) string {
	best, at := "", max(1, len(key)/3)+1
	for _, n := range names {
		if d := distance(strings.ToLower(key), n); d < at {
			best, at = n, d
		}
	}
	return best
}

// distance counts the letters to be put in, taken out, changed or swapped with
// their neighbour.
func distance(a, b string) int {
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			d := row[j]
			if a[i] != b[j] {
				d++
			}
			d = min(d, row[j+1]+1, next[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			next[j+1] = d
		}
		before, row, next = row, next, before
	}
	return row[len(b)]
}
