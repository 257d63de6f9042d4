package codec

import "github.com/gotranspile/g722"

// G722 is wideband sound in the room of G.711: 16 kHz in 64 kbit/s. Its RTP clock
// is 8000 all the same, by an old mistake that everybody keeps (RFC 3551, 4.5.2):
// a byte is a tick and two samples.
var G722 = &Codec{
	Name:       "G722",
	PT:         9,
	Rate:       16000,
	ClockRate:  8000,
	Silence:    g722Silence(),
	NewEncoder: func() Encoder { return &g722Encoder{e: g722.NewEncoder(g722.Rate64000, 0)} },
	NewDecoder: func() Decoder { return &g722Decoder{d: g722.NewDecoder(g722.Rate64000, 0)} },
}

// g722Silence is a frame of what an encoder makes of silence once it is used to
// it: the first frames, repeated, would hum at -38 dBFS. This one stays below
// -65 dBFS, whatever the far end's decoder heard before.
func g722Silence() []byte {
	e := g722.NewEncoder(g722.Rate64000, 0)
	b, pcm := make([]byte, 160), make([]int16, 320)
	for range 101 {
		e.Encode(b, pcm)
	}
	return b
}

// The arithmetic is another's, translated from C. Should it index outside of its
// tables after all, that costs one frame and the state, not the caller's
// goroutine; so both directions have a recover.

type g722Encoder struct{ e *g722.Encoder }

func (c *g722Encoder) Encode(dst []byte, pcm []int16) (n int) {
	defer func() {
		if recover() != nil {
			c.e = g722.NewEncoder(g722.Rate64000, 0)
			n = 0
		}
	}()
	n = min(len(dst), len(pcm)/2) // it reads samples by twos
	return c.e.Encode(dst[:n], pcm[:2*n])
}

type g722Decoder struct{ d *g722.Decoder }

func (c *g722Decoder) Decode(dst []int16, payload []byte) (n int) {
	defer func() {
		if recover() != nil {
			c.d = g722.NewDecoder(g722.Rate64000, 0)
			n = 0
		}
	}()
	n = min(len(payload), len(dst)/2)
	return c.d.Decode(dst[:2*n], payload[:n])
}
