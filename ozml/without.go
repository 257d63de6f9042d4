package ozml

import "ozswitch/ozml/syntax"

// Leaving parameters out on purpose, so that a test can ask whether anybody
// would notice (internal/coverage).

// Running tells whether the parameters are bound to run the command, and not to
// check it or to describe it.
func (p *Params) Running() bool { return p.el != nil && p.b.vars != nil }

// Without gives the same parameters as if one was not written. Its name is that
// of the command's own (Repeat), of an element inside (Inputs), or of one of such
// an element (Input.Key); what has no name goes by its kind (commands). Only for
// parameters that are Running; remarks on them are lost.
func (p *Params) Without(name string) *Params {
	b := *p.b
	b.diags = nil
	b.unknown = func(string, syntax.Span) {}
	q := &Params{b: &b, el: p.el, name: p.name, used: make([]bool, len(p.el.Attrs))}
	q.LeaveOut(name)
	return q
}

// LeaveOut does the same to p itself, before it is bound: so a value that is wrong
// is not seen either. A parameter that must be there has its zero value then.
func (p *Params) LeaveOut(name string) { p.b.without = name }

// left tells whether a parameter is left out.
func (p *Params) left(name string) bool {
	if p.part {
		name = p.name + "." + name
	}
	return p.b.without != "" && p.b.without == name
}
