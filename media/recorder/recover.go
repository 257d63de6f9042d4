package recorder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"ozswitch/media/wav"
)

var errCrashed = errors.New("recorder: the switch ended in the middle of this recording")

// Recover finishes what a crash left: it makes the headers exact, gives the files their names and returns the results
// that were never Told; each owes its Told. Recordings that become mp3 files are queued, and told to Config.Late once
// they are. Call it once, before the first Start.
func (r *Recorder) Recover(ctx context.Context) ([]Done, error) {
	j := &r.journal
	if err := j.load(); err != nil {
		return nil, fmt.Errorf("recorder: read the journal: %w", err)
	}
	if len(j.open) == 0 {
		return nil, nil
	}
	j.mu.Lock()
	err := j.rewrite()
	names := slices.Sorted(maps.Keys(j.open))
	j.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("recorder: write the journal: %w", err)
	}
	var all []Done
	for _, name := range names {
		if ctx.Err() != nil {
			return all, context.Cause(ctx)
		}
		e := j.open[name]
		d, encode := r.rescue(name, e)
		if encode != nil {
			encode.tell = func(d Done) {
				if !d.Postponed {
					r.ending(name)
				}
				if !e.told {
					r.tell(r.cfg.Late, name, d)
				}
			}
			r.toEncode(encode)
			continue
		}
		if !e.told {
			r.tell(func(d Done) { all = append(all, d) }, name, d)
		}
		r.ending(name)
	}
	return all, nil
}

func (r *Recorder) ending(name string) {
	if err := r.journal.end(name); err != nil {
		r.cfg.Log.Warn("journal of recordings", "err", err)
	}
}

// rescue finishes the file of one entry, wherever the crash left it: running, on its way to an mp3, or with its name.
// An mp3 that is still to be made comes back as a task.
func (r *Recorder) rescue(name string, e *known) (d Done, encode *task) {
	d = Done{Name: name, Data: e.begin.Data, Err: errCrashed}
	if w := e.whole; w != nil {
		d.Reason, d.Err = w.Reason, nil
		if w.Err != "" {
			d.Err = errors.New(w.Err)
		}
		d.Channels, d.Rate, d.Duration = w.Channels, w.Rate, w.Rate.D(int(w.Samples))
	}
	failed := func(err error) (Done, *task) {
		d.Size, d.Err = 0, fmt.Errorf("recorder: recover %q: %w", name, err)
		return d, nil
	}
	dir := r.cfg.Dir
	st, err := dir.Lstat(name)
	if err == nil && isMP3(name) { // its name is the last step but for this
		_ = dir.Remove(name + part)
		d.Size = st.Size()
		return d, nil
	}
	at := name // what holds the sound
	for _, try := range []string{name + part, asWAV(name), name} {
		if _, err := dir.Lstat(try); err == nil {
			at = try
			break
		}
	}
	i, err := r.repair(at)
	if err != nil {
		return failed(err)
	}
	d.Channels, d.Rate, d.Size, d.Duration = i.Channels, i.Rate, i.Size, i.Rate.D(int(i.Samples))
	switch at {
	case name:
	case asWAV(name):
		d.Name, d.Note = at, "the encoder failed before the switch was restarted"
	default:
		if isMP3(name) {
			return d, &task{done: d, samples: i.Samples}
		}
		if err := dir.Rename(at, name); err != nil {
			return failed(err)
		}
	}
	return d, nil
}

// repair makes the header of a file exact.
func (r *Recorder) repair(name string) (wav.Info, error) {
	f, err := r.cfg.Dir.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return wav.Info{}, err
	}
	defer f.Close()
	i, err := wav.Repair(f)
	if err == nil {
		err = f.Sync()
	}
	return i, err
}
