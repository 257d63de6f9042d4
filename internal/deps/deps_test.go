// Package deps holds the laws of the house as tests: who may import whom
// (imports below), where time, goroutines and package-level state may be, and
// that a switch over what may happen to a call forgets nothing. A law is
// changed by changing its line here and writing an ADR.
package deps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "ozswitch"

// law says which of our packages a package may import: "x: a b" reads x may
// import a and b. Nothing else is granted. It is ordered from the bottom up,
// and the test insists on that order, so a cycle cannot even be written down.
// "a/..." grants a and all below it that stand above the line, but for those
// that only tests may use; "." is the package at the root.
const law = `
.:
internal/deps:
internal/golden:
internal/simnet:
internal/stages:
examples:

media:
media/codec:       media
media/rtp:         media media/codec
media/dtmf:        media
media/worker:      media
media/wav:         media media/codec
media/mp3:         media media/worker
media/tts:         media media/worker
media/pace:        media media/rtp media/dtmf
media/mix:         media media/codec
media/recorder:    media media/codec media/wav media/mp3
media/rtc:         media media/codec media/rtp media/pace
media/sdes:        media/rtp media/pace
media/mediatest:   media media/dtmf

ozml/syntax:
ozml/trace:
ozml/contactid:
ozml:              ozml/syntax ozml/trace ozml/contactid
ozml/command:      ozml ozml/syntax ozml/trace ozml/contactid
ozml/ozmltest:     ozml ozml/syntax ozml/trace ozml/contactid ozml/command media
ozml/conformance:  ozml/command ozml/ozmltest
internal/coverage: ozml ozml/command ozml/ozmltest

switch/call:
switch/dialplan:   switch/call
switch/addressbook: ozml
switch/exchange:   switch/call ozml/trace
switch/extension:  switch/call
switch/store:      switch/call switch/extension
switch/presence:
switch/store/storetest: switch/store switch/call switch/extension
switch/queue:      switch/store
switch/quota:
switch/route:      ozml/trace switch/call switch/dialplan switch/exchange switch/extension
switch/eventlog:   switch/call ozml/trace
switch/message:    switch/store switch/queue
switch/alarm:      media media/dtmf ozml/contactid
switch/sip/transaction:
switch/sip/flow:   switch/sip/transaction
switch/sip/dialog: switch/sip/transaction
switch/sip/registrar:
switch/sip:        switch/call switch/sip/flow switch/sip/transaction switch/sip/dialog switch/sip/registrar
switch/line:       switch/call switch/sip
switch/webphone:   switch/call switch/sip/flow media/rtc
switch/phone:      switch/call switch/sip/flow switch/sip switch/webphone media media/codec media/dtmf media/rtp media/pace media/rtc media/wav
switch/bridge:     switch/call media media/sdes media/rtp media/pace media/codec media/dtmf media/recorder ozml/trace
switch/notify:     switch/call switch/queue switch/eventlog ozml ozml/syntax ozml/trace
switch/script:     ozml ozml/syntax ozml/trace ozml/contactid switch/alarm switch/call switch/exchange switch/bridge switch/notify switch/eventlog media media/tts media/wav media/mp3 media/recorder media/codec media/pace
switch/conference: media media/mix media/codec media/wav media/recorder media/pace switch/call switch/exchange switch/bridge switch/script ozml ozml/trace
switch/waiting:    switch/call switch/exchange switch/script ozml ozml/trace
switch/voicemail:  media/wav switch/call switch/exchange switch/script switch/message ozml ozml/syntax ozml/trace
switch/export:     ozml/trace media media/codec media/wav media/rtp media/dtmf switch/eventlog
switch/api:        examples ozml ozml/syntax ozml/trace ozml/command ozml/ozmltest switch/call switch/extension switch/store switch/eventlog switch/export
switch/splice:
switch/console:
switch/store/sqlite: switch/store switch/call switch/extension
switch/server:     switch/... media/... ozml/...
switch/switchtest: switch/server switch/phone switch/eventlog ozml ozml/trace ozml/command ozml/ozmltest media media/codec media/rtp media/pace media/tts media/mediatest internal/simnet
cmd/ozswitch:      . switch/server switch/phone switch/eventlog switch/notify media media/mp3 media/recorder media/tts media/wav media/worker ozml ozml/syntax ozml/trace ozml/command ozml/ozmltest

test/alarms:
test/bench:
test/faults:
test/peers:
`

// testOnly are packages that the product never links: only tests import them,
// and those of the law that name them.
var testOnly = []string{"internal/...", "media/mediatest", "switch/switchtest", "switch/store/storetest"}

// foreign says which modules of others a package may import; the standard
// library is free to all. Each pair has an ADR.
const foreign = `
github.com/emiago/sipgo/sip:        switch/sip/...
github.com/icholy/digest:           switch/extension switch/sip switch/sip/registrar
github.com/pion:                    media/rtp media/rtc media/sdes
github.com/tetratelabs/wazero:      media/tts media/mp3
golang.org/x/sys/unix:              media/pace media/rtc
github.com/thesyncim/gopus:         media/codec
github.com/gotranspile/g722:        media/codec
github.com/zaf/g711:                media/codec
github.com/hajimehoshi/go-mp3:      media/mp3
golang.org/x/text:                  ozml/syntax
github.com/beevik/etree:            switch/api switch/store switch/presence
github.com/danielgtaylor/huma/v2:   switch/api
github.com/coder/websocket:         switch/webphone
golang.org/x/crypto/argon2:         switch/api
modernc.org/sqlite:                 switch/store/sqlite
github.com/wneessen/go-mail:        switch/message
github.com/linxGnu/gosmpp:          switch/message
github.com/goccy/go-yaml:           switch/server switch/splice
github.com/prometheus:              switch/server
github.com/spf13/cobra:             cmd/ozswitch
golang.org/x/term:                  cmd/ozswitch
github.com/schollz/progressbar:     cmd/ozswitch
github.com/HdrHistogram/hdrhistogram-go: cmd/ozswitch
`

