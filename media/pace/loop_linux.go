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

// runThread drives Tick in a thread of its own, which sleeps in ppoll on an
// eventfd: the kernel's timer wakes the thread itself, without the detour by the
// scheduler and the netpoller that a time.Timer takes.
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

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	var count [8]byte
	for ctx.Err() == nil {
		wait := max(0, time.Until(s.Tick(time.Now())))
		ts := unix.NsecToTimespec(int64(wait))
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
