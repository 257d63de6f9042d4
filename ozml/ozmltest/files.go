package ozmltest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// TB is what a test needs of *testing.T.
type TB interface {
	Helper()
	Errorf(format string, a ...any)
	Fatalf(format string, a ...any)
	Logf(format string, a ...any)
}

// A Tester is *testing.T; package testing itself stays out of the product.
type Tester[T any] interface {
	TB
	Run(name string, f func(T)) bool
}

// Run tests the txtar files of a folder, and with -update rewrites what they
// want. Each has a sentence that says what it shows, and these parts:
//
//	-- script.xml --   the script; <!-- want `regexp` --> in a line is a remark of
//	                   the checker on that line; there must be no other
//	-- caller --       the scenario, see Parse; may be absent
//	-- want --         the transcript; absent: the script is only checked
//	-- posted --       what the web application was told; may be absent
//	-- did --          what calls, the switch and the world were asked, with every
//	                   parameter that was given; may be absent
//
// and any further files that the scenario replies with.
func Run[T Tester[T]](t T, dir string, table ozml.Table) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if len(names) == 0 {
		t.Fatalf("no txtar files in %s", dir)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t T) { runFile(t, name, table) })
	}
}

func runFile[T Tester[T]](t T, name string, table ozml.Table) {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	a := ParseArchive(string(src))
	got, err := Try(a, table)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, complaint := range got.Remarks {
		t.Errorf("%s: %s", name, complaint)
	}
	changed := false
	for _, p := range got.Parts() {
		want, ok := a.Get(p.Name)
		if !ok || want == p.Text {
			continue
		}
		if updating() {
			a.Set(p.Name, p.Text)
			changed = true
			continue
		}
		t.Errorf("%s: %s:\n%swant\n%s", name, p.Name, p.Text, want)
	}
	if changed {
		if err := os.WriteFile(name, []byte(a.String()), 0o666); err != nil {
			t.Fatalf("%v", err)
		}
		t.Logf("%s: updated", name)
	}
}

// updating tells whether the test's own flag -update is set.
func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

// An Outcome is what came of an archive.
type Outcome struct {
	Remarks    []string // where the checker's remarks are not those that are wanted
	Story      string   // the transcript as run prints it
	Transcript string   // and what the commands answered
	Posted     string
	Did        string
	Result     Result
}

// A Part is a part of an archive that says what is wanted.
type Part struct{ Name, Text string }

// Parts gives what happened, by the parts that want it.
func (o Outcome) Parts() []Part {
	return []Part{{"want", o.Transcript}, {"posted", o.Posted}, {"did", o.Did}}
}

// Try checks and plays the script of an archive.
func Try(a *Archive, table ozml.Table) (o Outcome, err error) {
	return TryWith(a, Config{Table: table}, nil)
}

// TryWith is Try where more is known of the world: voice is that of
// Scenario.Listen, and cfg has what the archive has not.
func TryWith(a *Archive, cfg Config, voice func(file string) ([]Act, error)) (o Outcome, err error) {
	src, ok := a.Get("script.xml")
	if !ok {
		return o, fmt.Errorf("no part script.xml")
	}
	f, err := cfg.Table.Parse("script.xml", []byte(src))
	if err != nil {
		return o, err
	}
	caller, _ := a.Get("caller")
	sc, err := Parse("caller", caller, func(file string) (string, error) {
		s, ok := a.Get(file)
		if !ok {
			return "", fmt.Errorf("no part %s", file)
		}
		return s, nil
	})
	if err != nil {
		return o, err
	}
	if err := sc.Listen(voice); err != nil {
		return o, err
	}
	o.Remarks = remarks(src, cfg.Table.Check(f, sc.Setting))
	var b strings.Builder
	p := trace.NewPrinter(&b)
	p.Since(epoch)
	cfg.File, cfg.Scenario, cfg.Sink = f, sc, p
	o.Result = Play(context.Background(), cfg)
	if err := p.Flush(); err != nil {
		return o, err
	}
	o.Story = b.String()
	if o.Result.Err != nil {
		fmt.Fprintf(&b, "%v\n", o.Result.Err)
	}
	for _, r := range o.Result.Replies {
		fmt.Fprintf(&b, "reply %v\n", r)
	}
	o.Transcript = b.String()
	o.Posted = posted(o.Result.Posted)
	for _, l := range o.Result.Did {
		o.Did += l + "\n"
	}
	return o, nil
}

var (
	wanted  = regexp.MustCompile("<!--\\s*want((?:\\s+`[^`]*`)+)\\s*-->")
	pattern = regexp.MustCompile("`([^`]*)`")
)

// remarks compares the checker's remarks with those wanted in the source.
func remarks(src string, got []ozml.Diagnostic) (complaints []string) {
	want := map[int][]string{}
	for i, l := range strings.Split(src, "\n") {
		if m := wanted.FindStringSubmatch(l); m != nil {
			for _, p := range pattern.FindAllStringSubmatch(m[1], -1) {
				want[i+1] = append(want[i+1], p[1])
			}
		}
	}
	for _, d := range got {
		if d.Severity == ozml.Info {
			continue
		}
		line, found := d.Span.From.Line, false
		for i, p := range want[line] {
			if ok, err := regexp.MatchString(p, d.String()); err != nil {
				complaints = append(complaints, err.Error())
			} else if ok {
				want[line] = append(want[line][:i], want[line][i+1:]...)
				found = true
				break
			}
		}
		if !found {
			complaints = append(complaints, "not wanted: "+d.String())
		}
	}
	for line, ps := range want {
		for _, p := range ps {
			complaints = append(complaints, fmt.Sprintf("script.xml:%d: no remark like %q", line, p))
		}
	}
	sort.Strings(complaints)
	return complaints
}

// posted prints requests in one line each, common fields left out.
func posted(ps []Posted) string {
	common := map[string]bool{}
	for _, f := range ozml.CommonFields() {
		common[f.Name] = true
	}
	var b strings.Builder
	for _, p := range ps {
		fmt.Fprintf(&b, "%8.2f  %s %s", p.At.Seconds(), p.Name, p.URL)
		names := []string{}
		for n := range p.Fields {
			if !common[n] {
				names = append(names, n)
			}
		}
		sort.Strings(names)
		for _, n := range names {
			if v := p.Fields.Get(n); v != "" {
				fmt.Fprintf(&b, " %s=%s", n, v)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
