package flow

import (
	"bytes"
	"strconv"
)

// The limits of one message.
const (
	MaxMessage = 65535
	MaxHeaders = 200
)

// A Head is what a look at the bytes of a message tells, without parsing: the
// first line and the headers by which messages are matched. All slices lie in
// the message that was scanned.
type Head struct {
	Method    []byte // of a request, as written; nil for a response
	URI       []byte // of a request
	Version   []byte
	Code      int      // of a response
	Vias      [][]byte // values of the Via lines; one may hold several
	Routes    [][]byte // values of the Record-Route lines
	From, To  []byte
	CallID    []byte
	CSeq      []byte
	Body      []byte // as long as Content-Length says
	Message   []byte // the whole, unfolded, nothing after its body
	Malformed string // why a request must be refused with 400; "" = sound so far
}

// Request tells a request from a response.
func (h *Head) Request() bool { return h.Method != nil }

// Answerable tells whether somebody waits for an answer and can be found by
// his Via. An ACK is never answered.
func (h *Head) Answerable() bool {
	return h.Request() && string(h.Method) != "ACK" && len(h.Top()) > 0
}

// Complete tells whether the headers that every message must have are there
// (RFC 3261 8.1.1).
func (h *Head) Complete() bool {
	return len(h.Top()) > 0 && len(h.From) > 0 && len(h.To) > 0 && len(h.CallID) > 0 && len(h.CSeq) > 0
}

// CSeqMethod is the method that the CSeq header names.
func (h *Head) CSeqMethod() []byte {
	_, method, _ := cutSpace(h.CSeq)
	return method
}

// CSeqNumber is the number of the CSeq header; ok is false when it is none
// below 2^31 (RFC 3261 8.1.1.5).
func (h *Head) CSeqNumber() (uint32, bool) {
	digits, _, _ := cutSpace(h.CSeq)
	n, err := strconv.ParseUint(string(digits), 10, 31)
	return uint32(n), err == nil
}

// cutSpace cuts at the first run of blanks.
func cutSpace(b []byte) (before, after []byte, ok bool) {
	i := bytes.IndexAny(b, " \t")
	if i < 0 {
		return b, nil, false
	}
	return b[:i], bytes.TrimLeft(b[i:], " \t"), true
}

// Scan looks through a datagram or one WebSocket message. It gives false when
// that is no SIP message at all and nobody could be answered: blank lines that
// keep a binding open, or noise.
func Scan(b []byte) (h Head, ok bool) {
	b = bytes.TrimLeft(b, "\r\n")
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		// RFC 3261 7: the blank line must be there. Answer who can be answered.
		h.Malformed = "no blank line after the headers"
		end = len(bytes.TrimRight(b, "\r\n"))
	}
	head, body := b[:end], b[min(end+4, len(b)):]
	if folded(head) {
		head = unfold(head)
		b = append(append(bytes.Clone(head), "\r\n\r\n"...), body...)
		head, body = b[:len(head)], b[len(head)+4:]
	}
	first, rest := line(head)
	if !h.start(first) {
		return Head{}, false
	}
	length, count := -1, 0
	var seen singles
	for len(rest) > 0 {
		var l []byte
		if l, rest = line(rest); len(l) == 0 {
			continue
		}
		if count++; count > MaxHeaders {
			h.Malformed = "too many headers"
			break
		}
		name, value, found := bytes.Cut(l, []byte(":"))
		if !found || bytes.ContainsAny(l, "\r\n") {
			h.Malformed = "broken header line"
			continue
		}
		h.header(bytes.TrimRight(name, " \t"), bytes.TrimSpace(value), &length, &seen)
	}
	h.frame(b, body, length)
	return h, true
}

// frame settles where the body ends (RFC 3261 18.3: over UDP what follows the
// body is no part of the message; a missing length means up to the end).
func (h *Head) frame(b, body []byte, length int) {
	switch {
	case length == -1:
		h.Body, h.Message = body, b
	case length == lengthBad:
		h.bad("bad Content-Length")
	case length > len(body):
		h.bad("Content-Length is larger than the message")
	default:
		h.Body = body[:length]
		h.Message = b[:len(b)-len(body)+length]
	}
	if len(b) > MaxMessage {
		h.bad("message too long")
	}
}

// bad keeps the first complaint.
func (h *Head) bad(why string) {
	if h.Malformed == "" {
		h.Malformed = why
	}
}

