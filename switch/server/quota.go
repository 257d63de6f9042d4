package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/quota"
	"ozswitch/switch/route"
	"ozswitch/switch/store"
)

// holds are the calls that count for somebody, by call: a call that tries one line
// after another counts once.
type holds struct {
	mu      sync.Mutex
	release map[call.ID]hold
}

type hold struct {
	user    string
	release func()
}

// quotas makes the limits of the configuration.
func (c *Config) quotas() quota.Config {
	q := quota.Config{Default: c.Limits.User.over(UserLimits{}), Users: map[string]quota.Limits{}, Emergency: c.Emergency}
	for _, e := range c.Extensions {
		if e.Limits != (UserLimits{}) {
			q.Users[e.Number] = e.Limits.over(c.Limits.User)
		}
	}
	return q
}

// over gives what l says, and where it says nothing what base does.
func (l UserLimits) over(base UserLimits) quota.Limits {
	pick := func(own, other int) int {
		if own == 0 {
			own = other
		}
		return max(own, 0)
	}
	return quota.Limits{Calls: pick(l.Calls, base.Calls), PerMinute: pick(l.PerMinute, base.PerMinute),
		SecondsPerDay: time.Duration(pick(l.SecondsPerDay, base.SecondsPerDay)) * time.Second}
}

// takeQuota counts a call over a line for an extension, until the call is over.
func (s *Server) takeQuota(l *exchange.Line, user, number string) error {
	id := l.Info().ID
	s.holds.mu.Lock()
	defer s.holds.mu.Unlock()
	if h, ok := s.holds.release[id]; ok && h.user == user {
		return nil
	}
	now := time.Now()
	release, err := s.quota.Take(now, user, number, true)
	if x, ok := errors.AsType[*quota.Exceeded](err); ok {
		return &route.Refused{Failure: call.Failure{Code: x.Code, Reason: x.Error()}, State: "Error"}
	}
	if err != nil {
		return err
	}
	if s.quota.Emergency(number) {
		user = "" // it opens no door for another number
	}
	if old, ok := s.holds.release[id]; ok {
		old.release()
	}
	if s.holds.release == nil {
		s.holds.release = map[call.ID]hold{}
	}
	s.holds.release[id] = hold{user, release}
	if s.calls.Find(id) == nil { // it ended meanwhile
		release()
		delete(s.holds.release, id)
	}
	return nil
}

// endQuota: a call is over, and r is its row in the history.
func (s *Server) endQuota(r store.Call) {
	s.holds.mu.Lock()
	if h, ok := s.holds.release[call.ID(r.ID)]; ok {
		h.release()
		delete(s.holds.release, call.ID(r.ID))
	}
	s.holds.mu.Unlock()
	s.spent(r)
}

// spent adds what a call over a line took of somebody's day.
func (s *Server) spent(r store.Call) {
	if r.Direction == call.Outbound.String() {
		s.quota.Spent(r.Ended, r.Source, r.Talk)
	}
}

// loadQuota adds what was used today before this run.
func (s *Server) loadQuota(ctx context.Context) error {
	now := time.Now()
	y, m, d := now.Date()
	q := store.CallQuery{Direction: call.Outbound.String(), Since: time.Date(y, m, d-1, 0, 0, 0, 0, time.Local), Rows: 1000} // one that began before midnight ended today
	for {
		rows, total, err := s.store.Calls(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if !r.Ended.Before(time.Date(y, m, d, 0, 0, 0, 0, time.Local)) {
				s.spent(r)
			}
		}
		if q.Page++; q.Page*q.Rows >= total || len(rows) == 0 {
			return nil
		}
	}
}
