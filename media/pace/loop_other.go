//go:build !linux

package pace

import "context"

// runThread has no better clock here than the portable loop.
func (s *Shard) runThread(ctx context.Context) error {
	s.runTimer(ctx)
	return nil
}
