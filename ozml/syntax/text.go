package syntax

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A run is the text between two tags while it is collected: character data and
// CDATA sections, with comments in between.
type run struct {
	open     bool // something other than white space has come
	buf      []byte
	from, to int
	notes    []note // at = offset in buf
	gap      bool
}

func (p *parser) text(at int) (int, error) {
	end := len(p.src)
	if n := bytes.IndexByte(p.src[at:], '<'); n >= 0 {
		end = at + n
	}
	if len(p.stack) == 0 && !blank(p.src[at:end]) {
		return 0, p.outside(p.skip(at))
	}
	if err := p.references(at, end); err != nil {
		return 0, err
	}
	if i := bytes.Index(p.src[at:end], []byte("]]>")); i >= 0 {
		return 0, p.fail("OZ1001", at+i, `"]]>" outside of a CDATA section`, "write ]]&gt;")
	}
	return end, p.data(at, end)
}

func (p *parser) cdata(at int) (int, error) {
	n := bytes.Index(p.src[at:], []byte("]]>"))
	if n < 0 {
		return 0, p.cutOff(fmt.Sprintf("inside the CDATA section that begins at %v", p.pos(at)))
	}
	if len(p.stack) == 0 {
		return 0, p.outside(at)
	}
	return at + n + 3, p.data(at, at+n+3)
}

// data adds character data to the run.
func (p *parser) data(from, to int) error {
	t, err := p.token(from, to)
	if err != nil {
		return err
	}
	value, ok := t.(xml.CharData)
	if !ok {
		return p.fail("OZ1001", from, "not well-formed: this text cannot be read", "")
	}
	r := &p.run
	if len(p.stack) == 0 || !r.open && blank(value) {
		return nil
	}
	if !r.open {
		start := p.skip(from)
		*r = run{open: true, from: start, gap: p.newlines(start) > 1}
	}
	if r.buf = append(r.buf, value...); len(r.buf) > p.Limits.Value {
		return p.fail("OZ1034", r.from, fmt.Sprintf("the text has more than %d bytes", p.Limits.Value), "")
	}
	if !blank(value) {
		r.to = from + len(bytes.TrimRight(p.src[from:to], blanks))
		p.last = r.to
	}
	return nil
}

// closeRun makes a Text of the run, if there is one.
func (p *parser) closeRun() {
	r := p.run
	if p.run = (run{}); !r.open {
		return
	}
	e := p.stack[len(p.stack)-1]
	lead := len(r.buf) - len(bytes.TrimLeft(r.buf, blanks))
	t := &Text{Value: string(bytes.Trim(r.buf, blanks)), Span: Span{p.pos(r.from), p.pos(r.to)}, gap: r.gap}
	e.Children = append(e.Children, t)
	for _, n := range r.notes {
		if n.at -= lead; n.at < len(t.Value) {
			t.notes = append(t.notes, n)
			continue
		}
		n.at = len(e.Children)
		e.notes = append(e.notes, n)
	}
}

func (p *parser) comment(at int) (int, error) {
	body := at + len("<!--")
	n := bytes.Index(p.src[body:], []byte("--"))
	if n < 0 {
		return 0, p.cutOff(fmt.Sprintf("inside the comment that begins at %v", p.pos(at)))
	}
	end := body + n + 3
	if end > len(p.src) {
		return 0, p.cutOff("inside a comment")
	}
	if p.src[end-1] != '>' {
		return 0, p.fail("OZ1001", body+n, `"--" inside a comment`, "XML does not allow two hyphens in a comment: write one, or a space between them")
	}
	p.warn("OZ1055", at, end, "the document contains a comment", "")
	return end, p.note(at, end)
}

func (p *parser) instruction(at int) (int, error) {
	n := bytes.Index(p.src[at+2:], []byte("?>"))
	if n < 0 {
		return 0, p.cutOff(fmt.Sprintf("inside the <?...?> that begins at %v", p.pos(at)))
	}
	end := at + 2 + n + 2
	nameEnd := p.name(at + 2)
	target := string(p.src[at+2 : min(nameEnd, end-2)])
	switch {
	case strings.EqualFold(target, "xml"):
		return 0, p.fail("OZ1024", at, "an XML declaration that is not at the beginning", "")
	case target == "":
		return 0, p.fail("OZ1001", at, `"<?" without a name`, "")
	case strings.EqualFold(target, "php"):
		p.warn("OZ1056", at, end, "the PHP code in <?php ... ?> was sent, not run", "the web server does not run this file: check its extension and that PHP is installed")
	default:
		p.warn("OZ1056", at, end, fmt.Sprintf("the instruction <?%s ...?> is ignored", target), "")
	}
	return end, p.note(at, end)
}

