//go:build faults

package recorder

import "sync/atomic"

// Fault, when set, says whether the recording of that name shall panic in its
// worker.
var Fault atomic.Pointer[func(name string) bool]

// inject panics where Fault says so, so that a test can see that only that
// recording ends.
func inject(name string) {
	if f := Fault.Load(); f != nil && (*f)(name) {
		panic("injected at recorder")
	}
}
