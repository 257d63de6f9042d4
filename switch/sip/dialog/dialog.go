// Package dialog is what two ends of a call know of each other between the
// INVITE and the BYE (RFC 3261 section 12): tags, sequence numbers, where
// requests go and by which proxies; and the clock by which a 2xx is repeated
// until its ACK. It is pure. Who may send what and when is switch/sip's.
package dialog

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// A Dialog is one end's view. Local and Remote are From or To values with
// their tags, as they stand in requests that we send.
type Dialog struct {
	CallID    string
	LocalTag  string
	RemoteTag string // "" until an answer brings it, and for RFC 2543 peers
	Local     string
	Remote    string
	Target    string   // the far end's Contact: Request-URI of what we send
	Routes    []string // URIs, nearest proxy first
	LocalSeq  uint32   // of our last request
	RemoteSeq uint32   // of its last request; 0 = none came yet
}

// Answering gives the dialog of one who was called (RFC 3261 12.1.1): from and
// to are the headers' values as they came, tag is what our answer adds to To.
// Tags are given, as the parser is strict about blanks and letter case there.
func Answering(req *sip.Request, from, fromTag, to, tag string) Dialog {
	d := Dialog{CallID: req.CallID().Value(), LocalTag: tag, RemoteTag: fromTag, Local: to + ";tag=" + tag, Remote: from,
		RemoteSeq: req.CSeq().SeqNo, Target: req.From().Address.String()}
	if c := req.Contact(); c != nil {
		d.Target = c.Address.String()
	}
	for _, h := range req.GetHeaders("record-route") {
		if r, ok := h.(*sip.RecordRouteHeader); ok {
			d.Routes = append(d.Routes, r.Address.String())
		}
	}
	return d
}

// Answered gives the dialog that a 1xx or 2xx to our INVITE makes (RFC 3261
// 12.1.2). The INVITE's own dialog, d, stays as it is: a forked INVITE makes
// several.
func (d Dialog) Answered(res *sip.Response, to, tag string) Dialog {
	d.Remote, d.RemoteTag = to, tag
	if c := res.Contact(); c != nil {
		d.Target = c.Address.String()
	}
	d.Routes = nil
	for _, h := range res.GetHeaders("record-route") {
		if r, ok := h.(*sip.RecordRouteHeader); ok {
			d.Routes = append(d.Routes, r.Address.String())
		}
	}
	slices.Reverse(d.Routes)
	return d
}

// Refresh takes the far end's new Contact from a re-INVITE or UPDATE (RFC 3261
// 12.2.2).
func (d *Dialog) Refresh(req *sip.Request) {
	if c := req.Contact(); c != nil {
		d.Target = c.Address.String()
	}
}

// Receive takes the number of a request of the far end; false means that it is
// older than one that came before (RFC 3261 12.2.2: answer 500).
func (d *Dialog) Receive(seq uint32) bool {
	if d.RemoteSeq != 0 && seq <= d.RemoteSeq {
		return false
	}
	d.RemoteSeq = seq
	return true
}

// A Request is what the dialog does not know about a request to be built.
type Request struct {
	Method string
	Seq    uint32
	Via    string // value, with branch
	Hops   int    // Max-Forwards; 0 = 70
	Extra  string // whole header lines, each with its CRLF
	Type   string // Content-Type of Body
	Body   []byte
}

// Build gives the bytes of a request within the dialog (RFC 3261 12.2.1.1).
func (d *Dialog) Build(r Request) []byte {
	uri, routes := d.Target, d.Routes
	if len(routes) > 0 && !loose(routes[0]) {
		// A strict router of RFC 2543: it wants itself in the Request-URI.
		uri, routes = routes[0], append(slices.Clone(routes[1:]), d.Target)
	}
	b := make([]byte, 0, 512+len(r.Body))
	add := func(parts ...string) {
		for _, p := range parts {
			b = append(b, p...)
		}
	}
	seq := strconv.FormatUint(uint64(r.Seq), 10)
	add(r.Method, " ", uri, " SIP/2.0\r\nVia: ", r.Via, "\r\n")
	for _, route := range routes {
		add("Route: <", route, ">\r\n")
	}
	hops := "70"
	if r.Hops > 0 {
		hops = strconv.Itoa(r.Hops)
	}
	add("Max-Forwards: ", hops, "\r\nFrom: ", d.Local, "\r\nTo: ", d.Remote, "\r\nCall-ID: ", d.CallID,
		"\r\nCSeq: ", seq, " ", r.Method, "\r\n", r.Extra)
	if len(r.Body) > 0 {
		add("Content-Type: ", r.Type, "\r\n")
	}
	add("Content-Length: ", strconv.Itoa(len(r.Body)), "\r\n\r\n")
	return append(b, r.Body...)
}

// Next is the URI of the hop to which requests go: the first proxy, else the
// far end.
func (d *Dialog) Next() string {
	if len(d.Routes) > 0 {
		return d.Routes[0]
	}
	return d.Target
}

// loose tells whether a route's URI says lr (RFC 3261 19.1.1).
func loose(uri string) bool {
	_, params, _ := strings.Cut(uri, ";")
	for p := range strings.SplitSeq(params, ";") {
		name, _, _ := strings.Cut(p, "=")
		if strings.EqualFold(name, "lr") {
			return true
		}
	}
	return false
}
