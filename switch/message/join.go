package message

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A joiner puts the parts of long messages together, in whatever order they
// come. It is pure and has one owner.
//
// A message whose parts do not all come within keep, or that is the oldest of
// too many, is given out with what there is of it: half a message says more
// than none.
type joiner struct {
	keep time.Duration
	max  int // unfinished messages
	open map[joinKey]*unfinished
}

type joinKey struct {
	from, to string
	ref      uint16
	total    int
}

type unfinished struct {
	first time.Time // when the first part came
	parts []*string // by number-1
	have  int
}

func newJoiner(keep time.Duration, max int) *joiner {
	return &joiner{keep: keep, max: max, open: map[joinKey]*unfinished{}}
}

// add takes a part and gives the messages that it finishes: that of the part,
// and with it one that has to make room. A part that comes twice counts once.
func (j *joiner) add(now time.Time, from, to string, p part, text string) []SMS {
	if p.total == 0 {
		return []SMS{{From: from, To: to, Text: text, At: now}}
	}
	k := joinKey{from, to, p.ref, p.total}
	u := j.open[k]
	var out []SMS
	if u == nil {
		if len(j.open) >= j.max {
			out = append(out, j.end(j.oldest(), now))
		}
		u = &unfinished{first: now, parts: make([]*string, p.total)}
		j.open[k] = u
	}
	if u.parts[p.number-1] == nil {
		u.parts[p.number-1] = &text
		u.have++
	}
	if u.have == p.total {
		out = append(out, j.end(k, now))
	}
	return out
}

// expire gives the messages that have waited too long, the oldest first.
func (j *joiner) expire(now time.Time) []SMS {
	var late []joinKey
	for k, u := range j.open {
		if now.Sub(u.first) >= j.keep {
			late = append(late, k)
		}
	}
	slices.SortFunc(late, func(a, b joinKey) int {
		return cmp.Or(j.open[a].first.Compare(j.open[b].first), cmp.Compare(a.from, b.from), cmp.Compare(a.ref, b.ref))
	})
	var out []SMS
	for _, k := range late {
		out = append(out, j.end(k, now))
	}
	return out
}

func (j *joiner) oldest() (old joinKey) {
	first := true
	for k, u := range j.open {
		if first || u.first.Before(j.open[old].first) {
			old, first = k, false
		}
	}
	return old
}

func (j *joiner) end(k joinKey, now time.Time) SMS {
	u := j.open[k]
	delete(j.open, k)
	var text strings.Builder
	for _, p := range u.parts {
		switch {
		case p != nil:
			text.WriteString(*p)
		case !strings.HasSuffix(text.String(), "…"):
			text.WriteString("…")
		}
	}
	return SMS{From: k.from, To: k.to, Text: text.String(), At: now, Incomplete: u.have < k.total}
}

// flush gives all that is there.
func (j *joiner) flush(now time.Time) []SMS {
	var out []SMS
	for len(j.open) > 0 {
		out = append(out, j.end(j.oldest(), now))
	}
	return out
}
