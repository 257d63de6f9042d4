package syntax

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Format returns the canonical form: UTF-8 with a declaration, two spaces for
// each level, double quotes, elements without content closed by />, at most one
// empty line where the source had some. Comments and instructions stay where
// they were; namespaces go. A document that was a lone command gets its
// Response. Names are printed as the tree has them.
//
// Parse(Format(f)) gives a tree equal to f's but for positions, and formatting
// it again changes nothing.
func (f *File) Format() []byte {
	p := &printer{}
	p.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
	for i, n := range f.head {
		n.trail = false
		n.gap = n.gap && i > 0
		p.note(n)
	}
	p.line(f.Root.gap && len(f.head) > 0)
	p.element(f.Root)
	for _, n := range f.tail {
		p.note(n)
	}
	p.WriteByte('\n')
	return p.Bytes()
}

type printer struct {
	bytes.Buffer
	depth int
}

// line begins a new line, after an empty one if gap.
func (p *printer) line(gap bool) {
	if gap {
		p.WriteByte('\n')
	}
	p.WriteByte('\n')
	for range p.depth {
		p.WriteString("  ")
	}
}

func (p *printer) note(n note) {
	if n.trail {
		p.WriteByte(' ')
	} else {
		p.line(n.gap)
	}
	p.WriteString(unixLines(n.raw))
}

func (p *printer) element(e *Element) {
	p.WriteByte('<')
	p.WriteString(e.Name)
	p.attributes(e)
	if len(e.Children) == 0 && len(e.notes) == 0 {
		p.WriteString("/>")
		return
	}
	p.WriteByte('>')
	if t, ok := onlyText(e); ok {
		p.text(t)
	} else {
		p.block(e)
	}
	p.WriteString("</" + e.Name + ">")
}

// attributes stand on one line, or on one line each where that would be long.
func (p *printer) attributes(e *Element) {
	const width = 100
	n := 2*p.depth + len(e.Name) + 2
	for _, a := range e.Attrs {
		n += utf8.RuneCountInString(a.Name) + utf8.RuneCountInString(a.Value) + len(` =""`)
	}
	for _, a := range e.Attrs {
		if n > width && len(e.Attrs) > 1 {
			p.depth += 2
			p.line(false)
			p.depth -= 2
		} else {
			p.WriteByte(' ')
		}
		p.WriteString(a.Name)
		p.WriteString(`="`)
		attrEscapes.WriteString(p, a.Value)
		p.WriteByte('"')
	}
}

// block prints children and notes, each on its own line.
func (p *printer) block(e *Element) {
	p.depth++
	notes := e.notes
	for i := 0; i <= len(e.Children); i++ {
		for first := i == 0; len(notes) > 0 && notes[0].at <= i; notes = notes[1:] {
			n := notes[0]
			n.gap = n.gap && !first
			first = false
			p.note(n)
		}
		if i == len(e.Children) {
			break
		}
		something := i > 0 || len(e.notes) > len(notes) // before it in e
		switch c := e.Children[i].(type) {
		case *Element:
			p.line(c.gap && something)
			p.element(c)
		case *Text:
			p.line(c.gap && something)
			p.text(c)
		}
	}
	p.depth--
	p.line(false)
}

func onlyText(e *Element) (*Text, bool) {
	if len(e.Children) != 1 || len(e.notes) > 0 {
		return nil, false
	}
	t, ok := e.Children[0].(*Text)
	return t, ok
}

// text prints a text as it is: the white space inside may be part of a message.
func (p *printer) text(t *Text) {
	from := 0
	for _, n := range t.notes {
		textEscapes.WriteString(p, t.Value[from:n.at])
		p.WriteString(unixLines(n.raw))
		from = n.at
	}
	textEscapes.WriteString(p, t.Value[from:])
}

var (
	attrEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;")
	textEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", "]]>", "]]&gt;", "\r", "&#13;")
)

func unixLines(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}
