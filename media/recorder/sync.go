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
	for _, rec := range named {
		err := errors.Join(rec.file.Sync(), rec.file.Close(), r.journal.end(rec.spec.Name))
		if err != nil {
			r.cfg.Log.Warn("recording may be lost in a power cut", "file", rec.spec.Name, "err", err)
		}
	}
	if len(live)+len(named) > 0 {
		if err := r.journal.sync(); err != nil {
			r.cfg.Log.Warn("journal of recordings", "err", err)
		}
	}
}
