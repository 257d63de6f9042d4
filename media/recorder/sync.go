package recorder

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// syncEachSecond brings files to the disk, all in one round a second, so that a power cut costs a second of sound.
func (r *Recorder) syncEachSecond(stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			r.sync()
		}
	}
}

// named is a file that is finished.
type named struct {
	name      string // as in the journal
	file      file
	removed   bool // an mp3 was made of it
	postponed bool // stays in the journal
}

// sync is one round. Finished files are closed here: they have had their name since, and leave the journal only now.
func (r *Recorder) sync() {
	r.mu.Lock()
	live := make([]*Recording, 0, len(r.live))
	for rec := range r.live {
		live = append(live, rec)
	}
	named := r.named
	r.named = nil
	r.mu.Unlock()
	for _, rec := range live {
		if !rec.dirty.Swap(false) {
			continue
		}
		if err := rec.file.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
			rec.fail(fmt.Errorf("recorder: sync: %w", err))
		}
	}
	for _, n := range named {
		var err error
		if !n.removed {
			err = n.file.Sync()
		}
		err = errors.Join(err, n.file.Close())
		if !n.postponed {
			err = errors.Join(err, r.journal.end(n.name))
		}
		if err != nil {
			r.cfg.Log.Warn("recording may be lost in a power cut", "file", n.name, "err", err)
		}
	}
	if len(live)+len(named) > 0 {
		if err := r.journal.sync(); err != nil {
			r.cfg.Log.Warn("journal of recordings", "err", err)
		}
	}
}
