package ozml

import (
	"fmt"
	"strings"

	"ozswitch/ozml/syntax"
)

// Check remarks on a whole document without running it. It never runs a
// command and knows no variables: values that hold them are passed over.
func (t Table) Check(f *syntax.File, in Setting) []Diagnostic {
	if in == 0 {
		in = Extension
	}
	c := &checker{table: t, b: binding{doc: f.Name, in: in, limits: Limits{}.orDefault()}, in: in}
	c.b.block = c.block
	c.b.refs = c.ref
	c.root, c.source = f.Root, f.Source
	for _, w := range f.Warnings {
		sev := Warning
		if w.Note {
			sev = Info
		}
		c.b.diags = append(c.b.diags, Diagnostic{File: f.Name, Span: w.Span, Severity: sev, Code: w.Code, Msg: w.Msg, Hint: w.Hint})
	}
	top := Block{doc: f.Name, nodes: f.Root.Children}
	c.block(&top)
	c.flow(top.flow)
	c.once(f.Root)
	return c.b.diags
}

type checker struct {
	table   Table
	b       binding
	in      Setting
	root    *syntax.Element
	source  []byte
	known   []string          // names that are set anywhere, with their $; made when needed
	isKnown map[string]bool   // the same in lower case, without it
	meant   map[string]string // of an unknown name: the one that was probably meant
	depth   int
	at      *step // the command that is looked at
}

// names collects the variables that the document sets.
func (c *checker) names(root *syntax.Element) {
	c.isKnown, c.meant = map[string]bool{}, map[string]string{}
	add := func(n string) {
		if k := strings.ToLower(n); !c.isKnown[k] {
			c.isKnown[k] = true
			c.known = append(c.known, "$"+n)
		}
	}
	for n := range callVars(CallInfo{}) {
		add(n)
	}
	add("item")
	var walk func(e *syntax.Element)
	walk = func(e *syntax.Element) {
		if strings.EqualFold(e.Name, "Var") {
			if a, ok := e.Attr("ID"); ok {
				add(a.Value)
			}
		}
		for _, k := range e.Children {
			if k, ok := k.(*syntax.Element); ok {
				walk(k)
			}
		}
	}
	walk(root)
}

// ref remarks on a variable that nothing in this document sets, if it looks
// like one that is set: others may come from an earlier document.
func (c *checker) ref(name, field string, at syntax.Span) {
	if c.at != nil {
		c.at.refs = append(c.at.refs, varRef{strings.ToLower(name), at})
	}
	if c.known == nil {
		c.names(c.root)
	}
	k := strings.ToLower(name)
	if c.isKnown[k] {
		return
	}
	near, seen := c.meant[k]
	if !seen {
		near = c.b.nearest("$"+name, c.known)
		c.meant[k] = near
	}
	if near != "" {
		c.remark(Warning, CodeUnknownVar, at, "", fmt.Sprintf("nothing sets $%s", name), "did you mean "+near+"?")
	}
}

// mostNears is how many names of one document are compared with the known ones,
// and mostKnown with how many: a bad document must not cost more than a good one.
const mostNears, mostKnown = 200, 500

// nearest is syntax.Nearest with a bound.
func (b *binding) nearest(word string, known []string) string {
	if b.nears++; b.nears > mostNears {
		return ""
	}
	return syntax.Nearest(word, known[:min(len(known), mostKnown)])
}

func (c *checker) remark(sev Severity, code string, at syntax.Span, cmd, msg, hint string) {
	c.b.diags = append(c.b.diags, Diagnostic{File: c.b.doc, Span: at, Severity: sev, Code: code, Msg: msg, Hint: hint, Command: cmd})
}

