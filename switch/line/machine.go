package line

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"ozswitch/switch/sip"
)

const (
	defaultExpires = time.Hour
	longestExpires = 24 * time.Hour
	lookEvery      = 5 * time.Minute  // names are looked up again
	firstWait      = 2 * time.Second  // when no place took us; then twice as long, and so on
	longestWait    = 5 * time.Minute  // of these
	refusedWait    = 15 * time.Minute // after a wrong password: carriers lock out who tries on
	fails          = 3                // pings without answer in a row, and a place is down
	hurry          = 10 * time.Second // until the next ping when one failed
)

// An Action is something that must be asked of the network.
type Action interface{ action() }

// The actions; each is answered by the method of Machine that is named like it.
type (
	// Resolve looks the addresses up: Resolved.
	Resolve struct{}
	// Register binds us there for so long, 0 = no more: Registered.
	Register struct {
		At      sip.Place
		Expires time.Duration
	}
	// Ping asks whether somebody is there: Pinged.
	Ping struct{ At sip.Place }
)

func (Resolve) action()  {}
func (Register) action() {}
func (Ping) action()     {}

// A task is something that is done at a time, and again when it has an outcome.
type task struct {
	at   time.Time // zero = not at all
	busy bool      // it is being done
}

func (t *task) take(now time.Time) bool {
	if t.busy || t.at.IsZero() || now.Before(t.at) {
		return false
	}
	t.busy = true
	return true
}

// A place is one where the carrier can be reached.
type place struct {
	sip.Place
	state Condition
	ping  task
	fails int       // pings in a row
	why   string    // the last failed
	tried bool      // to register, in this round
	after time.Time // it asked not to be asked before (503, Retry-After)
}

// A Machine decides what one line does next. It is told of time and outcomes and
// does nothing by itself; it must be used by one goroutine at a time.
type Machine struct {
	c      Config
	jitter func() float64 // from 0, below 1
	look   task
	looked int // lookups in a row that gave nothing
	places []place
	noway  string // why there is no place

	reg     task
	asks    time.Duration // expiry to ask for
	longer  bool          // it was raised by 423 since the last success
	at      sip.Place     // where we are registered, or try to be
	until   time.Time     // registered until then; zero = we are not
	rounds  int           // in which no place took us
	why     string        // the registration fails
	refused bool          // in a way that another place will not mend
	stopped bool
}

// NewMachine gives the machine of a line that begins now.
func NewMachine(c Config, now time.Time, jitter func() float64) *Machine {
	m := &Machine{c: c, jitter: jitter, look: task{at: now}, asks: c.Expires}
	if m.asks <= 0 {
		m.asks = defaultExpires
	}
	return m
}

// Due gives what is to be done now.
func (m *Machine) Due(now time.Time) (todo []Action) {
	if m.stopped {
		return nil
	}
	if !m.until.IsZero() && !now.Before(m.until) {
		m.until = time.Time{}
	}
	if m.look.take(now) {
		todo = append(todo, Resolve{})
	}
	if len(m.places) > 0 && m.reg.take(now) {
		todo = append(todo, Register{m.at, m.asks})
	}
	for i := range m.places {
		if p := &m.places[i]; p.ping.take(now) {
			todo = append(todo, Ping{p.Place})
		}
	}
	return todo
}

// Next is when Due has something to do at the latest; zero = when an outcome is
// there.
func (m *Machine) Next() (at time.Time) {
	if m.stopped {
		return at
	}
	soonest := func(t task) {
		if !t.busy && !t.at.IsZero() && (at.IsZero() || t.at.Before(at)) {
			at = t.at
		}
	}
	soonest(m.look)
	if len(m.places) > 0 {
		soonest(m.reg)
	}
	for i := range m.places {
		soonest(m.places[i].ping)
	}
	soonest(task{at: m.until})
	return at
}

