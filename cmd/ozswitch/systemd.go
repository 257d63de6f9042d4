package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// A supervisor is told how the service does, over the datagram socket of
// sd_notify(3). A nil *supervisor tells nobody.
type supervisor struct {
	conn  net.Conn
	watch time.Duration // the unit's WatchdogSec; 0 = none
}

// newSupervisor reads NOTIFY_SOCKET and WATCHDOG_USEC; nil without the first.
func newSupervisor(getenv func(string) string) (*supervisor, error) {
	at := getenv("NOTIFY_SOCKET")
	if at == "" {
		return nil, nil
	}
	// A leading @ is a name of Linux's abstract space, which package net knows.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: at, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("systemd: NOTIFY_SOCKET: %w", err)
	}
	s := &supervisor{conn: conn}
	if us, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && us > 0 {
		s.watch = time.Duration(us) * time.Microsecond
	}
	return s, nil
}

// tell sends assignments such as READY=1. That nobody takes them is no reason
// to stop serving calls.
func (s *supervisor) tell(words ...string) {
	if s != nil {
		_, _ = s.conn.Write([]byte(strings.Join(words, "\n")))
	}
}

// feed tells the watchdog that all is well until ctx ends, each time only when
// the sound's clock has ticked since the time before: with the pacing threads
// stuck the service is not well, whatever else still runs.
func (s *supervisor) feed(ctx context.Context, lastTick func() time.Time) {
	if s == nil || s.watch == 0 {
		return
	}
	tick := time.NewTicker(max(s.watch/3, time.Millisecond))
	defer tick.Stop()
	var fed time.Time
	for {
		if t := lastTick(); t.After(fed) {
			fed = t
			s.tell("WATCHDOG=1")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *supervisor) close() {
	if s != nil {
		s.conn.Close()
	}
}
