package pace

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"
)

// Kind says what a Result reports.
type Kind uint8

// What a leg reports.
const (
	KeyPressed  Kind = iota + 1 // Key, At: the far end pressed a key
	Started                     // ID, At: the first frame of a clip is being sent
	Ended                       // ID, At: the last frame of a clip is being sent; it sounds 20 ms longer
	KeysSent                    // ID, At: the last gap of SendKeys is over
	FirstPacket                 // From, At: the first packet came
	MediaLost                   // At: nothing came for the timeout; said once until something comes again
	Failed                      // Err, At: the leg is gone; always the last result
)

// String names the kind.
func (k Kind) String() string {
	names := [...]string{"none", "KeyPressed", "Started", "Ended", "KeysSent", "FirstPacket", "MediaLost", "Failed"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// A Result is something that happened on a leg. Kind says which fields count.
// At is the due time of the tick it happened in, not the time of day at which
// a late thread came round to it.
type Result struct {
	Kind   Kind
	Key    byte
	Inband bool // the key was found in the sound
	ID     uint32
	At     time.Time
	From   netip.AddrPort
	Err    error
}

// errDeaf is the fault of a leg whose results nobody takes: a key that cannot be
// delivered must not be dropped in silence.
var errDeaf = errors.New("pace: nobody takes the results of the leg")

// places is how many results wait for their reader.
const places = 64

// results is the way of results from the shard to one reader.
type results struct {
	bell   chan struct{}
	ring   ring[told]
	from   netip.AddrPort         // of FirstPacket, which is put once
	failed atomic.Pointer[Result] // behind everything in the ring
	last   bool                   // reader's: failed was handed out
}

// told is a Result in the ring, a third as large: every leg has 64.
type told struct {
	at     time.Time
	id     uint32
	kind   Kind
	key    byte
	inband bool
}

// put reports false when the ring is full. Of x, Err is not kept: see fail.
func (r *results) put(x Result) bool {
	if x.Kind == FirstPacket {
		r.from = x.From
	}
	if !r.ring.put(told{at: x.At, id: x.ID, kind: x.Kind, key: x.Key, inband: x.Inband}) {
		return false
	}
	ding(r.bell)
	return true
}

// fail leaves the leg's last result.
func (r *results) fail(at time.Time, err error) {
	r.failed.Store(&Result{Kind: Failed, At: at, Err: err})
	ding(r.bell)
}

func (r *results) next() (Result, bool) {
	// failed is looked at first: what was put before it is in the ring by then.
	f := r.failed.Load()
	if t, ok := r.ring.take(); ok {
		x := Result{At: t.at, ID: t.id, Kind: t.kind, Key: t.key, Inband: t.inband}
		if t.kind == FirstPacket {
			x.From = r.from
		}
		return x, true
	}
	if f != nil && !r.last {
		r.last = true
		return *f, true
	}
	return Result{}, false
}

// ding rings a doorbell without waiting for anyone to hear it.
func ding(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}
