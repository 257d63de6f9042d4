//go:build faults

package sip

import "sync/atomic"

// fault is called at every named point: "scanned", "request", "response".
var fault atomic.Pointer[func(point string)]

func inject(point string) {
	if f := fault.Load(); f != nil {
		(*f)(point)
	}
}

// SetFault has f called at every point, for tests of the whole switch; nil ends
// that.
func SetFault(f func(point string)) {
	if f == nil {
		fault.Store(nil)
		return
	}
	fault.Store(&f)
}
