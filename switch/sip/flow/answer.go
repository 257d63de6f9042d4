package flow

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
)

// An Origin is what the answers to one request repeat of it, copied out of the
// request's bytes (RFC 3261 8.2.6.2); it needs no parse and keeps no message.
type Origin struct {
	vias, routes string // whole lines
	from, to     string // values
	tail         string // Call-ID and CSeq lines
	tagged       bool   // To has a tag already
}

// Origin takes what answers need; the source goes into the topmost Via
// (received, and rport where asked for, RFC 3581).
func (h *Head) Origin(source netip.AddrPort) Origin {
	var b strings.Builder
	if len(h.Vias) > 0 {
		top, rest := h.Top(), h.Vias[0][comma(h.Vias[0]):]
		b.WriteString("Via: ")
		writeVia(&b, top, source)
		b.Write(rest)
		b.WriteString("\r\n")
		writeLines(&b, "Via", h.Vias[1:])
	}
	o := Origin{vias: b.String(), from: string(h.From), to: string(h.To)}
	if len(h.CallID) > 0 {
		o.tail = "Call-ID: " + string(h.CallID) + "\r\n"
	}
	if len(h.CSeq) > 0 {
		o.tail += "CSeq: " + string(h.CSeq) + "\r\n"
	}
	if len(h.Routes) > 0 {
		b = strings.Builder{}
		writeLines(&b, "Record-Route", h.Routes)
		o.routes = b.String()
	}
	_, o.tagged = Param(h.To, "tag")
	return o
}

func writeLines(b *strings.Builder, name string, values [][]byte) {
	for _, v := range values {
		b.WriteString(name)
		b.WriteString(": ")
		b.Write(v)
		b.WriteString("\r\n")
	}
}

// writeVia writes a Via value with received and rport set.
func writeVia(b *strings.Builder, via []byte, source netip.AddrPort) {
	rport, asked := Param(via, "rport")
	first := true
	for part := range bytes.SplitSeq(via, []byte(";")) {
		name, _, _ := bytes.Cut(part, []byte("="))
		name = bytes.TrimSpace(name)
		if !first && (is(name, "received") || asked && len(rport) == 0 && is(name, "rport")) {
			continue // ours follow; nobody before us may claim them
		}
		if !first {
			b.WriteByte(';')
		}
		b.Write(part)
		first = false
	}
	if !source.IsValid() {
		return
	}
	host, _ := splitHost(sentBy(via))
	if asked || host != source.Addr().String() {
		b.WriteString(";received=")
		b.WriteString(source.Addr().WithZone("").String())
	}
	if asked && len(rport) == 0 {
		b.WriteString(";rport=")
		b.WriteString(strconv.Itoa(int(source.Port())))
	}
}

// splitHost takes the port off a sent-by and the brackets off an IPv6 address.
func splitHost(sentBy []byte) (host, port string) {
	s := string(sentBy)
	if strings.HasPrefix(s, "[") {
		host, port, _ = strings.Cut(s[1:], "]")
		return host, strings.TrimPrefix(port, ":")
	}
	host, port, _ = strings.Cut(s, ":")
	return strings.TrimSpace(host), strings.TrimSpace(port)
}

// A Reply is one answer. Extra holds whole header lines, each with its CRLF.
type Reply struct {
	Code   int
	Reason string // "" = the standard phrase
	Tag    string // our tag; put into To unless it has one
	Extra  string
	Type   string // Content-Type of Body
	Body   []byte
}

// Answer builds the bytes of an answer.
func (o *Origin) Answer(r Reply) []byte {
	if r.Reason == "" {
		r.Reason = Reason(r.Code)
	}
	b := make([]byte, 0, 160+len(o.vias)+len(o.routes)+len(o.from)+len(o.to)+len(o.tail)+len(r.Extra)+len(r.Body))
	b = append(strconv.AppendInt(append(b, "SIP/2.0 "...), int64(r.Code), 10), ' ')
	b = append(append(b, Line(r.Reason)...), "\r\n"...)
	b = append(b, o.vias...)
	if r.Code > 100 && r.Code < 300 {
		b = append(b, o.routes...)
	}
	if o.from != "" {
		b = append(append(append(b, "From: "...), o.from...), "\r\n"...)
	}
	if o.to != "" {
		b = append(append(b, "To: "...), o.to...)
		if r.Tag != "" && !o.tagged {
			b = append(append(b, ";tag="...), r.Tag...)
		}
		b = append(b, "\r\n"...)
	}
	b = append(b, o.tail...)
	b = append(b, r.Extra...)
	if len(r.Body) > 0 {
		b = append(append(append(b, "Content-Type: "...), r.Type...), "\r\n"...)
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(r.Body)), 10)
	return append(append(b, "\r\n\r\n"...), r.Body...)
}

// Line makes text fit to stand in a header: control characters become blanks.
func Line(s string) string {
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if control(r) {
			return ' '
		}
		return r
	}, s)
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// Reason is the standard phrase of a status (RFC 3261 21 and its successors).
func Reason(code int) string {
	if s := reasons[code]; s != "" {
		return s
	}
	switch code / 100 {
	case 1:
		return "Session Progress"
	case 2:
		return "OK"
	case 3:
		return "Redirected"
	case 4:
		return "Request Failed"
	case 5:
		return "Server Failure"
	}
	return "Declined"
}

var reasons = map[int]string{
	100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
	200: "OK", 202: "Accepted",
	301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout", 410: "Gone",
	413: "Request Entity Too Large", 414: "Request-URI Too Long", 415: "Unsupported Media Type",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required", 422: "Session Interval Too Small", 423: "Interval Too Brief", 439: "First Hop Lacks Outbound Support",
	480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected",
	483: "Too Many Hops", 484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here",
	487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
	500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
	504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
	600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable",
}
