package syntax

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A parser reads one document. encoding/xml says what a token means; before it
// is asked for one, the bytes of that token are read here, because only so an
// attribute gets a place and a fault a helpful word.
type parser struct {
	Options
	file  *File
	src   []byte // UTF-8
	index lines

	dec      *xml.Decoder
	base     int // where dec began in src
	stack    []open
	elements int
	run      run
	last     int // after the last thing that is not white space
}

// open is an element whose end tag has not come.
type open struct {
	*Element
	raw string // name with its prefix, as the end tag must repeat it
}

const blanks = " \t\r\n"

func blank(b []byte) bool { return len(bytes.TrimLeft(b, blanks)) == 0 }

// skip returns the place of the first byte from at that is not white space.
func (p *parser) skip(at int) int {
	for at < len(p.src) && strings.IndexByte(blanks, p.src[at]) >= 0 {
		at++
	}
	return at
}

func (p *parser) has(at int, prefix string) bool { return bytes.HasPrefix(p.src[at:], []byte(prefix)) }

func (p *parser) parse(raw []byte) error {
	if len(raw) > p.Limits.Body {
		return p.refuse("OZ1030", Pos{Line: 1, Column: 1}, Line(raw[:min(len(raw), 200)], 1),
			fmt.Sprintf("the document has %d bytes, allowed are %d", len(raw), p.Limits.Body), "")
	}
	if what := binary(raw); what != "" {
		return p.refuse("OZ1007", Pos{Line: 1, Column: 1}, "", "the answer is "+what+", not a script", "")
	}
	if err := p.decode(raw); err != nil {
		return err
	}
	at, err := p.opening()
	if err != nil {
		return err
	}
	if err := p.characters(); err != nil {
		return err
	}
	p.base, p.last = at, at
	p.dec = xml.NewDecoder(bytes.NewReader(p.src[at:]))
	for at < len(p.src) {
		if at, err = p.step(at); err != nil {
			return err
		}
	}
	return p.finish()
}

// step reads the token at the given place and returns where the next begins.
func (p *parser) step(at int) (int, error) {
	switch {
	case p.src[at] != '<':
		return p.text(at)
	case p.has(at, "<!--"):
		return p.comment(at)
	case p.has(at, "<![CDATA["):
		return p.cdata(at)
	case p.has(at, "<!"):
		return 0, p.doctype(at)
	case p.has(at, "<?"):
		return p.instruction(at)
	case p.has(at, "</"):
		return p.endTag(at)
	}
	return p.startTag(at)
}

// token asks the decoder for the token from one place to another.
func (p *parser) token(from, to int) (xml.Token, error) {
	t, err := p.dec.RawToken()
	if err != nil {
		msg := strings.TrimPrefix(err.Error(), "XML syntax error on line ")
		return nil, p.fail("OZ1001", from, "not well-formed: "+strings.TrimLeft(msg, "0123456789: "), "")
	}
	if p.base+int(p.dec.InputOffset()) != to {
		return nil, p.fail("OZ1001", from, "not well-formed: the end of what begins here cannot be told", "")
	}
	return t, nil
}

