package syntax

import (
	"bytes"
	"fmt"
	"html"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A phpMessage is an error message of PHP found in a document, in its form for
// terminals or in that for browsers.
type phpMessage struct {
	text   string // "Warning: Undefined variable $name"
	file   string // "/var/www/html/ivr.php"
	line   string // "3"
	offset int    // about where, in the document
}

func (m phpMessage) hint() string {
	return fmt.Sprintf("PHP printed %s: correct line %s of %s (%s), and set display_errors = Off and log_errors = On in php.ini",
		quote(shorten(m.text, 120)), m.line, path.Base(strings.ReplaceAll(m.file, `\`, "/")), m.file)
}

// phpKinds are the beginnings of PHP's messages.
var phpKinds = []string{"Recoverable fatal error: ", "Catchable fatal error: ", "Fatal error: ", "Parse error: ", "Warning: ", "Notice: ", "Deprecated: ", "Strict Standards: "}

// findPHP looks for a message of PHP anywhere in src.
func findPHP(src []byte) (phpMessage, bool) {
	const mark, before, tries = " on line ", 2048, 8
	from := 0
	for range tries {
		i := bytes.Index(src[from:], []byte(mark))
		if i < 0 {
			break
		}
		i += from
		start := max(0, i-before)
		if m, ok := readPHP(plain(src[start:min(len(src), i+80)])); ok {
			if at := bytes.Index(src[start:i], []byte(m.text[:strings.IndexByte(m.text, ':')])); at >= 0 {
				m.offset = start + at
			}
			return m, true
		}
		from = i + len(mark)
	}
	return phpMessage{}, false
}

// readPHP finds "Kind: message in FILE on line N" in plain text.
func readPHP(s string) (m phpMessage, ok bool) {
	at := -1
	for _, k := range phpKinds {
		if i := strings.Index(s, k); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 {
		return m, false
	}
	s = s[at:]
	on := strings.Index(s, " on line ")
	if on < 0 {
		return m, false
	}
	in := strings.LastIndex(s[:on], " in ")
	number := s[on+len(" on line "):]
	if end := strings.IndexFunc(number, func(r rune) bool { return !unicode.IsDigit(r) }); end >= 0 {
		number = number[:end]
	}
	if in < 0 || number == "" {
		return m, false
	}
	return phpMessage{text: strings.TrimSpace(s[:in]), file: s[in+len(" in ") : on], line: number}, true
}

// plain returns the text of a piece of HTML: tags cut out, references replaced,
// runs of white space made one space.
func plain(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		i := bytes.IndexByte(b, '<')
		if i < 0 {
			out.Write(b)
			break
		}
		out.Write(b[:i])
		end := bytes.IndexByte(b[i:], '>')
		if end < 0 {
			break
		}
		if b = b[i+end+1:]; i > 0 && len(b) > 0 && b[0] != ' ' && b[0] != ':' && out.Len() > 0 {
			out.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(html.UnescapeString(out.String())), " ")
}

// firstLine returns the first line of b that says something, tags cut out.
func firstLine(b []byte) string {
	b = b[:min(len(b), 4096)]
	for line := range bytes.Lines(b) {
		if s := plain(line); s != "" {
			return shorten(s, 100)
		}
	}
	return shorten(strings.TrimSpace(string(b)), 100)
}

func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:n])) + " …"
}

// quote puts s between quotes, and shows what cannot be printed.
func quote(s string) string {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return `"` + s + `"`
}
