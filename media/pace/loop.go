package pace

import (
	"context"
	"time"
)

// run drives Tick until ctx ends.
func (s *Shard) run(ctx context.Context, portable bool) error {
	if portable {
		s.runTimer(ctx)
		return nil
	}
	return s.runThread(ctx)
}

// runTimer drives Tick by a timer, in a bubble and where there is no ppoll.
func (s *Shard) runTimer(ctx context.Context) {
	bell := make(chan struct{}, 1)
	s.setWake(func() { ding(bell) })
	defer s.setWake(nil)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(s.Tick(time.Now())))
		select {
		case <-ctx.Done():
			return
		case <-bell:
		case <-timer.C:
		}
	}
}
