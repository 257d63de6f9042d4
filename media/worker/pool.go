package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"
)

var (
	// ErrTooLong: the job was not done in its time; its process was killed.
	ErrTooLong = errors.New("worker: job took too long and was killed")
	// ErrBusy: too many jobs wait.
	ErrBusy = errors.New("worker: too many jobs wait")
	// ErrEnded: the pool has ended.
	ErrEnded = errors.New("worker: pool has ended")
)

// JobError is the engine's own complaint; the process is well.
type JobError struct{ Text string }

func (e *JobError) Error() string { return "worker: job failed: " + e.Text }

// Config says what a Pool runs. Its zero value executes this program again without arguments, one process per core.
type Config struct {
	Program      string        // what to execute; empty: this program
	Args         []string      // its arguments, such as "worker", "tts"
	Env          []string      // additions to its environment, NAME=value
	Max          int           // most processes; 0: one per core
	Nice         int           // their priority, 1 to 19; 0: 10
	Waiting      int           // most jobs that wait; 0: 1000
	StartTimeout time.Duration // until a new process says hello; 0: 20 s
	Log          *slog.Logger  // nil: silent
}

// Job is one piece of work.
type Job struct {
	Payload []byte        // given to the child's function; at most MaxFrame; not changed
	Limit   time.Duration // from its start to its result, 0: 30 s; then the process is killed
	First   bool          // goes before all jobs that are not First: somebody waits in silence for it
}

// Pool supervises the processes of one engine. Processes start when the first jobs need them and are kept.
type Pool struct {
	cfg Config

	mu    sync.Mutex
	first []*ticket // queues; a job that died with its process is put back in front once
	later []*ticket
	idle  []*slot // those with a living process last, so that they are taken first
	ended bool
}

// ticket is a job on its way.
type ticket struct {
	Job
	tries  int
	answer chan answer // capacity 1: never blocks the slot
}

type answer struct {
	payload []byte
	err     error
}

// slot is one place for a process, with the goroutine that owns it.
type slot struct {
	work chan *ticket // capacity 1: filled only while the slot is idle
}

// New returns a pool; Run starts it. Jobs may be given before.
func New(c Config) *Pool {
	c.Max = or(c.Max, runtime.NumCPU())
	c.Nice = or(c.Nice, 10)
	c.Waiting = or(c.Waiting, 1000)
	c.StartTimeout = or(c.StartTimeout, 20*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Pool{cfg: c}
}

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Run supervises until ctx ends, then kills the processes, fails what waits with ErrEnded, and returns nil.
func (p *Pool) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for range p.cfg.Max {
		wg.Go(func() {
			s := &slot{work: make(chan *ticket, 1)}
			// The kernel kills a child when the thread that started it dies (isolate), so the thread is kept.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			p.supervise(ctx, s)
		})
	}
	<-ctx.Done()
	p.mu.Lock()
	p.ended = true
	waiting := slices.Concat(p.first, p.later)
	p.first, p.later = nil, nil
	p.mu.Unlock()
	for _, t := range waiting {
		t.answer <- answer{err: ErrEnded}
	}
	wg.Wait()
	return nil
}

// Do has one job done. It returns the result; a *JobError when the engine refused it; ErrTooLong, ErrBusy, ErrEnded or
// ErrStart; or context.Cause(ctx) as soon as ctx ends: a job that still waits is then taken out of the queue, a running
// one is let finish and its result dropped. A job whose process dies is tried once more on a fresh one.
func (p *Pool) Do(ctx context.Context, j Job) ([]byte, error) {
	if len(j.Payload) > MaxFrame {
		return nil, fmt.Errorf("worker: job of %d bytes, at most %d", len(j.Payload), MaxFrame)
	}
	j.Limit = or(j.Limit, 30*time.Second)
	t := &ticket{Job: j, answer: make(chan answer, 1)}
	p.mu.Lock()
	switch {
	case p.ended:
		p.mu.Unlock()
		return nil, ErrEnded
	case len(p.first)+len(p.later) >= p.cfg.Waiting:
		p.mu.Unlock()
		return nil, fmt.Errorf("%w: %d", ErrBusy, p.cfg.Waiting)
	}
	if j.First {
		p.first = append(p.first, t)
	} else {
		p.later = append(p.later, t)
	}
	p.dispatch()
	p.mu.Unlock()
	select {
	case a := <-t.answer:
		return a.payload, a.err
	case <-ctx.Done():
		p.mu.Lock()
		same := func(o *ticket) bool { return o == t }
		p.first = slices.DeleteFunc(p.first, same)
		p.later = slices.DeleteFunc(p.later, same)
		p.mu.Unlock()
		return nil, context.Cause(ctx)
	}
}

