// Package queue is the outbox: reports that must arrive (decisions 8). Each is
// kept in the store until it was delivered or is a day old, is tried again after
// 1, 2, 4, 8 … seconds, across a restart, and in order within its lane.
//
// It knows neither HTTP nor OzML: what a report is and how it is delivered is
// its caller's (switch/notify). schedule.go and lanes.go are pure and hold all
// the decisions; this file is the edge that drives them. Start at Queue.
package queue

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"ozswitch/switch/store"
)

var (
	// ErrFull says that Config.Max reports wait already.
	ErrFull = errors.New("queue: too many reports wait")
	// ErrEnded says that Run has ended or is ending.
	ErrEnded = errors.New("queue: ended")
)

// A Store keeps the rows: the part of store.Store that is used here.
type Store interface {
	PutReport(r store.Report) error
	DropReport(id string) error
	Report(ctx context.Context, id string) (store.Report, error)
	Reports(ctx context.Context) iter.Seq2[store.Report, error]
}

// Config of a Queue. Deliver must be given; without Store nothing survives a
// restart.
type Config struct {
	Store Store
	// Deliver makes one attempt. It must return soon after ctx ends.
	Deliver func(ctx context.Context, a Attempt) Outcome
	// GaveUp is told of a report that has become too old; may be nil.
	GaveUp  func(a Attempt)
	Workers int                                         // attempts at the same time; 0 = 128
	Share   int                                         // of them for one group; 0 = a quarter
	Max     int                                         // reports kept; 0 = 100,000
	Next    func(now time.Time, attempts int) time.Time // nil = Next
	Log     *slog.Logger                                // nil = slog.Default
}

// An Attempt is one try to deliver a report.
type Attempt struct {
	ID      string
	Lane    string
	Created time.Time
	N       int    // from 1, counted across restarts
	Last    string // how the one before failed
	Payload []byte
}

// An Outcome of an attempt. Done with it, or tried again because of Why. Again
// without Why is an attempt that the end of its context cut short: it does not
// count.
type Outcome struct {
	Again bool
	Why   string
}

// An Item is a report to be queued. Lane and Group may be "".
type Item struct {
	ID, Lane, Group string
	Payload         []byte
}

// A Queue is the outbox. Use New, then Run.
type Queue struct {
	cfg  Config
	kick chan struct{} // something was added or has ended

	mu     sync.Mutex
	lanes  *lanes
	early  []*entry // put before the outbox was read
	loaded bool
	seq    int64
	ended  bool
}

// New makes a queue and starts nothing. Put may be used at once; what an earlier
// process left behind is read by Run.
func New(cfg Config) *Queue {
	if cfg.Store == nil {
		cfg.Store = store.NewMem()
	}
	if cfg.Workers <= 0 {
		cfg.Workers = 128
	}
	if cfg.Share <= 0 {
		cfg.Share = max(cfg.Workers/4, 1)
	}
	if cfg.Max <= 0 {
		cfg.Max = 100_000
	}
	if cfg.Next == nil {
		cfg.Next = Next
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Queue{cfg: cfg, kick: make(chan struct{}, 1), lanes: newLanes(cfg.Workers, cfg.Share)}
}

// Put takes a report for delivery at once and returns without waiting. If the
// store is full the report is still delivered, but would not survive a restart;
// that is logged. ErrFull and ErrEnded mean that it was not taken.
//
// Reports of one lane go in the order in which Put was called.
func (q *Queue) Put(it Item) error {
	now := time.Now()
	e := &entry{id: it.ID, lane: it.Lane, group: it.Group, created: now, due: now, payload: it.Payload}
	if e.lane == "" {
		e.lane = "\x00" + e.id // a lane of its own
	}
	q.mu.Lock()
	switch {
	case q.ended:
		q.mu.Unlock()
		return ErrEnded
	case q.lanes.size+len(q.early) >= q.cfg.Max:
		q.mu.Unlock()
		return ErrFull
	}
	q.seq = max(q.seq+1, now.UnixNano()) // grows across restarts too
	e.seq = q.seq
	if !q.loaded {
		q.early = append(q.early, e)
		q.mu.Unlock()
		return nil
	}
	q.mu.Unlock()
	q.admit(e)
	q.wake()
	return nil
}

// admit stores a new report, and only then lets it go: its row must be there
// before it can be dropped.
func (q *Queue) admit(e *entry) {
	if err := q.cfg.Store.PutReport(e.row()); err != nil {
		q.cfg.Log.Warn("queue: a report would not survive a restart", "id", e.id, "err", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lanes.add(e)
}

func (e *entry) row() store.Report {
	return store.Report{ID: e.id, Lane: e.lane, Group: e.group, Seq: e.seq, Created: e.created, Due: e.due,
		Attempts: e.attempts, Last: e.last, Payload: e.payload}
}

// Len says how many reports wait or are under way.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lanes.size + len(q.early)
}

func (q *Queue) wake() {
	select {
	case q.kick <- struct{}{}:
	default:
	}
}

// Run reads what an earlier process left, delivers until ctx ends, and returns
// when all attempts have ended. An attempt that ctx cut short does not count.
// A Queue runs once.
func (q *Queue) Run(ctx context.Context) error {
	defer q.end()
	if err := q.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before it began
		}
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		q.mu.Lock()
		e, at := q.lanes.take(time.Now())
		q.mu.Unlock()
		if e != nil {
			wg.Go(func() { q.try(ctx, e) })
			continue
		}
		wait := time.Hour
		if !at.IsZero() {
			wait = time.Until(at)
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-q.kick:
		case <-ctx.Done():
		}
	}
	return nil
}