// note keeps a comment or an instruction for Format.
func (p *parser) note(from, to int) error {
	if _, err := p.token(from, to); err != nil {
		return err
	}
	lines := p.newlines(from)
	n := note{raw: string(p.src[from:to]), trail: lines == 0, gap: lines > 1}
	switch {
	case p.run.open:
		n.at = len(p.run.buf)
		p.run.notes = append(p.run.notes, n)
	case len(p.stack) > 0:
		e := p.stack[len(p.stack)-1]
		n.at = len(e.Children)
		e.notes = append(e.notes, n)
	case p.file.Root == nil:
		p.file.head = append(p.file.head, n)
	default:
		p.file.tail = append(p.file.tail, n)
	}
	p.last = to
	return nil
}

// references checks every & from one place to another.
func (p *parser) references(from, to int) error {
	for {
		n := bytes.IndexByte(p.src[from:to], '&')
		if n < 0 {
			return nil
		}
		at := from + n
		from = at + 1
		const longest = 40
		end := bytes.IndexByte(p.src[from:min(to, from+longest)], ';')
		name := ""
		if end >= 0 {
			name = string(p.src[from : from+end])
		}
		switch {
		case name == "amp", name == "lt", name == "gt", name == "quot", name == "apos":
		case strings.HasPrefix(name, "#"):
			if err := p.number(at, name); err != nil {
				return err
			}
		case name != "" && p.name(from) == from+end:
			return p.fail("OZ1012", at, fmt.Sprintf("XML does not know &%s;", name), entityHint(name))
		default:
			return p.fail("OZ1011", at, `a "&" that stands for itself`, p.ampersandHint(at))
		}
	}
}

// number checks a character reference, &#233; or &#xE9;.
func (p *parser) number(at int, name string) error {
	digits, base := name[1:], 10
	if strings.HasPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	r, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return p.fail("OZ1012", at, fmt.Sprintf("&%s; is no character", name), "write the character itself, or its number: &#233; or &#xE9;")
	}
	if r > utf8.MaxRune || !allowed(rune(r)) {
		return p.fail("OZ1010", at, fmt.Sprintf("&%s; is a character that XML does not allow", name), "")
	}
	return nil
}

func entityHint(name string) string {
	for _, known := range []string{"amp", "lt", "gt", "quot", "apos"} {
		if strings.EqualFold(name, known) {
			return "write &" + known + "; in small letters"
		}
	}
	ref := "&" + name + ";"
	s := html.UnescapeString(ref)
	if r, n := utf8.DecodeRuneInString(s); s != ref && n == len(s) {
		if r == '\u00A0' {
			return "write a space, or &#160; for one that does not break the line"
		}
		return fmt.Sprintf("&%s; is HTML: write %s or &#%d;. PHP: htmlspecialchars($text, ENT_XML1 | ENT_QUOTES), not htmlentities", name, quote(s), r)
	}
	return "if the & stands for itself, write &amp;" + name + ";"
}

// ampersandHint shows the surroundings as they should be.
func (p *parser) ampersandHint(at int) string {
	stop := blanks + "<>\"'"
	from, to := at, at+1
	for from > 0 && at-from < 30 && strings.IndexByte(stop, p.src[from-1]) < 0 {
		from--
	}
	for to < len(p.src) && to-at < 30 && strings.IndexByte(stop+"&", p.src[to]) < 0 {
		to++
	}
	fixed := strings.ToValidUTF8(string(p.src[from:at])+"&amp;"+string(p.src[at+1:to]), "")
	if fixed == "&amp;" {
		return "" // a lone & says nothing
	}
	return "write &amp; for it: " + quote(fixed) + ". PHP: htmlspecialchars($text, ENT_XML1 | ENT_QUOTES)"
}

// characters refuses what XML does not allow anywhere.
func (p *parser) characters() error {
	for i := 0; i < len(p.src); {
		c := p.src[i]
		if c >= ' ' && c < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(p.src[i:])
		if !allowed(r) {
			hint := ""
			if r == 0x1B {
				hint = "it begins a terminal colour: switch colours off in what prints this"
			}
			return p.fail("OZ1010", i, fmt.Sprintf("control character U+%04X", r), hint)
		}
		i += n
	}
	return nil
}

// allowed follows XML 1.0 section 2.2, Char.
func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}
