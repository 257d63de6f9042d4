package waiting

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/script"
)

// A Config is one queue, as configured.
type Config struct {
	Rules
	Number    string
	RingTime  time.Duration // of one agent; 0 = 20 s
	WaitLimit time.Duration // 0 = no limit
	Announce  time.Duration // how often the place is spoken; 0 = never
	Music     string        // a file below media/; "" = the switch's own
	Overflow  string        // where those go who cannot wait; "" = they are told goodbye
}

// Parts are what queues need of the switch; all but Panicked are needed. The
// functions must be safe for concurrent use, and quick.
type Parts struct {
	Scripts  *script.Runner
	There    func(agent string) bool                            // its telephone can be reached, busy or not
	Free     func(agent string) bool                            // and takes a call now
	Targets  func(agent string, l *exchange.Line) []call.Target // its telephones, for a call
	Music    func(leg call.LegID, on bool)                      // the switch's own
	Panicked func(where string)
	Slog     *slog.Logger
}

// Queues are the call queues of a switch.
type Queues struct {
	p Parts

	mu     sync.Mutex
	queues map[string]*queue
	wg     sync.WaitGroup
}

// New gives Queues in which nobody waits.
func New(p Parts) *Queues {
	if p.Slog == nil {
		p.Slog = slog.New(slog.DiscardHandler)
	}
	return &Queues{p: p, queues: map[string]*queue{}}
}

// Script gives what runs on a call to a queue.
func (q *Queues) Script(l *exchange.Line, c Config) exchange.Script {
	return q.p.Scripts.Serve(l, script.Task{}, func(ctx context.Context, live ozml.Call) error {
		return q.visitor(l, live, c).visit(ctx)
	})
}

func (q *Queues) visitor(l *exchange.Line, call ozml.Call, c Config) *visitor {
	if c.RingTime <= 0 {
		c.RingTime = 20 * time.Second
	}
	return &visitor{q: q.of(c), cfg: c, line: l, call: call, id: string(l.Info().ID), offers: make(chan []string, 1), empty: make(chan struct{})}
}

// Wait returns when nobody waits; the calls end before that.
func (q *Queues) Wait() { q.wg.Wait() }

// Log lets an agent log in to a queue or out of it, and tells whether it is one of
// its agents.
func (q *Queues) Log(c Config, agent string, in bool) bool {
	one := q.of(c)
	one.mu.Lock()
	defer one.mu.Unlock()
	defer one.look()
	return one.state.Log(agent, in)
}

// Out tells whether an agent has logged out of a queue.
func (q *Queues) Out(c Config, agent string) bool {
	one := q.of(c)
	one.mu.Lock()
	defer one.mu.Unlock()
	return slices.ContainsFunc(one.state.Agents(), func(a Agent) bool { return a.Number == agent && a.Out })
}

// of gives the queue of a number, by the rules of today.
func (q *Queues) of(c Config) *queue {
	q.mu.Lock()
	defer q.mu.Unlock()
	one := q.queues[c.Number]
	if one == nil {
		one = &queue{all: q, number: c.Number, state: NewState(c.Rules), visitors: map[string]*visitor{}, bell: make(chan struct{}, 1)}
		q.queues[c.Number] = one
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	one.state.SetRules(c.Rules)
	return one
}

// A queue is one number. While somebody waits its goroutine looks whose turn it is:
// when something has changed, and each second, since telephones come and go and
// agents have other calls.
type queue struct {
	all    *Queues
	number string
	bell   chan struct{}

	mu       sync.Mutex // guards what follows
	state    *State
	visitors map[string]*visitor // those that wait
	runs     bool
}

// look asks for a look at whose turn it is.
func (q *queue) look() {
	select {
	case q.bell <- struct{}{}:
	default:
	}
}

// enter lets a caller wait.
func (q *queue) enter(v *visitor) (place int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if place, err = q.state.Enter(v.id, q.all.p.There); err != nil {
		return 0, err
	}
	q.visitors[v.id] = v
	if !q.runs {
		q.runs = true
		q.all.wg.Go(q.run)
	}
	q.look()
	return place, nil
}

// leave takes a caller out; to repeat it does nothing.
func (q *queue) leave(v *visitor) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.state.Leave(v.id)
	delete(q.visitors, v.id)
	q.look()
}

// each does something to the state, and looks again whose turn it is.
func (q *queue) each(f func(s *State)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f(q.state)
	q.look()
}

func (q *queue) run() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for q.turn() {
		select {
		case <-q.bell:
		case <-tick.C:
		}
	}
}

// turn hands out what is to be rung; it reports whether anybody waits still. A
// panic lets everybody go, and ends no other queue.
func (q *queue) turn() (more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			q.all.p.Slog.Error("panic in a queue", "queue", q.number, "panic", v, "stack", string(debug.Stack()))
			if q.all.p.Panicked != nil {
				q.all.p.Panicked("queue")
			}
			q.dismiss()
			more = false
		}
		q.runs = more
	}()
	if q.state.Empty(q.all.p.There) {
		q.dismiss()
	}
	for _, o := range q.state.Next(time.Now(), q.all.p.Free) {
		q.visitors[o.Caller].offers <- o.Agents // has room: one offer at a time
	}
	return len(q.visitors) > 0
}

// dismiss tells all who wait that it is of no use. It needs mu.
func (q *queue) dismiss() {
	for id, v := range q.visitors {
		q.state.Leave(id)
		delete(q.visitors, id)
		close(v.empty)
	}
}

// A Status is a queue as it is now.
type Status struct {
	Number  string        `json:"number"`
	Waiting []Caller      `json:"waiting"`
	Agents  []AgentStatus `json:"agents"`
}

// A Caller is one who waits.
type Caller struct {
	Call   string    `json:"call"`
	Number string    `json:"number"`
	Name   string    `json:"name"`
	Since  time.Time `json:"since"`
}

// An AgentStatus is an agent as it is now: free, busy (elsewhere), ringing, talking,
// resting, away (not to be reached) or out (logged out).
type AgentStatus struct {
	Number string `json:"number"`
	State  string `json:"state"`
	Call   string `json:"call,omitempty"` // whose caller rings or talks
}

// Status tells how a queue is now.
func (q *Queues) Status(c Config) Status {
	one := q.of(c)
	one.mu.Lock()
	defer one.mu.Unlock()
	s := Status{Number: c.Number, Waiting: []Caller{}, Agents: []AgentStatus{}}
	for _, id := range one.state.Waiting() {
		v := one.visitors[id]
		i := v.line.Info()
		s.Waiting = append(s.Waiting, Caller{id, i.From, i.FromName, v.since})
	}
	now := time.Now()
	for _, a := range one.state.Agents() {
		state := "free"
		switch {
		case a.Talks:
			state = "talking"
		case a.Caller != "":
			state = "ringing"
		case a.Out:
			state = "out"
		case !q.p.There(a.Number):
			state = "away"
		case !q.p.Free(a.Number):
			state = "busy"
		case now.Before(a.Rests):
			state = "resting"
		}
		s.Agents = append(s.Agents, AgentStatus{a.Number, state, a.Caller})
	}
	return s
}