func (p *parser) startTag(at int) (int, error) {
	end := p.name(at + 1)
	if end == len(p.src) {
		return 0, p.cutOff("inside a tag")
	}
	if end == at+1 {
		return 0, p.fail("OZ1018", at, `a "<" that begins no tag`, "")
	}
	raw := string(p.src[at+1 : end])
	name := local(raw)
	lone := false
	if len(p.stack) == 0 {
		if p.file.Root != nil {
			return 0, p.second(at, name)
		}
		var err error
		if lone, err = p.root(at, end, name); err != nil {
			return 0, err
		}
		if lone {
			p.elements++ // the Response around it
		}
	}
	depth := len(p.stack) + 1
	if lone || p.file.Lone {
		depth++
	}
	if depth > p.Limits.Depth {
		return 0, p.fail("OZ1031", at, fmt.Sprintf("<%s> is nested too deeply: allowed are %d elements within each other", name, p.Limits.Depth), "")
	}
	if p.elements++; p.elements > p.Limits.Elements {
		return 0, p.fail("OZ1032", at, fmt.Sprintf("the document has more than %d elements", p.Limits.Elements), "")
	}
	tag, err := p.tag(at, end)
	if err != nil {
		return 0, err
	}
	p.closeRun()
	t, err := p.token(at, tag.end)
	if err != nil {
		return 0, err
	}
	start, ok := t.(xml.StartElement)
	if !ok || len(start.Attr) != len(tag.attrs) {
		return 0, p.fail("OZ1001", at, "not well-formed: this tag cannot be read", "")
	}
	e := &Element{
		Name:     name,
		Span:     Span{From: p.pos(at)},
		NameSpan: Span{From: p.pos(at + 1), To: p.pos(end)},
		gap:      p.newlines(at) > 1,
	}
	if raw != name {
		p.warn("OZ1054", at+1, end, fmt.Sprintf("the prefix of <%s> is ignored", raw), "")
	}
	if e.Attrs, err = p.attributes(tag, start.Attr, name); err != nil {
		return 0, err
	}
	p.attach(e, lone)
	p.last = tag.end
	p.stack = append(p.stack, open{e, raw})
	if tag.closed {
		if _, err := p.token(at, tag.end); err != nil {
			return 0, err
		}
		p.pop(tag.end)
	}
	return tag.end, nil
}

// attach hangs a new element into the tree.
func (p *parser) attach(e *Element, lone bool) {
	switch n := len(p.stack); {
	case n > 0:
		parent := p.stack[n-1]
		parent.Children = append(parent.Children, e)
	case lone:
		p.file.Root = &Element{Name: "Response", Children: []Node{e}, Span: e.Span, NameSpan: e.NameSpan}
		p.file.Lone = true
	default:
		p.file.Root = e
	}
}

func (p *parser) pop(end int) {
	n := len(p.stack) - 1
	p.stack[n].Span.To = p.pos(end)
	p.stack = p.stack[:n]
	p.last = end
	if n == 0 {
		p.file.Root.Span.To = p.pos(end)
	}
}

func (p *parser) endTag(at int) (int, error) {
	nameEnd := p.name(at + 2)
	raw := string(p.src[at+2 : nameEnd])
	end := p.skip(nameEnd)
	switch {
	case end >= len(p.src):
		return 0, p.cutOff("in the middle of an end tag")
	case nameEnd == at+2:
		return 0, p.fail("OZ1001", at, `"</" without a name`, "write the name of the element that ends here, such as </Response>")
	case p.src[end] != '>':
		return 0, p.fail("OZ1001", end, fmt.Sprintf("the end tag </%s is not closed with >", raw), "write </"+raw+">")
	case len(p.stack) == 0:
		return 0, p.fail("OZ1021", at, fmt.Sprintf("</%s> without a tag that it could end", raw),
			"remove it, or look for a tag above that was closed too early, such as <"+raw+" ... />")
	}
	if top := p.stack[len(p.stack)-1]; top.raw != raw {
		return 0, p.mismatch(at, raw)
	}
	p.closeRun()
	if _, err := p.token(at, end+1); err != nil {
		return 0, err
	}
	p.pop(end + 1)
	return end + 1, nil
}

// mismatch explains an end tag that does not fit.
func (p *parser) mismatch(at int, raw string) error {
	top := p.stack[len(p.stack)-1]
	msg := fmt.Sprintf("</%s> found where </%s> was expected: <%s> was opened at %v", raw, top.raw, top.raw, top.Span.From)
	hint := p.twice()
	switch {
	case hint != "":
	case strings.EqualFold(raw, top.raw):
		hint = fmt.Sprintf("upper and lower case must be the same in both tags: write </%s>", top.raw)
	case p.opened(raw):
		hint = fmt.Sprintf("close <%s> of line %d before this: write </%s> here, or close it where it is opened with />", top.raw, top.Span.From.Line, top.raw)
	default:
		hint = fmt.Sprintf("no <%s> is open here; write </%s>, or remove the tag", raw, top.raw)
		if Nearest(raw, []string{top.raw}) != "" {
			hint = fmt.Sprintf("did you mean </%s>?", top.raw)
		}
	}
	return p.fail("OZ1019", at, msg, hint)
}

