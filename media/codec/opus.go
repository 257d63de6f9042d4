package codec

import (
	"time"

	"github.com/thesyncim/gopus"

	"ozswitch/media"
)

// Opus is what browsers like best (RFC 6716, 7587). Its RTP clock is always 48000
// and its rtpmap always says two channels; inside the switch it is mono at 16 kHz,
// which is what a voice needs and what G.722 has, and the far end is told so.
//
// We code with the CELT half alone. By measurement it is as good for a voice at
// 32 kbit/s as the other modes, takes a third of the time of SILK and recovers at
// once when clips of several encoders follow each other; what comes may be coded
// in any mode.
var Opus = &Codec{
	Name:       "opus",
	PT:         111, // as browsers have it
	Rate:       opusRate,
	ClockRate:  48000,
	Channels:   2,
	Fmtp:       "maxplaybackrate=16000;sprop-maxcapturerate=16000;stereo=0;useinbandfec=1",
	Silence:    []byte{opusCELT20, 0xff, 0xfe}, // what the encoder makes of silence: a frame with the flag that says so
	Lasts:      opusLasts,
	Join:       opusJoin,
	NewEncoder: func() Encoder { c := &opusEncoder{}; c.renew(); return c },
	NewDecoder: func() Decoder { c := &opusDecoder{}; c.renew(); return c },
}

const (
	opusRate    = media.Rate(16000) // inside the switch
	opusCELT20  = 23 << 3           // TOC: CELT, wideband, 20 ms, mono, one frame (RFC 6716, 3.1)
	opusLongest = MaxPacket
)

// The arithmetic is another's, translated from C. As with G.722 a panic in it
// costs one frame and the state; so does an error.

type opusEncoder struct {
	e     *gopus.Encoder
	began bool // the first frame, which must not lean on one before, was coded
}

// renew begins anew. The configuration is constant, so an error is a programming
// error, and Encode then gives nothing.
func (c *opusEncoder) renew() {
	*c = opusEncoder{}
	e, err := gopus.NewEncoder(gopus.EncoderConfig{SampleRate: int(opusRate), Channels: 1, Application: gopus.ApplicationLowDelay})
	if err != nil || e.SetBitrate(32000) != nil || e.SetComplexity(0) != nil || e.SetFrameSize(opusRate.Frame()) != nil {
		return
	}
	e.SetPredictionDisabled(true)
	c.e = e
}

// Encode codes one frame; a shorter one is filled up with silence.
func (c *opusEncoder) Encode(dst []byte, pcm []int16) (n int) {
	defer func() {
		if recover() != nil {
			c.renew()
			n = 0
		}
	}()
	if c.e == nil {
		return 0
	}
	if size := opusRate.Frame(); len(pcm) != size {
		var whole [320]int16
		copy(whole[:size], pcm)
		pcm = whole[:size]
	}
	n, err := c.e.EncodeInt16(pcm, dst)
	if err != nil {
		return 0
	}
	if !c.began {
		c.began = true
		c.e.SetPredictionDisabled(false)
	}
	return n
}

type opusDecoder struct {
	d   *gopus.Decoder
	pcm []int16 // the longest packet; made when dst is too short for one
}

func (c *opusDecoder) renew() {
	c.d = nil
	if d, err := gopus.NewDecoder(gopus.DecoderConfig{SampleRate: int(opusRate), Channels: 1}); err == nil {
		c.d = d
	}
}

// Decode decodes a packet. One without payload is one that was lost: the decoder
// carries on what it heard.
func (c *opusDecoder) Decode(dst []int16, payload []byte) (n int) {
	defer func() {
		if recover() != nil {
			c.renew()
			n = 0
		}
	}()
	if c.d == nil {
		return 0
	}
	if len(payload) == 0 {
		payload = nil
	}
	out := dst
	if len(dst) < opusRate.N(opusLongest) {
		if c.pcm == nil {
			c.pcm = make([]int16, opusRate.N(opusLongest))
		}
		out = c.pcm
	}
	if payload == nil { // as much as is asked for, in wholes of a frame
		out = out[:min(len(out), opusRate.Frame())]
	}
	n, err := c.d.DecodeInt16(payload, out)
	if err != nil {
		return 0
	}
	if len(dst) < opusRate.N(opusLongest) {
		n = copy(dst, out[:n])
	}
	return n
}

// Conceal implements concealer.
func (c *opusDecoder) Conceal(dst []int16) int { return c.Decode(dst, nil) }

