package line

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"ozswitch/switch/sip"
)

// pingWait is how long a ping may take: the carrier that answers later is not one
// to call by.
const pingWait = 8 * time.Second

// goodbye is how long giving up a registration may take.
const goodbye = 2 * time.Second

// A Signal is what lines need of switch/sip; *sip.Endpoint is one.
type Signal interface {
	Places(ctx context.Context, address, transport string) ([]sip.Place, error)
	Trunk(c sip.TrunkConfig) *sip.Trunk
}

// A Change tells that a line is otherwise than it was.
type Change struct {
	What string // "up", "down", "registered", "unregistered" or "failing": the reason is a new one
	Status
}

// SetConfig is what a Set needs; Changed, Panicked and Slog may be nil.
type SetConfig struct {
	Signal   Signal
	Rand     rand.Source  // of jitter
	Changed  func(Change) // must not wait
	Panicked func(where string)
	Slog     *slog.Logger
}

// A Set is all lines. It may be used by many at once.
type Set struct {
	c SetConfig

	randMu sync.Mutex
	rand   *rand.Rand

	mu    sync.Mutex
	lines []*runner
	ctx   context.Context // of Run; nil before
	over  bool            // Run has ended
	wg    sync.WaitGroup
}

// A runner is one line that is looked after.
type runner struct {
	set   *Set
	c     Config
	trunk *sip.Trunk
	wake  chan struct{}
	stop  chan struct{} // closed when the line is no more
	done  chan struct{} // closed when it has given all up
	after *runner       // of the same name, that goes before this one comes; nil = none

	mu   sync.Mutex
	m    *Machine
	last Status
}

// New gives a Set without lines.
func New(c SetConfig) *Set {
	if c.Slog == nil {
		c.Slog = slog.New(slog.DiscardHandler)
	}
	return &Set{c: c, rand: rand.New(c.Rand)}
}

// SetLines replaces the lines. One that stays as it was is not touched, one that
// is gone or otherwise gives up its registration.
func (s *Set) SetLines(lines []Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var now []*runner
	for _, c := range lines {
		i := slices.IndexFunc(s.lines, func(r *runner) bool { return reflect.DeepEqual(r.c, c) })
		if i >= 0 {
			now = append(now, s.lines[i])
			continue
		}
		now = append(now, s.begin(c))
	}
	for _, r := range s.lines {
		if !slices.Contains(now, r) {
			close(r.stop)
		}
	}
	s.lines = now
}

// begin makes a line, and looks after it if the others are. s.mu is held.
func (s *Set) begin(c Config) *runner {
	r := &runner{set: s, c: c, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		trunk: s.c.Signal.Trunk(c.trunk())}
	r.m = NewMachine(c, time.Now(), s.jitter)
	r.last = r.m.Status(time.Now())
	if s.ctx != nil && !s.over {
		for _, old := range s.lines {
			if old.c.Name == c.Name { // its farewell must not undo our registration
				r.after = old
			}
		}
		s.wg.Go(func() { r.run(s.ctx) })
	}
	return r
}

func (s *Set) jitter() float64 {
	s.randMu.Lock()
	defer s.randMu.Unlock()
	return s.rand.Float64()
}

