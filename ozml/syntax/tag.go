package syntax

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A rawTag is a start tag as places in the source.
type rawTag struct {
	attrs  []rawAttr
	end    int  // after the >
	closed bool // ends with />
}

type rawAttr struct{ name, nameEnd, value, valueEnd int }

// name returns the end of the XML name at the given place; at itself when there is none.
func (p *parser) name(at int) int {
	i := at
	for i < len(p.src) && nameByte(p.src, i, i == at) {
		i++
	}
	return i
}

// nameByte takes every letter that is not ASCII, except typographic quotes;
// encoding/xml is stricter and comes later.
func nameByte(src []byte, i int, first bool) bool {
	switch c := src[i]; {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == ':':
		return true
	case '0' <= c && c <= '9', c == '-', c == '.':
		return !first
	case c >= utf8.RuneSelf:
		return typographic(src[i:]) == ""
	}
	return false
}

// typographic returns the typographic quote that b begins with.
func typographic(b []byte) string {
	for _, q := range []string{"“", "”", "„", "‟", "‘", "’", "‚", "‛", "«", "»", "‹", "›", "″", "′", "＂"} {
		if bytes.HasPrefix(b, []byte(q)) {
			return q
		}
	}
	return ""
}

// tag reads the attributes of the start tag at the given place, whose name ends
// at nameEnd, or of the XML declaration.
func (p *parser) tag(at, nameEnd int) (rawTag, error) {
	var t rawTag
	what := "<" + string(p.src[at+1:nameEnd]) + ">"
	for i := nameEnd; ; {
		from := i
		i = p.skip(i)
		if i >= len(p.src) {
			return t, p.cutOff(fmt.Sprintf("inside the tag %s that begins at %v", what, p.pos(at)))
		}
		if p.src[i] == '>' {
			t.end = i + 1
			return t, nil
		}
		if p.has(i, "/>") || p.has(i, "?>") && p.src[at+1] == '?' {
			t.end, t.closed = i+2, true
			return t, nil
		}
		end := p.name(i)
		if end == i {
			return t, p.noName(at, i, len(t.attrs), what)
		}
		if i == from && len(t.attrs) > 0 {
			return t, p.fail("OZ1015", i, fmt.Sprintf("no space before the attribute %s", p.src[i:end]), "")
		}
		if len(t.attrs) == p.Limits.Attributes {
			return t, p.fail("OZ1033", i, fmt.Sprintf("%s has more than %d attributes", what, p.Limits.Attributes), "")
		}
		a, err := p.value(i, end, what)
		if err != nil {
			return t, err
		}
		t.attrs = append(t.attrs, a)
		i = a.valueEnd + 1
	}
}

// noName explains what stands in a tag where the name of an attribute should.
func (p *parser) noName(at, i, attrs int, what string) error {
	r, _ := utf8.DecodeRune(p.src[i:])
	switch {
	case r == '<':
		return p.fail("OZ1001", i, fmt.Sprintf("the tag %s that begins at %v is not closed with >", what, p.pos(at)), "write > or /> before this place")
	case r == '=' && attrs == 0:
		return p.fail("OZ1015", i, fmt.Sprintf("the name of an attribute is missing after %s", what), "put a space between the element and its first attribute: <Array id=\"list\">")
	case r == '"' || r == '\'':
		return p.fail("OZ1016", i, "a value without the name of an attribute", "write Name=\"value\"")
	case typographic(p.src[i:]) != "":
		return p.fail("OZ1013", i, "typographic quote "+string(r)+" in a tag", "")
	}
	return p.fail("OZ1001", i, fmt.Sprintf("unexpected %s in the tag %s", quote(string(r)), what), "after the name of the element come attributes, Name=\"value\", then > or />")
}

// value reads what follows the name of an attribute.
func (p *parser) value(name, nameEnd int, what string) (rawAttr, error) {
	a := rawAttr{name: name, nameEnd: nameEnd}
	called := string(p.src[name:nameEnd])
	none := rawAttr{}
	i := p.skip(nameEnd)
	if i >= len(p.src) {
		return none, p.cutOff("inside the tag " + what)
	}
	if c := p.src[i]; c != '=' {
		if c == '"' || c == '\'' {
			return none, p.fail("OZ1016", i, fmt.Sprintf(`no "=" between %s and its value`, called), "write "+called+"=\"...\"")
		}
		if q := typographic(p.src[i:]); q != "" {
			return none, p.fail("OZ1013", i, fmt.Sprintf("typographic quote %s after %s", q, called), "write "+called+"=\"...\" with the quote of the keyboard")
		}
		return none, p.fail("OZ1016", name, fmt.Sprintf("the attribute %s has no value", called), "write "+called+"=\"true\", or remove it")
	}
	i = p.skip(i + 1)
	if i >= len(p.src) {
		return none, p.cutOff("inside the tag " + what)
	}
	q := p.src[i]
	if q != '"' && q != '\'' {
		return none, p.unquoted(i, called)
	}
	a.value = i + 1
	n := bytes.IndexByte(p.src[a.value:], q)
	a.valueEnd = a.value + n
	if n < 0 {
		a.valueEnd = len(p.src)
	}
	if v := p.src[a.value:a.valueEnd]; n < 0 || bytes.IndexByte(v, '<') >= 0 {
		return none, p.runsOn(a, called, n < 0)
	}
	return a, p.references(a.value, a.valueEnd)
}