// opusFrame is how long each frame of a packet is, by its first byte (RFC 6716, 3.1).
func opusFrame(toc byte) time.Duration {
	config := toc >> 3
	switch {
	case config < 12: // SILK
		return [...]time.Duration{10, 20, 40, 60}[config&3] * time.Millisecond
	case config < 16: // both
		return [...]time.Duration{10, 20}[config&1] * time.Millisecond
	}
	return 2500 * time.Microsecond << (config & 3)
}

// opusLasts is how long a packet is heard, in ticks of the RTP clock; 0 when it is
// broken.
func opusLasts(payload []byte) int {
	if len(payload) == 0 {
		return 0
	}
	n := 1
	switch payload[0] & 3 {
	case 1, 2:
		n = 2
	case 3:
		if len(payload) < 2 {
			return 0
		}
		n = int(payload[1] & 0x3f)
	}
	d := time.Duration(n) * opusFrame(payload[0])
	if d > opusLongest {
		return 0
	}
	return int(d * 48000 / time.Second)
}

// opusJoin makes one packet of two that follow each other, in dst, which may share
// memory with neither, and returns its length. 0 = that cannot be: they are coded
// in different ways, broken, or together longer than 120 ms or than dst.
func opusJoin(dst, a, b []byte) int {
	if len(a) == 0 || len(b) == 0 || (a[0]^b[0])&^3 != 0 {
		return 0
	}
	var frames [48][]byte
	n, ok := opusFrames(frames[:0:24], a)
	if !ok {
		return 0
	}
	m, ok := opusFrames(frames[len(n):len(n):48], b)
	if !ok {
		return 0
	}
	all := frames[:len(n)+len(m)]
	if time.Duration(len(all))*opusFrame(a[0]) > opusLongest || len(dst) < 2 {
		return 0
	}
	dst[0], dst[1] = a[0]|3, 0x80|byte(len(all)) // code 3: a number of frames, each with its length
	at := 2
	for i, f := range all {
		if i < len(all)-1 { // the last one's is what remains
			if at+2 > len(dst) {
				return 0
			}
			at += opusPutLength(dst[at:], len(f))
		}
	}
	for _, f := range all {
		if at+len(f) > len(dst) {
			return 0
		}
		at += copy(dst[at:], f)
	}
	return at
}

// opusPutLength writes the length of a frame (RFC 6716, 3.2.1) and returns how
// many bytes that took.
func opusPutLength(dst []byte, n int) int {
	if n < 252 {
		dst[0] = byte(n)
		return 1
	}
	dst[0] = byte(252 + n&3)
	dst[1] = byte((n - int(dst[0])) >> 2)
	return 2
}

// opusLength reads one, and what is behind it.
func opusLength(b []byte) (n int, rest []byte, ok bool) {
	switch {
	case len(b) == 0, b[0] >= 252 && len(b) < 2:
		return 0, nil, false
	case b[0] < 252:
		return int(b[0]), b[1:], true
	}
	return 4*int(b[1]) + int(b[0]), b[2:], true
}

// opusFrames takes a packet apart (RFC 6716, 3.2) into room, which must have room
// for all: 24 at most, as the shortest lasts 5 ms here.
func opusFrames(room [][]byte, p []byte) (frames [][]byte, ok bool) {
	toc, b := p[0], p[1:]
	switch toc & 3 {
	case 0:
		return append(room, b), true
	case 1:
		if len(b)%2 != 0 {
			return nil, false
		}
		return append(room, b[:len(b)/2], b[len(b)/2:]), true
	case 2:
		n, rest, ok := opusLength(b)
		if !ok || n > len(rest) {
			return nil, false
		}
		return append(room, rest[:n], rest[n:]), true
	}
	if len(b) == 0 {
		return nil, false
	}
	count, vbr, padded := int(b[0]&0x3f), b[0]&0x80 != 0, b[0]&0x40 != 0
	b = b[1:]
	for more := padded; more; {
		if len(b) == 0 {
			return nil, false
		}
		pad := int(b[0])
		if more = pad == 255; more {
			pad = 254
		}
		b = b[1:]
		if pad > len(b) {
			return nil, false
		}
		b = b[:len(b)-pad]
	}
	if count == 0 || count > cap(room) {
		return nil, false
	}
	if !vbr {
		size := len(b) / count
		if size*count != len(b) {
			return nil, false
		}
		for i := range count {
			room = append(room, b[i*size:][:size])
		}
		return room, true
	}
	var sizes [48]int
	sum := 0
	for i := range count - 1 {
		n, rest, ok := opusLength(b)
		if !ok {
			return nil, false
		}
		sizes[i], b, sum = n, rest, sum+n
	}
	if sum > len(b) {
		return nil, false
	}
	sizes[count-1] = len(b) - sum
	for _, n := range sizes[:count] {
		room = append(room, b[:n])
		b = b[n:]
	}
	return room, true
}
