package ozml

import "time"

// A KeySource tells how a key arrived.
type KeySource uint8

// The sources of keys.
const (
	KeyEvent  KeySource = iota // RFC 4733
	KeyInfo                    // SIP INFO
	KeyInband                  // heard as a tone
)

func (s KeySource) String() string { return [...]string{"event", "info", "inband"}[s] }

// A Router decides what a key of one call does, in the order of decisions 5.1:
// drop the same press from a second source, end a recording, feed the UserInput
// that is open, or be kept for the next. It is pure and has one owner; the live
// call and the call on paper both use it.
type Router struct {
	last [3]struct { // by source
		key Key
		at  time.Time
	}
	open   int       // UserInputs that take keys, one within the InitialCommands of another
	closed time.Time // when the last one was done; zero = none was
	queue  []Key
}

const (
	sameKey   = 500 * time.Millisecond // decisions 5.1 a
	typeAhead = 5 * time.Second        // decisions 5.1 e
	maxAhead  = 32
)

// Fresh tells whether k from src at now is a press of its own and not the echo
// of one that another source reported (5.1 a). It must be asked once per key.
func (r *Router) Fresh(now time.Time, k Key, src KeySource) bool {
	for s, l := range r.last {
		if KeySource(s) != src && l.key == k && now.Sub(l.at) < sameKey {
			return false
		}
	}
	r.last[src].key, r.last[src].at = k, now
	return true
}

// Press routes a fresh key. taken says that a recording was ended by it (5.1
// c). It reports whether a key waits for Next now.
func (r *Router) Press(k Key, taken bool) bool {
	switch {
	case r.open > 0: // 5.1 d: taken or not
		r.queue = append(r.queue, k)
	case taken, r.closed.IsZero(), len(r.queue) >= maxAhead:
	default: // 5.1 e
		r.queue = append(r.queue, k)
	}
	return len(r.queue) > 0
}

// Open says that a UserInput begins to take keys. Each Open has its Close.
func (r *Router) Open(now time.Time) {
	if r.open == 0 && (r.closed.IsZero() || now.Sub(r.closed) > typeAhead) {
		r.queue = r.queue[:0]
	}
	r.open++
}

// Close says that the UserInput is complete or given up.
func (r *Router) Close(now time.Time) { r.open, r.closed = max(r.open-1, 0), now }

// Waiting tells whether Next has a key.
func (r *Router) Waiting() bool { return len(r.queue) > 0 }

// Next takes the oldest key.
func (r *Router) Next() (k Key, ok bool) {
	if len(r.queue) == 0 {
		return 0, false
	}
	k = r.queue[0]
	r.queue = append(r.queue[:0], r.queue[1:]...)
	return k, true
}
