package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/transaction"
)

// ask sends a request outside any call, REGISTER or OPTIONS, and waits for its
// final answer: 32 s at most (RFC 3261 17.1.2.2). d's sequence number counts on; m
// is nil when no answer came. extra are whole header lines.
func (e *Endpoint) ask(ctx context.Context, f flow.Flow, d *dialog.Dialog, method, extra string) (m *message, why call.Failure) {
	return e.askWith(ctx, f, d, dialog.Request{Method: method, Extra: extra})
}

// askWith does so with what else a request can have.
func (e *Endpoint) askWith(ctx context.Context, f flow.Flow, d *dialog.Dialog, r dialog.Request) (m *message, why call.Failure) {
	d.LocalSeq++
	branch, method := "z9hG4bK"+e.random(16), r.Method
	r.Seq, r.Via, r.Extra = d.LocalSeq, e.via(f, branch), r.Extra+"User-Agent: "+e.c.UserAgent+"\r\n"
	b := d.Build(r)
	type outcome struct {
		m   *message
		why call.Failure
	}
	answered := make(chan outcome, 1)
	s := e.shardOf([]byte(d.CallID))
	var x *tx
	s.guard(d.CallID, func(now time.Time) {
		x = s.txs.Add(string(flow.ClientKey(nil, branch, method)), transaction.Client, f.Reliable(), owner{to: f,
			done: func(m *message, why call.Failure) { answered <- outcome{m, why} }})
		s.handle(now, x, transaction.Event{What: transaction.Start, Bytes: b})
	})
	select {
	case o := <-answered:
		return o.m, o.why
	case <-ctx.Done():
		s.guard(d.CallID, func(time.Time) { x.User.done = nil })
		return nil, call.Failure{Code: 408, Reason: context.Cause(ctx).Error()}
	}
}

// A Place is where requests for a far end can be sent.
type Place struct {
	Transport string // "udp", "tcp" or "tls"
	Addr      netip.AddrPort
	Name      string // of the host, for its certificate
}

func (p Place) hop() hop { return hop{transport: p.Transport, addr: p.Addr, name: p.Name} }

// String is the place as people write it: "udp 192.0.2.7:5060".
func (p Place) String() string { return p.Transport + " " + p.Addr.String() }

// Places resolves an address of the operator's: a host, host:port, or a name with
// SRV records (RFC 3263 4), which count where there is no port. They are in the
// order in which they are to be tried, 8 at most. Without one the error says why.
func (e *Endpoint) Places(ctx context.Context, address, transport string) (all []Place, err error) {
	var uri msg.Uri
	if err := msg.ParseUri("sip:"+flow.Line(address), &uri); err != nil || uri.Host == "" {
		return nil, fmt.Errorf("%q is no address of a host", address)
	}
	port := portOf(&uri, transport)
	if a, err := netip.ParseAddr(strings.Trim(uri.Host, "[]")); err == nil {
		return []Place{{transport, netip.AddrPortFrom(a.Unmap(), port), uri.Host}}, nil
	}
	hops, _, why := e.resolve(ctx, hop{transport: transport, name: uri.Host}, port, uri.Port == 0, true)
	if len(hops) == 0 {
		return nil, errors.New(why)
	}
	for _, h := range hops[:min(len(hops), mostHops)] {
		all = append(all, Place{h.transport, h.addr, h.name})
	}
	return all, nil
}