// start reads the first line.
func (h *Head) start(l []byte) bool {
	const version = "SIP/2.0 "
	if len(l) > len(version) && bytes.EqualFold(l[:4], []byte("SIP/")) {
		v, rest, _ := bytes.Cut(l, []byte(" "))
		code, _, _ := bytes.Cut(rest, []byte(" "))
		n, err := strconv.ParseUint(string(code), 10, 16)
		h.Version, h.Code = v, int(n)
		return err == nil && n >= 100 && n <= 699 && len(code) == 3
	}
	method, rest, ok := bytes.Cut(l, []byte(" "))
	i := bytes.LastIndexByte(rest, ' ')
	if !ok || i < 0 || len(method) == 0 {
		return false
	}
	h.Method, h.URI, h.Version = method, rest[:i], rest[i+1:]
	if v := bytes.TrimSpace(h.Version); len(v) < 4 || !bytes.EqualFold(v[:4], []byte("SIP/")) {
		if v = bytes.TrimSpace(rest); len(v) == 0 || !bytes.Contains(bytes.ToUpper(v), []byte("SIP/")) {
			return false
		}
		h.Malformed = "broken request line"
	}
	switch {
	case !token(method):
		h.Malformed = "broken method"
	case len(h.URI) == 0 || bytes.ContainsAny(h.URI, " \t<>\""):
		h.Malformed = "broken Request-URI"
	}
	return true
}

const lengthBad = -2

// singles notes which of the headers that may stand only once were there.
type singles struct{ from, to, callID, cseq, maxForwards, contentType bool }

// once notes a header; a second one is refused.
func (h *Head) once(seen *bool, name string) {
	if *seen {
		h.bad("more than one " + name)
	}
	*seen = true
}

// header files one header line away.
func (h *Head) header(name, value []byte, length *int, seen *singles) {
	switch len(name) {
	case 1:
		switch name[0] | 0x20 {
		case 'v':
			h.Vias = append(h.Vias, value)
		case 'f':
			h.once(&seen.from, "From")
			h.From = value
		case 't':
			h.once(&seen.to, "To")
			h.To = value
		case 'i':
			h.once(&seen.callID, "Call-ID")
			h.CallID = value
		case 'l':
			h.contentLength(value, length)
		case 'c':
			h.once(&seen.contentType, "Content-Type")
		}
	case 2:
		if is(name, "to") {
			h.once(&seen.to, "To")
			h.To = value
		}
	case 3:
		if is(name, "via") {
			h.Vias = append(h.Vias, value)
		}
	case 4:
		switch {
		case is(name, "from"):
			h.once(&seen.from, "From")
			h.From = value
		case is(name, "cseq"):
			h.once(&seen.cseq, "CSeq")
			h.CSeq = value
		}
	case 7:
		if is(name, "call-id") {
			h.once(&seen.callID, "Call-ID")
			h.CallID = value
		}
	case 12:
		switch {
		case is(name, "record-route"):
			h.Routes = append(h.Routes, value)
		case is(name, "max-forwards"):
			h.once(&seen.maxForwards, "Max-Forwards")
			if n, err := strconv.ParseUint(string(value), 10, 16); err != nil || n > 255 {
				h.bad("bad Max-Forwards")
			}
		case is(name, "content-type"):
			h.once(&seen.contentType, "Content-Type")
		}
	case 14:
		if is(name, "content-length") {
			h.contentLength(value, length)
		}
	}
}

func is(name []byte, lower string) bool { return bytes.EqualFold(name, []byte(lower)) }

// contentLength takes exactly one length, digits only.
func (h *Head) contentLength(value []byte, length *int) {
	n, err := strconv.ParseUint(string(value), 10, 31)
	switch {
	case *length != -1:
		h.bad("more than one Content-Length")
	case err != nil:
		*length = lengthBad
	default:
		*length = int(n)
	}
}

// line cuts the next line off b.
func line(b []byte) (l, rest []byte) {
	i := bytes.Index(b, []byte("\r\n"))
	if i < 0 {
		return b, nil
	}
	return b[:i], b[i+2:]
}

// folded tells whether a header goes on in the next line (RFC 3261 7.3.1).
func folded(head []byte) bool {
	return bytes.Contains(head, []byte("\r\n ")) || bytes.Contains(head, []byte("\r\n\t"))
}

// unfold joins folded lines, with one blank for each fold.
func unfold(head []byte) []byte {
	out := make([]byte, 0, len(head))
	for i := 0; i < len(head); i++ {
		if head[i] == '\r' && i+2 < len(head) && head[i+1] == '\n' && (head[i+2] == ' ' || head[i+2] == '\t') {
			out = append(bytes.TrimRight(out, " \t"), ' ')
			for i++; i+1 < len(head) && (head[i+1] == ' ' || head[i+1] == '\t'); i++ {
			}
			continue
		}
		out = append(out, head[i])
	}
	return out
}

// token tells whether b is a token (RFC 3261 25.1).
func token(b []byte) bool {
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case bytes.IndexByte([]byte("-.!%*_+`'~"), c) >= 0:
		default:
			return false
		}
	}
	return len(b) > 0
}
