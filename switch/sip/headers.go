package sip

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
)

// The limits of headers that a call adds to its INVITE.
const (
	mostHeaders  = 16
	longestValue = 1024 // bytes
)

// written are the headers that we write ourselves, or that would say what we have
// not checked; names of one letter are the short forms of such (RFC 3261 7.3.3).
var written = []string{"accept", "accept-contact", "accept-encoding", "accept-language", "allow", "allow-events", "authorization", "call-id", "contact",
	"content-disposition", "content-encoding", "content-language", "content-length", "content-type", "cseq", "event", "expires", "from", "identity",
	"max-forwards", "mime-version", "min-se", "p-asserted-identity", "p-preferred-identity", "privacy", "proxy-authorization", "proxy-require", "rack",
	"reason", "record-route", "refer-sub", "refer-to", "referred-by", "reject-contact", "remote-party-id", "replaces", "request-disposition", "require", "route",
	"rseq", "session-expires", "subscription-state", "supported", "target-dialog", "to", "user-agent", "via"}

// more gives the lines of the headers that a call adds to its INVITE. A name or a
// value that does not fit is an error: half of what was wanted is worse than a
// call that tells why it was not made.
func more(headers []call.Header) (string, error) {
	if len(headers) > mostHeaders {
		return "", fmt.Errorf("sip: %d headers, at most %d may be added", len(headers), mostHeaders)
	}
	var b strings.Builder
	for _, h := range headers {
		switch {
		case !token(h.Name):
			return "", fmt.Errorf("sip: header %q: a name has letters, digits and -", h.Name)
		case len(h.Name) == 1 || slices.Contains(written, strings.ToLower(h.Name)):
			return "", fmt.Errorf("sip: header %s is ours to write; leave it out", h.Name)
		case strings.ContainsFunc(h.Value, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }):
			return "", fmt.Errorf("sip: header %s: control characters in its value", h.Name)
		case len(h.Value) > longestValue:
			return "", fmt.Errorf("sip: header %s: longer than %d bytes", h.Name, longestValue)
		}
		b.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	return b.String(), nil
}

// The limits of headers of an INVITE that scripts see.
const (
	mostShown    = 10
	longestShown = 256 // bytes
)

// shown gives the headers of an INVITE that scripts may see, the first of each
// name; what is too long or holds control characters is left out.
func (e *Endpoint) shown(req *msg.Request) (all []call.Header) {
	if e.c.Shown == nil {
		return nil
	}
	for _, h := range req.Headers() {
		name, value := h.Name(), strings.TrimSpace(h.Value())
		if len(all) == mostShown || len(name) > 64 || len(value) > longestShown || !token(name) || !e.c.Shown(name) || slices.Contains(written, strings.ToLower(name)) ||
			!utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) ||
			slices.ContainsFunc(all, func(o call.Header) bool { return strings.EqualFold(o.Name, name) }) {
			continue
		}
		all = append(all, call.Header{Name: name, Value: value})
	}
	return all
}

// token tells whether s is a token (RFC 3261 25.1).
func token(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-.!%*_+`'~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// A reason is why a leg is ended by us (RFC 3326). The zero one says nothing.
type reason struct {
	text string
	sip  int // status, 0 = none
	q850 int // cause, 0 = none
}

// header gives the line, or nothing.
func (r reason) header() string {
	var all []string
	if r.q850 > 0 && r.q850 < 128 {
		all = append(all, "Q.850;cause="+strconv.Itoa(r.q850))
	}
	if r.sip > 0 || r.text != "" {
		s := "SIP"
		if r.sip > 0 {
			s += ";cause=" + strconv.Itoa(r.sip)
		}
		if r.text != "" {
			s += ";text=" + quote(r.text)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return ""
	}
	return "Reason: " + strings.Join(all, ", ") + "\r\n"
}

// The causes of Q.850 that we find out ourselves.
const (
	causeIncompatible = 88  // no usable SDP
	causeTimer        = 102 // recovery on timer expiry
)

// elsewhere is the reason of a CANCEL to those who were not the first to answer:
// a telephone shows no missed call then.
var elsewhere = reason{sip: 200, text: "answered elsewhere"}

// cancelReason is the reason of a CANCEL.
func cancelReason(f call.Cancel) reason {
	if f.Elsewhere {
		return elsewhere
	}
	return reason{text: f.Reason, q850: f.Q850}
}

// reasonText gives what a Reason header says in words (RFC 3326).
func reasonText(r interface{ GetHeader(string) msg.Header }) string {
	h := r.GetHeader("reason")
	if h == nil {
		return ""
	}
	text, ok := flow.Param([]byte(h.Value()), "text")
	if !ok {
		return h.Value()
	}
	return displayName(strings.Trim(string(text), `"`))
}

// q850 gives the cause of a Reason header that speaks Q.850; 0 = none.
func q850(r interface{ GetHeaders(string) []msg.Header }) int {
	for _, h := range r.GetHeaders("reason") {
		for _, v := range flow.Split(h.Value()) {
			if _, ok := cutFold(strings.TrimSpace(v), "Q.850"); !ok {
				continue
			}
			cause, _ := flow.Param([]byte(v), "cause")
			if n, err := strconv.Atoi(string(cause)); err == nil && n > 0 && n < 128 {
				return n
			}
		}
	}
	return 0
}
