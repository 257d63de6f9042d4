package eventlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"time"

	"ozswitch/ozml/trace"
)

// Run writes what has gathered until ctx ends, then what is left, synced. It
// may be called once.
func (l *Log) Run(ctx context.Context) error {
	if l.root == nil || l.c.Level == Off {
		<-ctx.Done()
		return nil
	}
	w := newWriter(l)
	defer w.stop()
	l.running.Store(true)
	defer close(l.ended)

	var due, sync <-chan time.Time
	write := func() {
		due = nil
		w.write(l.take(false))
		if w.dirty > 0 && sync == nil {
			sync = time.After(syncRound)
		}
		if len(w.touch) > 0 {
			due = time.After(again)
		}
	}
	for {
		select {
		case <-l.wake:
			if l.waiting() >= l.c.Queue/2 {
				write()
			} else if due == nil {
				due = time.After(turn)
			}
		case <-due:
			write()
		case done := <-l.flush:
			write()
			close(done)
		case <-sync:
			sync = nil
			if !w.sync() { // the last round is not through yet
				sync = time.After(syncRound)
			}
		case <-ctx.Done():
			w.write(l.take(true))
			return nil
		}
	}
}

func (l *Log) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pending)
}

// take gives the events that wait, and one log.dropped for each call that had
// to do without some. The batch is the writer's until the next take.
func (l *Log) take(last bool) []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.droppers {
		e := trace.Event{T: l.c.Now(), Call: c.id, Type: trace.LogDropped, Count: c.dropped}
		c.dropped = 0
		l.put(c, &e)
	}
	l.droppers = l.droppers[:0]
	for _, c := range l.sounding {
		l.handSound(c)
	}
	clear(l.sounding)
	l.sounding, l.loud = l.sounding[:0], 0
	batch := l.pending
	clear(l.spare[:cap(l.spare)])
	l.pending, l.spare, l.over = l.spare[:0], batch, last
	if cap(batch) > l.c.Queue { // after a flood
		l.spare = nil
	}
	return batch
}

// A writer owns the files. A file is open from its first write to the next
// fsync round, so the number of open files is that of calls heard of in a
// second, however many there are.
type writer struct {
	log   *Log
	line  bytes.Buffer
	enc   *json.Encoder
	made  string // the folder that was made last
	touch []*out // those with something in buf: after a write those that failed
	open  []*out // those with an open file
	dirty int    // files written to since the last round
	round chan []*os.File
	idle  chan struct{} // holds a token while the syncer has nothing to do
	ended chan struct{}
}

func newWriter(l *Log) *writer {
	w := &writer{log: l, round: make(chan []*os.File), idle: make(chan struct{}, 1), ended: make(chan struct{})}
	w.enc = json.NewEncoder(&w.line)
	w.enc.SetEscapeHTML(false)
	w.idle <- struct{}{}
	go w.syncer()
	return w
}

// syncer makes files last. It stands apart so that a slow disk holds up the
// next round, not the next write.
func (w *writer) syncer() {
	defer close(w.ended)
	for files := range w.round {
		syncEach(files, func(name string, err error) {
			w.log.c.Log.Error("event log: sync", "file", name, "err", err)
		})
		for _, f := range files {
			f.Close()
		}
		w.idle <- struct{}{}
	}
}

// syncEach makes files last one by one. One syncfs for all costs less, but it also
// waits for what every other program has written, and while it does the file
// system holds up those who write: a recording, for one.
func syncEach(files []*os.File, fail func(name string, err error)) {
	for _, f := range files {
		if err := f.Sync(); err != nil {
			fail(f.Name(), err)
		}
	}
}

// sync hands the files written to over to the syncer; false when it is busy.
func (w *writer) sync() bool {
	select {
	case <-w.idle:
	default:
		return false
	}
	w.handOver()
	return true
}

func (w *writer) handOver() {
	files := make([]*os.File, 0, len(w.open))
	for _, c := range w.open {
		files = append(files, c.file)
		c.file = nil
		if len(c.buf) == 0 {
			c.buf = nil // most calls are quiet for long
		}
	}
	clear(w.open)
	w.open, w.dirty = w.open[:0], 0
	w.round <- files
}

func (w *writer) stop() {
	<-w.idle
	w.handOver()
	close(w.round)
	<-w.ended
}