// Stop ends all; what is to be done last is given.
func (m *Machine) Stop(now time.Time) (todo []Action) {
	if !m.stopped && now.Before(m.until) {
		todo = []Action{Register{m.at, 0}}
	}
	m.stopped, m.until = true, time.Time{}
	return todo
}

// Resolved: the addresses lead there. With an error they lead nowhere now: what
// was known stays.
func (m *Machine) Resolved(now time.Time, places []sip.Place, err error) {
	m.look.busy, m.look.at = false, time.Time{}
	if err != nil || len(places) == 0 {
		m.looked++
		m.look.at = now.Add(m.wait(m.looked))
		if err != nil {
			m.noway = err.Error()
		}
		return
	}
	m.looked, m.noway = 0, ""
	if m.c.named() {
		m.look.at = now.Add(lookEvery)
	}
	var fresh []place
	for _, p := range places {
		if i := m.find(p); i >= 0 {
			fresh = append(fresh, m.places[i])
			continue
		}
		one := place{Place: p}
		if m.c.Ping > 0 {
			one.ping.at = now
		}
		fresh = append(fresh, one)
	}
	m.places = fresh
	if m.c.Register && m.find(m.at) < 0 { // the first time, or the place is gone
		m.at = m.places[m.order()[0]].Place
		if !m.reg.busy {
			m.reg.at = now
		}
	}
}

func (m *Machine) find(p sip.Place) int {
	return slices.IndexFunc(m.places, func(one place) bool { return one.Place == p })
}

// order gives the places by how likely somebody is there, then as configured.
func (m *Machine) order() []int {
	all := make([]int, len(m.places))
	for i := range all {
		all[i] = i
	}
	rank := func(i int) int { return map[Condition]int{Up: 0, Unknown: 1, Down: 2}[m.places[i].state] }
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}

// Places are where calls are sent, the likeliest first.
func (m *Machine) Places() (all []sip.Place) {
	for _, i := range m.order() {
		all = append(all, m.places[i].Place)
	}
	return all
}

// wait is how long to wait after so many failures in a row: 2 s, 4 s, 8 s ... 300 s,
// each up to a quarter more or less, so that many lines do not come all at once.
func (m *Machine) wait(failures int) time.Duration {
	d := firstWait << min(failures-1, 10)
	return time.Duration(float64(min(d, longestWait)) * (0.75 + m.jitter()/2))
}

// Registered: so a place answered our registration.
func (m *Machine) Registered(now time.Time, at sip.Place, a sip.Asked) {
	m.reg.busy = false
	if m.stopped {
		return
	}
	i := m.find(at)
	var p *place
	if i >= 0 {
		p = &m.places[i]
	} else {
		p = &place{}
	}
	if m.c.Ping == 0 { // nothing else tells
		p.state = Up
		if !alive(a) {
			p.state = Down
		}
	}
	switch {
	case a.Code >= 200 && a.Code < 300:
		m.granted(now, p, at, a.Granted)
	case a.Code == 423 && a.Least > m.asks && a.Least <= longestExpires && !m.longer:
		m.asks, m.longer, m.reg.at = a.Least, true, now
	case a.Heard && a.Code >= 400 && a.Code < 500 && a.Code != 408 && a.Code != 480:
		m.why, m.refused = refusal(&m.c, a), true
		m.reg.at = now.Add(max(refusedWait, min(a.RetryAfter, longestExpires)))
	default:
		m.why, m.refused = unanswered(at, a), false
		p.tried, p.after = true, now.Add(min(a.RetryAfter, longestExpires))
		m.elsewhere(now)
	}
}

