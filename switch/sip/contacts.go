package sip

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/sip/flow"
	"ozswitch/switch/sip/registrar"
)

// refusedExtra are the headers of a REGISTER's refusal, refusedDo is what its
// telephone's owner can do.
var (
	refusedExtra = map[int]string{
		420: "Unsupported: path\r\n",
		423: "Min-Expires: " + strconv.Itoa(int(registrar.MinExpires/time.Second)) + "\r\n",
	}
	refusedDo = map[int]string{
		400: "the phone's REGISTER is malformed: look for an update of the phone",
		403: fmt.Sprintf("register with at most %d contacts at once", registrar.MaxContacts),
		420: "a proxy on the way wants Path (RFC 3327), which the phone does not support: take the proxy's Path away",
		423: "let the phone register for a minute or longer",
		439: "a proxy on the way does not support outbound (RFC 5626): turn outbound off in the phone",
		500: "the phone sent an older REGISTER after a newer one; it tries again by itself",
	}
)

// registration reads what a REGISTER wants.
func registration(m *message, user string) (r registrar.Request, refuse *registrar.Refusal) {
	r.Binding = registrar.Binding{User: user, CallID: string(m.head.CallID), CSeq: m.req.CSeq().SeqNo, Transport: m.from.Transport(),
		Source: m.from.Remote(), UserAgent: userAgent(m.req), Allow: methods(m.req)}
	flows := lists(m.req, "outbound", "supported", "k", "require") // else reg-id means nothing (RFC 5626 6)
	def := registrar.MaxExpires
	if h := m.req.GetHeader("expires"); h != nil {
		def = expires(h.Value(), def)
	}
	for _, h := range m.req.GetHeaders("path") {
		for _, v := range flow.Split(h.Value()) {
			uri := strings.TrimSpace(v)
			if i, j := strings.IndexByte(uri, '<'), strings.LastIndexByte(uri, '>'); i >= 0 && j > i {
				uri = uri[i+1 : j]
			}
			var u msg.Uri
			if msg.ParseUri(uri, &u) != nil || len(r.Path) == 8 {
				return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (bad Path)"}
			}
			r.Path = append(r.Path, uri)
		}
	}
	if len(r.Path) > 0 && !lists(m.req, "path", "supported", "k", "require") {
		return r, &registrar.Refusal{Code: 420} // RFC 3327 5.3: who does not know it would not notice a strange proxy
	}
	if bareHeaders(m.head.Message) {
		return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (a Contact with ? wants angle brackets)"}
	}
	for _, h := range m.req.GetHeaders("contact") {
		c, ok := h.(*msg.ContactHeader)
		switch {
		case !ok:
			return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (bad Contact)"}
		case c.Address.Wildcard:
			r.Star = true
			continue
		case !strings.EqualFold(c.Address.Scheme, "sip") && !strings.EqualFold(c.Address.Scheme, "sips"), c.Address.Host == "":
			return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (Contact is no SIP address)"}
		}
		one := registrar.Contact{URI: c.Address, Expires: def}
		for _, p := range c.Params {
			switch k := strings.ToLower(p.K); k {
			case "expires":
				one.Expires = expires(p.V, def)
			case "+sip.instance":
				one.Instance = p.V
			case "reg-id":
				if n, err := strconv.ParseUint(p.V, 10, 31); flows && err == nil && n > 0 {
					one.RegID = strconv.FormatUint(n, 10)
				}
			case "q":
				one.Rank = rank(p.V)
			}
			if !strings.EqualFold(p.K, "expires") {
				one.Params += ";" + p.K
				if p.V != "" {
					one.Params += "=" + param(p.V)
				}
			}
		}
		if one.Expires > 0 && one.Expires < registrar.MinExpires {
			return r, &registrar.Refusal{Code: 423}
		}
		one.Expires = min(one.Expires, registrar.MaxExpires)
		if one.Instance == "" {
			one.RegID = ""
		}
		r.Contacts = append(r.Contacts, one)
	}
	bound := slices.DeleteFunc(slices.Clone(r.Contacts), func(c registrar.Contact) bool { return c.Expires == 0 })
	if slices.ContainsFunc(bound, func(c registrar.Contact) bool { return c.RegID != "" }) {
		switch {
		case len(bound) > 1:
			return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (reg-id wants one Contact)"} // RFC 5626 6
		case proxied(m) && !edge(r.Path):
			return r, &registrar.Refusal{Code: 439} // the flow ends at a proxy that will not keep it
		}
	}
	if r.Star && (len(r.Contacts) > 0 || def != 0) {
		return r, &registrar.Refusal{Code: 400, Reason: "Bad Request (Contact: * goes alone and with Expires: 0)"}
	}
	return r, nil
}

// outbound says that a telephone gets RFC 5626 which asked for it: what is for it
// goes by the flow that it registered with (section 6), and it keeps that up.
func outbound(r *registrar.Request) string {
	if !slices.ContainsFunc(r.Contacts, func(c registrar.Contact) bool { return c.RegID != "" && c.Expires > 0 }) {
		return ""
	}
	timer := flow.IdleFor - 10*time.Second // a silent connection is ended
	if r.Transport == "udp" {
		timer = 29 * time.Second // NATs forget (section 4.4)
	}
	return "Require: outbound\r\nFlow-Timer: " + strconv.Itoa(int(timer/time.Second)) + "\r\n"
}

// proxied tells whether a request came by way of a proxy.
func proxied(m *message) bool {
	vias := 0
	for _, line := range m.head.Vias {
		vias += len(flow.Split(string(line)))
	}
	return vias > 1
}

// edge tells whether the first proxy of a telephone keeps flows (RFC 5626 5.1).
func edge(path []string) bool {
	var u msg.Uri
	if len(path) == 0 || msg.ParseUri(path[len(path)-1], &u) != nil {
		return false
	}
	return slices.ContainsFunc(u.UriParams, func(p msg.HeaderKV) bool { return strings.EqualFold(p.K, "ob") })
}

// rank makes an order of a q (RFC 3261 25.1): 0 for 1, 1000 for 0. What is no q is
// the default, 1.
func rank(q string) int {
	f, err := strconv.ParseFloat(q, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		return 0
	}
	return 1000 - int(f*1000+0.5)
}

// methods is the list of methods that a request's sender takes; "" = it does not
// say.
func methods(req *msg.Request) string {
	var all []string
	for _, h := range req.GetHeaders("allow") {
		if all = append(all, flow.Line(h.Value())); len(all) > 32 {
			break // each is a line: somebody plays
		}
	}
	list := strings.Join(all, ", ")
	return list[:min(len(list), 512)]
}

// bareHeaders tells whether a Contact has headers in an address without angle
// brackets (RFC 3261 20.10), which the parser lets pass.
func bareHeaders(message []byte) bool {
	head, _, _ := strings.Cut(string(message), "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "contact") && !strings.EqualFold(name, "m") {
			continue
		}
		for _, one := range flow.Split(value) {
			if strings.Contains(one, "?") && !strings.Contains(one, "<") {
				return true
			}
		}
	}
	return false
}

// param writes a parameter's value, in quotes unless it is a token.
func param(v string) string {
	for i := range len(v) {
		if c := v[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-.!%*_+`'~", c) >= 0) {
			if strings.HasPrefix(v, `"`) {
				return flow.Line(v)
			}
			return quote(v)
		}
	}
	return v
}

// expires reads seconds; what is no number counts as not said (RFC 3261 10.2.1.1).
func expires(v string, def time.Duration) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 32)
	if err != nil {
		return def
	}
	return time.Duration(n) * time.Second
}
