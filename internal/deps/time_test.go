package deps

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// pure are the storeys that take the instant as an argument and own no
// goroutine: house rules 2 and 5.
var pure = []string{"ozml", "ozml/command", "ozml/syntax", "switch/call", "switch/dialplan", "media", "media/codec",
	"media/rtp", "media/mix", "switch/sip/transaction", "switch/sip/dialog", "switch/alarm"}

// clock are the functions of package time that read it or wait for it.
var clock = []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"}

// TestPureStoreys looks for time, goroutines and mutable package variables
// where none may be.
func TestPureStoreys(t *testing.T) {
	written := assignedInPackage(t)
	for _, f := range project(t) {
		if f.test || !slices.Contains(pure, f.pkg) {
			continue
		}
		timeName := f.imports("time")
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a go statement in %s, which starts no goroutine", f.at(n), f.pkg)
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && timeName != "" && x.Name == timeName && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s: time.%s in %s, which gets the instant as an argument", f.at(n), n.Sel.Name, f.pkg)
				}
			}
			return true
		})
		for _, v := range packageVars(f) {
			switch {
			case v.name.Name == "_": // a compile-time guard
			case v.value == nil:
				t.Errorf("%s: package variable %s without a value: only errors, tables and guards may stand here", f.at(v.name), v.name.Name)
			case isGuard(v.value):
				t.Errorf("%s: package variable %s is shared state", f.at(v.name), v.name.Name)
			case written[f.pkg][v.name.Name]:
				t.Errorf("%s: package variable %s is written to: only errors, tables and guards may stand here", f.at(v.name), v.name.Name)
			}
		}
	}
}

type packageVar struct {
	name  *ast.Ident
	value ast.Expr // nil for none
}

func packageVars(f *file) (all []packageVar) {
	for _, d := range f.ast.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			s := s.(*ast.ValueSpec)
			for i, name := range s.Names {
				v := packageVar{name: name}
				if i < len(s.Values) {
					v.value = s.Values[i]
				} else if len(s.Values) == 1 { // var a, b = f()
					v.value = s.Values[0]
				}
				all = append(all, v)
			}
		}
	}
	return all
}

// isGuard tells whether a value is a lock, a pool or an atomic.
func isGuard(e ast.Expr) bool {
	if u, ok := e.(*ast.UnaryExpr); ok {
		e = u.X
	}
	c, ok := e.(*ast.CompositeLit)
	if !ok {
		return false
	}
	s, ok := c.Type.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && (x.Name == "sync" || x.Name == "atomic")
}

// assignedInPackage gives for each package the names of package variables that
// some statement outside its tests assigns to, or to a part of.
func assignedInPackage(t *testing.T) map[string]map[string]bool {
	files := project(t)
	vars, written := map[string]map[string]bool{}, map[string]map[string]bool{}
	for _, f := range files {
		if vars[f.pkg] == nil {
			vars[f.pkg], written[f.pkg] = map[string]bool{}, map[string]bool{}
		}
		for _, v := range packageVars(f) {
			vars[f.pkg][v.name.Name] = true
		}
	}
	for _, f := range files {
		if f.test {
			continue
		}
		note := func(e ast.Expr) {
			// The parser's own resolution tells a local of the same name apart: it
			// leaves Obj nil for names of other files, and set at a local's own.
			if id := root(e); id != nil && vars[f.pkg][id.Name] && !isLocal(f, id) {
				written[f.pkg][id.Name] = true
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, e := range n.Lhs {
					if n.Tok != token.DEFINE {
						note(e)
					}
				}
			case *ast.IncDecStmt:
				note(n.X)
			}
			return true
		})
	}
	return written
}

// root is x in x, x.f, x[i], *x and their mixtures.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// isLocal tells whether id was declared inside a function of f.
func isLocal(f *file, id *ast.Ident) bool {
	if id.Obj == nil {
		return false
	}
	return f.ast.Scope.Lookup(id.Name) != id.Obj
}

// bubbles are the functions whose function argument runs in virtual time.
var bubbles = []string{"synctest.Test", "switchtest.Run"}

