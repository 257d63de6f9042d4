package pace

import "sync/atomic"

// ring is a queue between one goroutine that puts and one that takes; neither
// ever waits.
type ring[T any] struct {
	buf        []T           // a power of two
	head, tail atomic.Uint32 // taken up to head, put up to tail
}

// put reports false when the ring is full.
func (r *ring[T]) put(x T) bool {
	t := r.tail.Load()
	if t-r.head.Load() == uint32(len(r.buf)) {
		return false
	}
	r.buf[t%uint32(len(r.buf))] = x
	r.tail.Store(t + 1)
	return true
}

func (r *ring[T]) take() (x T, ok bool) {
	h := r.head.Load()
	if h == r.tail.Load() {
		return x, false
	}
	var none T
	p := &r.buf[h%uint32(len(r.buf))]
	x, *p = *p, none
	r.head.Store(h + 1)
	return x, true
}
