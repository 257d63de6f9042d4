package worker

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

// Serve is the child's side: it says hello on w, then does the jobs that come from r, one after another, until r ends
// (nil) or talks nonsense (an error). A panic in do fails that job only. When r ends in the middle of a job Serve
// returns at once and leaves the job's goroutine behind: the parent has gone and the process is expected to exit.
//
// Nothing else may be written to w: a child whose w is os.Stdout gives its engine another one.
func Serve(r io.Reader, w io.Writer, do func(job []byte) ([]byte, error)) error {
	if err := writeFrame(w, hello, []byte(version)); err != nil {
		return fmt.Errorf("worker: say hello: %w", err)
	}
	type frame struct {
		payload []byte
		err     error
	}
	jobs := make(chan frame)
	quit := make(chan struct{})
	defer close(quit)
	go func() { // a reader of its own, so that the parent's end is seen while a job runs
		in := bufio.NewReader(r)
		for {
			k, p, err := readFrame(in)
			if err == nil && k != job {
				err = fmt.Errorf("%w: kind %q where a job was due", errGarbage, k)
			}
			select {
			case jobs <- frame{p, err}:
			case <-quit:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	results := make(chan frame, 1)
	busy := false
	for {
		select {
		case j := <-jobs:
			switch {
			case errors.Is(j.err, io.EOF):
				return nil
			case j.err != nil:
				return j.err
			case busy:
				return fmt.Errorf("%w: a second job while one runs", errGarbage)
			}
			busy = true
			go func() {
				p, err := guarded(do, j.payload)
				results <- frame{p, err}
			}()
		case f := <-results:
			busy = false
			k, p := done, f.payload
			if f.err != nil {
				k, p = failed, []byte(f.err.Error())
			}
			if err := writeFrame(w, k, p); err != nil {
				return fmt.Errorf("worker: write a result: %w", err)
			}
		}
	}
}

// guarded is the recover boundary around foreign code.
func guarded(do func([]byte) ([]byte, error), p []byte) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	out, err = do(p)
	if err == nil && len(out) > MaxFrame {
		return nil, fmt.Errorf("result of %d bytes, at most %d", len(out), MaxFrame)
	}
	return out, err
}
