package rtc

import (
	"net/netip"
	"testing"
	"time"
)

// pair is two ends of a call that is up, and a way to bring a packet from one to
// the other without the network.
func pair(t testing.TB) (sw, cl *end, exchange func(b []byte)) {
	sw, cl = open(t, port(t), Config{}), open(t, port(t), Config{Full: true})
	call(t, cl, sw, nil)
	wait(t, "keys", sw.up)
	wait(t, "keys", cl.up)
	nobody := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 9)
	cl.path.Store(&nobody) // what is sent goes nowhere
	bufs, from := [][]byte{make([]byte, mtu)}, make([]netip.AddrPort, 1)
	return sw, cl, func(b []byte) {
		_ = cl.Send(b)
		sw.take(cl.out, time.Time{})
		if sw.Recv(bufs, from) != 1 || len(bufs[0]) != len(b) {
			t.Fatalf("the packet did not come through: %d bytes, want %d", len(bufs[0]), len(b))
		}
	}
}

// Nothing is allocated for a packet of sound.
func TestNoAllocation(t *testing.T) {
	_, _, exchange := pair(t)
	b := make([]byte, 172)
	copy(b, packet(0, ""))
	var seq uint16
	n := testing.AllocsPerRun(200, func() {
		seq++
		b[2], b[3] = byte(seq>>8), byte(seq)
		exchange(b)
	})
	if n > 0 && !raceEnabled {
		t.Errorf("%v allocations for a packet sent and taken, want none", n)
	}
}

// BenchmarkWire is a browser leg's cost of one packet out and one in: encrypted,
// given to the kernel, taken and decrypted. Budget: 12 µs and no allocation (with
// plain RTP the kernel's part alone is the same).
func BenchmarkWire(b *testing.B) {
	_, _, exchange := pair(b)
	p := make([]byte, 172)
	copy(p, packet(0, ""))
	b.ReportAllocs()
	var seq uint16
	for b.Loop() {
		seq++
		p[2], p[3] = byte(seq>>8), byte(seq)
		exchange(p)
	}
}
