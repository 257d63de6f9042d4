package eventlog

import (
	"context"
	"errors"
	"io"
	"iter"

	"ozswitch/ozml/trace"
)

// ErrSlow ends a subscription whose reader fell behind what is kept in memory.
// It may subscribe again after the last id it saw.
var ErrSlow = errors.New("eventlog: the listener is too slow")

// Now as the id to go on after: nothing that has happened, all that will.
const Now = -1

// A Subscription is one listener. It keeps no events of its own: it reads the
// log's ring at its own speed, so nobody ever waits for it.
type Subscription struct {
	log   *Log
	call  string // "" = all calls
	after int64
	wake  chan struct{}
	ready []trace.Event // read, not given yet
	begun bool

	first int64 // id of the first event in the ring not read yet, 0 = none; guarded by log.mu
}

// Subscribe listens to one call, or to all with call "", going on after an id:
// 0 for all that is still kept, Now for what is to come. For one call what the
// ring no longer has is read from its file. Close must be called.
func (l *Log) Subscribe(call string, after int64) *Subscription {
	s := &Subscription{log: l, call: call, after: after, wake: make(chan struct{}, 1)}
	if call == "" || after == Now {
		s.begin()
	}
	return s
}

// rouse wakes the reader. log.mu is held.
func (s *Subscription) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// begin joins the ring at the first event after s.after. It reports false, and
// joins nothing, when the ring has lost some of them.
func (s *Subscription) begin() bool {
	l := s.log
	l.mu.Lock()
	defer l.mu.Unlock()
	from := s.after + 1
	if s.after == Now {
		from = l.next
	}
	if s.call != "" && from < l.oldest {
		return false
	}
	s.join(max(from, l.oldest))
	return true
}

// join reads the ring from an id on. log.mu is held.
func (s *Subscription) join(from int64) {
	s.begun = true
	s.first = s.log.find(s.call, from)
	s.log.subs[s] = struct{}{}
}

// find gives the first event of a call from an id on, 0 when there is none.
// l.mu is held.
func (l *Log) find(call string, from int64) int64 {
	for id := from; id < l.next; id++ {
		if call == "" || l.ring[id%int64(len(l.ring))].Call == call {
			return id
		}
	}
	return 0
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	delete(s.log.subs, s)
}

// Next gives the next event. It returns io.EOF once the one call listened to is
// over and all of it was given, ErrSlow, or context.Cause(ctx).
func (s *Subscription) Next(ctx context.Context) (trace.Event, error) {
	for len(s.ready) == 0 {
		if !s.begun {
			if err := s.catchUp(ctx); err != nil {
				return trace.Event{}, err
			}
			continue
		}
		if err := s.read(); err != nil {
			return trace.Event{}, err
		}
		if len(s.ready) > 0 {
			break
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return trace.Event{}, context.Cause(ctx)
		}
	}
	e := s.ready[0]
	s.ready = s.ready[1:]
	return e, nil
}

// read takes up to 64 events out of the ring.
func (s *Subscription) read() error {
	l := s.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.first == 0 {
		if s.call != "" && l.live[s.call] == nil {
			return io.EOF
		}
		return nil
	}
	if s.first < l.oldest {
		delete(l.subs, s)
		return ErrSlow
	}
	s.ready = s.ready[:0:0]
	for len(s.ready) < 64 && s.first != 0 {
		s.ready = append(s.ready, l.ring[s.first%int64(len(l.ring))])
		s.first = l.find(s.call, s.first+1)
	}
	return nil
}

// catchUp reads from the call's file what the ring has lost, until it can join.
func (s *Subscription) catchUp(ctx context.Context) error {
	if s.begin() {
		return nil
	}
	l := s.log
	if l.running.Load() {
		if err := l.Flush(ctx); err != nil {
			return err
		}
	}
	for e, err := range l.Read(s.call) {
		if err == nil && e.ID > s.after {
			s.ready = append(s.ready, e)
		}
	}
	if n := len(s.ready); n > 0 {
		s.after = s.ready[n-1].ID
		return nil
	}
	// What is in neither was dropped, or was never kept.
	l.mu.Lock()
	s.join(max(s.after+1, l.oldest))
	l.mu.Unlock()
	return nil
}

// Events gives the events one by one until ctx ends (which is no error) or the
// subscription does; its error, if any, comes last. It closes the subscription.
func (s *Subscription) Events(ctx context.Context) iter.Seq2[trace.Event, error] {
	return func(yield func(trace.Event, error) bool) {
		defer s.Close()
		for {
			e, err := s.Next(ctx)
			if err != nil {
				if !errors.Is(err, io.EOF) && ctx.Err() == nil {
					yield(trace.Event{}, err)
				}
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
