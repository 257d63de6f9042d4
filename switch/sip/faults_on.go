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
