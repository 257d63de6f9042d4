package dialplan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Profile is the times at which a rule holds: office hours, nights.
type Profile struct {
	Name string
	// Open are spans of the week: "mon-fri 08:00-17:00", "sat 09:00-12:00",
	// "22:00-06:00" (each day; past midnight it belongs to the day it began).
	Open []string
	// Closed are days on which Open does not count: "2026-12-25", or "12-25" for
	// every year. They win.
	Closed []string
	Zone   string // "Europe/Budapest"; "" = the machine's
}

// Check says what is wrong with a profile, nil if nothing is.
func (p Profile) Check() error {
	_, err := p.read()
	return err
}

// hours is a Profile that was read.
type hours struct {
	spans  []span
	closed []string
	zone   *time.Location
}

// A span is a time of some days, in minutes after midnight; to is above 24 h
// when it ends on the next day.
type span struct {
	days     [7]bool // from Sunday, as time.Weekday
	from, to int
}

const day = 24 * 60

func (p Profile) read() (h *hours, err error) {
	h = &hours{zone: time.Local}
	if p.Zone != "" {
		if h.zone, err = time.LoadLocation(p.Zone); err != nil {
			return nil, fmt.Errorf("time profile %s: zone %q is not known here", p.Name, p.Zone)
		}
	}
	for _, o := range p.Open {
		s, err := readSpan(o)
		if err != nil {
			return nil, fmt.Errorf("time profile %s: %w", p.Name, err)
		}
		h.spans = append(h.spans, s)
	}
	for _, c := range p.Closed {
		_, err := time.Parse("2006-01-02", c)
		if _, yearly := time.Parse("2006-01-02", "2000-"+c); err != nil && yearly != nil { // 2000 has a 29th of February
			return nil, fmt.Errorf("time profile %s: closed %q is no day: write 2026-12-25, or 12-25 for every year", p.Name, c)
		}
		h.closed = append(h.closed, c)
	}
	if len(h.spans) == 0 {
		return nil, fmt.Errorf("time profile %s: open is missing", p.Name)
	}
	return h, nil
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func readSpan(text string) (s span, err error) {
	bad := fmt.Errorf("open %q: write mon-fri 08:00-17:00", text)
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		return s, bad
	}
	last := words[len(words)-1]
	whole := !strings.Contains(last, ":") // days only
	if !whole {
		words = words[:len(words)-1]
	}
	names := strings.FieldsFunc(strings.Join(words, ","), func(r rune) bool { return r == ',' })
	if len(names) == 0 {
		names = []string{"mon-sun"}
	}
	for _, n := range names {
		first, end, many := strings.Cut(n, "-")
		if !many {
			end = first
		}
		a, b := slices.Index(weekdays, first), slices.Index(weekdays, end)
		if a < 0 || b < 0 {
			return s, bad
		}
		for d := a; ; d = (d + 1) % 7 {
			s.days[d] = true
			if d == b {
				break
			}
		}
	}
	if whole {
		s.to = day
		return s, nil
	}
	from, to, ok := strings.Cut(last, "-")
	s.from, err = clock(from)
	if err != nil || !ok {
		return s, bad
	}
	if s.to, err = clock(to); err != nil {
		return s, bad
	}
	if s.from == s.to {
		return s, fmt.Errorf("open %q begins and ends at the same time", text)
	}
	if s.to < s.from {
		s.to += day
	}
	return s, nil
}

// clock reads 08:00 as minutes; 24:00 is the end of the day.
func clock(s string) (int, error) {
	h, m, ok := strings.Cut(s, ":")
	hour, err1 := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	n := hour*60 + minute
	if !ok || err1 != nil || err2 != nil || hour < 0 || minute < 0 || minute > 59 || n > day {
		return 0, fmt.Errorf("%q is no time of day", s)
	}
	return n, nil
}

// open tells whether a moment lies in the profile.
func (h *hours) open(now time.Time) bool {
	t := now.In(h.zone)
	minute := t.Hour()*60 + t.Minute()
	yesterday := t.AddDate(0, 0, -1)
	for _, s := range h.spans {
		if s.days[t.Weekday()] && s.from <= minute && minute < s.to && !h.shut(t) ||
			s.days[yesterday.Weekday()] && minute+day < s.to && !h.shut(yesterday) {
			return true
		}
	}
	return false
}

func (h *hours) shut(t time.Time) bool {
	return slices.Contains(h.closed, t.Format("2006-01-02")) || slices.Contains(h.closed, t.Format("01-02"))
}