// granted: we are registered. The next time is at 80 % of what was granted, at
// half of it when that is little.
func (m *Machine) granted(now time.Time, p *place, at sip.Place, lasts time.Duration) {
	lasts = max(lasts, 10*time.Second)
	part := 0.8
	if lasts < 2*time.Minute {
		part = 0.5
	}
	part -= m.jitter() / 20
	p.state, p.fails, p.why = Up, 0, ""
	m.at, m.until = at, now.Add(lasts)
	m.reg.at = now.Add(time.Duration(float64(lasts) * part))
	m.why, m.refused, m.longer, m.rounds = "", false, false, 0
	for i := range m.places {
		m.places[i].tried = false
	}
	if m.find(at) < 0 && len(m.places) > 0 { // the carrier has moved meanwhile
		m.at, m.reg.at = m.places[m.order()[0]].Place, now
	}
}

// elsewhere goes on at the next place, or when all of them were tried, waits.
func (m *Machine) elsewhere(now time.Time) {
	order := m.order()
	for _, i := range order {
		if p := &m.places[i]; !p.tried && !now.Before(p.after) {
			m.at, m.reg.at = p.Place, now
			return
		}
	}
	m.rounds++
	at := now.Add(m.wait(m.rounds))
	best := -1
	for _, i := range order {
		p := &m.places[i]
		p.tried = false
		if best < 0 || p.after.Before(m.places[best].after) && m.places[best].after.After(at) {
			best = i
		}
	}
	m.reg.at = at
	if best >= 0 {
		m.at = m.places[best].Place
		m.reg.at = later(at, m.places[best].after)
	}
	if m.c.named() && !m.look.busy {
		m.look.at = now // the carrier may have moved
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Pinged: so a place answered, or did not.
func (m *Machine) Pinged(now time.Time, at sip.Place, a sip.Asked) {
	i := m.find(at)
	if i < 0 {
		return
	}
	p := &m.places[i]
	was := p.state
	p.ping.busy, p.ping.at = false, now.Add(m.c.Ping)
	if alive(a) {
		p.state, p.fails, p.why = Up, 0, ""
	} else {
		p.fails++
		p.why = unanswered(at, a)
		if p.fails < fails {
			p.ping.at = now.Add(min(m.c.Ping, hurry))
		} else {
			p.state = Down
		}
	}
	if !m.c.Register || m.reg.busy || p.state == was {
		return
	}
	best := m.places[m.order()[0]]
	switch {
	case p.state == Up && !now.Before(m.until) && !m.refused && !now.Before(best.after): // it is back: wait no longer
		m.at, m.reg.at = best.Place, now
	case p.state == Up && was == Down && at == m.at && !m.refused: // it was away, and may have forgotten us
		m.reg.at = now
	case p.state == Down && at == m.at && now.Before(m.until) && best.state != Down: // calls for us would be lost there
		m.at, m.reg.at = best.Place, now
	}
}

// alive tells whether what came shows that somebody is there: any answer does, but
// for those by which a proxy says that nobody is.
func alive(a sip.Asked) bool {
	return a.Heard && !slices.Contains([]int{408, 480, 502, 503, 504}, a.Code)
}

// Status tells how the line is now.
func (m *Machine) Status(now time.Time) Status {
	s := Status{Name: m.c.Name, Address: strings.Join(m.c.Addresses, ", "), Register: m.c.Register}
	ups, downs := 0, 0
	for i := range m.places {
		p := &m.places[i]
		s.Places = append(s.Places, PlaceStatus{p.Place, p.state})
		switch p.state {
		case Up:
			ups++
		case Down:
			downs++
		}
		if s.Why == "" && p.state != Up {
			s.Why = p.why
		}
	}
	if s.Registered = now.Before(m.until); s.Registered {
		s.Until = m.until
	}
	switch {
	case len(m.places) == 0 && m.noway == "":
	case len(m.places) == 0, downs == len(m.places), m.c.Register && !s.Registered && (m.refused || m.rounds > 0):
		s.State = Down
	case m.c.Register && s.Registered, !m.c.Register && ups > 0:
		s.State = Up
	}
	if len(m.places) == 0 {
		s.Why = m.noway
	}
	if m.why != "" {
		s.Why = m.why
	}
	return s
}
