package syntax

import (
	"bytes"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Pos is a place in a document. The zero Pos is unknown.
type Pos struct {
	Offset int // bytes, from 0
	Line   int // from 1
	Column int // bytes of the UTF-8 text, from 1
}

// A Span is half open: To is the place after its last byte.
type Span struct{ From, To Pos }

// IsValid tells whether p is known.
func (p Pos) IsValid() bool { return p.Line > 0 }

// String returns "line:column", or "-" for an unknown place.
func (p Pos) String() string {
	if !p.IsValid() {
		return "-"
	}
	return strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}

// lines holds the offset of the first byte of every line.
type lines []int

func newLines(src []byte) lines {
	l := make(lines, 1, 1+bytes.Count(src, []byte("\n")))
	for i, c := range src {
		if c == '\n' {
			l = append(l, i+1)
		}
	}
	return l
}

func (l lines) pos(offset int) Pos {
	n := sort.SearchInts(l, offset+1) // lines that begin at or before offset
	return Pos{Offset: offset, Line: n, Column: offset - l[n-1] + 1}
}

// Line returns line n of the source (from 1) without its end; "" when there is none.
func (f *File) Line(n int) string {
	if n < 1 || n > len(f.index) {
		return ""
	}
	return Line(f.Source[f.index[n-1]:], 1)
}

// Line returns line n of src (from 1) without its end; "" when there is none.
// Bytes that are not UTF-8 are replaced, so that it can be printed.
func Line(src []byte, n int) string {
	for ; n > 1; n-- {
		_, rest, ok := bytes.Cut(src, []byte("\n"))
		if !ok {
			return ""
		}
		src = rest
	}
	if n < 1 {
		return ""
	}
	line, _, _ := bytes.Cut(src, []byte("\n"))
	return strings.ToValidUTF8(string(bytes.TrimSuffix(line, []byte("\r"))), "\uFFFD")
}

// Caret returns two lines for printing: a part of the source line of at most
// 100 characters, and below it a caret under the given column (bytes, from 1).
func Caret(line string, column int) string {
	const width, before = 100, 60
	at := min(max(column-1, 0), len(line))
	for at > 0 && at < len(line) && !utf8.RuneStart(line[at]) {
		at--
	}
	left, right := []rune(line[:at]), []rune(line[at:])
	if len(left) > before && len(left)+len(right) > width {
		left = append([]rune{'…'}, left[len(left)-before:]...)
	}
	if room := width - len(left); len(right) > room {
		right = append(right[:room:room], '…')
	}
	show := func(r rune) rune { // keep tabs, so that the caret stands right; hide what moves the cursor
		if r != '\t' && (r < ' ' || r == 0x7F) {
			return '\uFFFD'
		}
		return r
	}
	blank := func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}
	l := strings.Map(show, string(left))
	return l + strings.Map(show, string(right)) + "\n" + strings.Map(blank, l) + "^"
}
