package syntax

import "strings"

// A Node is an *Element or a *Text; there are no others.
type Node interface {
	Pos() Pos // of its first byte
	End() Pos // after its last byte
	node()
}

// An Element is one pair of tags, or a tag that closes itself.
type Element struct {
	Name     string // local name, letter case as written
	Attrs    []Attr // in the order of the source, without namespace declarations
	Children []Node // no two Texts are neighbours
	Span     Span   // from the < of the start tag to the > of the end tag
	NameSpan Span   // the name in the start tag

	notes []note // comments and processing instructions, for Format
	gap   bool   // an empty line stands before it
}

// An Attr is one attribute of a start tag.
type Attr struct {
	Name, Value string // local name as written; value with references replaced
	NamePos     Pos    // first byte of the name, its prefix included
	ValuePos    Pos    // first byte between the quotes
	End         Pos    // after the closing quote
}

// A Text is what stands between two tags, CDATA sections included, references
// replaced and white space at both ends cut off. It is never empty. A comment
// does not end it.
type Text struct {
	Value string
	Span  Span // without the white space at both ends

	notes []note // comments inside the text, at = offset in Value
	gap   bool
}

// A note is a comment or processing instruction. It means nothing, but whoever
// has his script formatted wants it back where it was.
type note struct {
	raw   string // as written, with its <!-- and -->
	at    int    // stands before this child, or at this offset of a text
	trail bool   // on the line of what comes before it
	gap   bool   // an empty line stands before it
}

func (e *Element) Pos() Pos { return e.Span.From }
func (e *Element) End() Pos { return e.Span.To }
func (t *Text) Pos() Pos    { return t.Span.From }
func (t *Text) End() Pos    { return t.Span.To }
func (*Element) node()      {}
func (*Text) node()         {}

// Attr returns the attribute of that name, in any letter case.
func (e *Element) Attr(name string) (Attr, bool) {
	for _, a := range e.Attrs {
		if strings.EqualFold(a.Name, name) {
			return a, true
		}
	}
	return Attr{}, false
}

// Text returns the texts that stand directly in e, joined by a space.
func (e *Element) Text() string {
	var parts []string
	for _, c := range e.Children {
		if t, ok := c.(*Text); ok {
			parts = append(parts, t.Value)
		}
	}
	return strings.Join(parts, " ")
}

// A File is a document that has been read. Its positions refer to Source.
type File struct {
	Name     string
	Root     *Element  // Response or OzML in any letter case; see Lone
	Lone     bool      // the document was one lone command: Root is a Response put around it, at the same place
	Source   []byte    // the document in UTF-8, without byte-order mark; not to be changed
	Warnings []Warning // what was tolerated, each code at its first place only
	Encoding string    // how it came, "UTF-8" or "windows-1250"

	head, tail []note // before and after the root
	index      lines
}

// A Warning is something that decisions 1.4 tolerates.
type Warning struct {
	Code, Msg, Hint string
	Span            Span
	Note            bool // perfectly good XML, only remarked: worth an information, not a warning
}

// Options say how a document came and what it may be.
type Options struct {
	Name    string // of the document, for messages: a file name or URL
	Charset string // of the HTTP header Content-Type; "" when unknown
	Limits  Limits
	// IsCommand says whether a lone element of that name may be the root. Nil
	// takes any that is not plainly HTML or some other kind of XML.
	IsCommand func(name string) bool
}

// Limits of one document; zero means the default (decisions 1.7).
type Limits struct {
	Body       int // bytes as received and unpacked; 1 MiB
	Depth      int // elements within elements, the root included; 100
	Elements   int // in the whole document; 20,000
	Attributes int // of one element; 64
	Value      int // bytes of one attribute or text; 64 KiB
}

func (l Limits) orDefault() Limits {
	or := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	or(&l.Body, 1<<20)
	or(&l.Depth, 100)
	or(&l.Elements, 20_000)
	or(&l.Attributes, 64)
	or(&l.Value, 64<<10)
	return l
}

// Parse reads a document with default options. The error is an *Error.
func Parse(name string, src []byte) (*File, error) {
	return ParseWith(Options{Name: name}, src)
}

// ParseWith reads a document. A document that is refused is refused whole, with
// an *Error. The time it takes grows with the length of src only, and src is
// not kept unless it is plain UTF-8 (then File.Source is part of it).
func ParseWith(o Options, src []byte) (*File, error) {
	p := &parser{Options: o, file: &File{Name: o.Name}}
	p.Limits = o.Limits.orDefault()
	if err := p.parse(src); err != nil {
		return nil, err // always an *Error
	}
	return p.file, nil
}
