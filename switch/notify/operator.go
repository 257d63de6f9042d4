package notify

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// OperatorDial connects to a server that the configuration itself names, such as
// that of speech.url: a private address is what an operator means. Refused, for
// each address that the name resolves to, are those that no service of his has:
// link-local ones, among them the metadata servers of clouds, and multicast.
// timeout is that of one connection.
func OperatorDial(timeout time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	d := &net.Dialer{Timeout: timeout, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("notify: dial %s: %w", address, err)
		}
		switch k := KindOf(a.Addr()); k {
		case LinkLocal, Metadata, Multicast:
			return fmt.Errorf("%s is a %s address and never reached", plainAddr(a), k)
		}
		return nil
	}}
	return d.DialContext
}
