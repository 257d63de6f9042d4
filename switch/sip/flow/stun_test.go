package flow

import (
	"encoding/hex"
	"net/netip"
	"testing"
)

// TestBinding is the keep-alive of RFC 5626 4.4.2, with the transaction and the
// addresses of RFC 5769 2.2 and 2.3.
func TestBinding(t *testing.T) {
	const request = "000100002112a442b7e7a701bc34d686fa87dfae"
	for _, c := range []struct{ name, in, from, want string }{
		{"IPv4", request, "192.0.2.1:32853", "0101000c2112a442b7e7a701bc34d686fa87dfae" + "002000080001a147e112a643"},
		{"IPv6", request, "[2001:db8:1234:5678:11:2233:4455:6677]:32853", "010100182112a442b7e7a701bc34d686fa87dfae" + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"},
		{"IPv4 in IPv6", request, "[::ffff:192.0.2.1]:32853", "0101000c2112a442b7e7a701bc34d686fa87dfae" + "002000080001a147e112a643"},
		{"an answer", "0101" + request[4:], "192.0.2.1:1", ""},
		{"no cookie", "00010000" + "00000000" + request[16:], "192.0.2.1:1", ""},
		{"a length that is none", "00010004" + request[8:], "192.0.2.1:1", ""},
		{"short", request[:38], "192.0.2.1:1", ""},
		{"a blank line", "0d0a0d0a", "192.0.2.1:1", ""},
		{"nothing", "", "192.0.2.1:1", ""},
	} {
		in, err := hex.DecodeString(c.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(binding(in, netip.MustParseAddrPort(c.from))); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// FuzzBinding: whatever comes is answered with nothing, or with what is a little
// longer than itself at most.
func FuzzBinding(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"))
	f.Add([]byte("INVITE sip:x SIP/2.0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if out := binding(b, netip.MustParseAddrPort("[2001:db8::1]:5060")); len(out) > 44 {
			t.Errorf("%d bytes for %d", len(out), len(b))
		}
	})
}
