//go:build linux || darwin || freebsd || netbsd || openbsd

package mp3

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// mapMemory gives an instance memory straight from the system. Go's collector would count all of it, though most is
// never touched (voice-and-mp3.md B).
func mapMemory(_, most uint64) experimental.LinearMemory {
	b, err := syscall.Mmap(-1, 0, int(min(most, mostMemory)), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return &mapped{}
	}
	return &mapped{b}
}

type mapped struct{ b []byte }

// Reallocate implements experimental.LinearMemory: nil when there is no more.
func (m *mapped) Reallocate(size uint64) []byte {
	if size > uint64(len(m.b)) {
		return nil
	}
	return m.b[:size]
}

// Free implements experimental.LinearMemory.
func (m *mapped) Free() {
	if m.b != nil {
		syscall.Munmap(m.b)
		m.b = nil
	}
}
