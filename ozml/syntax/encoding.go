package syntax

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// An encoding is one of those decisions 1.3 names: UTF-8, UTF-16 of either byte
// order, or a table of 256 characters.
type encoding struct {
	name      string
	table     *charmap.Charmap // nil: UTF-8 or UTF-16
	wide, big bool             // UTF-16; most significant byte first
}

// lookup finds an encoding by a name as it stands in HTTP or XML.
func lookup(label string) (encoding, bool) {
	name := plainLabel(label)
	switch name {
	case "utf8", "ascii", "usascii":
		return encoding{name: "UTF-8"}, true
	case "utf16", "utf16le", "ucs2", "unicode":
		return encoding{name: "UTF-16LE", wide: true}, true
	case "utf16be":
		return encoding{name: "UTF-16BE", wide: true, big: true}, true
	case "latin1", "iso88591":
		// As browsers do: who says ISO-8859-1 and uses 0x80 to 0x9F means windows-1252.
		name = "windows1252"
	case "latin2":
		name = "iso88592"
	case "latin5":
		name = "iso88599"
	case "latin9":
		name = "iso885915"
	}
	for _, prefix := range []string{"xcp125", "cp125", "win125"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			name = "windows125" + rest
		}
	}
	for _, e := range charmap.All {
		m, ok := e.(*charmap.Charmap)
		if !ok || plainLabel(m.String()) != name {
			continue
		}
		for _, family := range []string{"windows125", "windows874", "iso8859", "koi8"} {
			if strings.HasPrefix(name, family) {
				return encoding{name: strings.NewReplacer(" ", "-", "W", "w").Replace(m.String()), table: m}, true
			}
		}
	}
	return encoding{}, false
}

