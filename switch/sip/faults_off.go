//go:build !faults

package sip

// inject is where tests built with the tag faults cause panics.
func inject(string) {}