// foreignInTests may be imported by tests, beside what their package may.
const foreignInTests = `
github.com/rogpeppe/go-internal:    cmd/ozswitch
github.com/emersion/go-smtp:        switch/message switch/switchtest
github.com/emersion/go-sasl:        switch/message
`

// core is standard library only.
var core = []string{"ozml", "ozml/trace", "ozml/contactid", "ozml/command", "ozml/ozmltest", "switch/call", "switch/dialplan", "media"}

func TestLawOfImports(t *testing.T) {
	grants, order := readLaw(t)
	theirs, inTests := readTable(t, foreign), readTable(t, foreignInTests)
	for _, c := range core {
		for prefix, who := range theirs {
			if slices.ContainsFunc(who, func(w string) bool { return covers(w, c) }) {
				t.Errorf("the law grants %s to %s, but the core is standard library only", prefix, c)
			}
		}
	}
	for _, f := range project(t) {
		if _, ok := grants[f.pkg]; !ok && !f.isMain("examples/") {
			t.Errorf("%s: package %s has no line in the law", f.name, f.pkg)
			continue
		}
		for _, imp := range f.ast.Imports {
			to := strings.Trim(imp.Path.Value, `"`)
			ours, isOurs := strings.CutPrefix(to, module+"/")
			if to == module {
				ours, isOurs = ".", true
			}
			switch {
			case isOurs && f.test:
				if !slices.Contains(order, ours) {
					t.Errorf("%s: imports %s, which the law does not know", f.at(imp), to)
				}
			case isOurs:
				if !slices.Contains(grants[f.pkg], ours) {
					t.Errorf("%s: %s may not import %s", f.at(imp), f.pkg, ours)
				}
			case !strings.Contains(strings.Split(to, "/")[0], "."): // standard library
			case !may(theirs, f.pkg, to) && !(f.test && may(inTests, f.pkg, to)):
				t.Errorf("%s: %s may not import %s", f.at(imp), f.pkg, to)
			}
		}
	}
}

// readLaw gives for each package what it may import, and checks the order.
func readLaw(t *testing.T) (grants map[string][]string, order []string) {
	grants = map[string][]string{}
	for line := range strings.Lines(law) {
		name, list, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		may := []string{}
		for _, g := range strings.Fields(list) {
			if strings.HasSuffix(g, "/...") {
				for _, p := range order {
					if covers(g, p) && !slices.ContainsFunc(testOnly, func(o string) bool { return covers(o, p) }) {
						may = append(may, p)
					}
				}
				continue
			}
			if !slices.Contains(order, g) {
				t.Errorf("law: %s may import %s, which does not stand above it", name, g)
			}
			may = append(may, g)
		}
		if grants[name] != nil {
			t.Errorf("law: %s stands twice", name)
		}
		grants[name], order = may, append(order, name)
	}
	return grants, order
}

// readTable reads "prefix: who may" lines.
func readTable(t *testing.T, table string) map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(table) {
		if prefix, who, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			all[prefix] = strings.Fields(who)
		}
	}
	if len(all) == 0 {
		t.Fatal("the table is empty")
	}
	return all
}

func may(table map[string][]string, pkg, to string) bool {
	for prefix, who := range table {
		if to == prefix || strings.HasPrefix(to, prefix+"/") {
			return slices.ContainsFunc(who, func(w string) bool { return covers(w, pkg) })
		}
	}
	return false
}

// covers tells whether pattern, a package or "a/...", includes pkg.
func covers(pattern, pkg string) bool {
	root, all := strings.CutSuffix(pattern, "/...")
	return pkg == root || all && strings.HasPrefix(pkg, root+"/")
}

// A file is one Go file of the project.
type file struct {
	name string // slashed, from the project's root
	pkg  string // folder of the package
	test bool
	fset *token.FileSet
	ast  *ast.File
}

func (f *file) isMain(below string) bool {
	return f.ast.Name.Name == "main" && strings.HasPrefix(f.pkg, below)
}

// at is where n stands, as compilers print it.
func (f *file) at(n ast.Node) string {
	p := f.fset.Position(n.Pos())
	p.Filename = f.name
	return p.String()
}

// imports gives the name by which f knows the package at path, "" for none.
func (f *file) imports(pkgPath string) string {
	for _, imp := range f.ast.Imports {
		if strings.Trim(imp.Path.Value, `"`) == pkgPath {
			if imp.Name != nil {
				return imp.Name.Name
			}
			return path.Base(pkgPath)
		}
	}
	return ""
}

// project parses every Go file, whatever its build tags.
func project(t *testing.T) []*file {
	t.Helper()
	const root = "../.."
	var all []*file
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); base == "node_modules" || base == "testdata" || base == "bin" ||
				strings.HasPrefix(base, ".") && name != root {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		tree, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, &file{rel, path.Dir(rel), strings.HasSuffix(rel, "_test.go"), fset, tree})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no Go files found")
	}
	return all
}