// dispatch gives waiting jobs to idle slots. Called with mu held; the channels have room.
func (p *Pool) dispatch() {
	for len(p.idle) > 0 && len(p.first)+len(p.later) > 0 {
		q := &p.first
		if len(*q) == 0 {
			q = &p.later
		}
		t := (*q)[0]
		*q = slices.Delete(*q, 0, 1)
		last := len(p.idle) - 1
		s := p.idle[last]
		p.idle = p.idle[:last]
		s.work <- t
	}
}

// rest makes a slot idle; warm when it has a living process.
func (p *Pool) rest(s *slot, warm bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if warm {
		p.idle = append(p.idle, s)
	} else {
		p.idle = slices.Insert(p.idle, 0, s)
	}
	p.dispatch()
}

// cool moves an idle slot whose process has died behind those that have one.
func (p *Pool) cool(s *slot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.idle, s); i >= 0 {
		p.idle = slices.Insert(slices.Delete(p.idle, i, i+1), 0, s)
	}
}

// again puts a job back after its process died.
func (p *Pool) again(t *ticket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		t.answer <- answer{err: ErrEnded}
		return
	}
	p.first = slices.Insert(p.first, 0, t)
	p.dispatch()
}

// supervise owns one slot: it starts a process when a job comes and none lives, and waits before it starts the next one
// after a death: not at all, 100 ms, 200 ms, ... 10 s, until a job succeeds.
func (p *Pool) supervise(ctx context.Context, s *slot) {
	var child *process
	deaths := 0
	bury := func(why error) {
		deaths++
		if child != nil {
			pid := child.cmd.Process.Pid
			child.kill()
			if ctx.Err() == nil { // else it was us
				p.cfg.Log.Warn("worker process ended", "pid", pid, "err", why, "said", child.tail.quote())
			}
			child = nil
		}
	}
	backoff := func() {
		if deaths < 2 {
			return
		}
		wait := time.NewTimer(min(10*time.Second, 50*time.Millisecond<<min(deaths-1, 10)))
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	defer func() {
		if child != nil {
			child.kill()
		}
	}()
	for {
		p.rest(s, child != nil)
		var frames chan result
		if child != nil {
			frames = child.frames
		}
		var t *ticket
		for t == nil {
			select {
			case <-ctx.Done():
				p.leave(s)
				return
			case _, ok := <-frames: // nothing may come while no job runs
				err := errGarbage
				if !ok {
					err = child.broken
				}
				p.cool(s)
				bury(err) // the next job starts another, at once
				frames = nil
			case t = <-s.work:
			}
		}
		if child == nil {
			c, err := start(ctx, p.cfg)
			if err != nil {
				if ctx.Err() != nil {
					err = ErrEnded
				}
				t.answer <- answer{err: err}
				bury(err)
				backoff()
				continue
			}
			child = c
		}
		t.tries++
		limit := time.NewTimer(t.Limit)
		out, err := child.do(limit.C, ctx.Done(), t.Payload)
		limit.Stop()
		var refused *JobError
		switch {
		case err == nil || errors.As(err, &refused):
			deaths = 0
			t.answer <- answer{out, err}
		case errors.Is(err, errDied) && t.tries == 1 && ctx.Err() == nil:
			bury(err)
			p.again(t)
			backoff()
		default:
			said := child.tail
			bury(err) // only then are its last words complete
			t.answer <- answer{err: fmt.Errorf("%w%s", err, said.quote())}
			backoff()
		}
	}
}

// leave takes the slot out and fails a job that was given to it in the last moment.
func (p *Pool) leave(s *slot) {
	p.mu.Lock()
	p.idle = slices.DeleteFunc(p.idle, func(o *slot) bool { return o == s })
	p.mu.Unlock()
	select {
	case t := <-s.work:
		t.answer <- answer{err: ErrEnded}
	default:
	}
}
