// Stages is what `make test` runs: every check of the project, stage by stage,
// with times, ending in one line "N passed, N failed, N skipped". A stage can
// be run alone: `go run ./internal/stages lint`.
//
// It is a program and not a shell script so that no exit status is lost in a
// pipe. It knows nothing of the switch. Start reading at the table below.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A stage is a named group of checks.
type stage struct {
	name, title string
	run         func(ctx context.Context, r *report)
}

// The stages in the order of `make test`: what fails fastest comes first.
var stages = []stage{
	{"setup", "fetch modules, packages and artefacts that are missing", setup},
	{"generate", "generated files are up to date", generate},
	{"lint", "gofmt, go vet, staticcheck", lint},
	{"unit", "all Go tests with the race detector", unit},
	{"faults", "what a panic or a full queue ends, injected on purpose", faults},
	{"cross", "builds and vets for other systems, without cgo", cross},
	{"peers", "the built binary against real peers", peers},
	{"fuzz", "a short fuzz of every parser", fuzz},
}

var (
	skip     = flag.String("skip", "", "peers to leave out, separated by commas")
	list     = flag.Bool("list", false, "list the stages")
	fuzzTime = flag.Duration("fuzztime", 10*time.Second, "how long to fuzz each parser")
)

func main() {
	flag.Parse()
	if *list {
		for _, s := range stages {
			fmt.Printf("%-10s %s\n", s.name, s.title)
		}
		return
	}
	for _, a := range flag.Args() {
		if !slices.ContainsFunc(stages, func(s stage) bool { return s.name == a }) {
			fmt.Fprintf(os.Stderr, "stages: no stage %q; try -list\n", a)
			os.Exit(2)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !runStages(ctx, flag.Args()) {
		stop()
		os.Exit(1)
	}
}

// runStages runs the stages named, or all; a stage that fails does not keep
// the next from running, except setup: without it nothing else means anything.
func runStages(ctx context.Context, names []string) (ok bool) {
	r := &report{out: os.Stdout}
	began := time.Now()
	for _, s := range stages {
		if len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		if ctx.Err() != nil {
			r.fail("interrupted before "+s.name, "")
			break
		}
		fmt.Fprintf(r.out, "\n== %s: %s\n", s.name, s.title)
		start := time.Now()
		s.run(ctx, r)
		fmt.Fprintf(r.out, "== %s took %s\n", s.name, round(time.Since(start)))
		if s.name == "setup" && r.failed > 0 {
			break
		}
	}
	fmt.Fprintf(r.out, "\nall stages took %s\n", round(time.Since(began)))
	for _, f := range r.failures {
		fmt.Fprintf(r.out, "FAILED %s\n", f)
	}
	fmt.Fprintf(r.out, "%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	return r.failed == 0
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

// splitList splits "a, b" at commas and drops what is empty.
func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
