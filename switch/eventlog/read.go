package eventlog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"ozswitch/ozml/trace"
)

// Decode reads events, one JSON object a line. A line that is none is an error
// in its place, and reading goes on; a torn last line, which a crash leaves
// behind, is passed over.
func Decode(r io.Reader) iter.Seq2[trace.Event, error] {
	return func(yield func(trace.Event, error) bool) {
		in := bufio.NewReader(r)
		for n := 1; ; n++ {
			line, err := in.ReadBytes('\n')
			if err != nil {
				if err != io.EOF {
					yield(trace.Event{}, fmt.Errorf("eventlog: line %d: %w", n, err))
				}
				return
			}
			if len(line) == 1 { // closes a torn line
				continue
			}
			var e trace.Event
			if err := json.Unmarshal(line, &e); err != nil {
				if !yield(trace.Event{}, fmt.Errorf("eventlog: line %d: %w", n, err)) {
					return
				}
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Read gives the events of a call from its file, oldest first: of a live call
// what was written so far. An unknown call is an error that is fs.ErrNotExist.
func (l *Log) Read(call string) iter.Seq2[trace.Event, error] {
	return func(yield func(trace.Event, error) bool) {
		f, err := l.open(call, ".jsonl")
		if err != nil {
			yield(trace.Event{}, err)
			return
		}
		defer f.Close()
		Decode(f)(yield)
	}
}

// Known tells whether there are events of a call, in memory or on disk.
func (l *Log) Known(call string) bool {
	l.mu.Lock()
	known := l.live[call] != nil || call != "" && l.find(call, l.oldest) != 0
	l.mu.Unlock()
	if known {
		return true
	}
	f, err := l.open(call, ".jsonl")
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// open finds a file of a call, that with ext: ids are unique for much longer than files are
// kept, so the newest of that name is the one.
func (l *Log) open(call, ext string) (*os.File, error) {
	missing := fmt.Errorf("eventlog: call %q: %w", call, fs.ErrNotExist)
	if l.root == nil || !plain(call) {
		return nil, missing
	}
	l.mu.Lock()
	c := l.live[call]
	l.mu.Unlock()
	if c != nil {
		f, err := l.root.Open(strings.TrimSuffix(c.path, ".jsonl") + ext)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, missing
		}
		return f, err
	}
	for _, day := range l.folders(".") {
		for _, hour := range l.folders(day) {
			f, err := l.root.Open(day + "/" + hour + "/" + call + ext)
			if err == nil || !errors.Is(err, fs.ErrNotExist) {
				return f, err
			}
		}
	}
	return nil, missing
}

// folders lists the folders in one, newest first.
func (l *Log) folders(in string) []string {
	f, err := l.root.Open(in)
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	slices.Sort(names)
	slices.Reverse(names)
	return names
}

// plain tells whether a call id can be a file's name.
func plain(id string) bool {
	for i := range len(id) {
		if !alnum(id[i]) && id[i] != '-' {
			return false
		}
	}
	return id != "" && len(id) <= 64
}

// Sweep removes the folders of hours that ended before the given instant
// (retention.calls) and tells how many. Call it now and then; zero keeps all.
func (l *Log) Sweep(before time.Time) (int, error) {
	if l.root == nil || before.IsZero() {
		return 0, nil
	}
	var errs []error
	gone := 0
	for _, day := range l.folders(".") {
		hours := l.folders(day)
		left := len(hours)
		for _, h := range hours {
			t, err := time.Parse("2006-01-02/15", day+"/"+h)
			if err != nil || t.Add(time.Hour).After(before) {
				continue
			}
			if err := l.root.RemoveAll(day + "/" + h); err != nil {
				errs = append(errs, fmt.Errorf("eventlog: sweep: %w", err))
				continue
			}
			gone, left = gone+1, left-1
		}
		if left == 0 {
			l.root.Remove(day) // not if a call was opened in it meanwhile
		}
	}
	return gone, errors.Join(errs...)
}
