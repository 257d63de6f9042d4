package recorder

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"ozswitch/media/wav"
)

// journalName lies in the recordings folder: one JSON object a line.
const journalName = ".journal"

// line is one step in a recording's life. In order: begin (NAME.part exists), named (NAME is whole and OnDone was
// called), end (it is on the disk).
type line struct {
	Op   string `json:"op"`
	Name string `json:"name"`
	Data string `json:"data,omitempty"`
}

// journal says which recordings run. Its file is made with the first of them.
type journal struct {
	dir *os.Root

	mu    sync.Mutex
	file  *os.File
	open  map[string]line // those without an end
	lines int
}

func (j *journal) begin(name, data string) error { return j.add(line{"begin", name, data}) }
func (j *journal) named(name string) error       { return j.add(line{"named", name, ""}) }
func (j *journal) end(name string) error         { return j.add(line{"end", name, ""}) }

func (j *journal) add(l line) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.apply(l)
	if j.file == nil {
		return j.rewrite()
	}
	if j.lines > 1000 && j.lines > 8*len(j.open) {
		return j.rewrite()
	}
	return j.write(l)
}

func (j *journal) apply(l line) {
	if j.open == nil {
		j.open = map[string]line{}
	}
	switch l.Op {
	case "begin":
		j.open[l.Name] = l
	case "named":
		if was, ok := j.open[l.Name]; ok {
			was.Op = "named"
			j.open[l.Name] = was
		}
	case "end":
		delete(j.open, l.Name)
	}
}

func (j *journal) write(l line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	j.lines++
	_, err = j.file.Write(append(b, '\n'))
	return err
}

// rewrite begins a new file with the recordings that run.
func (j *journal) rewrite() error {
	const tmp = journalName + ".tmp"
	f, err := j.dir.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.lines = f, 0
	for _, l := range j.open {
		if err := j.write(l); err != nil {
			return err
		}
	}
	return j.dir.Rename(tmp, journalName)
}

func (j *journal) sync() error {
	j.mu.Lock()
	f := j.file
	j.mu.Unlock()
	if f == nil {
		return nil
	}
	if err := f.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}

// load reads the journal that the last run left. A cut-off or foreign line is skipped: what it said is lost, the rest
// is not.
func (j *journal) load() error {
	f, err := j.dir.Open(journalName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for {
		b, err := r.ReadBytes('\n')
		var l line
		if json.Unmarshal(b, &l) == nil && fs.ValidPath(l.Name) {
			j.apply(l)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Recover finishes what a crash left: it makes the headers exact, gives the files their names and returns the results
// of those whose OnDone was never called. Call it once, before the first Start.
func (r *Recorder) Recover(ctx context.Context) ([]Done, error) {
	j := &r.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.load(); err != nil {
		return nil, fmt.Errorf("recorder: read the journal: %w", err)
	}
	var all []Done
	for name, l := range j.open {
		if ctx.Err() != nil {
			return all, context.Cause(ctx)
		}
		d := Done{Name: name, Data: l.Data}
		i, err := r.repair(name)
		if err == nil {
			d.Channels, d.Rate, d.Size, d.Duration = i.Channels, i.Rate, i.Size, i.Rate.D(int(i.Samples))
			err = errors.New("recorder: the switch ended in the middle of this recording")
		}
		d.Err = err
		if l.Op == "begin" {
			all = append(all, d)
		}
		delete(j.open, name)
	}
	if _, err := r.cfg.Dir.Lstat(journalName); err == nil {
		if err := j.rewrite(); err != nil {
			return all, fmt.Errorf("recorder: write the journal: %w", err)
		}
	}
	return all, nil
}

// repair finishes one file, which is NAME.part or, when the crash came just after, already NAME.
func (r *Recorder) repair(name string) (wav.Info, error) {
	dir, at := r.cfg.Dir, name+part
	if _, err := dir.Lstat(at); errors.Is(err, fs.ErrNotExist) {
		at = name
	}
	f, err := dir.OpenFile(at, os.O_RDWR, 0)
	if err != nil {
		return wav.Info{}, fmt.Errorf("recorder: recover %q: %w", name, err)
	}
	defer f.Close()
	i, err := wav.Repair(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil && at != name {
		err = dir.Rename(at, name)
	}
	if err != nil {
		return wav.Info{}, fmt.Errorf("recorder: recover %q: %w", name, err)
	}
	return i, nil
}
