package tts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// lane is how urgently a piece is wanted, the most urgent first.
type lane int

const (
	urgent lane = iota // somebody has waited in silence for too long
	first              // somebody waits in silence
	later              // somebody listens to the piece before it
	ahead              // nobody waits yet
	lanes
)

// mostWaiting is how many pieces may wait for an engine.
const mostWaiting = 1000

// ErrBusy: too many pieces wait to be made.
var ErrBusy = errors.New("tts: too many pieces wait")

// turns lets so many pieces be made at once: the most urgent first, and in the order of their coming where they are
// equal. While there is more than one place, one is kept for those who wait in silence, so that the rest of a long text
// never stands in the way of another call's first word.
type turns struct {
	mu   sync.Mutex
	kept int // of the free places, for urgent and first only
	free int
	line [lanes][]*turn
	n    int // in all lines
}

// turn is one piece's way through the queue.
type turn struct {
	ready chan struct{} // closed when it may be made

	lane  lane // guarded by turns.mu, as state
	state turnState
}

type turnState int

const (
	outside turnState = iota // not in the queue yet
	waiting
	going
	over
)

func newTurns(places int) *turns { return &turns{free: places, kept: min(1, places-1)} }

func newTurn(l lane) *turn { return &turn{ready: make(chan struct{}), lane: l} }

// wait returns nil when t may be made; done must follow. Else it is ErrBusy or the cause of ctx, and nothing follows.
func (q *turns) wait(ctx context.Context, t *turn) error {
	q.mu.Lock()
	switch {
	case t.state != outside:
		q.mu.Unlock()
		return context.Canceled // given up before it came here
	case q.n >= mostWaiting:
		t.state = over
		q.mu.Unlock()
		return fmt.Errorf("%w: %d", ErrBusy, mostWaiting)
	}
	t.state = waiting
	q.line[t.lane] = append(q.line[t.lane], t)
	q.n++
	q.serve()
	q.mu.Unlock()
	select {
	case <-t.ready:
		return nil
	case <-ctx.Done():
		if !q.giveUp(t) {
			q.done(t) // its turn came at the same moment
		}
		return context.Cause(ctx)
	}
}

// serve gives places to who is next. It needs mu.
func (q *turns) serve() {
	for l := range lanes {
		kept := 0
		if l > first {
			kept = q.kept
		}
		for len(q.line[l]) > 0 && q.free > kept {
			t := q.line[l][0]
			q.line[l] = slices.Delete(q.line[l], 0, 1)
			q.n--
			q.free--
			t.state = going
			close(t.ready)
		}
	}
}

// raise makes a turn as urgent as l, if it is less.
func (q *turns) raise(t *turn, l lane) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l >= t.lane {
		return
	}
	if t.state == waiting {
		q.remove(t)
		q.line[l] = append(q.line[l], t)
		q.n++
	}
	t.lane = l
	q.serve()
}

// giveUp takes a turn that has not come out of the queue, and tells whether it did.
func (q *turns) giveUp(t *turn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch t.state {
	case waiting:
		q.remove(t)
	case going, over:
		return false
	}
	t.state = over
	return true
}

// done gives the place of a turn that came to the next.
func (q *turns) done(t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.state == going {
		t.state = over
		q.free++
		q.serve()
	}
}

// remove needs mu.
func (q *turns) remove(t *turn) {
	if i := slices.Index(q.line[t.lane], t); i >= 0 {
		q.line[t.lane] = slices.Delete(q.line[t.lane], i, i+1)
		q.n--
	}
}
