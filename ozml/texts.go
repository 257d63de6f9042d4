package ozml

import (
	"context"

	"ozswitch/ozml/syntax"
)

// A Preparer is a Call that wants to know what a document may say, so that the
// voice can begin before the script comes there. It gets the texts when the
// document has been checked, must not block, and may forget them: ctx ends with
// the script. What is said is said by Speak.
type Preparer interface {
	Prepare(ctx context.Context, us []Utterance)
}

// A Speaker is an Action that says a text.
type Speaker interface{ Says() Utterance }

// mostTexts is how many texts of one document are looked for.
const mostTexts = 100

// Texts gives what the commands of a document say, in the order of the document
// and however deep they stand, as far as that is known before it runs: texts
// with variables that are not set, or empty, are left out. There are 100 at
// most.
func (t Table) Texts(f *syntax.File, in Setting, v *Vars) []Utterance {
	known := &Vars{text: map[string]string{}, items: v.items}
	for name, s := range v.text {
		if s != "" { // $digits before anything was entered
			known.text[name] = s
		}
	}
	open := false // the command has a variable that is not set
	b := &binding{doc: f.Name, in: in, limits: Limits{}.orDefault(), vars: known}
	b.unknown = func(string, syntax.Span) { open = true }
	var found []Utterance
	seen := map[Utterance]bool{}
	b.block = func(inside *Block) {
		for _, n := range inside.nodes {
			e, ok := n.(*syntax.Element)
			if !ok || len(found) == mostTexts {
				continue
			}
			c := t.Lookup(e.Name)
			if c == nil || c.In&in == 0 || c.Name == "OnHangup" { // there is no call any more
				continue
			}
			open = false
			a, p := c.bind(b, e)
			if s, ok := a.(Speaker); ok && p.OK() && !open {
				if u := s.Says(); !seen[u] {
					seen[u] = true
					found = append(found, u)
				}
			}
		}
		b.diags = nil // Check has told them
	}
	b.block(&Block{doc: f.Name, nodes: f.Root.Children})
	return found
}

// tellTexts tells the call what a document may say.
func (m *Machine) tellTexts(ctx context.Context, f *syntax.File) {
	if p, ok := m.Call.(Preparer); ok {
		if us := m.Commands.Texts(f, m.o.Setting, m.vars); len(us) > 0 {
			p.Prepare(ctx, us)
		}
	}
}
