package recorder

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"

	"ozswitch/media"
)

// journalName lies in the recordings folder: one JSON object a line.
const journalName = ".journal"

// line is one step in a recording's life:
//
//	begin  NAME.part exists and grows
//	whole  NAME.part has all its sound and an exact header; it gets its name, or becomes an mp3 that does
//	told   whoever must know of the result does
//	end    the file has its name and is on the disk
//
// A recording leaves the journal with the later one of the last two. Where it is between whole and end its files tell.
type line struct {
	Op       string     `json:"op"`
	Name     string     `json:"name"`
	Data     string     `json:"data,omitempty"`   // begin
	Reason   string     `json:"reason,omitempty"` // whole, as all that follows
	Err      string     `json:"err,omitempty"`
	Samples  int64      `json:"samples,omitempty"`
	Rate     media.Rate `json:"rate,omitempty"`
	Channels int        `json:"channels,omitempty"`
}

// known is a recording that the journal holds.
type known struct {
	begin       line
	whole       *line // nil before
	told, ended bool
}

func (e *known) lines() []line {
	all := []line{e.begin}
	if e.whole != nil {
		all = append(all, *e.whole)
	}
	if e.told {
		all = append(all, line{Op: "told", Name: e.begin.Name})
	}
	if e.ended {
		all = append(all, line{Op: "end", Name: e.begin.Name})
	}
	return all
}

// journal says which recordings run, or are not told of. Its file is made with the first of them.
type journal struct {
	dir *os.Root

	mu    sync.Mutex
	file  *os.File
	open  map[string]*known
	count int // lines in the file
}

func (j *journal) begin(name, data string) error {
	return j.add(line{Op: "begin", Name: name, Data: data})
}

func (j *journal) whole(d Done) error {
	l := line{Op: "whole", Name: d.Name, Reason: d.Reason, Samples: int64(d.Rate.N(d.Duration)), Rate: d.Rate, Channels: d.Channels}
	if d.Err != nil {
		l.Err = d.Err.Error()
	}
	return j.add(l)
}

func (j *journal) told(name string) error { return j.add(line{Op: "told", Name: name}) }
func (j *journal) end(name string) error  { return j.add(line{Op: "end", Name: name}) }

// add writes a line, if it says something of a recording that the journal holds, or begins.
func (j *journal) add(l line) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.apply(l) {
		return nil
	}
	if j.file == nil || j.count > 1000 && j.count > 8*len(j.open) {
		return j.rewrite()
	}
	return j.write(l)
}

func (j *journal) apply(l line) bool {
	if j.open == nil {
		j.open = map[string]*known{}
	}
	e := j.open[l.Name]
	if l.Op == "begin" {
		j.open[l.Name] = &known{begin: l}
		return true
	}
	if e == nil {
		return false
	}
	switch l.Op {
	case "whole":
		e.whole = &l
	case "told":
		e.told = true
	case "end":
		e.ended = true
	default:
		return false
	}
	if e.told && e.ended {
		delete(j.open, l.Name)
	}
	return true
}

// forget takes a recording out whose file is gone.
func (j *journal) forget(name string) error { return errors.Join(j.told(name), j.end(name)) }

func (j *journal) write(l line) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	j.count++
	_, err = j.file.Write(append(b, '\n'))
	return err
}

// rewrite begins a new file with what the journal holds.
func (j *journal) rewrite() error {
	const tmp = journalName + ".tmp"
	f, err := j.dir.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	if j.file != nil {
		j.file.Close()
	}
	j.file, j.count = f, 0
	for _, e := range j.open {
		for _, l := range e.lines() {
			if err := j.write(l); err != nil {
				return err
			}
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
	j.mu.Lock()
	defer j.mu.Unlock()
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