// Run looks after the lines until ctx ends, then gives up their registrations:
// 2 s at most. The Endpoint must run meanwhile.
func (s *Set) Run(ctx context.Context) error {
	s.mu.Lock()
	s.ctx = ctx
	for _, r := range s.lines {
		s.wg.Go(func() { r.run(ctx) })
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// run looks after one line.
func (r *runner) run(ctx context.Context) {
	defer close(r.done)
	if r.after != nil {
		<-r.after.done
		r.after = nil
	}
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		r.mu.Lock()
		todo, next := r.m.Due(now), r.m.Next()
		r.mu.Unlock()
		r.tell(now)
		for _, a := range todo {
			asking.Go(func() { r.do(ctx, a) })
		}
		var due <-chan time.Time
		if !next.IsZero() {
			timer.Reset(max(time.Until(next), 0))
			due = timer.C
		}
		select {
		case <-r.wake:
			continue
		case <-due:
			continue
		case <-r.stop:
		case <-ctx.Done():
		}
		break
	}
	cancel()
	asking.Wait() // one that is under way may yet have registered
	r.mu.Lock()
	todo := r.m.Stop(time.Now())
	r.mu.Unlock()
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer stop()
	for _, a := range todo {
		r.do(last, a)
	}
}

// do asks the network and tells the machine.
func (r *runner) do(ctx context.Context, a Action) {
	defer func() {
		if v := recover(); v != nil {
			r.set.c.Slog.Error("panic in a line", "line", r.c.Name, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			if r.set.c.Panicked != nil {
				r.set.c.Panicked("line")
			}
		}
	}()
	var done func(m *Machine, now time.Time)
	switch a := a.(type) {
	case Resolve:
		places, err := r.resolve(ctx)
		done = func(m *Machine, now time.Time) { m.Resolved(now, places, err) }
	case Register:
		got := r.trunk.Register(ctx, a.At, a.Expires)
		done = func(m *Machine, now time.Time) { m.Registered(now, a.At, got) }
	case Ping:
		ctx, stop := context.WithTimeout(ctx, pingWait)
		defer stop()
		got := r.trunk.Ping(ctx, a.At)
		done = func(m *Machine, now time.Time) { m.Pinged(now, a.At, got) }
	}
	func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		done(r.m, time.Now())
	}()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// resolve looks all addresses up. One that leads nowhere is no error while
// another does.
func (r *runner) resolve(ctx context.Context) (all []sip.Place, err error) {
	transport := r.c.Transport
	if transport == "" {
		transport = "udp"
	}
	for _, a := range r.c.Addresses {
		some, no := r.set.c.Signal.Places(ctx, a, transport)
		err = errors.Join(err, no)
		for _, p := range some {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	if len(all) > 0 {
		err = nil
	}
	return all, err
}

// tell tells what has changed since the last time.
func (r *runner) tell(now time.Time) {
	r.mu.Lock()
	is, was := r.m.Status(now), r.last
	r.last = is
	r.mu.Unlock()
	what := ""
	switch {
	case is.Registered && !was.Registered:
		what = "registered"
	case was.Registered && !is.Registered:
		what = "unregistered"
	case is.State != was.State && is.State != Unknown:
		what = is.State.String()
	case is.Why != "" && is.Why != was.Why:
		what = "failing"
	}
	if what != "" && r.set.c.Changed != nil {
		r.set.c.Changed(Change{what, is})
	}
}

func (s *Set) find(name string) *runner {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.lines {
		if r.c.Name == name {
			return r
		}
	}
	return nil
}

// Config gives a line by its name.
func (s *Set) Config(name string) (Config, bool) {
	if r := s.find(name); r != nil {
		return r.c, true
	}
	return Config{}, false
}

// Account is sip.Config.Line.
func (s *Set) Account(name string) (sip.Account, bool) {
	r := s.find(name)
	if r == nil {
		return sip.Account{}, false
	}
	r.mu.Lock()
	places := r.m.Places()
	r.mu.Unlock()
	user := r.c.AuthUser
	if user == "" {
		user = r.c.User
	}
	return sip.Account{User: user, Password: r.c.Password, Realm: r.trunk.Realm(), From: r.c.Domain(), Contact: r.c.Token, Places: places,
		Transport: r.c.Transport, Headers: r.c.Headers, Codecs: r.c.Codecs, Keys: r.c.Keys, Learn: r.trunk.Learn, Assert: r.c.Asserted, Trust: r.c.Trust}, true
}

// Status tells how all lines are.
func (s *Set) Status() (all []Status) {
	s.mu.Lock()
	lines := slices.Clone(s.lines)
	s.mu.Unlock()
	now := time.Now()
	for _, r := range lines {
		r.mu.Lock()
		all = append(all, r.m.Status(now))
		r.mu.Unlock()
	}
	return all
}

// Whose is sip.Config.Whose: the line that a call came by, "" = none.
func (s *Set) Whose(source netip.AddrPort, transport, to string) string {
	s.mu.Lock()
	lines := slices.Clone(s.lines)
	s.mu.Unlock()
	var known []Known
	for _, r := range lines {
		r.mu.Lock()
		known = append(known, Known{Name: r.c.Name, Token: r.c.Token, User: r.c.User, CallerID: r.c.CallerID, Places: r.m.Places()})
		r.mu.Unlock()
	}
	name, err := Match(known, source, transport, to)
	if err != nil {
		s.c.Slog.Warn("call refused: it may have come by several lines", "source", source, "to", to, "why", err)
	}
	return name
}
