package rtc

import (
	"sync/atomic"
	"time"

	prtp "github.com/pion/rtp"
)

// slots is how many packets wait for the pacer: 640 ms at 20 ms each.
const slots = 32

// A ring brings packets from the reader to the pacer, one goroutine at each end.
// Its memory is made by the first packets and kept.
type ring struct {
	slot [slots]slot
	head atomic.Uint32 // the reader's: where the next goes
	tail atomic.Uint32 // the pacer's: which is the oldest

	header prtp.Header // the reader's scratch memory
}

type slot struct {
	b  []byte
	at time.Time
}

// room is the slot for the next packet, nil when the ring is full; put fills it.
func (r *ring) room() *slot {
	if r.head.Load()-r.tail.Load() == slots {
		return nil
	}
	return &r.slot[r.head.Load()%slots]
}

func (r *ring) put() { r.head.Add(1) }

// oldest is the packet that came first, nil when there is none; drop lets go of it.
func (r *ring) oldest() *slot {
	if r.head.Load() == r.tail.Load() {
		return nil
	}
	return &r.slot[r.tail.Load()%slots]
}

func (r *ring) drop() { r.tail.Add(1) }