// opened tells whether an element of that name is open.
func (p *parser) opened(raw string) bool {
	for _, o := range p.stack {
		if o.raw == raw {
			return true
		}
	}
	return false
}

// twice recognises a start tag written where an end tag was meant:
// <SendDTMF>1<SendDTMF>.
func (p *parser) twice() string {
	n := len(p.stack)
	if n < 2 || !strings.EqualFold(p.stack[n-1].raw, p.stack[n-2].raw) || len(p.stack[n-1].Attrs) > 0 {
		return ""
	}
	return fmt.Sprintf("the second <%s> at %v was probably meant to be </%s>", p.stack[n-1].raw, p.stack[n-1].Span.From, p.stack[n-2].raw)
}

// finish is called at the end of the document.
func (p *parser) finish() error {
	if p.file.Root == nil {
		return p.fail("OZ1002", len(p.src), "the document has no element", "")
	}
	if n := len(p.stack); n > 0 {
		top := p.stack[n-1]
		return p.fail("OZ1020", p.end(), fmt.Sprintf("the document ends before </%s>: <%s> was opened at %v", top.raw, top.raw, top.Span.From), p.twice())
	}
	if m, ok := findPHP(p.src); ok {
		p.warn("OZ1059", m.offset, m.offset, "a PHP message stands inside the script: "+quote(shorten(m.text, 120)), m.hint())
	}
	return nil
}

// cutOff makes the error for a document that ends inside a token.
func (p *parser) cutOff(where string) error {
	return p.fail("OZ1020", p.end(), "the document ends "+where, "")
}

// end returns where the document ends but for white space.
func (p *parser) end() int { return len(bytes.TrimRight(p.src, blanks)) }

func (p *parser) pos(at int) Pos { return p.index.pos(at) }

// newlines counts the line ends between the last thing read and at.
func (p *parser) newlines(at int) int {
	if at <= p.last {
		return 0
	}
	return bytes.Count(p.src[p.last:at], []byte("\n"))
}

func (p *parser) warn(code string, from, to int, msg, hint string) {
	for _, w := range p.file.Warnings {
		if w.Code == code {
			return // at its first place only: there may be thousands
		}
	}
	if hint == "" {
		hint = cure(code)
	}
	note := code == "OZ1052" || code == "OZ1055" || code == "OZ1060"
	p.file.Warnings = append(p.file.Warnings, Warning{Code: code, Msg: msg, Hint: hint, Span: Span{p.pos(from), p.pos(to)}, Note: note})
}

// fail refuses the document for what stands at the given place of p.src. An
// empty hint means the cure of the code.
func (p *parser) fail(code string, at int, msg, hint string) error {
	pos := p.pos(at)
	return p.refuse(code, pos, Line(p.src[at-pos.Column+1:], 1), msg, hint)
}

func (p *parser) refuse(code string, pos Pos, line, msg, hint string) *Error {
	if hint == "" {
		hint = cure(code)
	}
	if m, ok := findPHP(p.src); ok {
		hint = m.hint() + ". " + strings.ToUpper(hint[:1]) + hint[1:]
	}
	return &Error{File: p.Name, Code: code, Pos: pos, Msg: msg, Hint: hint, Line: line}
}

// local cuts the prefix off a name, if what stays is a name: <x:1> keeps its own.
func local(raw string) string {
	prefix, name, ok := strings.Cut(raw, ":")
	if !ok || prefix == "" || name == "" || name[0] >= utf8.RuneSelf || name[0] == ':' || !nameByte([]byte(name[:1]), 0, true) {
		return raw
	}
	return name
}
