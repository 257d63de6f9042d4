package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"ozswitch/ozml"
	"ozswitch/ozml/ozmltest"
)

const page = "docs/coverage.md"

// A row is a command, or one of its parameters; a cell is a setting of it.
type row struct {
	command, param string // param "" = what the command does
	ours           bool   // not in the specification
	cells          [4]cell
}

type cell struct {
	granted bool   // by the specification
	has     bool   // the setting is there
	test    string // the first test that fails; "" = none
}

type report []row

// A file is one test.
type file struct {
	name    string
	a       *ozmltest.Archive
	text    string // in lower case
	setting ozml.Setting
	own     bool // it is in testdata: it belongs to the command of its name only
}

// measure makes the table.
func measure(root string, table ozml.Table) (report, error) {
	grants, err := readGrants(grantedText)
	if err != nil {
		return nil, err
	}
	files, err := readFiles(root)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if err := f.passes(table); err != nil {
			return nil, fmt.Errorf("%s fails as it is: %w", f.name, err)
		}
	}
	var r report
	for _, c := range table.Commands() {
		g := find(grants, c.Name)
		paths := []one{{}}
		paths = append(paths, flat(c.Params(), "")...)
		for _, p := range paths {
			r = append(r, newRow(c, g, p))
		}
	}
	for i := range grants {
		r = append(r, missing(&grants[i], table)...)
	}
	slices.SortStableFunc(r, func(a, b row) int { return strings.Compare(a.command, b.command) })
	var wg sync.WaitGroup
	work := make(chan *row)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for w := range work {
				w.fill(table, files)
			}
		})
	}
	for i := range r {
		work <- &r[i]
	}
	close(work)
	wg.Wait()
	return r, nil
}

// missing gives rows for what is granted and not in the table.
func missing(g *grant, table ozml.Table) (rows report) {
	c := table.Lookup(g.names[0])
	add := func(name string, in ozml.Setting) {
		w := row{command: g.names[0], param: name}
		for i, s := range settings {
			w.cells[i].granted = in&s.in != 0
		}
		rows = append(rows, w)
	}
	var have []one
	if c == nil {
		add("", g.in)
	} else {
		have = flat(c.Params(), "")
	}
	for _, p := range g.params {
		if !slices.ContainsFunc(have, func(o one) bool { return o.path == p.names[0] }) {
			add(p.names[0], p.in)
		}
	}
	return rows
}

// newRow says which cells a row has.
func newRow(c *ozml.Command, g *grant, p one) row {
	w := row{command: c.Name, param: p.path, ours: g == nil}
	granted := ozml.Setting(0)
	if g != nil {
		granted = g.in
	}
	has := c.In
	if p.path != "" {
		has, granted = p.counts(c.In), 0
		gp := g.param(p.path)
		if w.ours = gp == nil; gp != nil {
			granted = gp.in
		}
		if p.Refused != "" { // understood, and never used
			has = 0
		}
	}
	for i, s := range settings {
		w.cells[i] = cell{granted: granted&s.in != 0, has: has&s.in != 0}
	}
	return w
}

// fill looks for a test that notices.
func (w *row) fill(table ozml.Table, files []file) {
	c := table.Lookup(w.command)
	if c == nil {
		return
	}
	mutated := mutant(table, w.command, w.param)
	for i := range w.cells {
		if !w.cells[i].has {
			continue
		}
		for _, f := range files {
			if f.setting == settings[i].in && f.tests(c) && f.passes(mutated) != nil {
				w.cells[i].test = f.name
				break
			}
		}
	}
}

// mutant is the table with one command changed: it does nothing, or binds a
// parameter as if it were not written. Checking a script stays as it is, so that a
// test is not said to notice what only the checker says; and so does what is wrong
// with a value, unless a parameter has but one right value.
func mutant(table ozml.Table, name, param string) ozml.Table {
	var cs []*ozml.Command
	for _, c := range table.Commands() {
		if c.Name == name {
			genuine, changed, only := c.New, *c, hasOneValue(c, param)
			changed.New = func(p *ozml.Params) ozml.Action {
				if only && p.Running() { // all it does is to be right or wrong
					p.LeaveOut(param)
				}
				a := genuine(p)
				switch {
				case !p.Running() || !p.OK():
					return a
				case param != "":
					return genuine(p.Without(param))
				}
				return nothing{a}
			}
			c = &changed
		}
		cs = append(cs, c)
	}
	return ozml.NewTable(cs...)
}

// hasOneValue tells whether there is but one right value of a parameter.
func hasOneValue(c *ozml.Command, path string) bool {
	return slices.ContainsFunc(flat(c.Params(), ""), func(o one) bool { return o.path == path && len(o.Values) == 1 })
}

// nothing is a command that does nothing, and tells what it was about to do.
type nothing struct{ ozml.Action }

func (n nothing) Do(context.Context, *ozml.Machine) error { return nil }

// Tell implements ozml.Teller.
func (n nothing) Tell() string {
	if t, ok := n.Action.(ozml.Teller); ok {
		return t.Tell()
	}
	return ""
}

// readFiles reads all tests.
func readFiles(root string) (all []file, err error) {
	for _, dir := range []string{"ozml/command/testdata", "ozml/conformance"} {
		names, err := filepath.Glob(filepath.Join(root, dir, "*.txtar"))
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			src, err := os.ReadFile(n)
			if err != nil {
				return nil, err
			}
			f := file{name: strings.TrimSuffix(filepath.Base(n), ".txtar"), a: ozmltest.ParseArchive(string(src)), text: strings.ToLower(string(src)), own: strings.HasSuffix(dir, "testdata")}
			f.setting = ozml.Extension
			caller, _ := f.a.Get("caller")
			for l := range strings.Lines(caller) {
				if word, ok := strings.CutPrefix(strings.TrimSpace(l), "setting "); ok {
					f.setting = map[string]ozml.Setting{"extension": ozml.Extension, "third-party": ozml.ThirdParty, "api": ozml.API, "routing": ozml.Routing}[word]
				}
			}
			all = append(all, f)
		}
	}
	return all, nil
}

var letters = regexp.MustCompile(`^[a-z0-9]+`)

// tests tells whether the file is a test of the command.
func (f *file) tests(c *ozml.Command) bool {
	for _, name := range append([]string{c.Name}, c.Also...) {
		name = strings.ToLower(name)
		if f.own {
			if letters.FindString(strings.TrimPrefix(f.name, "api_")) == name {
				return true
			}
			continue
		}
		for rest := f.text; ; {
			i := strings.Index(rest, "<"+name)
			if i < 0 {
				break
			}
			if rest = rest[i+1:]; letters.FindString(rest) == name {
				return true
			}
		}
	}
	return false
}

// passes plays the test; the error is why it fails.
func (f *file) passes(table ozml.Table) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	got, err := ozmltest.Try(f.a, table)
	if err != nil {
		return err
	}
	if len(got.Remarks) > 0 {
		return fmt.Errorf("%s", got.Remarks[0])
	}
	for _, p := range got.Parts() {
		if want, ok := f.a.Get(p.Name); ok && want != p.Text {
			return fmt.Errorf("%s is\n%swant\n%s", p.Name, p.Text, want)
		}
	}
	return nil
}
