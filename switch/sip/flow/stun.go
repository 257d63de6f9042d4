package flow

import (
	"encoding/binary"
	"net/netip"
)

// magic is the cookie in every STUN message (RFC 8489 5).
const magic = 0x2112A442

// binding answers a STUN Binding request, by which a telephone keeps its flow up
// and learns that it stands (RFC 5626 4.4.2): with the address that it came from.
// nil = b is none. A message of SIP begins with a letter, one of STUN with two bits
// of zero. The answer is no longer than twice the request, so that a forged source
// gains little.
func binding(b []byte, from netip.AddrPort) []byte {
	const request, success, mapped, head = 0x0001, 0x0101, 0x0020, 20
	be := binary.BigEndian
	if len(b) < head || be.Uint16(b) != request || be.Uint32(b[4:]) != magic || int(be.Uint16(b[2:])) != len(b)-head || !from.IsValid() {
		return nil
	}
	addr, family := from.Addr().Unmap().AsSlice(), byte(1)
	if len(addr) == 16 {
		family = 2
	}
	out := be.AppendUint16(nil, success)
	out = be.AppendUint16(out, uint16(8+len(addr)))
	out = append(out, b[4:head]...) // cookie and transaction
	out = be.AppendUint16(out, mapped)
	out = be.AppendUint16(out, uint16(4+len(addr)))
	out = append(out, 0, family)
	out = be.AppendUint16(out, from.Port()^(magic>>16))
	for i, a := range addr { // XOR-MAPPED-ADDRESS: with the cookie and the transaction (section 14.2)
		out = append(out, a^b[4+i])
	}
	return out
}
