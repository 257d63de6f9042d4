package waiting

import (
	"errors"
	"slices"
	"time"
)

// A Strategy says which agent is next.
type Strategy string

// The strategies.
const (
	LongestIdle Strategy = "longest-idle" // who has been idle for longest; the default
	RoundRobin  Strategy = "round-robin"  // whoever stands behind the one who was rung last
	All         Strategy = "all"          // all who are free at once
)

// Rules are what a queue goes by.
type Rules struct {
	Agents    []string // numbers, in order
	Strategy  Strategy
	WrapUp    time.Duration // an agent's rest after a call, and after one not answered
	Max       int           // callers that wait
	JoinEmpty bool          // callers may wait while no agent is there
}

// An Agent is one of those who answer.
type Agent struct {
	Number string
	Out    bool      // has logged out
	Caller string    // whom the agent is rung for, or talks to; "" = nobody
	Talks  bool      // Caller was answered
	Rests  time.Time // is not rung before
	Idle   time.Time // since when; zero = from the start
}

// A State is a queue: who waits, oldest first, and the agents. It knows no clock;
// one goroutine at a time may use it.
type State struct {
	rules   Rules
	waiting []string // ids of callers
	offered []string // of those that wait: those for whom somebody rings now
	agents  []Agent
	last    string // the agent who was rung last
}

// NewState gives a queue in which nobody waits.
func NewState(r Rules) *State {
	s := &State{}
	s.SetRules(r)
	return s
}

// SetRules replaces the rules; agents that stay keep their state.
func (s *State) SetRules(r Rules) {
	old := s.agents
	s.rules, s.agents = r, nil
	for _, n := range r.Agents {
		a := Agent{Number: n}
		if i := slices.IndexFunc(old, func(o Agent) bool { return o.Number == n }); i >= 0 {
			a = old[i]
		}
		s.agents = append(s.agents, a)
	}
}

// Why a caller cannot wait.
var (
	ErrFull  = errors.New("the queue is full")
	ErrEmpty = errors.New("no agent is there")
)

// Enter lets a caller wait behind the others and tells its place, from 1. there
// tells whether an agent can be reached at all, busy or not.
func (s *State) Enter(caller string, there func(agent string) bool) (place int, err error) {
	if len(s.waiting) >= s.rules.Max && s.rules.Max > 0 {
		return 0, ErrFull
	}
	if s.Empty(there) {
		return 0, ErrEmpty
	}
	s.waiting = append(s.waiting, caller)
	return len(s.waiting), nil
}

// Empty tells whether no agent is there, where that matters.
func (s *State) Empty(there func(agent string) bool) bool {
	return !s.rules.JoinEmpty && !slices.ContainsFunc(s.agents, func(a Agent) bool { return !a.Out && (a.Talks || there(a.Number)) })
}

// Place is where a caller is, from 1; 0 = it does not wait.
func (s *State) Place(caller string) int { return slices.Index(s.waiting, caller) + 1 }

// Waiting lists the callers, the oldest first.
func (s *State) Waiting() []string { return slices.Clone(s.waiting) }

// Agents lists the agents in the order of the rules.
func (s *State) Agents() []Agent { return slices.Clone(s.agents) }

// Leave takes a caller out who was not answered; who rings for it does so no more,
// and is not to blame.
func (s *State) Leave(caller string) {
	drop := func(c string) bool { return c == caller }
	s.waiting, s.offered = slices.DeleteFunc(s.waiting, drop), slices.DeleteFunc(s.offered, drop)
	for i := range s.agents {
		if a := &s.agents[i]; a.Caller == caller && !a.Talks {
			a.Caller = ""
		}
	}
}

// An Offer is agents that are to be rung for a caller.
type Offer struct {
	Caller string
	Agents []string
}

// Next says who is to be rung for whom now; free tells whether an agent can take a
// call. The caller who has waited longest comes first.
func (s *State) Next(now time.Time, free func(agent string) bool) (all []Offer) {
	for _, c := range s.waiting {
		if slices.Contains(s.offered, c) {
			continue
		}
		o := Offer{c, s.pick(now, free)}
		if len(o.Agents) == 0 {
			return all
		}
		s.offered = append(s.offered, c)
		for i := range s.agents {
			if slices.Contains(o.Agents, s.agents[i].Number) {
				s.agents[i].Caller, s.last = c, s.agents[i].Number
			}
		}
		all = append(all, o)
	}
	return all
}

// pick chooses by the strategy among those who can be rung.
func (s *State) pick(now time.Time, free func(string) bool) []string {
	from := 0
	if s.rules.Strategy == RoundRobin {
		from = slices.IndexFunc(s.agents, func(a Agent) bool { return a.Number == s.last }) + 1
	}
	var best *Agent
	var all []string
	for i := range s.agents {
		a := &s.agents[(from+i)%len(s.agents)]
		if a.Out || a.Caller != "" || now.Before(a.Rests) || !free(a.Number) {
			continue
		}
		switch {
		case s.rules.Strategy == All:
			all = append(all, a.Number)
		case s.rules.Strategy == RoundRobin:
			return []string{a.Number}
		case best == nil || a.Idle.Before(best.Idle):
			best = a
		}
	}
	if best != nil {
		all = []string{best.Number}
	}
	return all
}

// Answered: the caller waits no more, the agent talks to it; others who rang are
// idle as before.
func (s *State) Answered(caller, agent string) {
	s.Leave(caller)
	if a := s.agent(agent); a != nil {
		a.Caller, a.Talks = caller, true
	}
}

// Missed: nobody of those who rang for a caller has answered. They rest, the caller
// keeps its place.
func (s *State) Missed(now time.Time, caller string) {
	s.offered = slices.DeleteFunc(s.offered, func(c string) bool { return c == caller })
	for i := range s.agents {
		if a := &s.agents[i]; a.Caller == caller && !a.Talks {
			a.Caller, a.Rests = "", now.Add(s.rules.WrapUp)
		}
	}
}

// Ended: the agent's call is over; it rests, and is idle from now on.
func (s *State) Ended(now time.Time, agent string) {
	if a := s.agent(agent); a != nil {
		a.Caller, a.Talks, a.Rests, a.Idle = "", false, now.Add(s.rules.WrapUp), now
	}
}

// Log lets an agent log in or out, and tells whether it is one.
func (s *State) Log(agent string, in bool) bool {
	a := s.agent(agent)
	if a != nil {
		a.Out = !in
	}
	return a != nil
}

func (s *State) agent(number string) *Agent {
	i := slices.IndexFunc(s.agents, func(a Agent) bool { return a.Number == number })
	if i < 0 {
		return nil
	}
	return &s.agents[i]
}
