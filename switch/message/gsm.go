package message

import (
	"strings"
	"unicode/utf16"
)

// The default alphabet of GSM and its extension table (3GPP TS 23.038 6.2.1).
// Over SMPP each septet stands in an octet of its own.
const escape = 0x1B

var gsmBase = []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")

var gsmMore = map[byte]rune{0x0A: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2F: '\\', 0x3C: '[', 0x3D: '~', 0x3E: ']', 0x40: '|', 0x65: '€'}

var gsmOf = func() map[rune][]byte {
	m := map[rune][]byte{}
	for i, r := range gsmBase {
		if i != escape {
			m[r] = []byte{byte(i)}
		}
	}
	for b, r := range gsmMore {
		m[r] = []byte{escape, b}
	}
	return m
}()

// gsmEncode gives the septets of s, one an octet; false when a character is not
// of the alphabet.
func gsmEncode(s string) ([]byte, bool) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := gsmOf[r]
		if !ok {
			return nil, false
		}
		out = append(out, b...)
	}
	return out, true
}

// gsmDecode never fails: after an escape, what is not in the extension table is
// read from the base table (23.038 6.2.1.1), and an octet beyond the table is
// the sign for a character that cannot be shown.
func gsmDecode(b []byte) string {
	var s strings.Builder
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == escape {
			if i++; i == len(b) {
				break // the second half of the pair is missing
			}
			c = b[i]
			if r, ok := gsmMore[c]; ok {
				s.WriteRune(r)
				continue
			}
			if c == escape {
				s.WriteByte(' ') // reserved for a table to come
				continue
			}
		}
		if int(c) >= len(gsmBase) {
			s.WriteRune('\uFFFD')
			continue
		}
		s.WriteRune(gsmBase[c])
	}
	return s.String()
}

// ucsEncode gives s in UCS-2, big-endian; characters beyond it as UTF-16 pairs,
// which is what telephones expect.
func ucsEncode(s string) []byte {
	u := utf16.Encode([]rune(s))
	out := make([]byte, 0, 2*len(u))
	for _, c := range u {
		out = append(out, byte(c>>8), byte(c))
	}
	return out
}

// ucsDecode never fails: half a pair becomes U+FFFD, an odd last octet is left
// out.
func ucsDecode(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(u))
}

// Alphabets by data_coding (SMPP 5.2.19, 3GPP TS 23.038 4).
type alphabet byte

const (
	alphaGSM alphabet = iota
	alphaUCS
	alphaLatin
	alphaBinary
)

// alphabetOf reads a data_coding octet.
func alphabetOf(coding byte) alphabet {
	switch {
	case coding == 0x01, coding == 0x03: // ASCII is a part of Latin-1
		return alphaLatin
	case coding == 0x02, coding == 0x04:
		return alphaBinary
	case coding == 0x08:
		return alphaUCS
	case coding&0xF0 == 0xF0: // message class; bit 2: 8-bit data
		if coding&0x04 != 0 {
			return alphaBinary
		}
	case coding&0xC0 == 0 && coding >= 0x10, coding&0xF0 == 0xE0: // general group; waiting indication in UCS-2
		if coding&0xF0 == 0xE0 {
			return alphaUCS
		}
		switch coding >> 2 & 3 {
		case 1:
			return alphaBinary
		case 2:
			return alphaUCS
		}
	}
	return alphaGSM
}

// text reads b; binary data have none.
func (a alphabet) text(b []byte) (string, bool) {
	switch a {
	case alphaGSM:
		return gsmDecode(b), true
	case alphaUCS:
		return ucsDecode(b), true
	case alphaLatin:
		r := make([]rune, len(b))
		for i, c := range b {
			r[i] = rune(c)
		}
		return string(r), true
	}
	return "", false
}
