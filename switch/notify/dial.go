package notify

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"syscall"
)

// A refusal says that an address may not be reached.
type refusal struct {
	addr netip.AddrPort
	kind Kind
	self bool // it is the switch itself
}

func (r *refusal) Error() string {
	if r.self {
		return fmt.Sprintf("%s is this switch itself", r.addr)
	}
	return fmt.Sprintf("%s is a %s address and not allowed; to allow it: %s", r.addr, r.kind, Line(r.addr))
}

// A pass goes with a request to the place where the address is known.
type pass struct{ open bool } // the URL's host is allowed wherever it resolves to

type passKey struct{}

// withPass notes what the URL itself allows. For one pool this is a matter of
// host and port only, so a connection that is used again was allowed to whoever
// gets it.
func (c *Client) withPass(ctx context.Context, u *url.URL, operator bool) context.Context {
	return context.WithValue(ctx, passKey{}, pass{open: operator || c.rules.Load().Host(u.Hostname(), portOf(u))})
}

// check applies the rule to an address that is about to be dialled.
func (c *Client) check(ctx context.Context, a netip.AddrPort) error {
	a = plainAddr(a)
	if c.self.is(a) {
		return &refusal{addr: a, kind: KindOf(a.Addr()), self: true}
	}
	if p, _ := ctx.Value(passKey{}).(pass); p.open || c.rules.Load().Addr(a) {
		return nil
	}
	return &refusal{addr: a, kind: KindOf(a.Addr())}
}

// dial connects; each address that the name has is checked when it is its turn,
// so that a name that changes its address between two look-ups gains nothing.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if c.cfg.Dial != nil {
		if a, err := netip.ParseAddrPort(address); err == nil {
			if err := c.check(ctx, a); err != nil {
				return nil, err
			}
		}
		return c.cfg.Dial(ctx, network, address)
	}
	d := net.Dialer{Timeout: c.cfg.Timeout, ControlContext: func(ctx context.Context, _, address string, _ syscall.RawConn) error {
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("notify: dial %s: %w", address, err)
		}
		return c.check(ctx, a)
	}}
	return d.DialContext(ctx, network, address)
}
