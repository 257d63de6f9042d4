package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// staticcheck is pinned here and nowhere else; it is no dependency of the module.
const staticcheck = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"

func lint(ctx context.Context, r *report) {
	start := time.Now()
	switch out, err := output(ctx, nil, append([]string{"gofmt", "-l"}, goFiles()...)...); {
	case err != nil:
		r.fail("gofmt", out+err.Error())
	case out != "":
		r.fail("gofmt", "not formatted:\n"+out)
	default:
		r.pass("gofmt", time.Since(start))
	}
	r.check(ctx, "go vet", nil, "go", "vet", "./...")
	r.check(ctx, "go vet -tags peers,faults,bench", nil, "go", "vet", "-tags", "peers,faults,bench", "./...")
	r.check(ctx, "staticcheck", nil, "go", "run", staticcheck, "-tags", "peers", "./...")
}

// unit tests everything with the race detector; packages with tests that it would
// make too slow, or that count allocations, which it makes, once more without.
func unit(ctx context.Context, r *report) {
	goTest(ctx, r, "-race", "-timeout", "15m", "./...")
	if dirs := dirsWith(r, "!race"); len(dirs) > 0 {
		goTest(ctx, r, append([]string{"-timeout", "5m"}, dirs...)...)
	}
}

// faults runs the tests of the build tag faults: of packages that have places to
// inject a fault at, in the build that has them, and of the built program beside
// web apps that fail. The other tests of those packages are unit's.
func faults(ctx context.Context, r *report) {
	dirs, tests := testsWith(r, "faults")
	if len(tests) == 0 {
		r.fail("faults", "no test has the build tag")
		return
	}
	only := "^(" + strings.Join(tests, "|") + ")$"
	goTest(ctx, r, append([]string{"-race", "-tags", "faults", "-count=1", "-timeout", "10m", "-run", only}, dirs...)...)
}

var testName = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

// testsWith are the packages that have a test file of a build tag, and the tests
// in those files.
func testsWith(r *report, tag string) (dirs, tests []string) {
	for _, name := range goFiles() {
		src, err := os.ReadFile(name)
		if err != nil {
			r.fail(tag, err.Error())
			return nil, nil
		}
		if !strings.HasSuffix(name, "_test.go") || !bytes.HasPrefix(src, []byte("//go:build "+tag+"\n")) {
			continue
		}
		if dir := "./" + filepath.ToSlash(filepath.Dir(name)); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		for _, m := range testName.FindAllSubmatch(src, -1) {
			if test := string(m[1]); test != "TestMain" {
				tests = append(tests, test)
			}
		}
	}
	return dirs, tests
}

// dirsWith are the packages that have a file of a build tag.
func dirsWith(r *report, tag string) (dirs []string) {
	for _, name := range goFiles() {
		src, err := os.ReadFile(name)
		if err != nil {
			r.fail(tag, err.Error())
			return nil
		}
		if dir := "./" + filepath.ToSlash(filepath.Dir(name)); bytes.HasPrefix(src, []byte("//go:build "+tag+"\n")) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// cross proves that the core needs neither cgo nor Linux.
func cross(ctx context.Context, r *report) {
	for _, target := range []string{"linux/arm64", "darwin/arm64", "windows/amd64"} {
		system, arch, _ := strings.Cut(target, "/")
		env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + arch}
		r.check(ctx, "build "+target, env, "go", "build", "./...")
		r.check(ctx, "vet "+target, env, "go", "vet", "./...")
	}
}

// generate runs go generate and compares all files before and after. It does
// not ask git: a change of one's own that is not committed yet is no stale file.
func generate(ctx context.Context, r *report) {
	start := time.Now()
	before, err := sums()
	if err != nil {
		r.fail("generated files", err.Error())
		return
	}
	if out, err := output(ctx, nil, "go", "generate", "./..."); err != nil {
		r.fail("go generate ./...", out+err.Error())
		return
	}
	after, err := sums()
	if err != nil {
		r.fail("generated files", err.Error())
		return
	}
	var stale []string
	for name, sum := range after {
		if before[name] != sum {
			stale = append(stale, name)
		}
	}
	if len(stale) > 0 {
		slices.Sort(stale)
		r.fail("generated files", "stale; they are new now, read and commit them:\n"+strings.Join(stale, "\n"))
		return
	}
	r.pass("generated files", time.Since(start))
}

// fuzzLimit bounds the whole stage, however many parsers there are.
const fuzzLimit = 5 * time.Minute

func fuzz(ctx context.Context, r *report) {
	type target struct{ dir, name string }
	var targets []target
	declared := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)
	for _, name := range goFiles() {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			r.fail("fuzz", err.Error())
			return
		}
		for _, m := range declared.FindAllSubmatch(src, -1) {
			targets = append(targets, target{"./" + filepath.ToSlash(filepath.Dir(name)), string(m[1])})
		}
	}
	if len(targets) == 0 {
		r.fail("fuzz", "no parser has a fuzz test")
		return
	}
	each := min(*fuzzTime, fuzzLimit/time.Duration(len(targets))).Round(time.Second)
	for _, t := range targets {
		start := time.Now()
		out, err := output(ctx, nil, "go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$",
			"-fuzztime", each.String(), "-fuzzminimizetime", "5s", "-parallel", "2", t.dir)
		if err != nil && !onlyLate(out) {
			r.fail(t.dir+" "+t.name, out+err.Error())
			continue
		}
		r.pass(t.dir+" "+t.name, time.Since(start))
	}
}

// onlyLate tells whether a fuzz run failed for nothing but go test's own
// deadline: on a busy machine it sometimes ends a worker between two inputs and
// calls that a failure. A fault of the parser leaves an input or its own words.
func onlyLate(out string) bool {
	var said []string
	_, after, _ := strings.Cut(out, "--- FAIL: ")
	for line := range strings.Lines(after) {
		said = append(said, strings.TrimSpace(line))
	}
	return len(said) >= 3 && said[1] == "context deadline exceeded" && said[2] == "FAIL"
}

// foreign are folders that hold nothing of ours.
var foreign = []string{".git", "node_modules", "bin", "ozswitch-data"}

// walk calls f with every file of the project.
func walk(f func(name string) error) error {
	return filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(foreign, d.Name()):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		return f(name)
	})
}

func goFiles() (names []string) {
	_ = walk(func(name string) error {
		if strings.HasSuffix(name, ".go") {
			names = append(names, name)
		}
		return nil
	})
	return names
}

func sums() (map[string]string, error) {
	all := map[string]string{}
	err := walk(func(name string) error {
		b, err := os.ReadFile(name)
		all[name] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	return all, err
}
