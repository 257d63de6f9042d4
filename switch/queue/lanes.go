package queue

import (
	"container/heap"
	"time"
)

// An entry is what is kept in memory of a report: its payload stays in the
// store once the first attempt has failed.
type entry struct {
	id, lane, group string
	seq             int64
	created, due    time.Time
	attempts        int
	last            string
	payload         []byte // nil: load it
}

// lanes decides which report goes next. It is pure and has one owner.
//
// Of each lane only the head may go, and one at a time. Each group (one
// receiver) has a share of the workers, so that a web app that hangs does not
// hold up the others.
type lanes struct {
	workers, share int // at the same time: in all, for one group
	byKey          map[string]*lane
	ready          laneHeap // lanes whose head may go, when it is due
	starved        map[string][]*lane
	flying         map[string]int // attempts under way by group
	inFlight, size int
}

type lane struct {
	key     string
	waiting []*entry // by seq; [0] is the head
}

func newLanes(workers, share int) *lanes {
	return &lanes{workers: workers, share: share, byKey: map[string]*lane{}, flying: map[string]int{}, starved: map[string][]*lane{}}
}

func (l *lanes) add(e *entry) {
	ln := l.byKey[e.lane]
	if ln == nil {
		ln = &lane{key: e.lane}
		l.byKey[e.lane] = ln
	}
	ln.waiting = append(ln.waiting, e)
	l.size++
	if len(ln.waiting) == 1 {
		heap.Push(&l.ready, ln)
	}
}

// take gives the next report to try, or nil and when to ask again (zero: not
// before add or done).
func (l *lanes) take(now time.Time) (*entry, time.Time) {
	for len(l.ready) > 0 && l.inFlight < l.workers {
		ln := l.ready[0]
		e := ln.waiting[0]
		if e.due.After(now) {
			return nil, e.due
		}
		heap.Pop(&l.ready)
		if l.flying[e.group] >= l.share {
			l.starved[e.group] = append(l.starved[e.group], ln)
			continue
		}
		l.flying[e.group]++
		l.inFlight++
		return e, time.Time{}
	}
	return nil, time.Time{}
}

// done ends an attempt: the report has arrived or is given up, or it is tried
// again at due.
func (l *lanes) done(e *entry, again bool, due time.Time) {
	ln := l.byKey[e.lane]
	l.inFlight--
	if l.flying[e.group]--; l.flying[e.group] == 0 {
		delete(l.flying, e.group)
	}
	if again {
		e.due = due
	} else {
		ln.waiting[0] = nil
		ln.waiting = ln.waiting[1:]
		l.size--
	}
	if len(ln.waiting) > 0 {
		heap.Push(&l.ready, ln)
	} else {
		delete(l.byKey, e.lane)
	}
	if s := l.starved[e.group]; len(s) > 0 {
		heap.Push(&l.ready, s[0])
		if l.starved[e.group] = s[1:]; len(s) == 1 {
			delete(l.starved, e.group)
		}
	}
}

// A laneHeap has the lane whose head is due first on top; of equals the older.
type laneHeap []*lane

func (h laneHeap) Len() int { return len(h) }
func (h laneHeap) Less(i, j int) bool {
	a, b := h[i].waiting[0], h[j].waiting[0]
	if !a.due.Equal(b.due) {
		return a.due.Before(b.due)
	}
	return a.seq < b.seq
}
func (h laneHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *laneHeap) Push(x any)   { *h = append(*h, x.(*lane)) }
func (h *laneHeap) Pop() any {
	old := *h
	ln := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return ln
}
