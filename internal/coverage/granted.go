package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"ozswitch/ozml"
)

//go:embed granted.txt
var grantedText string

// A grant is a command as the specification has it.
type grant struct {
	names  []string // the first is the command's
	in     ozml.Setting
	params []param
}

// A param is a parameter as the specification has it.
type param struct {
	names        []string
	in, must     ozml.Setting // where it counts, and where it must be there
	either       bool         // whether it must be there is left to us
	body         bool
	standard     string // default
	hasStandards bool
}

var settings = []struct {
	word, title string
	in          ozml.Setting
}{
	{"ext", "extension", ozml.Extension}, {"3pcc", "third party", ozml.ThirdParty},
	{"api", "HTTP API", ozml.API}, {"routing", "routing", ozml.Routing},
}

// readGrants reads granted.txt.
func readGrants(text string) (all []grant, err error) {
	n := 0
	for l := range strings.Lines(text) {
		n++
		if t := strings.TrimSpace(l); t == "" || t[0] == '#' {
			continue
		}
		name, where, limited := strings.Cut(strings.TrimSpace(l), ":")
		if strings.HasPrefix(name, "MessageType=") { // its default has a colon
			name, where, limited = strings.TrimSpace(l), "", false
		}
		if l[0] != ' ' {
			g := grant{names: strings.Split(name, "|")}
			if g.in, _, err = readSettings(where); err != nil {
				return nil, fmt.Errorf("granted.txt:%d: %w", n, err)
			}
			all = append(all, g)
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("granted.txt:%d: a parameter before the first command", n)
		}
		g := &all[len(all)-1]
		p := param{in: g.in}
		name, p.standard, p.hasStandards = strings.Cut(name, "=")
		bare := strings.TrimRight(name, "!?*")
		flags := name[len(bare):]
		p.names, p.body, p.either = strings.Split(bare, "|"), strings.Contains(flags, "*"), strings.Contains(flags, "?")
		if strings.Contains(flags, "!") {
			p.must = g.in
		}
		if limited {
			if p.in, p.must, err = readSettings(where); err != nil {
				return nil, fmt.Errorf("granted.txt:%d: %w", n, err)
			}
		}
		g.params = append(g.params, p)
	}
	return all, nil
}

// readSettings reads words such as "ext api!"; must are those with a !.
func readSettings(s string) (in, must ozml.Setting, err error) {
	for _, w := range strings.Fields(s) {
		bare := strings.TrimSuffix(w, "!")
		known := false
		for _, t := range settings {
			if t.word != bare {
				continue
			}
			known = true
			in |= t.in
			if bare != w {
				must |= t.in
			}
		}
		if !known {
			return 0, 0, fmt.Errorf("no setting %q", w)
		}
	}
	if in == 0 {
		return 0, 0, fmt.Errorf("no settings")
	}
	return in, must, nil
}

// find gives what is granted of a command, nil when it is ours.
func find(all []grant, name string) *grant {
	for i := range all {
		if all[i].names[0] == name {
			return &all[i]
		}
	}
	return nil
}

// param gives a parameter of the grant, nil when it is ours.
func (g *grant) param(name string) *param {
	if g == nil {
		return nil
	}
	for i := range g.params {
		if g.params[i].names[0] == name {
			return &g.params[i]
		}
	}
	return nil
}

// differences compares what is granted with what the table has.
func differences(all []grant, table ozml.Table) (diffs []string) {
	say := func(format string, a ...any) { diffs = append(diffs, fmt.Sprintf(format, a...)) }
	for i := range all {
		g := &all[i]
		c := table.Lookup(g.names[0])
		if c == nil {
			say("%s: no such command", g.names[0])
			continue
		}
		for _, n := range g.names {
			if table.Lookup(n) != c {
				say("%s: is not known as %s", c.Name, n)
			}
		}
		if missing := g.in &^ c.In; missing != 0 {
			say("%s: may not be used in: %s", c.Name, missing)
		}
		ps := flat(c.Params(), "")
		for _, p := range g.params {
			k := slices.IndexFunc(ps, func(o one) bool { return strings.EqualFold(o.path, p.names[0]) })
			if k < 0 {
				say("%s: no parameter %s", c.Name, p.names[0])
				continue
			}
			for _, d := range p.unlike(ps[k], c.In) {
				say("%s %s: %s", c.Name, p.names[0], d)
			}
		}
	}
	return diffs
}

// unlike tells how a parameter of the table is not as granted.
func (p *param) unlike(o one, in ozml.Setting) (diffs []string) {
	if o.path != p.names[0] {
		diffs = append(diffs, "is spelt "+o.path)
	}
	for _, n := range p.names[1:] {
		if !slices.Contains(o.Also, n) {
			diffs = append(diffs, "is not known as "+n)
		}
	}
	if missing := p.in &^ o.counts(in); missing != 0 {
		diffs = append(diffs, "does not count in: "+missing.String())
	}
	if p.body && !o.Body {
		diffs = append(diffs, "cannot be the text between the tags")
	}
	if p.hasStandards && o.Default != p.standard {
		diffs = append(diffs, fmt.Sprintf("has default %q, want %q", o.Default, p.standard))
	}
	must := o.MustIn & in
	if o.Required {
		must = in
	}
	if !p.either && must&p.in != p.must {
		diffs = append(diffs, fmt.Sprintf("must be there in: %s; want %s", must&p.in, p.must))
	}
	return diffs
}

// one is a parameter of the table with its path, as ozml.Params.Without takes it.
type one struct {
	ozml.Param
	path string
}

// counts tells where it counts.
func (o one) counts(in ozml.Setting) ozml.Setting {
	if o.Kind == "commands" || o.Kind == "elements" {
		in &^= ozml.API // a request has nothing inside
	}
	if o.Only != 0 {
		return in & o.Only
	}
	return in
}

// flat lists parameters and those inside.
func flat(ps []ozml.Param, within string) (all []one) {
	for _, p := range ps {
		name := p.Name
		if name == "" {
			name = p.Kind
		}
		path := name
		if within != "" {
			path = within + "." + name
		}
		if p.Kind == "elements" && within != "" {
			path = name
		} else if p.Kind != "fields" {
			all = append(all, one{p, path})
		}
		if p.Kind == "elements" {
			all = append(all, flat(p.Inside, name)...)
		}
	}
	return all
}
