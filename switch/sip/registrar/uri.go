package registrar

import (
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// sameURI compares by RFC 3261 19.1.4.
func sameURI(a, b *sip.Uri) bool {
	if !strings.EqualFold(a.Scheme, b.Scheme) || unescape(a.User) != unescape(b.User) || a.Password != b.Password ||
		!strings.EqualFold(a.Host, b.Host) || a.Port != b.Port {
		return false
	}
	return sameParams(a.UriParams, b.UriParams) && sameParams(b.UriParams, a.UriParams) &&
		len(a.Headers) == len(b.Headers) && hasHeaders(a.Headers, b.Headers) && hasHeaders(b.Headers, a.Headers)
}

// hasHeaders tells whether all of a stand in b, in whatever order.
func hasHeaders(a, b sip.HeaderParams) bool {
	for _, p := range a {
		if !slices.ContainsFunc(b, func(o sip.HeaderKV) bool {
			return strings.EqualFold(o.K, p.K) && strings.EqualFold(unescape(o.V), unescape(p.V))
		}) {
			return false
		}
	}
	return true
}

// sameParams: what stands in both must agree, and of some what stands in one
// must stand in the other.
func sameParams(a, b sip.HeaderParams) bool {
	for _, p := range a {
		i := slices.IndexFunc(b, func(o sip.HeaderKV) bool { return strings.EqualFold(o.K, p.K) })
		ok := i >= 0
		switch strings.ToLower(p.K) {
		case "user", "ttl", "method", "maddr", "transport":
			if !ok {
				return false
			}
		}
		if ok && !strings.EqualFold(unescape(b[i].V), unescape(p.V)) {
			return false
		}
	}
	return true
}

// unescape undoes the escapes of what needs none (RFC 3261 19.1.4); others,
// %00 among them, stay.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			c, ok := unhex(s[i+1], s[i+2])
			if ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_.!~*'()", c) >= 0) {
				b.WriteByte(c)
			} else {
				b.WriteString(strings.ToUpper(s[i : i+3]))
			}
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(h, l byte) (byte, bool) {
	const digits = "0123456789abcdef"
	a, b := strings.IndexByte(digits, h|0x20), strings.IndexByte(digits, l|0x20)
	return byte(a<<4 | b), a >= 0 && b >= 0
}
