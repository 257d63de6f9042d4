// Package codec turns samples into the payloads of RTP packets and back.
//
// A [Codec] is a value in [Table]: what SDP calls it, its rates, and makers of
// its encoder and decoder, which keep state for those codecs that have any. So
// each stream makes its own pair; those of G.711 have no state and are shared.
//
// It is not: packets (media/rtp), negotiation (switch/sip). Start at table.go.
package codec

import (
	"errors"
	"fmt"
	"io"
	"time"

	"ozswitch/media"
)

// FirstDynamic is the first payload type whose meaning SDP has to tell (RFC 3551, 6).
const FirstDynamic = 96

// A Codec is one way to code sound.
type Codec struct {
	Name      string     // as in rtpmap: "PCMU"
	PT        uint8      // the static payload type, or the one we offer if from FirstDynamic on
	Rate      media.Rate // of the samples
	ClockRate int        // of RTP timestamps; for some codecs not Rate (RFC 3551, 4.5.2)
	Channels  int        // as in rtpmap, 0 = one; the sound itself is mono always
	Fmtp      string     // what we say of how we want it (a=fmtp); "" = nothing
	Silence   []byte     // one frame of silence, read-only

	// Lasts is set where a payload is a whole that can be neither cut nor put behind
	// another, and says how many ticks it is heard, 0 if it is broken. nil: bytes are
	// time, as many for each frame as Silence has. Join makes one payload of two such
	// that follow each other, in dst, and returns its length, 0 if that cannot be.
	Lasts func(payload []byte) int
	Join  func(dst, a, b []byte) int

	NewEncoder func() Encoder
	NewDecoder func() Decoder
}

// An Encoder codes sound. Encode codes pcm, one frame (Rate.Frame samples), into
// dst and returns the number of bytes. It allocates nothing and keeps neither
// slice. MaxFrame bytes of dst are always enough.
type Encoder interface {
	Encode(dst []byte, pcm []int16) int
}

// A Decoder is the way back. Decode decodes one payload into dst and returns the
// number of samples; what does not fit into dst is lost. A payload may be longer
// or shorter than a frame: that is the sender's choice.
type Decoder interface {
	Decode(dst []int16, payload []byte) int
}

// MaxPacket is how long a payload of any codec is at most.
const MaxPacket = 120 * time.Millisecond // Opus, RFC 6716, 3.2

// MaxFrame is the size in bytes of the largest frame of any codec.
const MaxFrame = 1275 // Opus, RFC 6716, 3.2.1

// Time says how many ticks of the RTP clock a payload is heard.
func (c *Codec) Time(payload []byte) int {
	if c.Lasts != nil {
		return c.Lasts(payload)
	}
	return len(payload) * c.Ticks() / len(c.Silence)
}

// Ticks says by how much the RTP timestamp grows in a frame.
func (c *Codec) Ticks() int { return c.ClockRate / int(1e9/media.Frame) }

// String is the rtpmap form, "PCMU/8000".
func (c *Codec) String() string { return fmt.Sprintf("%s/%d", c.Name, c.ClockRate) }

// Frames codes all of src into ready payloads of 20 ms each, the last one filled
// up with silence. It resamples src where needed. This is done once for each
// prompt, outside of any call; calls share the result and only read it.
func (c *Codec) Frames(src media.Source) ([][]byte, error) {
	src = media.Resample(src, c.Rate)
	enc := c.NewEncoder()
	pcm, out := make([]int16, c.Rate.Frame()), make([]byte, MaxFrame)
	var frames [][]byte
	for {
		n, err := src.Read(pcm)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("codec: encode %s as %s: %w", media.Name(src), c.Name, err)
		}
		if n > 0 {
			clear(pcm[n:])
			frames = append(frames, append([]byte(nil), out[:enc.Encode(out, pcm)]...))
		}
		if err != nil {
			return frames, nil
		}
	}
}
