package sip

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/dialog"
	"ozswitch/switch/sip/flow"
)

// An Enrolment is our place at the registrar of somebody else: Register takes
// it, and again before it runs out; with 0 it is given up. Who calls the
// extension there reaches us then (RFC 3261 10.2).
type Enrolment struct {
	e        *Endpoint
	instance string // +sip.instance: which telephone we are, whatever way we come

	mu     sync.Mutex // one REGISTER at a time
	dlg    dialog.Dialog
	to     hop
	port   uint16
	header string // that answers the last challenge
}

// Enrol gives an Enrolment of an extension at a registrar, "sip:10.0.0.1:5060;transport=tcp".
// It sends nothing.
func (e *Endpoint) Enrol(user, registrar string) (*Enrolment, error) {
	var uri msg.Uri
	if err := msg.ParseUri(flow.Line(registrar), &uri); err != nil || uri.Host == "" {
		return nil, fmt.Errorf("sip: register at %s: no SIP URI", registrar)
	}
	n := &Enrolment{e: e, to: hop{transport: cmp.Or(transportOf(&uri), "udp"), name: uri.Host}}
	n.port = portOf(&uri, n.to.transport)
	id := fmt.Sprintf("%x", e.random(16))
	n.instance = fmt.Sprintf(`"<urn:uuid:%s-%s-4%s-8%s-%s>"`, id[:8], id[8:12], id[13:16], id[17:20], id[20:]) // RFC 9562, version 4
	who := "<sip:" + Escape(user) + "@" + uri.Host + ">"
	n.dlg = dialog.Dialog{CallID: e.random(20), LocalTag: e.random(10), Remote: who, Target: "sip:" + uri.Host}
	n.dlg.Local = who + ";tag=" + n.dlg.LocalTag
	return n, nil
}

// Register binds us for so long, or ends the binding with 0, and tells for how
// long it was granted. It waits for the answer: 32 s at most.
func (n *Enrolment) Register(ctx context.Context, expires time.Duration) (granted time.Duration, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.find(ctx); err != nil {
		return 0, err
	}
	challenged := false
	for {
		m, why := n.ask(ctx, expires)
		switch {
		case m == nil:
		case why.Code < 300:
			return granting(m.res, expires), nil
		case why.Code == 423 && expires > 0: // Min-Expires (RFC 3261 10.2.8)
			if least := seconds(m.res, "min-expires"); least > expires {
				expires = least
				continue
			}
		default:
			if h, ok := n.e.login(m, "REGISTER", n.dlg.Target, challenged); ok {
				n.header, challenged = h, true
				continue
			}
		}
		return 0, fmt.Errorf("sip: register at %s: %d %s", n.to.name, why.Code, why.Reason)
	}
}

// find resolves the registrar's name.
func (n *Enrolment) find(ctx context.Context) error {
	addr, err := netip.ParseAddr(strings.Trim(n.to.name, "[]"))
	if err != nil {
		all, err := n.e.addresses(ctx, n.to.name)
		if err == nil && len(all) == 0 {
			err = fmt.Errorf("%s has no address that we can reach from where we listen", n.to.name)
		}
		if err != nil {
			return fmt.Errorf("sip: register at %s: %w", n.to.name, err)
		}
		addr = all[0]
	}
	n.to.addr = netip.AddrPortFrom(addr.Unmap(), n.port)
	return nil
}

// ask sends one REGISTER. m is nil when no answer came.
func (n *Enrolment) ask(ctx context.Context, expires time.Duration) (m *message, why call.Failure) {
	e := n.e
	f := e.flowTo(n.to)
	if f == nil {
		return nil, call.Failure{Code: 503, Reason: "not listening for " + n.to.transport}
	}
	lasts := strconv.Itoa(int((expires + time.Second - 1) / time.Second))
	contact := "Contact: " + e.contact(f) + ";expires=" + lasts + ";+sip.instance=" + n.instance
	if f.Reliable() {
		contact += ";reg-id=1"
	}
	m, why = e.ask(ctx, f, &n.dlg, "REGISTER", n.header+contact+"\r\nExpires: "+lasts+"\r\nSupported: path, outbound\r\n")
	if m != nil && expires > 0 {
		f.Keep(expires + time.Minute)
	}
	return m, why
}

// granting is what the registrar gave: our Contact's, or the header's, or what
// was asked for. Contacts of others stand there too, so the longest is not ours.
func granting(res *msg.Response, asked time.Duration) time.Duration {
	least := time.Duration(0)
	for _, h := range res.GetHeaders("contact") {
		if c, ok := h.(*msg.ContactHeader); ok {
			if v, ok := c.Params.Get("expires"); ok {
				if d := expires(v, 0); d > 0 && (least == 0 || d < least) {
					least = d
				}
			}
		}
	}
	if least == 0 {
		least = seconds(res, "expires")
	}
	if least == 0 || least > asked {
		return asked
	}
	return least
}

// seconds reads a header that is a number of them; 0 = none.
func seconds(res *msg.Response, name string) time.Duration {
	h := res.GetHeader(name)
	if h == nil {
		return 0
	}
	return expires(h.Value(), 0)
}
