//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package tts

import "github.com/tetratelabs/wazero/experimental"

// mapMemory gives an instance memory from Go's heap.
func mapMemory(initial, most uint64) experimental.LinearMemory {
	return &heap{b: make([]byte, 0, initial), most: min(most, mostMemory)}
}

type heap struct {
	b    []byte
	most uint64
}

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

func (h *heap) Free() { h.b = nil }