// block checks commands and how they follow each other.
func (c *checker) block(b *Block) {
	c.depth++
	defer func() { c.depth-- }()
	counted := 0
	b.flow = &sequence{}
	if c.at != nil {
		c.at.kids = append(c.at.kids, b.flow)
	}
	for _, n := range b.nodes {
		e, ok := n.(*syntax.Element)
		if !ok {
			c.remark(Warning, CodeMisplaced, syntax.Span{From: n.Pos(), To: n.End()}, "", "text between commands has no meaning", "put it into <Speak>…</Speak>")
			continue
		}
		cmd := c.table.Lookup(e.Name)
		if cmd == nil {
			near := ""
			if c.b.nears++; c.b.nears <= mostNears {
				near = c.table.nearest(e.Name)
			}
			d := unknownCommand(near, b.doc, e)
			if near != "" {
				d.Fix = rename(c.source, e, near)
			}
			c.b.diags = append(c.b.diags, d)
			counted++
			b.flow.steps = append(b.flow.steps, &step{el: e, f: anything})
			continue
		}
		if cmd.In&c.in == 0 {
			c.b.diags = append(c.b.diags, notHere(b.doc, e, cmd))
			continue
		}
		c.oursCommand(cmd, e)
		st := &step{el: e, cmd: cmd, f: anything}
		b.flow.steps = append(b.flow.steps, st)
		around := c.at
		c.at = st
		a, p := cmd.bind(&c.b, e)
		c.at = around
		if st.open = p.open; p.OK() {
			st.act = a
			st.f, st.sure = st.learn()
		}
		switch cmd.Name {
		case "Var", "Array", "OnHangup":
			continue // not counted
		case "Reject":
			if counted > 0 || c.depth > 1 {
				c.remark(Error, CodeLateReject, e.NameSpan, cmd.Name, "Reject must be the first command", "use Hangup")
				b.flow.steps = b.flow.steps[:len(b.flow.steps)-1] // it will be skipped
			}
		}
		counted++
	}
}

// An Ender is an Action after which the script does not go on.
type Ender interface{ Ends(in Setting) bool }

// once remarks on a second OnHangup.
func (c *checker) once(root *syntax.Element) {
	n := 0
	var walk func(e *syntax.Element)
	walk = func(e *syntax.Element) {
		if strings.EqualFold(e.Name, "OnHangup") {
			if n++; n == 2 {
				c.remark(Warning, CodeOnHangup, e.NameSpan, "OnHangup", "a second OnHangup", "the first counts")
			}
		}
		for _, k := range e.Children {
			if k, ok := k.(*syntax.Element); ok {
				walk(k)
			}
		}
	}
	walk(root)
}

// rename gives the change of an element's name, in both of its tags; nil when the
// source is not at hand.
func rename(src []byte, e *syntax.Element, name string) *Fix {
	sure := syntax.Distance(e.Name, name) == 1
	from, to := e.NameSpan.From.Offset, e.End().Offset
	if from < 0 || to > len(src) || from+len(e.Name) > to || string(src[from:from+len(e.Name)]) != e.Name {
		return nil
	}
	text := string(src[from:to])
	end := strings.LastIndex(text, "</"+e.Name)
	if end < 0 { // <Name/>
		return &Fix{Span: e.NameSpan, Text: name, Sure: sure}
	}
	rest := text[end+len("</"+e.Name):]
	return &Fix{Span: syntax.Span{From: e.NameSpan.From, To: e.End()}, Text: name + text[len(e.Name):end] + "</" + name + rest, Sure: sure}
}

func unknownCommand(near, doc string, e *syntax.Element) Diagnostic {
	d := Diagnostic{File: doc, Span: e.NameSpan, Severity: Error, Code: CodeUnknownCommand, Msg: "unknown command <" + cut(e.Name, 60) + ">", Command: e.Name}
	if near != "" {
		d.Hint = "did you mean <" + near + ">?"
	}
	return d
}

func notHere(doc string, e *syntax.Element, c *Command) Diagnostic {
	return Diagnostic{File: doc, Span: e.NameSpan, Severity: Error, Code: CodeNotHere, Msg: "Command '" + c.Name + "' cannot be used here", Hint: "it is for: " + c.In.String(), Command: c.Name}
}
