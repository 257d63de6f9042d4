package quota

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// clock gives the moment so long after noon of a day in winter.
func clock(after time.Duration) time.Time {
	return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC).Add(after)
}

var config = Config{
	Default:   Limits{Calls: 2, PerMinute: 3, SecondsPerDay: 100 * time.Second},
	Users:     map[string]Limits{"1002": {}, "1003": {Calls: 1}},
	Emergency: []string{"112"},
	Zone:      time.UTC,
}

// A step is one thing that a user does; want is a part of the error, "" = none.
type step struct {
	at      time.Duration
	user    string
	number  string
	line    bool
	release int // which call ends (from 1) instead of one beginning
	spent   time.Duration
	want    string
}

func TestQuota(t *testing.T) {
	const s = time.Second
	for name, steps := range map[string][]step{
		"calls at once": {
			{user: "1001", number: "1"}, {at: s, user: "1001", number: "1"},
			{at: 2 * s, user: "1001", number: "1", want: "2 calls at once, and 2 are up"},
			{at: 3 * s, release: 1}, {at: 3 * s, release: 1},
			{at: 4 * s, user: "1001", number: "1"},
			{at: 70 * s, user: "1001", number: "1", want: "at once"},
		},
		"one of its own": {
			{user: "1003", number: "1"}, {user: "1003", number: "1", want: "one call at once, and one is up"},
			{user: "1001", number: "1"},
		},
		"a minute": {
			{user: "1001", number: "1"}, {release: 1}, {at: 10 * s, user: "1001", number: "1"}, {at: 10 * s, release: 2},
			{at: 20 * s, user: "1001", number: "1"}, {at: 20 * s, release: 3},
			{at: 30500 * time.Millisecond, user: "1001", number: "1", want: "3 calls a minute; again in 30 s"},
			{at: 59 * s, user: "1001", number: "1", want: "again in 1 s"},
			{at: 60 * s, user: "1001", number: "1"}, {at: 61 * s, user: "1001", number: "1", want: "again in 9 s"},
		},
		"none at all": {
			{user: "1002", number: "1", line: true}, {user: "1002", number: "1", line: true}, {user: "1002", number: "1", line: true},
			{user: "1002", spent: time.Hour}, {user: "1002", number: "1", line: true},
			{user: "", number: "1"}, {user: "", number: "1"}, {user: "", number: "1"}, {user: "", number: "1"},
		},
		"a day": {
			{user: "1001", spent: 99 * s}, {user: "1001", number: "1", line: true}, {release: 1},
			{user: "1001", spent: s}, {at: s, user: "1001", number: "1", line: true, want: "100 seconds a day over lines, and 100 are used; again after midnight"},
			{at: s, user: "1001", number: "1"}, // not over a line
			{at: 12 * time.Hour, user: "1001", number: "1", line: true},
		},
		"what goes on counts": {
			{user: "1001", number: "1", line: true},
			{at: 100 * s, user: "1001", number: "2", line: true, want: "100 are used"},
			{at: 100 * s, release: 1}, {at: 100 * s, user: "1001", spent: 40 * s}, // it rang for a minute
			{at: 101 * s, user: "1001", number: "2", line: true},
		},
		"yesterday does not count": {
			{at: -13 * time.Hour, user: "1001", spent: time.Hour}, {user: "1001", number: "1", line: true},
			{at: -13 * time.Hour, user: "1001", spent: time.Hour}, {at: s, user: "1001", number: "1", line: true},
		},
		"emergencies": {
			{user: "1003", number: "1"}, {user: "1003", number: "112", line: true}, {user: "1003", number: "1", want: "at once"},
			{user: "1001", spent: time.Hour}, {user: "1001", number: "112", line: true}, {user: "1001", number: "1112", line: true, want: "a day"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := New(config)
			var releases []func()
			for i, st := range steps {
				now := clock(st.at)
				switch {
				case st.spent > 0:
					q.Spent(now, st.user, st.spent)
				case st.release > 0:
					releases[st.release-1]()
				default:
					release, err := q.Take(now, st.user, st.number, st.line)
					switch {
					case st.want == "" && err != nil, st.want != "" && (err == nil || !strings.Contains(err.Error(), st.want)):
						t.Fatalf("step %d: %v, want %q", i+1, err, st.want)
					case err == nil:
						releases = append(releases, release)
					}
				}
			}
		})
	}
}

// TestExceeded: what a caller is told besides words.
func TestExceeded(t *testing.T) {
	q := New(config)
	for range 2 {
		if _, err := q.Take(clock(0), "1001", "1", true); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(at time.Duration) *Exceeded {
		t.Helper()
		_, err := q.Take(clock(at), "1001", "1", true)
		var x *Exceeded
		if !errors.As(err, &x) {
			t.Fatalf("%v is no Exceeded", err)
		}
		return x
	}
	if x := refused(0); x.Limit != "calls" || x.Code != 503 || x.RetryAfter(clock(0)) != 0 {
		t.Errorf("%+v", x)
	}
	q.Set(Config{Default: Limits{PerMinute: 2}, Zone: time.UTC}) // what is used stays
	if x := refused(20 * time.Second); x.Limit != "calls_per_minute" || x.Code != 503 || x.RetryAfter(clock(20*time.Second)) != 40*time.Second {
		t.Errorf("%+v", x)
	}
	if calls, minute, today := q.Used(clock(30*time.Second), "1001"); calls != 2 || minute != 2 || today != time.Minute {
		t.Errorf("used %d %d %v", calls, minute, today)
	}
	q.Set(Config{Default: Limits{SecondsPerDay: time.Minute}, Zone: time.UTC})
	if x := refused(time.Minute); x.Limit != "seconds_per_day" || x.Code != 403 || !x.Ends.Equal(clock(12*time.Hour)) || x.RetryAfter(clock(0)) != 0 {
		t.Errorf("%+v", x)
	}
}
