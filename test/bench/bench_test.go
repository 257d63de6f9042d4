//go:build bench && linux

package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	program = flag.String("bin", "bin/ozswitch", "the switch to measure")
	short   = flag.Bool("short", false, "two minutes instead of ten: fewer calls, fewer parts")
	only    = flag.String("only", "", "parts to run, separated by commas; all when empty")
	list    = flag.Bool("list", false, "list the parts")
)

// A part measures some figures that belong together.
type part struct {
	name  string
	what  string
	brief bool // of -short as well
	run   func(*bench) error
}

// parts, in the order they run in: later ones use what earlier ones found.
var parts = []part{
	{"pace", "carrying sound: media/pace beside the floor in C, in this process", true, paceAndFloor},
	{"c", "C, signalling: INVITE, script fetched, 200, ACK, BYE at once", true, signalling},
	{"b", "B, prompt: 5 s are heard, the switch hangs up", true, prompts},
	{"a", "A, record: 2 s are heard, 5 s said, a key ends it", true, recordings},
	{"h", "H, hold: sound both ways, 50 packets a second", true, hold},
	{"kinds", "H by kind of line: SIP and browsers, PCMU and Opus", true, kinds},
	{"bridge", "telephone to telephone: packets that pass, sound that is coded anew", true, bridged},
	{"rate", "how many calls a second, beside sipp's own server", false, cleanRate},
	{"over", "more calls offered than allowed", true, overload},
	{"memory", "memory per call", false, memory},
	{"rec500", "500 recordings at once", false, manyRecordings},
	{"voice", "fresh sentences", false, voice},
	{"soak", "a hundred calls at once, each twentieth packet lost", false, soak},
	{"units", "what each piece costs (go test -bench)", false, units},
}

// A bench is one run.
type bench struct {
	ctx   context.Context
	dir   string // of this run, removed at its end
	bin   string
	table *table
	last  *node // the switch that most parts share
	port  int   // the last that freePort gave
	cc    bool  // the floor in C is built

	floor  map[int]float64 // CPU µs a packet pair in C, by legs
	perC   float64         // CPU ms of a C call
	clean  float64         // C calls a second without a fault; 0 when not measured
	floors [3]string       // the three that must hold, "" when not measured
}

func TestMain(*testing.M) {
	flag.Parse()
	os.Exit(run())
}

func run() int {
	if *list {
		for _, p := range parts {
			fmt.Printf("%-8s %s\n", p.name, p.what)
		}
		return 0
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	dir, err := os.MkdirTemp("", "ozswitch-bench-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	b := &bench{ctx: ctx, dir: dir, table: newTable(os.Stdout), floor: map[int]float64{}}
	defer b.stop()
	if b.bin, err = filepath.Abs(*program); err == nil {
		_, err = os.Stat(b.bin)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v; make build makes it\n", err)
		return 1
	}

	chosen := strings.FieldsFunc(*only, func(r rune) bool { return r == ',' || r == ' ' })
	for _, name := range chosen {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			fmt.Fprintf(os.Stderr, "bench: no part is called %q; -list lists them\n", name)
			return 1
		}
	}
	began := time.Now()
	b.table.say("ozswitch bench, %s, %s, %d processors, load %s", began.UTC().Format("2006-01-02 15:04 UTC"), runtime.Version(), runtime.NumCPU(), machineLoad())
	if out, err := exec.Command(b.bin, "version").Output(); err == nil {
		b.table.say("%s", strings.TrimSpace(string(out)))
	}
	b.table.head()
	failed := 0
	for _, p := range parts {
		wanted := len(chosen) == 0 && (p.brief || !*short) || slices.Contains(chosen, p.name)
		if !wanted || ctx.Err() != nil {
			continue
		}
		b.table.part(p.name, p.what)
		if err := p.run(b); err != nil {
			failed++
			b.table.say("   THE RUN FAILED: %v", err)
		}
	}
	b.table.say("")
	for i, what := range []string{"ratio to the C floor at most 3.5", "0 allocations per packet", "0 lost at 300 H calls"} {
		b.table.say("floor  %-34s %s", what, strings.TrimSpace(orElse(b.floors[i], "not measured")))
	}
	b.table.say("took %v, load %s", time.Since(began).Round(time.Second), machineLoad())
	if failed > 0 || ctx.Err() != nil {
		return 1
	}
	return 0
}

// holds notes one of the three floors.
func (b *bench) holds(i int, ok bool, format string, args ...any) {
	word := "holds"
	if !ok {
		word = "DOES NOT HOLD"
	}
	b.floors[i] = fmt.Sprintf("%-14s %s", word, fmt.Sprintf(format, args...))
}

// pick is the first in a whole run and the second in a short one.
func pick[T any](whole, brief T) T {
	if *short {
		return brief
	}
	return whole
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// pause lets the machine work for d.
func (b *bench) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-b.ctx.Done():
	}
}

// await waits until f is true, and tells whether that came in time.
func (b *bench) await(limit time.Duration, f func() bool) bool {
	end := time.Now().Add(limit)
	for !f() {
		if time.Now().After(end) || b.ctx.Err() != nil {
			return false
		}
		b.pause(50 * time.Millisecond)
	}
	return true
}