func (q *Queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
}

// load takes over the rows of an earlier process, then what was put meanwhile.
func (q *Queue) load(ctx context.Context) error {
	had := map[string]bool{}
	for r, err := range q.cfg.Store.Reports(ctx) {
		if err != nil {
			return fmt.Errorf("queue: read the outbox: %w", err)
		}
		had[r.ID] = true
		q.mu.Lock()
		q.lanes.add(&entry{id: r.ID, lane: r.Lane, group: r.Group, seq: r.Seq, created: r.Created, due: r.Due,
			attempts: r.Attempts, last: r.Last})
		q.seq = max(q.seq, r.Seq)
		q.mu.Unlock()
	}
	for {
		q.mu.Lock()
		early := q.early
		q.early, q.loaded = nil, len(early) == 0
		q.mu.Unlock()
		if len(early) == 0 {
			return nil
		}
		for _, e := range early {
			if !had[e.id] { // else it was put again after a crash
				q.admit(e)
			}
		}
	}
}

// try makes one attempt and settles it.
func (q *Queue) try(ctx context.Context, e *entry) {
	a := Attempt{ID: e.id, Lane: e.lane, Created: e.created, N: e.attempts + 1, Last: e.last, Payload: e.payload}
	out := Outcome{}
	switch gone, err := q.fill(ctx, &a); {
	case gone: // nothing to deliver
	case time.Since(e.created) > MaxAge:
		q.giveUp(a)
	case err != nil && ctx.Err() != nil:
		out = Outcome{Again: true}
	case err != nil:
		out = Outcome{Again: true, Why: err.Error()}
	default:
		out = q.deliver(ctx, a)
	}
	if out.Again && out.Why == "" && ctx.Err() != nil {
		return // cut short: the row stays as it is, for the next process
	}
	now := time.Now()
	if out.Again {
		e.attempts, e.last, e.due = a.N, out.Why, q.cfg.Next(now, a.N)
		if e.due.Sub(e.created) > MaxAge {
			a.Last, out.Again = out.Why, false
			q.giveUp(a)
		}
	}
	var err error
	if out.Again {
		e.payload = a.Payload // for the row
		if err = q.cfg.Store.PutReport(e.row()); err == nil {
			e.payload = nil // and no longer in memory
		}
	} else {
		err = q.cfg.Store.DropReport(e.id)
	}
	if err != nil {
		q.cfg.Log.Warn("queue: the outcome of an attempt was not stored", "id", e.id, "err", err)
	}
	q.mu.Lock()
	q.lanes.done(e, out.Again, e.due)
	q.mu.Unlock()
	q.wake()
}

// fill reads the payload of a report that was tried before. gone: its row is no
// longer there.
func (q *Queue) fill(ctx context.Context, a *Attempt) (gone bool, err error) {
	if a.Payload != nil {
		return false, nil
	}
	r, err := q.cfg.Store.Report(ctx, a.ID)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	a.Payload = r.Payload
	return false, err
}

// deliver and giveUp are recover boundaries: a fault in one report is one failed
// attempt.
func (q *Queue) deliver(ctx context.Context, a Attempt) (out Outcome) {
	defer func() {
		if v := recover(); v != nil {
			q.cfg.Log.Error("queue: panic in an attempt", "id", a.ID, "panic", v, "stack", string(debug.Stack()))
			out = Outcome{Again: true, Why: fmt.Sprint("panic: ", v)}
		}
	}()
	return q.cfg.Deliver(ctx, a)
}

func (q *Queue) giveUp(a Attempt) {
	defer func() {
		if v := recover(); v != nil {
			q.cfg.Log.Error("queue: panic", "id", a.ID, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	if q.cfg.GaveUp != nil {
		q.cfg.GaveUp(a)
	}
}
