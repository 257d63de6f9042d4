package exchange

import (
	"sync"

	"ozswitch/switch/call"
)

// A box is a mailbox: any goroutine puts, one takes. Most hold one event or two
// at a time, so its memory grows with what waits; a channel would have room for
// all of it from the start, four kilobytes a call.
type box struct {
	bell chan struct{} // has something in it when there may be events

	mu     sync.Mutex
	events []call.Event
	first  int // events before it have been taken
}

func newBox() box { return box{bell: make(chan struct{}, 1)} }

// put reports false when the box is full.
func (b *box) put(e call.Event) bool {
	b.mu.Lock()
	full := len(b.events)-b.first >= mailbox
	if !full {
		b.events = append(b.events, e)
	}
	b.mu.Unlock()
	if full {
		return false
	}
	select {
	case b.bell <- struct{}{}:
	default:
	}
	return true
}

// take takes the oldest event, if there is one.
func (b *box) take() (e call.Event, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.first == len(b.events) {
		return nil, false
	}
	e, b.events[b.first] = b.events[b.first], nil
	if b.first++; b.first == len(b.events) {
		b.events, b.first = b.events[:0], 0
		if cap(b.events) > 8 { // after a rush
			b.events = nil
		}
	}
	return e, true
}
