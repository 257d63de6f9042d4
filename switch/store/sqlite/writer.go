package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"ozswitch/switch/store"
)

// maxBatch bounds one transaction, so that readers never wait long for a flush.
const maxBatch = 1024

// An op is one write, or a request for a flush when done is not nil.
type op struct {
	row  string // for messages
	text string
	args []any
	done chan struct{}
}

// A writer is the queue in front of the one goroutine that writes.
type writer struct {
	ops     chan op
	pending atomic.Int64 // writes that are taken and not on disk
	ended   chan struct{}
}

func newWriter(n int) writer { return writer{ops: make(chan op, n), ended: make(chan struct{})} }

func (w *writer) put(o op) error {
	select {
	case <-w.ended:
		return store.ErrClosed
	default:
	}
	w.pending.Add(1)
	select {
	case w.ops <- o:
		return nil
	default:
		w.pending.Add(-1)
		return store.ErrFull
	}
}

// flush waits until everything that was put before is on disk.
func (w *writer) flush(ctx context.Context) error {
	if w.pending.Load() == 0 {
		return nil
	}
	done := make(chan struct{})
	select {
	case w.ops <- op{done: done}:
	case <-w.ended:
		return nil // Run wrote what there was
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-done:
		return nil
	case <-w.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Waiting says how many writes are not on disk yet.
func (d *DB) Waiting() int { return int(d.w.pending.Load()) }

// Run writes until ctx ends, and then what is left. Who writes must have ended
// before ctx does; a write that comes later gets ErrClosed.
func (d *DB) Run(ctx context.Context) error {
	defer close(d.w.ended)
	timer := time.NewTimer(0)
	<-timer.C
	defer timer.Stop()
	var batch []op
	for {
		select {
		case o := <-d.w.ops:
			batch = append(batch[:0], o)
		case <-ctx.Done():
			d.drain()
			return nil
		}
		timer.Reset(d.cfg.Every)
		for full := batch[0].done != nil; !full; {
			select {
			case o := <-d.w.ops:
				batch = append(batch, o)
				full = o.done != nil || len(batch) >= maxBatch
			case <-timer.C:
				full = true
			case <-ctx.Done():
				full = true
			}
		}
		timer.Stop()
		d.write(batch)
	}
}

func (d *DB) drain() {
	for {
		var batch []op
		for len(batch) < maxBatch {
			select {
			case o := <-d.w.ops:
				batch = append(batch, o)
				continue
			default:
			}
			break
		}
		if len(batch) == 0 {
			return
		}
		d.write(batch)
	}
}

// write writes a batch as one transaction. If that fails, each row has a try of
// its own, so that one bad row does not cost its neighbours.
func (d *DB) write(batch []op) {
	rows := 0
	defer func() {
		d.w.pending.Add(int64(-rows))
		for i, o := range batch {
			if o.done != nil {
				close(o.done)
			}
			batch[i] = op{}
		}
	}()
	for _, o := range batch {
		if o.done == nil {
			rows++
		}
	}
	if rows == 0 || d.commit(batch) == nil {
		return
	}
	for i, o := range batch {
		if o.done != nil {
			continue
		}
		if err := d.commit(batch[i : i+1]); err != nil {
			d.cfg.Log.Error("sqlite: a row was not written", "row", o.row, "err", err)
			if d.cfg.Lost != nil {
				d.cfg.Lost(o.row, err)
			}
		}
	}
}

// commit uses no context: what was taken is written even while the switch stops.
func (d *DB) commit(batch []op) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("sqlite: panic: %v\n%s", v, debug.Stack())
		}
	}()
	tx, err := d.sql.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	prepared := map[string]*sql.Stmt{}
	for _, o := range batch {
		if o.done != nil {
			continue
		}
		st := prepared[o.text]
		if st == nil {
			if st, err = tx.Prepare(o.text); err != nil {
				return err
			}
			prepared[o.text] = st
		}
		if _, err := st.Exec(o.args...); err != nil {
			return fmt.Errorf("%s: %w", o.row, err)
		}
	}
	return tx.Commit()
}
