//go:build faults

package bridge

import (
	"net/netip"
	"sync/atomic"
)

// Fault, when set, says whether a leg with that far end shall panic at a point:
// "run", in the leg's goroutine, or "tick", in the pacer's thread.
var Fault atomic.Pointer[func(point string, remote netip.AddrPort) bool]

// inject panics where Fault says so, so that a test can see that only that call
// ends.
func inject(point string, remote netip.AddrPort) {
	if f := Fault.Load(); f != nil && (*f)(point, remote) {
		panic("injected at bridge " + point)
	}
}

// paceFault is the fault that the pacer is to have.
func paceFault(remote netip.AddrPort) string {
	if f := Fault.Load(); f != nil && (*f)("tick", remote) {
		return "tick"
	}
	return ""
}
