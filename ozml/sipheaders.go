package ozml

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Headers of SIP that a script may add to an INVITE, and may see of one: an
// extension of ozswitch. The operator says which names (sip.headers).

// A SIPHeader is one more header of an INVITE.
type SIPHeader struct{ Name, Value string }

// The limits of headers.
const (
	MostSIPHeaders   = 10
	LongestSIPHeader = 256 // bytes of a value
)

// SIPHeaders declares headers: "X-Order: 17; X-Ref: $id". Variables stand in values
// only, and what they hold stays within its value.
func (p *Params) SIPHeaders(v *[]SIPHeader, name, usage string, o ...Option) {
	o = append(o, func(d *Param) { d.raw = true })
	p.value(name, "text", usage, o, func(d *Param, s string) string {
		for one := range strings.SplitSeq(s, ";") {
			if strings.TrimSpace(one) == "" {
				continue
			}
			h, value, ok := strings.Cut(one, ":")
			if h = strings.TrimSpace(h); !ok || !headerName(h) {
				return "want NAME: VALUE; NAME: VALUE"
			}
			value, st := p.expand(strings.TrimSpace(value), &Param{Name: d.Name})
			if p.open = p.open || st == open; st != open {
				if why := badHeader(value); why != "" {
					return h + ": " + why
				}
			}
			if *v = append(*v, SIPHeader{h, value}); len(*v) > MostSIPHeaders {
				return fmt.Sprintf("want at most %d headers", MostSIPHeaders)
			}
		}
		return ""
	})
}

// headerName tells whether s may be a header of ours: a token (RFC 3261 25.1) of
// more than one letter, which would be the short form of a known one.
func headerName(s string) bool {
	return len(s) > 1 && len(s) <= 64 && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-.!%*_+`'~", r))
	}) < 0
}

// badHeader tells why a text cannot be the value of a header; "" when it can.
func badHeader(s string) string {
	switch {
	case s == "":
		return "its value is empty"
	case len(s) > LongestSIPHeader:
		return fmt.Sprintf("its value is longer than %d bytes", LongestSIPHeader)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' }):
		return "its value has control characters"
	}
	return ""
}

// SIPHeaderVar is the name of the variable that holds a header of the INVITE that
// came: $sip_x_order for X-Order.
func SIPHeaderVar(name string) string {
	return "sip_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
}

// SIPHeaderField is the name of its field in IncomingCall.
func SIPHeaderField(name string) string { return "SipHeader_" + name }
