//go:build linux || darwin || freebsd || netbsd || openbsd

package worker

import "syscall"

// MapMemory gives an engine's instance memory straight from the system, at most
// most bytes. On Go's heap the collector would count all of it, though most is
// never touched, and it would stay until the next collection and its return to the
// system: 60 to 100 MB resident where 21 suffice (voice-and-mp3.md B).
func MapMemory(most uint64) Memory {
	b, err := syscall.Mmap(-1, 0, int(most), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return &mapped{}
	}
	return &mapped{b}
}

// mapped is address space; only the pages that are touched take memory.
type mapped struct{ b []byte }

// Reallocate implements Memory.
func (m *mapped) Reallocate(size uint64) []byte {
	if size > uint64(len(m.b)) {
		return nil
	}
	return m.b[:size]
}

// Free implements Memory.
func (m *mapped) Free() {
	if m.b != nil {
		syscall.Munmap(m.b)
		m.b = nil
	}
}
