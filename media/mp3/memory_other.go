//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package mp3

import "github.com/tetratelabs/wazero/experimental"

// mapMemory gives an instance memory from Go's heap.
func mapMemory(initial, most uint64) experimental.LinearMemory {
	return &heap{b: make([]byte, 0, initial), most: min(most, mostMemory)}
}

type heap struct {
	b    []byte
	most uint64
}

// Reallocate implements experimental.LinearMemory: nil when there is no more.
func (h *heap) Reallocate(size uint64) []byte {
	if size > h.most {
		return nil
	}
	if size > uint64(cap(h.b)) {
		b := make([]byte, size, min(h.most, 2*size))
		copy(b, h.b)
		h.b = b
	}
	h.b = h.b[:size]
	return h.b
}

// Free implements experimental.LinearMemory.
func (h *heap) Free() { h.b = nil }
