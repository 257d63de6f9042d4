//go:build faults

package exchange

import "strings"

// inject panics at the named boundary for calls to "panic.<point>", so that a
// test can see that only such a call ends.
func inject(point, dialed string) {
	if strings.HasPrefix(dialed, "panic.") && dialed == "panic."+point {
		panic("injected at " + point)
	}
}
