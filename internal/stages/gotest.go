package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A testEvent is a line of `go test -json` (go doc test2json).
type testEvent struct {
	Action, Package, Test, Output, ImportPath string
	Elapsed                                   float64
}

// A tally turns test events into lines for people and counts them. Tests and
// their subtests count alike.
type tally struct {
	r    *report
	pkgs map[string]*pkgState
	ran  int // passed and failed tests
}

// pkgState is what is known of a package whose tests run.
type pkgState struct {
	passed, failed, skipped int
	output                  map[string]*strings.Builder // by test, "" = the package's own
	order                   []string                    // of tests not known to be good
}

// goTest runs `go test -json` with arg and gives the number of tests that ran.
func goTest(ctx context.Context, r *report, arg ...string) (ran int) {
	c := command(ctx, nil, append([]string{"go", "test", "-json"}, arg...)...)
	c.Stderr = os.Stderr
	pipe, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		r.fail("go test", err.Error())
		return 0
	}
	t := &tally{r: r, pkgs: map[string]*pkgState{}}
	before := r.failed
	t.read(pipe)
	// The status is news only when no event told of the failure.
	if err := c.Wait(); err != nil && r.failed == before {
		r.fail("go test "+strings.Join(arg, " "), err.Error())
	}
	return t.ran
}

func (t *tally) read(in io.Reader) {
	s := bufio.NewScanner(in)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		var e testEvent
		if json.Unmarshal(s.Bytes(), &e) != nil {
			fmt.Fprintf(t.r.out, "   %s\n", s.Text())
			continue
		}
		t.event(e)
	}
	if err := s.Err(); err != nil {
		t.r.fail("reading the output of go test", err.Error())
	}
	for name, p := range t.pkgs { // no end was reported: go test itself died
		t.r.fail(name, p.text())
	}
}

func (t *tally) event(e testEvent) {
	if e.Action == "build-output" {
		fmt.Fprintf(t.r.out, "   %s", e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := t.pkgs[e.Package]
	if p == nil {
		p = &pkgState{output: map[string]*strings.Builder{}}
		t.pkgs[e.Package] = p
	}
	switch {
	case e.Action == "output" && strings.HasPrefix(e.Output, "| "): // a table is for people, whether the test passes or not
		fmt.Fprintf(t.r.out, "   %s", e.Output)
	case e.Action == "output":
		p.write(e.Test, e.Output)
	case e.Test != "":
		t.testEnded(p, e)
	case e.Action == "pass", e.Action == "fail", e.Action == "skip":
		t.pkgEnded(p, e)
		delete(t.pkgs, e.Package)
	}
}

func (t *tally) testEnded(p *pkgState, e testEvent) {
	switch e.Action {
	case "pass":
		p.passed++
		delete(p.output, e.Test)
	case "fail":
		p.failed++
		t.r.failures = append(t.r.failures, e.Package+" "+e.Test)
	case "skip":
		p.skipped++
		fmt.Fprintf(t.r.out, "   skip  %s %s: %s\n", e.Package, e.Test, p.reason(e.Test))
		delete(p.output, e.Test)
	}
}

func (t *tally) pkgEnded(p *pkgState, e testEvent) {
	if e.Action == "fail" && p.failed == 0 { // it did not build, panicked or ran out of time
		p.failed++
		t.r.failures = append(t.r.failures, e.Package)
	}
	t.r.passed, t.r.failed, t.r.skipped = t.r.passed+p.passed, t.r.failed+p.failed, t.r.skipped+p.skipped
	t.ran += p.passed + p.failed
	took := round(time.Duration(e.Elapsed * float64(time.Second)))
	switch {
	case p.failed > 0:
		fmt.Fprintf(t.r.out, "   FAIL  %-44s %s, %d of %d failed\n%s", e.Package, took, p.failed, p.failed+p.passed, p.text())
	case p.passed+p.skipped > 0:
		fmt.Fprintf(t.r.out, "   ok    %-44s %s, %d passed\n", e.Package, took, p.passed)
	}
}

func (p *pkgState) write(test, s string) {
	b := p.output[test]
	if b == nil {
		b = new(strings.Builder)
		p.output[test] = b
		p.order = append(p.order, test)
	}
	b.WriteString(s)
}

// reason is what a skipped test said, without the words of go test.
func (p *pkgState) reason(test string) string {
	b := p.output[test]
	if b == nil {
		return ""
	}
	var words []string
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			words = append(words, line)
		}
	}
	return strings.Join(words, " ")
}

// text is the output of everything that did not pass, in the order it began.
func (p *pkgState) text() string {
	var all strings.Builder
	for _, test := range p.order {
		if b := p.output[test]; b != nil {
			all.WriteString(b.String())
		}
	}
	return all.String()
}
