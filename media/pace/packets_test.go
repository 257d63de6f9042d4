package pace

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"ozswitch/media/rtp"
)

// packets takes what was kept, a word a packet: "<" or ">", milliseconds since
// the start, payload type and first letter.
func packets(t *testing.T, p *Packets, release bool) string {
	t.Helper()
	var out []string
	for b, ok := p.Next(); ok; b, ok = p.Next() {
		if b.Dropped > 0 {
			out = append(out, fmt.Sprintf("%d dropped", b.Dropped))
		}
		n := 0
		for d := b.Data; len(d) > 0; n++ {
			way := map[byte]string{0: "<", 1: ">"}[d[8]]
			ns := int64(binary.BigEndian.Uint64(d)) - start.UnixNano()
			size := int(binary.BigEndian.Uint16(d[9:]))
			r, err := rtp.Parse(d[PacketHead : PacketHead+size])
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprintf("%s%d:%d%s", way, ns/1e6, r.PT, letter(r.Payload)))
			d = d[PacketHead+size:]
		}
		if n != b.N {
			t.Errorf("a block of %d packets says %d", n, b.N)
		}
		if b.Last {
			out = append(out, "last")
		}
		if release {
			p.Release(b)
		}
	}
	return strings.Join(out, " ")
}

// What is kept is what went over the wire, keys and strangers' packets too that
// were taken, whatever the jitter buffer makes of it.
func TestPackets(t *testing.T) {
	p := NewPackets(make(chan struct{}, 1), 0)
	r := newRig(t, func(c *LegConfig) { c.Packets = p })
	r.ok(r.l.Enqueue(1, clip("X")))
	r.w.comes(far, speech(0))
	r.w.comes(far, speech(0)) // twice
	r.frames(1)
	r.w.comes(near, speech(1)) // a stranger, once far is bound
	r.ok(r.l.SendKeys(1, "5"))
	r.frames(1)
	r.s.close(r.now)
	r.want("kept", packets(t, p, true), ">0:0X <0:0a <0:0a >20:101\x05 last")
}

func TestPacketsWithoutKeys(t *testing.T) {
	p := NewPackets(make(chan struct{}, 1), 101)
	r := newRig(t, func(c *LegConfig) { c.Packets = p })
	r.ok(r.l.SendKeys(1, "5"))
	r.frames(14)
	r.s.close(r.now)
	if got := packets(t, p, true); strings.Contains(got, ":101") || !strings.Contains(got, ">260:0_") {
		t.Errorf("kept %s", got)
	}
}

// A reader that does not come loses packets and is told how many.
func TestPacketsSlowReader(t *testing.T) {
	p := NewPackets(make(chan struct{}, 1), 0)
	r := newRig(t, func(c *LegConfig) { c.Packets = p })
	const fit = packetBlocks * (packetBlock / (PacketHead + rtp.HeaderLen + 160))
	r.frames(fit + 3)
	if got := strings.Fields(packets(t, p, true)); len(got) != fit {
		t.Errorf("%d packets were kept of %d that fit", len(got), fit)
	}
	r.frames(1)
	r.s.close(r.now)
	r.want("the rest", packets(t, p, true), fmt.Sprintf("3 dropped >%d:0_ last", 20*(fit+3)))
	select {
	case <-p.bell:
	default:
		t.Error("the bell did not ring")
	}
}
