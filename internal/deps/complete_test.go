package deps

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// TestSwitchesAreComplete: a switch over call.State, call.Event or call.Effect
// names every member, or has a default that does something about the rest.
// A switch that names two members or more counts as one over the whole set.
func TestSwitchesAreComplete(t *testing.T) {
	files := project(t)
	sets := map[string][]string{
		"Event":  marked(files, "event"),
		"Effect": marked(files, "effect"),
		"State":  states(files),
	}
	for name, members := range sets {
		if len(members) < 2 {
			t.Fatalf("call.%s: found only %q; the test reads switch/call wrongly", name, members)
		}
	}
	for _, f := range files {
		callName := f.imports(module + "/switch/call")
		if f.test || callName == "" && f.pkg != "switch/call" {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			body := switchBody(n)
			if body == nil {
				return true
			}
			named, handled := namedCases(body, callName)
			for set, members := range sets {
				missing := slices.DeleteFunc(slices.Clone(members), func(m string) bool { return slices.Contains(named, m) })
				if len(members)-len(missing) >= 2 && len(missing) > 0 && !handled {
					t.Errorf("%s: switch over call.%s forgets %s, and has no default that says so", f.at(n), set, strings.Join(missing, ", "))
				}
			}
			return true
		})
	}
}

func switchBody(n ast.Node) *ast.BlockStmt {
	switch n := n.(type) {
	case *ast.TypeSwitchStmt:
		return n.Body
	case *ast.SwitchStmt:
		return n.Body
	}
	return nil
}

// namedCases gives the names of package call in the cases, and whether a
// default does anything.
func namedCases(body *ast.BlockStmt, callName string) (named []string, handled bool) {
	for _, c := range body.List {
		c := c.(*ast.CaseClause)
		if c.List == nil {
			handled = len(c.Body) > 0
		}
		for _, e := range c.List {
			if star, ok := e.(*ast.StarExpr); ok {
				e = star.X
			}
			switch e := e.(type) {
			case *ast.Ident:
				if callName == "" {
					named = append(named, e.Name)
				}
			case *ast.SelectorExpr:
				if x, ok := e.X.(*ast.Ident); ok && callName != "" && x.Name == callName {
					named = append(named, e.Sel.Name)
				}
			}
		}
	}
	return named, handled
}

// marked gives the types of switch/call that have the method.
func marked(files []*file, method string) (names []string) {
	for _, f := range files {
		if f.pkg != "switch/call" || f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			d, ok := d.(*ast.FuncDecl)
			if !ok || d.Recv == nil || d.Name.Name != method {
				continue
			}
			typ := d.Recv.List[0].Type
			if star, ok := typ.(*ast.StarExpr); ok {
				typ = star.X
			}
			if id, ok := typ.(*ast.Ident); ok {
				names = append(names, id.Name)
			}
		}
	}
	return names
}

// states gives the constants of type call.State.
func states(files []*file) (names []string) {
	for _, f := range files {
		if f.pkg != "switch/call" || f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST || len(g.Specs) == 0 {
				continue
			}
			if id, ok := g.Specs[0].(*ast.ValueSpec).Type.(*ast.Ident); !ok || id.Name != "State" {
				continue
			}
			for _, s := range g.Specs {
				for _, id := range s.(*ast.ValueSpec).Names {
					names = append(names, id.Name)
				}
			}
		}
	}
	return names
}
