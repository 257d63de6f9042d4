package worker

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// ErrStart: the program cannot be executed again as a worker. The text says why.
var ErrStart = errors.New("worker: cannot start a worker process")

// errDied: the process has gone in the middle of a job, or before it.
var errDied = errors.New("worker: process died")

// process is one child and the goroutine-side ends of its pipes.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	frames chan result // closed when the child's output ends or is no frame; see broken
	broken error       // why frames was closed; set before
	tail   *tail
}

type result struct {
	kind    kind
	payload []byte
}

// program finds what to execute.
func (c Config) program() (string, error) {
	if c.Program != "" {
		return c.Program, nil
	}
	if flag.Lookup("test.v") != nil {
		return "", fmt.Errorf("%w: this is a test binary, which would run its tests again; set Config.Program and handle the arguments in TestMain", ErrStart)
	}
	p, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("%w: the program cannot find itself: %v", ErrStart, err)
	}
	if _, err := os.Stat(p); err != nil {
		// Removed or replaced by an upgrade; Linux still knows what runs.
		const self = "/proc/self/exe"
		if _, err2 := os.Stat(self); err2 != nil {
			return "", fmt.Errorf("%w: the program is no longer at %s: %v", ErrStart, p, err)
		}
		return self, nil
	}
	return p, nil
}

// Check tells why no process could be started, as far as that can be known without starting one: an ErrStart.
func (c Config) Check() error {
	p, err := c.program()
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(p); err != nil {
		return fmt.Errorf("%w: %v", ErrStart, err)
	}
	return nil
}

// start executes the program and waits for its hello. The caller's goroutine should be locked to its thread for as
// long as the child lives (isolate).
func start(ctx context.Context, c Config) (*process, error) {
	path, err := c.program()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, c.Args...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.WaitDelay = time.Second
	isolate(cmd)
	p := &process{cmd: cmd, frames: make(chan result), tail: &tail{}}
	cmd.Stderr = p.tail
	p.out, err = cmd.StdoutPipe()
	if err == nil {
		p.in, err = cmd.StdinPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %v", ErrStart, path, err)
	}
	if err := lower(cmd.Process.Pid, c.Nice); err != nil {
		c.Log.Warn("worker runs at the switch's own priority", "pid", cmd.Process.Pid, "err", err)
	}
	go p.read(p.out)
	limit := time.NewTimer(c.StartTimeout)
	defer limit.Stop()
	var why string
	select {
	case f, ok := <-p.frames:
		switch {
		case !ok:
			why = p.broken.Error()
		case f.kind != hello || string(f.payload) != version:
			why = fmt.Sprintf("it speaks %q, not %q: was the program replaced while it ran?", f.payload, version)
		default:
			return p, nil
		}
	case <-limit.C:
		why = fmt.Sprintf("no hello within %v", c.StartTimeout)
	case <-ctx.Done():
		why = context.Cause(ctx).Error()
	}
	p.kill()
	return nil, fmt.Errorf("%w: %s %s: %s%s", ErrStart, filepath.Base(path), strings.Join(c.Args, " "), why, p.tail.quote())
}

// read takes frames from the child until its output ends. It ends when the pipe is closed, at the latest by kill.
func (p *process) read(r io.Reader) {
	in := bufio.NewReader(r)
	for {
		k, b, err := readFrame(in)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("its output ended")
			}
			p.broken = err
			close(p.frames)
			return
		}
		p.frames <- result{k, b}
	}
}

// do sends one job and waits for its result, at most until limit.
func (p *process) do(limit <-chan time.Time, quit <-chan struct{}, payload []byte) ([]byte, error) {
	sent := make(chan error, 1)
	go func() { sent <- writeFrame(p.in, job, payload) }() // the child may have stopped reading; kill frees this
	for {
		select {
		case f, ok := <-p.frames:
			switch {
			case !ok:
				return nil, fmt.Errorf("%w: %w", errDied, p.broken)
			case f.kind == done:
				return f.payload, nil
			case f.kind == failed:
				return nil, &JobError{Text: string(f.payload)}
			}
			return nil, fmt.Errorf("%w: kind %q where a result was due", errGarbage, f.kind)
		case err := <-sent:
			if err != nil {
				return nil, fmt.Errorf("%w: %v", errDied, err)
			}
			sent = nil
		case <-limit:
			return nil, ErrTooLong
		case <-quit:
			return nil, ErrEnded
		}
	}
}

// kill ends the child and everything that waits for it.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.in.Close()
	p.out.Close()        // a grandchild may hold the other end
	for range p.frames { // until read has seen the end; Wait may not close the pipe before
	}
	p.cmd.Wait()
}

// tail keeps the last words of a child's standard error for the report of its death.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if over := len(t.b) - 1024; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) quote() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.b) == 0 {
		return ""
	}
	return fmt.Sprintf(" (its last words: %q)", t.b)
}
