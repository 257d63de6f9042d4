package pace

import (
	"net/netip"
	"sync/atomic"
	"time"
)

type op uint8

const (
	opPlay op = iota
	opFlush
	opKeys
	opRemote
	opTap
	opSending
	opTimeout
	opFormat
	opFeed
	opJoin
	opLay
	opBackground
	opOver
	opFlushOver
)

// A command waits for the leg's next tick. It is made by whoever gives it, so
// that the shard's thread allocates nothing; a clip's command is also its place
// in the play list.
type command struct {
	next  *command
	op    op
	on    bool
	id    uint32
	clip  *Clip
	coder Coder
	tap   *Tap
	feed  Feed
	keys  string
	addr  netip.AddrPort
	d     time.Duration
	to    *change
	join  *joining
}

// most is how many commands may wait for a leg, clips in its play list included.
const most = 256

// commands is a queue from any goroutine to the shard's thread, without a lock:
// a stack that the thread takes whole and turns round.
type commands struct {
	top atomic.Pointer[command]
	n   atomic.Int32
}

func (q *commands) push(c *command) bool {
	if q.n.Add(1) > most {
		q.n.Add(-1)
		return false
	}
	for {
		c.next = q.top.Load()
		if q.top.CompareAndSwap(c.next, c) {
			return true
		}
	}
}

// take returns all that waits, the oldest first.
func (q *commands) take() *command {
	if q.top.Load() == nil {
		return nil
	}
	var first *command
	for c := q.top.Swap(nil); c != nil; {
		c.next, first, c = first, c, c.next
	}
	return first
}

// over says that a command has done its work.
func (q *commands) over() { q.n.Add(-1) }

// list is a queue of commands owned by the thread.
type list struct{ first, last *command }

func (l *list) add(c *command) {
	c.next = nil
	if l.first == nil {
		l.first = c
	} else {
		l.last.next = c
	}
	l.last = c
}

func (l *list) drop() {
	l.first = l.first.next
	if l.first == nil {
		l.last = nil
	}
}
