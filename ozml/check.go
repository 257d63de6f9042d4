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
	c.block(Block{doc: f.Name, nodes: f.Root.Children})
	c.once(f.Root)
	return c.b.diags
}

type checker struct {
	table  Table
	b      binding
	in     Setting
	root   *syntax.Element
	source []byte
	known  []string // names that are set anywhere, with their $; made when needed
	depth  int
}

// names collects the variables that the document sets.
func (c *checker) names(root *syntax.Element) {
	for n := range callVars(CallInfo{}) {
		c.known = append(c.known, "$"+n)
	}
	c.known = append(c.known, "$item")
	var walk func(e *syntax.Element)
	walk = func(e *syntax.Element) {
		if strings.EqualFold(e.Name, "Var") {
			if a, ok := e.Attr("ID"); ok {
				c.known = append(c.known, "$"+a.Value)
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
	name = "$" + name
	if c.known == nil {
		c.names(c.root)
	}
	for _, k := range c.known {
		if strings.EqualFold(k, name) {
			return
		}
	}
	if near := syntax.Nearest(name, c.known); near != "" {
		c.remark(Warning, CodeUnknownVar, at, "", fmt.Sprintf("nothing sets %s", name), "did you mean "+near+"?")
	}
}

func (c *checker) remark(sev Severity, code string, at syntax.Span, cmd, msg, hint string) {
	c.b.diags = append(c.b.diags, Diagnostic{File: c.b.doc, Span: at, Severity: sev, Code: code, Msg: msg, Hint: hint, Command: cmd})
}

// block checks commands and how they follow each other.
func (c *checker) block(b Block) {
	c.depth++
	defer func() { c.depth-- }()
	counted := 0
	stop := "" // the command after which nothing is reached
	for _, n := range b.nodes {
		e, ok := n.(*syntax.Element)
		if !ok {
			c.remark(Warning, CodeMisplaced, syntax.Span{From: n.Pos(), To: n.End()}, "", "text between commands has no meaning", "put it into <Speak>…</Speak>")
			continue
		}
		cmd := c.table.Lookup(e.Name)
		if cmd == nil {
			d := unknownCommand(c.table, b.doc, e)
			if near := c.table.nearest(e.Name); near != "" {
				d.Fix = rename(c.source, e, near)
			}
			c.b.diags = append(c.b.diags, d)
			counted++
			continue
		}
		if cmd.In&c.in == 0 {
			c.b.diags = append(c.b.diags, notHere(b.doc, e, cmd))
			continue
		}
		if stop != "" && cmd.Name != "OnHangup" {
			c.remark(Warning, CodeUnreachable, e.NameSpan, cmd.Name, "never reached: "+stop+" ends what stands before", "")
			stop = ""
		}
		a, _ := cmd.bind(&c.b, e)
		switch cmd.Name {
		case "Var", "Array", "OnHangup":
			continue // not counted
		case "Reject":
			if counted > 0 || c.depth > 1 {
				c.remark(Error, CodeLateReject, e.NameSpan, cmd.Name, "Reject must be the first command", "use Hangup")
				a = nil // it will be skipped
			}
		}
		counted++
		if en, ok := a.(Ender); ok && en.Ends(c.in) {
			stop = cmd.Name
		}
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
	from, to := e.NameSpan.From.Offset, e.End().Offset
	if from < 0 || to > len(src) || from+len(e.Name) > to || string(src[from:from+len(e.Name)]) != e.Name {
		return nil
	}
	text := string(src[from:to])
	end := strings.LastIndex(text, "</"+e.Name)
	if end < 0 { // <Name/>
		return &Fix{Span: e.NameSpan, Text: name}
	}
	rest := text[end+len("</"+e.Name):]
	return &Fix{Span: syntax.Span{From: e.NameSpan.From, To: e.End()}, Text: name + text[len(e.Name):end] + "</" + name + rest}
}

func unknownCommand(t Table, doc string, e *syntax.Element) Diagnostic {
	d := Diagnostic{File: doc, Span: e.NameSpan, Severity: Error, Code: CodeUnknownCommand, Msg: "unknown command <" + cut(e.Name, 60) + ">", Command: e.Name}
	if near := t.nearest(e.Name); near != "" {
		d.Hint = "did you mean <" + near + ">?"
	}
	return d
}

func notHere(doc string, e *syntax.Element, c *Command) Diagnostic {
	return Diagnostic{File: doc, Span: e.NameSpan, Severity: Error, Code: CodeNotHere, Msg: "Command '" + c.Name + "' cannot be used here", Hint: "it is for: " + c.In.String(), Command: c.Name}
}
