package flow

import "bytes"

// cookie begins every branch made by the rules of RFC 3261.
const cookie = "z9hG4bK"

// Top is the topmost Via value: the part of the first Via line before its
// first comma outside quotes.
func (h *Head) Top() []byte {
	if len(h.Vias) == 0 {
		return nil
	}
	v := h.Vias[0]
	return bytes.TrimRight(v[:comma(v)], " \t")
}

// Split cuts a header's value at commas outside quotes and angle brackets; the parts
// have the blanks around them.
func Split(v string) (parts []string) {
	for b := []byte(v); ; {
		i := comma(b)
		parts = append(parts, string(b[:i]))
		if i == len(b) {
			return parts
		}
		b = b[i+1:]
	}
}

// comma is where the first comma outside quotes and angle brackets stands, or
// the length of v.
func comma(v []byte) int {
	quoted, inside := false, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			inside = true
		case c == '>':
			inside = false
		case c == ',' && !inside:
			return i
		}
	}
	return len(v)
}

// sentBy is the host and port of a Via value.
func sentBy(via []byte) []byte {
	via, _, _ = bytes.Cut(via, []byte(";"))
	if i := bytes.LastIndexAny(bytes.TrimRight(via, " \t"), " \t"); i >= 0 {
		via = via[i+1:]
	}
	return bytes.TrimSpace(via)
}

// Param finds a parameter of a Via, From or To value: one that stands outside
// quotes and angle brackets. ok is true also for a parameter without a value.
func Param(v []byte, name string) (value []byte, ok bool) {
	quoted, inside := false, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			inside = true
		case c == '>':
			inside = false
		case c == ';' && !inside:
			p := bytes.TrimLeft(v[i+1:], " \t")
			if j := bytes.IndexAny(p, ";,"); j >= 0 {
				p = p[:j]
			}
			k, val, _ := bytes.Cut(p, []byte("="))
			if bytes.EqualFold(bytes.TrimSpace(k), []byte(name)) {
				return bytes.TrimSpace(val), true
			}
		}
	}
	return nil, false
}

// Branch is the topmost Via's branch when it was made by the rules of RFC
// 3261; otherwise ok is false.
func (h *Head) Branch() (branch []byte, ok bool) {
	b, _ := Param(h.Top(), "branch")
	return b, len(b) > len(cookie) && bytes.EqualFold(b[:len(cookie)], []byte(cookie))
}

// ServerKey appends to buf the key of the transaction that a request belongs
// to, by RFC 3261 17.2.3. The method is given so that a CANCEL or an ACK can
// ask for the INVITE it means.
func (h *Head) ServerKey(buf []byte, method string) []byte {
	buf = append(append(buf, 'S'), method...)
	if b, ok := h.Branch(); ok {
		buf = append(append(buf, ' '), b...)
		return append(append(buf, ' '), sentBy(h.Top())...)
	}
	// RFC 2543: no branch to go by. The To tag is left out: the ACK has one
	// that the INVITE had not.
	buf = append(append(buf, " old "...), h.CallID...)
	number, _, _ := cutSpace(h.CSeq)
	buf = append(append(buf, ' '), number...)
	tag, _ := Param(h.From, "tag")
	buf = append(append(buf, ' '), tag...)
	return append(append(buf, ' '), h.Top()...)
}

// ClientKey appends to buf the key of the transaction that a response belongs
// to, by RFC 3261 17.1.3.
func (h *Head) ClientKey(buf []byte) []byte {
	b, _ := h.Branch()
	return ClientKey(buf, b, h.CSeqMethod())
}

// ClientKey appends to buf the key of a request of ours with that branch.
func ClientKey[B []byte | string](buf []byte, branch, method B) []byte {
	buf = append(append(buf, 'C'), method...)
	return append(append(buf, ' '), branch...)
}

// ToTag is the tag of To: a request that has one belongs to a dialog.
func (h *Head) ToTag() []byte {
	t, _ := Param(h.To, "tag")
	return t
}

// FromTag is the tag of From.
func (h *Head) FromTag() []byte {
	t, _ := Param(h.From, "tag")
	return t
}
