//go:build faults

package pace

import "testing"

func TestFault(t *testing.T) {
	r := newRig(t, func(c *LegConfig) { c.Fault = "tick" })
	r.frames(2)
	r.want("results", r.results(), "Failed@0=pace: panic in a leg: fault injected at tick")
}
