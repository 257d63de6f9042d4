// Package quota keeps one user from running up a bill: calls at once, new calls
// a minute, seconds a day over lines. It is pure: it is told what the time is,
// and knows neither calls nor lines.
//
// It decides nothing about where a number leads (switch/dialplan) and survives
// no restart by itself: the history does, and is told to it by Spent. Start
// reading at Quota.Take.
package quota

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Limits of one user; 0 = no limit.
type Limits struct {
	Calls         int           // at once
	PerMinute     int           // new ones in any 60 s
	SecondsPerDay time.Duration // talked over lines since midnight
}

// String says them in words.
func (l Limits) String() string {
	var all []string
	if l.Calls > 0 {
		all = append(all, count(l.Calls, "call")+" at once")
	}
	if l.PerMinute > 0 {
		all = append(all, count(l.PerMinute, "call")+" a minute")
	}
	if l.SecondsPerDay > 0 {
		all = append(all, fmt.Sprintf("%d seconds a day over lines", int(l.SecondsPerDay.Seconds())))
	}
	if all == nil {
		return "none"
	}
	return strings.Join(all, ", ")
}

// Config of a Quota.
type Config struct {
	Default   Limits            // of whoever has none of his own
	Users     map[string]Limits // by the number of the extension; a zero field there means none, whatever Default says
	Emergency []string          // numbers that may always be called
	Zone      *time.Location    // whose midnight begins the day; nil = the machine's
}

// An Exceeded says which limit a call would break, and when that ends.
type Exceeded struct {
	User  string
	Limit string    // "calls", "calls_per_minute" or "seconds_per_day"
	Words string    // for the caller
	Ends  time.Time // when one more call may go; zero = when a call of his ends
	Code  int       // SIP status: 403 for the day, 503 for what passes soon
}

func (x *Exceeded) Error() string { return "limit of " + x.User + ": " + x.Words }

// RetryAfter is what the caller is told to wait; 0 = nothing is known.
func (x *Exceeded) RetryAfter(now time.Time) time.Duration {
	if x.Ends.IsZero() || x.Code != 503 {
		return 0
	}
	return max(x.Ends.Sub(now), time.Second)
}

// A Quota counts the calls of all users. Its methods may be used at the same
// time.
type Quota struct {
	mu    sync.Mutex
	c     Config
	users map[string]*use
}

// A use is what one user has used.
type use struct {
	up    map[*held]struct{} // calls that go on
	begun []time.Time        // of the last minute, oldest first
	day   time.Time          // whose seconds these are: its midnight
	spent time.Duration
}

// A held is a call that goes on.
type held struct {
	since time.Time
	line  bool
}

// New gives a Quota of which nothing is used yet.
func New(c Config) *Quota { return &Quota{c: c, users: map[string]*use{}} }

// Set replaces the limits; what is used stays used.
func (q *Quota) Set(c Config) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.c = c
}

// Of are the limits that count for a user.
func (q *Quota) Of(user string) Limits {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.c.of(user)
}

func (c *Config) of(user string) Limits {
	if l, ok := c.Users[user]; ok {
		return l
	}
	return c.Default
}

// Emergency tells whether a number may be called whatever was used.
func (q *Quota) Emergency(number string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.c.emergency(number)
}

func (c *Config) emergency(number string) bool {
	for _, n := range c.Emergency {
		if n == number {
			return true
		}
	}
	return false
}

// Take asks whether a user may call a number now; line tells that it goes out
// over one. The error is an *Exceeded. Else release must be called once, when
// the call has ended however it did; more often does nothing. Calls of nobody
// ("": a caller from outside, a script) are counted by none.
func (q *Quota) Take(now time.Time, user, number string, line bool) (release func(), err error) {
	if user == "" {
		return func() {}, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.user(user)
	if !q.c.emergency(number) {
		if err := q.why(now, user, u, line); err != nil {
			return nil, err
		}
	}
	h := &held{since: now, line: line}
	u.up[h] = struct{}{}
	u.begun = append(u.begun, now)
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(u.up, h)
	}, nil
}

// Spent adds what a call over a line took of a day, once it has ended: by the
// history, so that it is the same after a restart. A call that lasted over
// midnight counts for the day on which it ended.
func (q *Quota) Spent(ended time.Time, user string, talked time.Duration) {
	if user == "" || talked <= 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.user(user)
	switch day := q.midnight(ended); {
	case day.After(u.day):
		u.day, u.spent = day, talked
	case day.Equal(u.day):
		u.spent += talked
	}
}

// Used is what a user has used now: calls that are up, calls of the last minute,
// and time over lines today.
func (q *Quota) Used(now time.Time, user string) (calls, lastMinute int, today time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, ok := q.users[user]
	if !ok {
		return 0, 0, 0
	}
	u.forget(now)
	return len(u.up), len(u.begun), q.today(now, u)
}

func (q *Quota) user(name string) *use {
	u := q.users[name]
	if u == nil {
		u = &use{up: map[*held]struct{}{}}
		q.users[name] = u
	}
	return u
}

// forget drops the calls that began more than a minute ago.
func (u *use) forget(now time.Time) {
	for len(u.begun) > 0 && now.Sub(u.begun[0]) >= time.Minute {
		u.begun = u.begun[1:]
	}
}

// midnight begins the day of t.
func (q *Quota) midnight(t time.Time) time.Time {
	zone := q.c.Zone
	if zone == nil {
		zone = time.Local
	}
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

// today is what was talked over lines since midnight; calls that go on count
// from when they began, so that many at once do not slip through.
func (q *Quota) today(now time.Time, u *use) (sum time.Duration) {
	day := q.midnight(now)
	if u.day.Equal(day) {
		sum = u.spent
	}
	for h := range u.up {
		if h.line {
			sum += now.Sub(later(h.since, day))
		}
	}
	return sum
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// why tells which limit one more call would break; nil = none.
func (q *Quota) why(now time.Time, user string, u *use, line bool) error {
	u.forget(now)
	l := q.c.of(user)
	switch today := q.today(now, u); {
	case l.Calls > 0 && len(u.up) >= l.Calls:
		return &Exceeded{User: user, Limit: "calls", Code: 503,
			Words: fmt.Sprintf("%s at once, and %s up; wait until one has ended", count(l.Calls, "call"), are(len(u.up)))}
	case l.PerMinute > 0 && len(u.begun) >= l.PerMinute:
		ends := u.begun[len(u.begun)-l.PerMinute].Add(time.Minute)
		return &Exceeded{User: user, Limit: "calls_per_minute", Code: 503, Ends: ends,
			Words: fmt.Sprintf("%s a minute; again in %d s", count(l.PerMinute, "call"), int((ends.Sub(now)+time.Second-1)/time.Second))}
	case line && l.SecondsPerDay > 0 && today >= l.SecondsPerDay:
		y, m, d := q.midnight(now).Date()
		ends := time.Date(y, m, d+1, 0, 0, 0, 0, q.midnight(now).Location())
		return &Exceeded{User: user, Limit: "seconds_per_day", Code: 403, Ends: ends,
			Words: fmt.Sprintf("%d seconds a day over lines, and %d are used; again after midnight", int(l.SecondsPerDay.Seconds()), int(today.Seconds()))}
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func are(n int) string {
	if n == 1 {
		return "one is"
	}
	return fmt.Sprintf("%d are", n)
}
