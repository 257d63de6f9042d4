package message

import "fmt"

// What one message holds (3GPP TS 23.040 9.2.3.24.1): 140 octets, that are 160
// septets or 70 characters of UCS-2; with the 6 octets that say which part it
// is, 153 and 67.
const (
	septetsOne, septetsPart = 160, 153
	octetsOne, octetsPart   = 140, 134
	maxParts                = 255
)

// A split is a text made ready for sending.
type split struct {
	alphabet alphabet // alphaGSM or alphaUCS
	parts    [][]byte // one or more, without headers
}

// splitText takes the GSM alphabet if all characters are in it, else UCS-2, and
// cuts where no character is torn apart.
func splitText(s string) (split, error) {
	data, ok := gsmEncode(s)
	one, part, alpha := septetsOne, septetsPart, alphaGSM
	torn := func(b []byte, at int) bool { return b[at-1] == escape } // encoded: never a character
	if !ok {
		data = ucsEncode(s)
		one, part, alpha = octetsOne, octetsPart, alphaUCS
		torn = func(b []byte, at int) bool { return b[at-2]&0xFC == 0xD8 } // a high surrogate
	}
	sp := split{alphabet: alpha}
	if len(data) <= one {
		sp.parts = [][]byte{data}
		return sp, nil
	}
	step := 1
	if alpha == alphaUCS {
		step = 2
	}
	for len(data) > 0 {
		n := min(part, len(data))
		if n < len(data) && torn(data, n) {
			n -= step
		}
		sp.parts = append(sp.parts, data[:n])
		data = data[n:]
	}
	if len(sp.parts) > maxParts {
		return split{}, wrong("Message", "make it shorter", "it needs %d parts, at most %d", len(sp.parts), maxParts)
	}
	return sp, nil
}

// concatHeader is the user data header of a part: concatenated short messages,
// 8-bit reference (3GPP TS 23.040 9.2.3.24.1).
func concatHeader(ref byte, total, number int) []byte {
	return []byte{5, 0x00, 3, ref, byte(total), byte(number)}
}

// A part says which part of which long message something is.
type part struct {
	ref    uint16
	total  int // 0 = it is a message of its own
	number int // from 1
}

// readHeader splits user data into what its header says about parts, and the
// text. Unknown elements are passed over (3GPP TS 23.040 9.2.3.24).
func readHeader(b []byte) (part, []byte, error) {
	if len(b) == 0 || 1+int(b[0]) > len(b) {
		return part{}, nil, fmt.Errorf("the user data header is longer than the message")
	}
	h, text := b[1:1+int(b[0])], b[1+int(b[0]):]
	var p part
	for len(h) > 0 {
		if len(h) < 2 || len(h) < 2+int(h[1]) {
			return part{}, nil, fmt.Errorf("an element of the user data header is cut off")
		}
		id, v := h[0], h[2:2+int(h[1])]
		switch {
		case id == 0x00 && len(v) == 3:
			p = part{uint16(v[0]), int(v[1]), int(v[2])}
		case id == 0x08 && len(v) == 4:
			p = part{uint16(v[0])<<8 | uint16(v[1]), int(v[2]), int(v[3])}
		}
		h = h[2+len(v):]
	}
	if p.total < 2 || p.number < 1 || p.number > p.total {
		p = part{} // 9.2.3.24.1: such an element is to be ignored
	}
	return p, text, nil
}