// Decode reads text in an encoding that is named as in HTTP. UTF-16 is read
// without regard to a byte-order mark.
func Decode(label string, raw []byte) (string, error) {
	e, ok := lookup(label)
	switch {
	case !ok:
		return "", fmt.Errorf("unknown encoding %q", label)
	case e.wide:
		if len(raw)%2 != 0 {
			return "", fmt.Errorf("an odd number of bytes is no %s", e.name)
		}
		u := make([]uint16, len(raw)/2)
		for i := range u {
			low, high := raw[2*i], raw[2*i+1]
			if e.big {
				low, high = high, low
			}
			u[i] = uint16(high)<<8 | uint16(low)
		}
		return string(utf16.Decode(u)), nil
	case e.table == nil:
		if !utf8.Valid(raw) {
			return "", fmt.Errorf("it is not %s", e.name)
		}
		return string(raw), nil
	}
	var b strings.Builder
	for i, c := range raw {
		r := e.table.DecodeByte(c)
		if r == utf8.RuneError {
			return "", fmt.Errorf("byte 0x%02X at offset %d is no character of %s", c, i, e.name)
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

func plainLabel(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

// decode sets p.src and the file's Encoding, in the order of decisions 1.3: what
// the bytes plainly are, the byte-order mark, HTTP, the declaration, UTF-8.
func (p *parser) decode(raw []byte) error {
	utf8Encoding, skip := encoding{name: "UTF-8"}, 0
	var e encoding
	claim, declared := p.Charset, declaredEncoding(raw)
	switch {
	case bytes.HasPrefix(raw, []byte("\xFF\xFE\x00\x00")), bytes.HasPrefix(raw, []byte("\x00\x00\xFE\xFF")),
		bytes.HasPrefix(raw, []byte("<\x00\x00\x00")), bytes.HasPrefix(raw, []byte("\x00\x00\x00<")):
		return p.rawError("OZ1008", raw, 0, 0, "the document is in UTF-32, which is not read", "")
	case bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")):
		e, skip = utf8Encoding, 3
	case bytes.HasPrefix(raw, []byte("\xFF\xFE")):
		e, skip = encoding{name: "UTF-16LE", wide: true}, 2
	case bytes.HasPrefix(raw, []byte("\xFE\xFF")):
		e, skip = encoding{name: "UTF-16BE", wide: true, big: true}, 2
	case looksWide(raw, 1): // a letter of XML never has a zero byte beside it in 8 bits
		e = encoding{name: "UTF-16LE", wide: true}
	case looksWide(raw, 0):
		e = encoding{name: "UTF-16BE", wide: true, big: true}
	default:
		where := "in the HTTP header Content-Type"
		if claim == "" {
			claim, where = declared, "in the XML declaration"
		}
		e = utf8Encoding
		if claim != "" {
			var ok bool
			if e, ok = lookup(claim); !ok {
				return p.rawError("OZ1008", raw, 0, 0, fmt.Sprintf("unknown encoding %s %s", quote(claim), where), "")
			}
		}
		if e.wide { // the bytes are plainly not: they win (a common fault of .NET)
			e = utf8Encoding
			if other, ok := lookup(declared); ok && !other.wide {
				e = other
			}
		}
	}
	p.file.Encoding = e.name
	body := raw[skip:]
	switch {
	case e.wide:
		if err := p.fromUTF16(raw, body, e, skip); err != nil {
			return err
		}
	case e.table != nil:
		if err := p.fromTable(raw, e); err != nil {
			return err
		}
	default:
		if at := firstInvalid(body); at >= 0 {
			return p.rawError("OZ1009", body, at, skip, fmt.Sprintf("byte 0x%02X at offset %d is not UTF-8", body[at], at+skip), latinHint(body, at))
		}
		p.src = body
	}
	p.index = newLines(p.src)
	p.file.Source, p.file.index = p.src, p.index
	if skip == 3 {
		p.warn("OZ1050", 0, 0, "a byte-order mark stands before the document", "")
	}
	p.compare(e, declaredEncoding(p.src)) // again: now it can be seen in UTF-16 too
	return nil
}

// compare remarks claims that the document does not keep.
func (p *parser) compare(e encoding, declared string) {
	for _, c := range []struct{ claim, where string }{{p.Charset, "the HTTP header"}, {declared, "the XML declaration"}} {
		if c.claim == "" {
			continue
		}
		said, ok := lookup(c.claim)
		same := ok && (said.name == e.name || said.wide && e.wide && plainLabel(c.claim) == "utf16")
		plain := ok && !e.wide && !said.wide && isASCII(p.src) // no letter on which they could disagree
		if !same && !plain {
			p.warn("OZ1058", 0, 0, fmt.Sprintf("%s says %s, but the document was read as %s", c.where, quote(c.claim), e.name), "")
		}
	}
}

// looksWide tells whether every second byte at the beginning of raw is zero:
// the odd ones (1) in UTF-16 LE, the even ones (0) in BE.
func looksWide(raw []byte, zero int) bool {
	return len(raw) >= 4 && raw[zero] == 0 && raw[zero+2] == 0 && raw[1-zero] != 0 && raw[3-zero] != 0
}

func (p *parser) fromUTF16(raw, body []byte, e encoding, skip int) error {
	out := make([]byte, 0, len(body)/2+len(body)/8)
	unit := func(i int) rune {
		if e.big {
			return rune(body[i])<<8 | rune(body[i+1])
		}
		return rune(body[i+1])<<8 | rune(body[i])
	}
	for i := 0; i < len(body); i += 2 {
		bad, at := "", i+skip
		var r rune
		if i+1 >= len(body) {
			bad = "half a character at the end"
		} else if r = unit(i); utf16.IsSurrogate(r) {
			low := rune(0)
			if i+3 < len(body) {
				low = unit(i + 2)
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				bad = "half a character"
			}
			i += 2
		}
		if bad != "" {
			err := p.rawError("OZ1009", out, len(out), 0, fmt.Sprintf("%s at offset %d: not %s", bad, at, e.name), "")
			err.Pos.Offset = at
			return err
		}
		out = utf8.AppendRune(out, r)
	}
	p.src = out
	return nil
}

func (p *parser) fromTable(raw []byte, e encoding) error {
	out := make([]byte, 0, len(raw)+len(raw)/8)
	for i, b := range raw {
		r := e.table.DecodeByte(b)
		if r == utf8.RuneError {
			err := p.rawError("OZ1009", out, len(out), 0, fmt.Sprintf("byte 0x%02X at offset %d is no character of %s", b, i, e.name), "")
			err.Pos.Offset = i
			return err
		}
		out = utf8.AppendRune(out, r)
	}
	p.src = out
	return nil
}

// rawError makes an Error about bytes that could not be decoded: text is what
// comes before and after, at the place in it, skip what to add for the offset.
func (p *parser) rawError(code string, text []byte, at, skip int, msg, hint string) *Error {
	pos := newLines(text[:at]).pos(at)
	line := Line(text[at-pos.Column+1:], 1)
	pos.Offset += skip
	return p.refuse(code, pos, line, msg, hint)
}

// declaredEncoding returns what the XML declaration at the beginning of an
// 8-bit document says, "" when it says nothing.
func declaredEncoding(raw []byte) string {
	decl := bytes.TrimLeft(bytes.TrimPrefix(raw, []byte("\xEF\xBB\xBF")), " \t\r\n")
	if !bytes.HasPrefix(decl, []byte("<?xml")) {
		return ""
	}
	decl, _, _ = bytes.Cut(decl[:min(len(decl), 1024)], []byte("?>"))
	_, rest, _ := bytes.Cut(decl, []byte("encoding"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	if len(rest) == 0 || rest[0] != '=' {
		return ""
	}
	rest = bytes.TrimLeft(rest[1:], " \t\r\n")
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	name, _, ok := bytes.Cut(rest[1:], rest[:1])
	if !ok {
		return ""
	}
	return string(name)
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func firstInvalid(b []byte) int {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// latinHint shows what the line would read in windows-1252, the usual culprit.
func latinHint(b []byte, at int) string {
	from, to := at, at
	word := func(c byte) bool { return c > ' ' && c != '<' && c != '>' && c != '"' && c != '\'' }
	for from > 0 && at-from < 20 && word(b[from-1]) {
		from--
	}
	for to < len(b) && to-at < 20 && word(b[to]) {
		to++
	}
	var guess []byte
	for _, c := range b[from:to] {
		guess = utf8.AppendRune(guess, charmap.Windows1252.DecodeByte(c))
	}
	return fmt.Sprintf("save the file as UTF-8, or say what it is: in windows-1252 the place reads %s. "+
		"PHP: header('Content-Type: text/xml; charset=windows-1252'), or <?xml version=\"1.0\" encoding=\"windows-1252\"?>", quote(string(guess)))
}
