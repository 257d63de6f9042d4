//go:build !linux

package pace

import "net/netip"

// Listen opens a wire at a local address; port 0 is any free one.
func Listen(local netip.AddrPort) (Wire, error) { return ListenPortable(local) }

func native(Wire) bool { return false }
