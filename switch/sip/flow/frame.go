package flow

import (
	"bytes"
)

// A Fault is why a request that was framed, or could not be, is refused before
// anybody reads it.
type Fault struct {
	Code int
	Why  string
}

// A Framer cuts the bytes of a stream into messages (RFC 3261 18.3): blank
// lines first, headers up to an empty line, then as many bytes as exactly one
// Content-Length says. It is pure; the zero Framer is at the start of a stream.
type Framer struct {
	buf    []byte // what has come and is not handed out
	cut    int    // bytes of buf that were handed out
	looked int    // bytes of buf where no empty line ends
	total  int    // length of the message in buf, once its headers are there
	blanks int    // blank lines since the last message
}

const (
	firstSpace = 2 << 10
	keepSpace  = 16 << 10 // an idle stream keeps no more
)

// Space is where the next bytes are to be read to. What Next gave is no longer
// valid.
func (f *Framer) Space() []byte {
	if f.cut > 0 {
		n := copy(f.buf, f.buf[f.cut:])
		f.buf, f.cut = f.buf[:n], 0
	}
	if len(f.buf) == 0 && cap(f.buf) > keepSpace {
		f.buf = nil
	}
	if free := cap(f.buf) - len(f.buf); free < firstSpace/2 {
		grown := make([]byte, len(f.buf), max(firstSpace, 2*cap(f.buf)))
		copy(grown, f.buf)
		f.buf = grown
	}
	return f.buf[len(f.buf):cap(f.buf)]
}

// Came says that n bytes were read to where Space said.
func (f *Framer) Came(n int) { f.buf = f.buf[:len(f.buf)+n] }

// Partial tells whether a message has begun and not ended.
func (f *Framer) Partial() bool { return len(f.buf) > f.cut }

// Rest is the part of a message that came, to answer it.
func (f *Framer) Rest() []byte { return f.buf[f.cut:] }

// Next gives the next whole message. pings counts the double blank lines before
// it, which ask for a sign of life (RFC 5626 4.4.1). With a fault, nobody knows
// where the next message begins: b is what came, and the stream must end. A nil
// b without a fault means that more bytes are needed.
func (f *Framer) Next() (b []byte, pings int, fault *Fault) {
	b = f.buf[f.cut:]
	for f.total == 0 && f.looked == 0 {
		switch {
		case len(b) >= 2 && b[0] == '\r' && b[1] == '\n':
			b = b[2:]
			f.cut += 2
			if f.blanks++; f.blanks%2 == 0 {
				pings++
			}
			continue
		case len(b) == 1 && b[0] == '\r':
			return nil, pings, nil
		}
		break
	}
	if len(b) == 0 {
		return nil, pings, nil
	}
	f.blanks = 0
	if f.total == 0 {
		end := bytes.Index(b[max(0, f.looked-3):], []byte("\r\n\r\n"))
		if end < 0 {
			if f.looked = len(b); f.looked > MaxMessage {
				return b, pings, &Fault{513, "Message Too Large"}
			}
			return nil, pings, nil
		}
		end += max(0, f.looked-3)
		length, why := bodyLength(b[:end])
		if why != "" {
			return b, pings, &Fault{400, "Bad Request (" + why + ")"}
		}
		if f.total = end + 4 + length; f.total > MaxMessage {
			return b, pings, &Fault{513, "Message Too Large"}
		}
	}
	if len(b) < f.total {
		return nil, pings, nil
	}
	b = b[:f.total]
	f.cut += f.total
	f.total, f.looked = 0, 0
	return b, pings, nil
}

// bodyLength reads the one Content-Length of a head; why tells what is wrong
// with it.
func bodyLength(head []byte) (n int, why string) {
	if folded(head) {
		head = unfold(head)
	}
	var h Head
	n = -1
	for len(head) > 0 {
		var l []byte
		l, head = line(head)
		name, value, _ := bytes.Cut(l, []byte(":"))
		if name = bytes.TrimRight(name, " \t"); is(name, "content-length") || is(name, "l") {
			h.contentLength(bytes.TrimSpace(value), &n)
		}
	}
	switch {
	case h.Malformed != "":
		return 0, h.Malformed
	case n == -1:
		return 0, "no Content-Length on a stream"
	case n < 0:
		return 0, "bad Content-Length"
	}
	return n, ""
}
