package pace

import (
	"bytes"
	"fmt"
	"testing"

	"ozswitch/media/rtp"
)

// letters is a coder whose frames are letters: what lies over what is a capital;
// leaps are noted.
type letters struct {
	cur, last byte
	leaps     string
	level     int
	missing   int
}

func (c *letters) Begin(last []byte) { c.last = append(last, 0)[0] }
func (c *letters) Leap(b []byte)     { c.leaps += string(b[0]); c.cur = b[0] }
func (c *letters) Even() bool        { return c.level == 0 }
func (c *letters) Hear(b []byte) {
	c.cur = 0
	if len(b) > 0 {
		c.cur, c.missing = b[0], 0
	} else if c.missing++; c.missing <= 2 { // so many frames are invented
		c.cur = c.last
	}
	c.last = c.cur
}

func (c *letters) Say(dst, over []byte) int {
	c.level = len(over)
	if c.cur == 0 && over == nil {
		return 0
	}
	b := c.cur
	if over != nil {
		b &^= 0x20
	}
	for i := range dst[:160] {
		dst[i] = b
	}
	return 160
}

// A sound that can be laid over what comes: packets pass, then frames are made, and
// packets pass again; numbers and timestamps go on without a jump.
func TestLayOver(t *testing.T) {
	r := newPair(t, nil)
	r.join(nil)
	r.frames(1)
	n := r.speaks(0, "ab")
	c := &letters{}
	r.ok(r.y.Lay(c))
	r.ok(r.y.Enqueue(1, clip("....")))
	n = r.speaks(n, "cdef")
	n = r.speaks(n, "gh")
	n = r.speaks(n, "ijk")
	r.ok(r.y.Enqueue(2, clip("..")))
	r.speaks(n, "lm")
	r.want("sent", r.sent(), "Ma0@1 b1@2 c2@3 C3@4 C4@5 D5@6 E6@7 f7@8 h8@9 i9@10 j10@11 k11@12 l12@13 L13@14 L14@15")
	r.want("leapt over", c.leaps, "h")
}

// Frames are made all the time where the formats differ: gaps stay gaps, keys have
// our clock, and a prompt lies over them.
func TestCodeAll(t *testing.T) {
	r := newPair(t, func(x, y *LegConfig) {
		x.Format = Format{PT: 0, Ticks: 960, Silence: bytes.Repeat([]byte{0xff}, 160)}
	})
	r.join(&letters{})
	r.frames(1)
	wide := func(n int, letter string) rtp.Packet {
		p := sound(n, letter)
		p.TS = uint32(960 * n)
		return p
	}
	for i, letter := range "abcd....efgh" {
		if letter != '.' {
			r.wx.comes(far, wide(i, string(letter)))
		}
		r.frames(1)
	}
	r.frames(8)
	key := rtp.Packet{PT: 96, SSRC: 5, Marker: true, Seq: 1012, TS: 960 * 22, Payload: []byte{5, 10, 960 >> 8, 960 & 0xff}}
	r.wx.comes(far, key)
	r.frames(1)
	key.Marker, key.Seq, key.Payload = false, 1013, []byte{5, 0x8a, 1920 >> 8, 1920 & 0xff}
	r.wx.comes(far, key)
	r.frames(2)
	keys := r.wy.sent[len(r.wy.sent)-2:]
	r.want("the key's payloads", fmt.Sprintf("%x %x", keys[0].Payload, keys[1].Payload), "050a00a0 058a0140")
	r.want("sent", r.sent(), "Ma0@3 b1@4 c2@5 d3@6 d4@7 d5@8 Me6@11 f7@12 g8@13 h9@14 h10@15 h11@16 Mk512@21 k513@21")
}
