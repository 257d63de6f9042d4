package worker

// A Memory is that of one instance of a WebAssembly engine, as wazero wants it.
type Memory interface {
	// Reallocate gives it that size and returns it, with what was in it; nil when
	// there is no more.
	Reallocate(size uint64) []byte
	Free()
}
