package server

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"ozswitch/switch/store"
)

var storeProbe = store.CallQuery{Rows: 1}

// unreported is how long a delivery report may take.
const unreported = 7 * 24 * time.Hour

// sweep removes each hour what retention no longer keeps.
func (s *Server) sweep(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		s.sweepOnce(time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) sweepOnce(now time.Time) {
	keep := s.state.Load().cfg.Retention
	if keep.Calls > 0 {
		before := now.Add(-time.Duration(keep.Calls))
		if _, err := s.events.Sweep(before); err != nil {
			s.log.Warn("event logs could not be swept", "err", err)
		}
		if err := s.store.SweepCalls(before); err != nil {
			s.log.Warn("the history could not be swept", "err", err)
		}
	}
	if keep.Messages > 0 {
		if err := s.store.SweepTexts(now.Add(-time.Duration(keep.Messages))); err != nil {
			s.log.Warn("texts that wait could not be swept", "err", err)
		}
		if err := s.store.SweepMessages("", now.Add(-time.Duration(keep.Messages))); err != nil {
			s.log.Warn("the folders of text messages could not be swept", "err", err)
		}
	}
	if err := s.store.SweepMessages(store.Unreported, now.Add(-unreported)); err != nil {
		s.log.Warn("text messages that nobody reported on could not be swept", "err", err)
	}
	if keep.Recordings > 0 {
		s.sweepRecordings(now.Add(-time.Duration(keep.Recordings)))
	}
}

// sweepRecordings removes recordings last written before t; running ones are
// younger.
func (s *Server) sweepRecordings(t time.Time) {
	root := s.data.recordings
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		if i, err := d.Info(); err == nil && i.ModTime().Before(t) {
			if err := root.Remove(name); err != nil {
				s.log.Warn("a recording could not be swept", "file", name, "err", err)
			}
		}
		return nil
	})
	if err != nil {
		s.log.Warn("recordings could not be swept", "err", err)
	}
}

// room tells why no recording may begin: the disk has less than
// retention.min_free left.
func (s *Server) room() error {
	least := float64(s.state.Load().cfg.Retention.MinFree)
	if least <= 0 {
		return nil
	}
	free, err := freeDisk(s.data.dir)
	if err != nil || free < 0 {
		return nil // not told here: a full disk shows when it is written
	}
	if free < least {
		return fmt.Errorf("the disk has %.1f %% left, and retention.min_free is %g %%", free, least)
	}
	return nil
}