func (p *parser) unquoted(i int, called string) error {
	rest := p.src[i:]
	if q := typographic(rest); q != "" {
		return p.fail("OZ1013", i, fmt.Sprintf("typographic quote %s around the value of %s", q, called), "write "+called+"=\"...\" with the quote of the keyboard")
	}
	hint := ""
	switch end := bytes.IndexAny(rest, blanks+"<>/\"'"); {
	case p.has(i, "&quot;"), p.has(i, "&#34;"), p.has(i, "&apos;"), p.has(i, "&#39;"), p.has(i, `\"`):
		hint = "the quotes themselves were escaped: escape only what stands between them"
	case end > 0 && end < 60:
		hint = fmt.Sprintf("write %s=\"%s\"", called, rest[:end])
	}
	return p.fail("OZ1014", i, fmt.Sprintf("the value of %s does not stand between quotes", called), hint)
}

// runsOn explains a value that holds a < or never ends.
func (p *parser) runsOn(a rawAttr, called string, endless bool) error {
	v := p.src[a.value:a.valueEnd]
	lt := bytes.IndexByte(v, '<')
	if lt < 0 {
		return p.cutOff("inside the value of " + called)
	}
	if endless || bytes.IndexByte(v[:lt], '>') >= 0 { // it runs over the end of its tag
		for i := range v[:lt] {
			if q := typographic(v[i:lt]); q != "" {
				return p.fail("OZ1013", a.value+i, fmt.Sprintf("typographic quote %s in the value of %s, which ends nowhere", q, called), "")
			}
		}
		return p.fail("OZ1026", a.value-1, fmt.Sprintf("the value of %s is not closed", called), "")
	}
	return p.fail("OZ1018", a.value+lt, fmt.Sprintf(`a "<" in the value of %s`, called), "")
}

// attributes joins what the decoder says with the places.
func (p *parser) attributes(t rawTag, decoded []xml.Attr, element string) ([]Attr, error) {
	var attrs []Attr
	var keys []string // what must not come twice
	for i, raw := range t.attrs {
		full := string(p.src[raw.name:raw.nameEnd])
		key := strings.ToLower(local(full))
		if ignored(full) {
			key = full
		}
		if first := slices.Index(keys, key); first >= 0 {
			return nil, p.twiceGiven(t.attrs[first], raw, element)
		}
		keys = append(keys, key)
		if len(decoded[i].Value) > p.Limits.Value {
			return nil, p.fail("OZ1034", raw.value, fmt.Sprintf("the value of %s has %d bytes, allowed are %d", full, len(decoded[i].Value), p.Limits.Value), "")
		}
		if local(full) != full || ignored(full) {
			p.warn("OZ1054", raw.name, raw.nameEnd, fmt.Sprintf("the namespace of %s is ignored", full), "")
		}
		if ignored(full) {
			continue
		}
		attrs = append(attrs, Attr{
			Name: local(full), Value: decoded[i].Value,
			NamePos: p.pos(raw.name), ValuePos: p.pos(raw.value), End: p.pos(raw.valueEnd + 1),
		})
	}
	return attrs, nil
}

func (p *parser) twiceGiven(first, again rawAttr, element string) error {
	a, b := string(p.src[first.name:first.nameEnd]), string(p.src[again.name:again.nameEnd])
	msg := fmt.Sprintf("<%s> has the attribute %s twice, first at %v", element, b, p.pos(first.name))
	hint := ""
	if local(a) != local(b) {
		hint = fmt.Sprintf("%s and %s are the same: letter case does not count. Remove one of them", a, b)
	}
	return p.fail("OZ1017", again.name, msg, hint)
}

// ignored tells whether an attribute is about namespaces only.
func ignored(name string) bool {
	return local(name) == "xmlns" || strings.HasPrefix(name, "xmlns:") || strings.HasPrefix(name, "xml:") || strings.HasPrefix(name, "xsi:")
}