// TestNoSleep forbids time.Sleep in tests, but inside a bubble: lexically, or
// in a function that is called from bubbles and nowhere else.
func TestNoSleep(t *testing.T) {
	byPkg := map[string][]*file{}
	for _, f := range project(t) {
		test := f.test || slices.ContainsFunc(testOnly, func(o string) bool { return covers(o, f.pkg) }) ||
			f.pkg == "ozml/ozmltest" || strings.HasPrefix(f.pkg, "test/")
		if test {
			byPkg[f.pkg] = append(byPkg[f.pkg], f)
		}
	}
	for _, files := range byPkg {
		bubbles := starters(files)
		inBubble := bubbleFuncs(files, bubbles)
		for _, f := range files {
			name := f.imports("time")
			if name == "" {
				continue
			}
			visit(f, bubbles, func(owner string, bubble bool, n ast.Node) {
				if c, ok := n.(*ast.CallExpr); ok && calls(c) == name+".Sleep" && !bubble && !inBubble[owner] {
					t.Errorf("%s: time.Sleep outside a bubble: wait for what you wait for", f.at(n))
				}
			})
		}
	}
}

// starters are bubbles and those functions of the package that take a function
// and start a bubble, as a helper that sets up a net does.
func starters(files []*file) []string {
	all := slices.Clone(bubbles)
	for _, f := range files {
		for _, d := range f.ast.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok || d.Body == nil || !slices.ContainsFunc(d.Type.Params.List, func(p *ast.Field) bool { _, ok := p.Type.(*ast.FuncType); return ok }) {
				continue
			}
			ast.Inspect(d.Body, func(n ast.Node) bool {
				if c, ok := n.(*ast.CallExpr); ok && slices.Contains(bubbles, calls(c)) {
					all = append(all, d.Name.Name)
				}
				return true
			})
		}
	}
	return all
}

// bubbleFuncs gives the functions and methods, by name, every use of which is
// inside a bubble or inside another such function.
func bubbleFuncs(files []*file, bubbles []string) map[string]bool {
	type use struct {
		owner  string
		bubble bool
	}
	declared, uses := map[string]bool{}, map[string][]use{}
	for _, f := range files {
		for _, d := range f.ast.Decls {
			if d, ok := d.(*ast.FuncDecl); ok {
				declared[d.Name.Name] = true
			}
		}
	}
	for _, f := range files {
		visit(f, bubbles, func(owner string, bubble bool, n ast.Node) {
			if id, ok := n.(*ast.Ident); ok && declared[id.Name] && owner != "" {
				uses[id.Name] = append(uses[id.Name], use{owner, bubble})
			}
		})
	}
	in := map[string]bool{}
	for name := range declared {
		in[name] = len(uses[name]) > 0
	}
	for changed := true; changed; {
		changed = false
		for name, all := range uses {
			bad := slices.ContainsFunc(all, func(u use) bool { return !u.bubble && !in[u.owner] })
			if in[name] && bad {
				in[name], changed = false, true
			}
		}
	}
	return in
}

// visit calls v for each node in a function of f, with the function's name and
// whether the node is in a function literal that runs in a bubble.
func visit(f *file, bubbles []string, v func(owner string, bubble bool, n ast.Node)) {
	for _, d := range f.ast.Decls {
		d, ok := d.(*ast.FuncDecl)
		if !ok || d.Body == nil {
			continue
		}
		var walk func(n ast.Node, bubble bool)
		walk = func(n ast.Node, bubble bool) {
			ast.Inspect(n, func(n ast.Node) bool {
				if n == nil {
					return false
				}
				v(d.Name.Name, bubble, n)
				if c, ok := n.(*ast.CallExpr); ok && slices.Contains(bubbles, calls(c)) {
					for _, a := range c.Args {
						walk(a, true)
					}
					return false
				}
				return true
			})
		}
		walk(d.Body, false)
	}
}

// calls is "pkg.Func" or "Func" for a call of that form.
func calls(c *ast.CallExpr) string {
	if id, ok := c.Fun.(*ast.Ident); ok {
		return id.Name
	}
	s, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}
