package pace

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// breath is how often the loop goes through the scheduler. It is less than the
// 10 ms after which the runtime's monitor takes a processor from a goroutine that
// it has not seen being scheduled.
const breath = 8 * time.Millisecond

// runThread drives Tick by a goroutine that sleeps in ppoll on an eventfd: the
// kernel's timer wakes its thread itself, without the detour by the scheduler and
// the netpoller that a time.Timer takes.
//
// To the runtime's monitor (sysmon) this goroutine, which is always back from the
// kernel before anybody has taken its processor, is one that has run without a
// break since the start: after 10 ms it takes the processor at each sleep, finds
// all of them idle, sleeps deeply, is woken at each tick by the loop that wants a
// processor back, and looks round every 20 µs. That was a quarter of the switch's
// CPU. A Gosched every few ticks shows it that the goroutine gives way. It must
// not be locked to its thread, or each Gosched would be two switches of threads;
// that other goroutines may run between (at the latest a free processor takes the
// loop up) is no more than what they may do when the sleep ends.
func (s *Shard) runThread(ctx context.Context) error {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("pace: make an eventfd: %w", err)
	}
	defer unix.Close(fd)
	one := binary.NativeEndian.AppendUint64(nil, 1)
	// setWake's lock keeps a late wake from writing to a closed descriptor.
	s.setWake(func() { unix.Write(fd, one) })
	defer s.setWake(nil)
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.wake != nil {
			s.wake()
		}
	})
	defer stop()

	var breathed time.Time
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	var count [8]byte
	for ctx.Err() == nil {
		now := time.Now()
		next := s.Tick(now)
		if now.Sub(breathed) >= breath {
			breathed = now
			runtime.Gosched()
		}
		ts := unix.NsecToTimespec(int64(max(0, time.Until(next))))
		n, err := unix.Ppoll(poll, &ts, nil)
		switch {
		case err != nil && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("pace: sleep: %w", err)
		case n > 0:
			unix.Read(fd, count[:])
		}
	}
	return nil
}
