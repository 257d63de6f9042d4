package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Run serves until ctx ends: no new calls then (503), those that are up are hung
// up after limits.drain or by Halt, reports are kept for the next start. It
// returns when all that it started has ended.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Bind(); err != nil {
		s.Close()
		return err
	}
	if err := s.loadQuota(ctx); err != nil {
		s.log.Warn("what users have talked today before this start is not counted", "err", err)
	}
	if done, err := s.rec.Recover(ctx); err != nil {
		s.log.Warn("recordings of an earlier run could not be finished", "err", err)
	} else {
		s.recovered(done)
	}
	// What calls need ends after the calls have.
	under, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	part := func(name string, run func(context.Context) error) {
		wg.Go(func() {
			if err := run(under); err != nil && under.Err() == nil {
				stop(fmt.Errorf("server: %s: %w", name, err))
			}
		})
	}
	s.books.Load().Warm()
	part("event log", s.events.Run)
	part("store", s.store.Run)
	part("web", s.web.Run)
	part("mail", s.services.outbox.Run)
	part("recorder", s.rec.Run)
	part("pacer", s.pacer.Run)
	if s.voice != nil {
		part("voice", s.voice.Run)
		wg.Go(func() { s.warmUp(under) })
	}
	part("sip", s.sip.Run)
	watched, unwatch := context.WithCancel(ctx) // lines give up their places while SIP still works
	lines := make(chan struct{})
	go func() {
		defer close(lines)
		_ = s.lines.Run(watched)
	}()
	linked, unlink := context.WithCancel(under) // what comes last is still kept
	sms := make(chan struct{})
	go func() {
		defer close(sms)
		_ = s.services.sms.run(linked)
	}()
	part("http", func(ctx context.Context) error {
		select { // the first request may be to call a telephone
		case <-s.sip.Restored():
		case <-ctx.Done(): // it closes what it has bound
		}
		return s.http.run(ctx)
	})
	part("webphone", s.runSockets)
	part("phones", s.phones.run)
	alive := s.lastAlive()
	wg.Go(func() { s.beat(under) })
	wg.Go(func() {
		s.restore(under, alive)
		s.sweep(under)
	})

	select {
	case <-ctx.Done():
	case <-under.Done():
	}
	s.draining.Store(true)
	unwatch()
	if n := s.calls.Len(); n > 0 {
		s.log.Info("stopping: calls go on for a while", "calls", n, "limit", s.state.Load().cfg.Limits.Drain)
	}
	drained, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(s.state.Load().cfg.Limits.Drain))
	if under.Err() != nil {
		cancel() // something broke: no more waiting
	}
	wg.Go(func() {
		select {
		case <-s.halt:
			cancel()
		case <-drained.Done():
		}
	})
	s.calls.Drain(drained)
	cancel()
	s.bridge.Wait()
	s.router.Wait()
	s.scripts.Wait()
	s.services.wait()
	s.echoes.Wait()
	<-lines
	unlink()
	<-sms
	s.services.reports.Wait()
	s.sip.EndSubscriptions()
	stop(nil)
	wg.Wait()
	s.Close()
	if err := context.Cause(under); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (s *Server) warmUp(ctx context.Context) {
	defer close(s.warm)
	if err := s.voice.Warm(ctx); err != nil && ctx.Err() == nil {
		s.log.Error("the voice does not start", "err", err)
	}
}
