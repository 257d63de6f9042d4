package ozml

import (
	"fmt"
	"strings"

	"ozswitch/ozml/syntax"
)

// What may stand between the tags of a command: commands, other elements,
// fields. The rest of Params is in params.go.

// Commands declares that the element's own children are commands: the body of
// ForEach, of an Input.
func (p *Params) Commands(v *Block, usage string) {
	p.decls = append(p.decls, Param{Kind: "commands", Usage: usage})
	p.inner = true
	if p.el == nil || p.left("commands") {
		return
	}
	*v = Block{doc: p.b.doc, nodes: p.others()}
	if p.b.block != nil {
		p.b.block(v)
	}
}

// others gives what is inside but the elements that were declared before; those
// come last.
func (p *Params) others() []syntax.Node {
	if len(p.kids) == 0 {
		return p.el.Children
	}
	var nodes []syntax.Node
	last := ""
	for _, c := range p.el.Children {
		e, ok := c.(*syntax.Element)
		switch {
		case ok && match(e.Name, "", p.kids):
			last = e.Name
			continue
		case ok && last != "":
			p.misplaced(e.NameSpan, fmt.Sprintf("<%s> after the <%s> of <%s>", e.Name, last, p.name), "it runs with what stands before <"+last+">; put it there")
			last = ""
		}
		nodes = append(nodes, c)
	}
	return nodes
}

// Block declares an element inside that holds commands: InitialCommands.
func (p *Params) Block(v *Block, name, usage string) {
	d := Param{Name: name, Kind: "commands", Usage: usage}
	p.decls = append(p.decls, d)
	seen := false
	for _, e := range p.children(name) {
		if seen {
			p.misplaced(e.NameSpan, fmt.Sprintf("a second <%s> in <%s>", e.Name, p.name), "put its commands into the first")
			continue
		}
		seen = true
		sub := p.sub(e, name)
		sub.Commands(v, "")
		sub.finish()
	}
}

// Each declares elements inside, such as each Input within Inputs; an empty
// outer means that they stand directly in the command. f declares the
// parameters of one of them and is called for each; it should ask OK before it
// keeps what it has got.
func (p *Params) Each(outer, item, usage string, f func(*Params)) {
	d := Param{Name: item, Kind: "elements", Usage: usage}
	if p.el == nil {
		sub := &Params{b: p.b, name: item}
		f(sub)
		d.Inside = sub.decls
		if outer != "" {
			d = Param{Name: outer, Kind: "elements", Usage: usage, Inside: []Param{d}}
		}
		p.decls = append(p.decls, d)
		return
	}
	p.decls = append(p.decls, d)
	within := []*Params{p}
	if outer != "" {
		within = nil
		for _, e := range p.children(outer) {
			within = append(within, p.sub(e, outer))
		}
	}
	for _, w := range within {
		for _, e := range w.children(item) {
			sub := p.sub(e, item)
			f(sub)
			sub.finish()
		}
		if w != p {
			w.finish()
		}
	}
}

// Fields declares that all other attributes, and elements with text inside, are
// named values: those of an array's item.
func (p *Params) Fields(v *map[string]string, usage string) {
	p.decls = append(p.decls, Param{Kind: "fields", Usage: usage})
	p.inner = true
	if p.el == nil || p.left("fields") {
		return
	}
	add := func(name, raw string) {
		if *v == nil {
			*v = map[string]string{}
		}
		s, _ := p.expand(raw, &Param{Name: name})
		(*v)[strings.ToLower(name)] = s
	}
	for i, a := range p.el.Attrs {
		if !p.used[i] {
			p.used[i] = true
			add(a.Name, a.Value)
		}
	}
	for _, c := range p.el.Children {
		if e, ok := c.(*syntax.Element); ok {
			add(e.Name, e.Text())
		}
	}
}

// children returns the elements of that name directly inside.
func (p *Params) children(name string) []*syntax.Element {
	if p.el == nil {
		return nil
	}
	p.kids = append(p.kids, name)
	if p.left(name) {
		return nil
	}
	var es []*syntax.Element
	for _, c := range p.el.Children {
		if e, ok := c.(*syntax.Element); ok && strings.EqualFold(e.Name, name) {
			es = append(es, e)
		}
	}
	return es
}

func (p *Params) sub(e *syntax.Element, name string) *Params {
	return &Params{b: p.b, el: e, name: name, used: make([]bool, len(e.Attrs)), part: true}
}

func (p *Params) misplaced(at syntax.Span, msg, hint string) {
	p.remark(Warning, CodeMisplaced, "", at, msg, hint)
}

// has tells whether the element has that attribute, in any letter case.
func (p *Params) has(name string) bool {
	for _, a := range p.el.Attrs {
		if strings.EqualFold(a.Name, name) {
			return true
		}
	}
	return false
}

// finish remarks what nobody asked for.
func (p *Params) finish() {
	for i, a := range p.el.Attrs {
		if p.used[i] || strings.EqualFold(a.Name, "Username") || strings.EqualFold(a.Name, "Password") {
			continue // credentials belong to HTTP requests; O10 pages show them on every command
		}
		var names []string
		for _, d := range p.decls {
			if d.Kind != "commands" && d.Kind != "elements" {
				names = append(append(names, d.Name), d.Also...)
			}
		}
		hint := ""
		near := p.b.nearest(a.Name, names)
		if near != "" {
			hint = "did you mean " + near + "?"
		}
		at := syntax.Span{From: a.NamePos, To: a.NamePos}
		at.To.Column += len(a.Name)
		at.To.Offset += len(a.Name)
		p.remark(Error, CodeUnknownParam, a.Name, at, fmt.Sprintf("unknown attribute %s of <%s>", a.Name, p.name), hint)
		if near != "" && !p.has(near) {
			p.b.diags[len(p.b.diags)-1].Fix = &Fix{Span: at, Text: near, Sure: syntax.Distance(a.Name, near) == 1}
		}
	}
	for _, c := range p.el.Children {
		switch c := c.(type) {
		case *syntax.Text:
			if !p.text {
				p.misplaced(c.Span, fmt.Sprintf("text %q in <%s> has no meaning", cut(c.Value, 30), p.name), "")
			}
		case *syntax.Element:
			if p.inner || match(c.Name, "", p.kids) {
				continue
			}
			hint := ""
			if near := p.b.nearest(c.Name, p.kids); near != "" {
				hint = "did you mean <" + near + ">?"
			} else if len(p.kids) > 0 {
				hint = "it may hold " + strings.Join(p.kids, ", ")
			}
			p.misplaced(c.NameSpan, fmt.Sprintf("<%s> has no meaning in <%s>", c.Name, p.name), hint)
		}
	}
}

// bind makes an action of an element. The command must not run when the Params
// are not OK.
func (c *Command) bind(b *binding, e *syntax.Element) (Action, *Params) {
	p := &Params{b: b, el: e, name: c.Name, used: make([]bool, len(e.Attrs))}
	a := c.New(p)
	p.finish()
	return a, p
}

// Params describes the parameters of a command.
func (c *Command) Params() []Param {
	p := &Params{b: &binding{limits: Limits{}.orDefault()}, name: c.Name}
	c.New(p)
	return p.decls
}
