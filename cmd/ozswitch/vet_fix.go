package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
)

// An edit replaces one name in a document by another.
type edit struct {
	at       syntax.Pos
	old, new string
}

// mostPasses is how often a document is looked at anew: a name that is mended
// shows what is wrong within.
const mostPasses = 5

// mend corrects names where there is no doubt: letter case, spellings that are
// only understood, and one wrong letter. All else stays byte for byte. made are
// the changes in the order of their places; the document is returned as it was
// when it is refused.
func mend(d document, t ozml.Table, in ozml.Setting) (out document, made []edit, err error) {
	out = d
	for range mostPasses {
		f, err := out.parse(t)
		if err != nil {
			return out, made, nil // vet says so
		}
		if !bytes.HasSuffix(out.src, f.Source) {
			return out, made, fmt.Errorf("%s: only UTF-8 can be mended, and this is %s", d.name, f.Encoding)
		}
		m := mender{t: t, src: f.Source, sure: map[int]string{}}
		for _, r := range t.Check(f, in) {
			if r.Fix != nil && r.Fix.Sure {
				m.sure[r.Fix.Span.From.Offset] = leadingName(r.Fix.Text)
			}
		}
		if !f.Lone {
			m.root(f.Root)
		} else {
			m.block(f.Root)
		}
		if len(m.edits) == 0 {
			break
		}
		out.src = m.apply(out.src)
		if _, err := out.parse(t); err != nil {
			return d, nil, errors.New(d.name + ": not mended, since it could not be read afterwards; please report it")
		}
		made = append(made, m.edits...)
	}
	return out, made, nil
}

func leadingName(s string) string {
	if i := strings.IndexAny(s, " \t\r\n/>="); i >= 0 {
		return s[:i]
	}
	return s
}

// A mender finds the edits of one document.
type mender struct {
	t     ozml.Table
	src   []byte
	sure  map[int]string // the name that belongs at this offset
	edits []edit
}

func (m *mender) root(e *syntax.Element) {
	for _, name := range []string{"Response", "OzML"} {
		if strings.EqualFold(e.Name, name) {
			m.element(e, name)
		}
	}
	m.block(e)
}

// block mends the commands that stand in e.
func (m *mender) block(e *syntax.Element) {
	for _, n := range e.Children {
		c, ok := n.(*syntax.Element)
		if !ok {
			continue
		}
		if name, ok := m.sure[c.NameSpan.From.Offset]; ok {
			m.element(c, name)
			continue // what is in it is looked at when its name is known
		}
		if cmd := m.t.Lookup(c.Name); cmd != nil {
			m.element(c, cmd.Name)
			m.inside(c, cmd.Params())
		}
	}
}

// inside mends what an element holds: attributes, and elements that are no
// commands.
func (m *mender) inside(e *syntax.Element, params []ozml.Param) {
	for i, a := range e.Attrs {
		name, ok := m.sure[a.NamePos.Offset]
		if p := param(params, a.Name); !ok && p != nil {
			name, ok = p.Name, !taken(e, p.Name, i)
		}
		if ok {
			m.rename(a.NamePos, a.Name, name)
		}
	}
	for _, p := range params {
		if p.Kind == "commands" && p.Name == "" {
			m.block(e)
		}
	}
	for _, n := range e.Children {
		c, ok := n.(*syntax.Element)
		if !ok {
			continue
		}
		for _, p := range params {
			switch {
			case !strings.EqualFold(c.Name, p.Name):
			case p.Kind == "commands":
				m.element(c, p.Name)
				m.block(c)
			case p.Kind == "elements":
				m.element(c, p.Name)
				m.inside(c, p.Inside)
			}
		}
	}
}

// element gives both tags of e a name.
func (m *mender) element(e *syntax.Element, name string) {
	if e.Name == name || !m.rename(e.NameSpan.From, e.Name, name) {
		return
	}
	from := e.NameSpan.From.Offset
	text := string(m.src[from:e.End().Offset])
	if end := strings.LastIndex(text, "</"); end > 0 && strings.HasPrefix(text[end+2:], e.Name) && leadingName(text[end+2:]) == e.Name {
		m.edits = append(m.edits, edit{at: syntax.Pos{Offset: from + end + 2}, old: e.Name, new: name})
	}
}

// rename changes one name if it stands there as it was read: a prefix of a
// namespace does not.
func (m *mender) rename(at syntax.Pos, old, name string) bool {
	if old == name || at.Offset < 0 || !bytes.HasPrefix(m.src[min(at.Offset, len(m.src)):], []byte(old)) {
		return false
	}
	m.edits = append(m.edits, edit{at, old, name})
	return true
}

// apply makes the edits; what stands before the document, a byte-order mark,
// stays.
func (m *mender) apply(src []byte) []byte {
	slices.SortFunc(m.edits, func(a, b edit) int { return a.at.Offset - b.at.Offset })
	mark := len(src) - len(m.src)
	out := slices.Clone(src[:mark])
	from := 0
	for _, e := range m.edits {
		out = append(append(out, m.src[from:e.at.Offset]...), e.new...)
		from = e.at.Offset + len(e.old)
	}
	return append(out, m.src[from:]...)
}