// write appends a batch: one write for each call in it.
func (w *writer) write(batch []entry) {
	w.touch = append(w.touch, w.log.heard...)
	clear(w.log.heard)
	w.log.heard = w.log.heard[:0]
	for i := range batch {
		b := &batch[i]
		if b.call.id == "" { // the switch's own log moves on with the hour
			if p := hour(b.event.T) + "/_switch.jsonl"; p != b.call.path {
				w.append(&b.call.out)
				w.leave(&b.call.out)
				b.call.path = p
			}
		}
		if len(b.call.buf) == 0 {
			w.touch = append(w.touch, &b.call.out)
		}
		b.call.buf = append(b.call.buf, w.encode(&b.event)...)
	}
	var trouble error
	left, owed := w.touch[:0], 0
	for _, c := range w.touch {
		err := w.append(c)
		if err == nil {
			continue
		}
		trouble = err
		if c.raw { // sound is the first to go
			c.buf = nil
			continue
		}
		if owed += len(c.buf); owed > maxOwed {
			c.buf = nil
			continue
		}
		left = append(left, c)
	}
	clear(w.touch[len(left):])
	w.touch = left
	w.log.report(trouble)
}

// report keeps the state of the disk for Err and logs its changes.
func (l *Log) report(trouble error) {
	l.mu.Lock()
	before := l.trouble
	l.trouble = trouble
	l.mu.Unlock()
	switch {
	case trouble != nil && before == nil:
		l.c.Log.Error("event log: events are lost", "err", trouble)
	case trouble == nil && before != nil:
		l.c.Log.Info("event log: writes again")
	}
}

// encode gives the event's line, valid until the next call.
func (w *writer) encode(e *trace.Event) (line []byte) {
	defer func() {
		if p := recover(); p != nil {
			w.log.c.Log.Error("event log: bug", "panic", p, "stack", string(debug.Stack()))
			line = nil
		}
	}()
	w.line.Reset()
	if err := w.enc.Encode(e); err != nil { // JSON has no NaN and no infinity
		for _, f := range []*float64{&e.Seconds, &e.MS, &e.JitterMS} {
			if math.IsNaN(*f) || math.IsInf(*f, 0) {
				*f = 0
			}
		}
		w.line.Reset()
		if err := w.enc.Encode(e); err != nil {
			w.log.c.Log.Error("event log: encode", "call", e.Call, "type", string(e.Type), "err", err)
			return nil
		}
	}
	return w.line.Bytes()
}

// append writes what has gathered for c; on an error it stays gathered.
func (w *writer) append(c *out) error {
	if len(c.buf) == 0 {
		return nil
	}
	if c.file == nil {
		f, err := w.create(c)
		if err != nil {
			return fmt.Errorf("eventlog: %w", err)
		}
		c.file = f
		w.open = append(w.open, c)
	}
	n, err := c.file.Write(c.buf)
	if err != nil {
		// Half a line would spoil the next one.
		if at, serr := c.file.Seek(0, 2); serr == nil && n > 0 {
			c.file.Truncate(at - int64(n))
		}
		return fmt.Errorf("eventlog: %w", err)
	}
	w.dirty++
	if c.buf = c.buf[:0]; cap(c.buf) > 4<<10 && (!c.raw || cap(c.buf) > 16<<10) {
		c.buf = nil
	}
	return nil
}

// leave closes the file of a log that moves on to another.
func (w *writer) leave(c *out) {
	for i, o := range w.open {
		if o == c {
			c.file.Sync()
			c.file.Close()
			c.file = nil
			w.open = append(w.open[:i], w.open[i+1:]...)
			return
		}
	}
}

// create opens a file to append to, its folder made. A last line that a crash
// tore is closed first.
func (w *writer) create(c *out) (*os.File, error) {
	root, name := w.log.root, c.path
	if dir := path.Dir(name); dir != w.made {
		if err := root.MkdirAll(dir, 0o750); err != nil {
			return nil, err
		}
		w.made = dir
	}
	const flags = os.O_RDWR | os.O_APPEND | os.O_CREATE
	f, err := root.OpenFile(name, flags, 0o640)
	if errors.Is(err, fs.ErrNotExist) { // the sweep took the folder
		if err = root.MkdirAll(path.Dir(name), 0o750); err == nil {
			f, err = root.OpenFile(name, flags, 0o640)
		}
	}
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err == nil && st.Size() > 0 && !c.raw {
		var last [1]byte
		if _, err := f.ReadAt(last[:], st.Size()-1); err == nil && last[0] != '\n' {
			f.Write([]byte{'\n'})
		}
	}
	return f, nil
}
