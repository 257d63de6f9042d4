//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package worker

// MapMemory gives an engine's instance memory from Go's heap, at most most bytes.
func MapMemory(most uint64) Memory { return &heap{most: most} }

type heap struct {
	b    []byte
	most uint64
}

// Reallocate implements Memory.
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

// Free implements Memory.
func (h *heap) Free() { h.b = nil }
