//go:build !faults

package bridge

import "net/netip"

// inject does nothing in a build without the tag faults.
func inject(string, netip.AddrPort) {}

// paceFault names no fault in such a build.
func paceFault(netip.AddrPort) string { return "" }
