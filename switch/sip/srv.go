package sip

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"ozswitch/switch/call"
)

// A Resolver looks names up; net.Resolver is one. LookupSRV gives what it found by
// priority, and within one shuffled by weight (RFC 2782).
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
}

// A lookup is a call whose target is a name that must be resolved first.
type lookup struct {
	hop  // without its address
	port uint16
	srv  bool // the URI has no port: SRV records say where to
	l    *leg
}

// mostHops is how many places one call tries.
const mostHops = 8

// lookup resolves a name and places the call (RFC 3263 4, but for NAPTR): where a
// name without port has SRV records, by these, else by its A and AAAA records.
func (e *Endpoint) lookup(ctx context.Context, q lookup) {
	defer func() {
		if r := recover(); r != nil {
			q.l.shard.wreck(q.l.dlg.CallID, r)
		}
	}()
	hops, code, why := e.resolve(ctx, q.hop, q.port, q.srv, q.l.out.fixed)
	if len(hops) == 0 {
		e.refused(q.l, code, why)
		return
	}
	e.place(q.l, hops...)
}

// resolve gives the places that a name stands for, the first choice first; srv:
// its SRV records say where, if it has some; fixed: by the transport of to and no
// other. Without a place, code and why say the reason.
func (e *Endpoint) resolve(ctx context.Context, to hop, port uint16, srv, fixed bool) (hops []hop, code int, why string) {
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	found, closed := false, false
	if srv {
		hops, found, closed = e.services(ctx, to, fixed)
	}
	why = "no address for " + to.name
	if !found {
		addrs, err := e.addresses(ctx, to.name)
		if err != nil {
			why = short(err)
		}
		for _, a := range addrs {
			hops = append(hops, hop{transport: to.transport, name: to.name, addr: netip.AddrPortFrom(a, port)})
		}
	}
	if closed {
		why = to.name + " takes no calls, by its SRV record"
	}
	return hops, 404, why
}

// services gives the places that the SRV records of a name list, the first choice
// first. Where no transport is fixed, UDP is asked for before TCP. found tells
// whether there were records, closed that they say there is no such service.
func (e *Endpoint) services(ctx context.Context, q hop, fixed bool) (hops []hop, found, closed bool) {
	ways := []string{"udp", "tcp"}
	if fixed {
		ways = []string{q.transport}
	}
	for _, transport := range ways {
		service, proto := "sip", transport
		if transport == "tls" {
			service, proto = "sips", "tcp"
		}
		_, records, err := e.resolver().LookupSRV(ctx, service, proto, q.name)
		if err != nil || len(records) == 0 {
			continue
		}
		found = true
		if len(records) == 1 && strings.Trim(records[0].Target, ".") == "" {
			closed = true
			continue
		}
		for _, r := range records {
			target := strings.TrimSuffix(r.Target, ".")
			addrs, _ := e.addresses(ctx, target) // one that is not there is not tried
			for _, a := range addrs {
				// The certificate must be for the name that was called, not for where the
				// records lead (RFC 5922 4).
				hops = append(hops, hop{transport: transport, name: q.name, addr: netip.AddrPortFrom(a, r.Port)})
			}
			if len(hops) >= mostHops {
				break
			}
		}
	}
	return hops[:min(len(hops), mostHops)], found, closed && len(hops) == 0
}

// addresses are those of a host that we can reach from where we listen.
func (e *Endpoint) addresses(ctx context.Context, host string) (fit []netip.Addr, err error) {
	addrs, err := e.resolver().LookupNetIP(ctx, "ip", host)
	local := e.Addr().Addr()
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() == local.Is4() || local.IsUnspecified() {
			fit = append(fit, a)
		}
	}
	return fit, err
}

func (e *Endpoint) resolver() Resolver {
	if e.c.Resolver != nil {
		return e.c.Resolver
	}
	return net.DefaultResolver
}

// failover sends the INVITE to the next place there is, because one could not be
// reached, gave no answer or was out of service (RFC 3263 4.3). It reports whether
// it did.
func (s *shard) failover(now time.Time, l *leg, why call.Failure) bool {
	o := l.out
	if o == nil || o.cancelled || len(o.others) == 0 || why.Code != 503 && (why.Code != 408 || o.ringing) {
		return false
	}
	o.to, o.others = o.others[0], o.others[1:]
	o.ringing, o.early = false, nil
	s.invite(now, l, o.to)
	return true
}
