package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A report counts what was checked. Every Go test and every other check
// counts as one.
type report struct {
	out                     io.Writer
	passed, failed, skipped int
	failures                []string // names, for the end
}

func (r *report) pass(name string, d time.Duration) {
	r.passed++
	fmt.Fprintf(r.out, "   ok    %-44s %s\n", name, round(d))
}

func (r *report) fail(name, why string) {
	r.failed++
	r.failures = append(r.failures, name)
	fmt.Fprintf(r.out, "   FAIL  %s\n", name)
	if why = strings.TrimRight(why, "\n"); why != "" {
		fmt.Fprintf(r.out, "         %s\n", strings.ReplaceAll(why, "\n", "\n         "))
	}
}

// check runs one command; its output is shown only when it fails.
func (r *report) check(ctx context.Context, name string, env []string, arg ...string) bool {
	start := time.Now()
	out, err := output(ctx, env, arg...)
	if err != nil {
		r.fail(name, fmt.Sprintf("%s%s: %v", out, strings.Join(arg, " "), err))
		return false
	}
	r.pass(name, time.Since(start))
	return true
}

// output runs a command to its end and gives what it wrote, both streams. The
// command has a process group of its own, so that an interrupt ends all it
// started.
func output(ctx context.Context, env []string, arg ...string) (string, error) {
	var b bytes.Buffer
	c := command(ctx, env, arg...)
	c.Stdout, c.Stderr = &b, &b
	err := c.Run()
	return b.String(), err
}

func command(ctx context.Context, env []string, arg ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, arg[0], arg[1:]...)
	c.Env = append(os.Environ(), env...)
	c.SysProcAttr = group()
	c.Cancel = func() error { return interrupt(c.Process, syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	return c
}
