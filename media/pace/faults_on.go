//go:build faults

package pace

// inject panics when the fault a leg was made with names the point reached, so
// that tests of the whole switch can show that one call's end is no other's.
func inject(fault, point string) {
	if fault == point {
		panic("fault injected at " + point)
	}
}
