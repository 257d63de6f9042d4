package sip

import (
	"bytes"
	"strings"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/sip/flow"
)

// check finds what is wrong with a request before anybody looks at what it
// wants, and parses it. Code 0 means nothing.
func (e *Endpoint) check(m *message) (code int, reason, extra string) {
	h := &m.head
	bad := func(why string) (int, string, string) { return 400, "Bad Request (" + why + ")", "" }
	switch {
	case h.Malformed != "":
		return bad(h.Malformed)
	case !bytes.EqualFold(h.Version, []byte("SIP/2.0")):
		return 505, "", ""
	case !h.Complete():
		return bad("Via, From, To, Call-ID or CSeq is missing")
	}
	if _, ok := h.CSeqNumber(); !ok {
		return bad("bad CSeq")
	}
	if string(h.CSeqMethod()) != m.method {
		return bad("CSeq names another method")
	}
	if why := badURI(string(h.URI)); why != "" {
		return bad(why)
	}
	if scheme, _, _ := bytes.Cut(h.URI, []byte(":")); !bytes.EqualFold(scheme, []byte("sip")) && !bytes.EqualFold(scheme, []byte("sips")) {
		return 416, "", ""
	}
	parsed, err := e.parser.ParseSIP(h.Message)
	if err != nil {
		return bad(short(err))
	}
	req, ok := parsed.(*msg.Request)
	if !ok {
		return bad("no request")
	}
	m.req = req
	if via := req.Via(); via == nil || via.Host == "" || !strings.EqualFold(via.ProtocolName, "SIP") {
		return bad("bad Via")
	}
	if req.From() == nil || req.To() == nil || req.CallID() == nil || req.CSeq() == nil {
		return bad("bad From, To, Call-ID or CSeq")
	}
	if m.method == "ACK" || m.method == "CANCEL" {
		return 0, "", ""
	}
	if unknown := required(req); unknown != "" {
		return 420, "", "Unsupported: " + flow.Line(unknown) + "\r\n"
	}
	if mf := req.MaxForwards(); mf != nil && mf.Val() == 0 && m.method != "OPTIONS" && len(h.ToTag()) == 0 {
		return 483, "", "" // we pass calls on (RFC 3261 11 lets OPTIONS end here)
	}
	return 0, "", ""
}

// badURI says what is wrong with a Request-URI beyond what the parser sees.
func badURI(uri string) string {
	_, rest, ok := strings.Cut(uri, ":")
	if !ok {
		return "Request-URI without a scheme"
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	host, _, _ := strings.Cut(rest, ";")
	switch {
	case strings.Contains(rest, "?"):
		return "headers in the Request-URI" // RFC 3261 19.1.1, table 1
	case !strings.HasPrefix(host, "[") && strings.Count(host, ":") > 1:
		return "IPv6 address without brackets"
	}
	return ""
}

// required gives the extensions that a request insists on and we have not.
func required(req *msg.Request) string {
	var all []string
	for _, h := range req.GetHeaders("require") {
		for option := range strings.SplitSeq(h.Value(), ",") {
			option = strings.TrimSpace(option)
			if option != "" && !knows(req.Method, strings.ToLower(option)) {
				all = append(all, option)
			}
		}
	}
	return strings.Join(all, ", ")
}

// knows tells whether we have an extension that a request may insist on.
func knows(method msg.RequestMethod, option string) bool {
	switch option {
	case "timer", "100rel":
		return true
	case "replaces":
		return method == msg.INVITE
	case "norefersub":
		return method == msg.REFER
	case "path", "outbound":
		return method == msg.REGISTER
	}
	return false
}

// short makes a parser's complaint fit for a reason phrase.
func short(err error) string {
	s := flow.Line(err.Error())
	if len(s) > 80 {
		s = s[:80]
	}
	return strings.ToValidUTF8(s, "")
}
