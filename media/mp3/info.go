package mp3

import (
	"encoding/binary"
	"fmt"
	"io"
)

// shape is what all frames of a file that we make have in common: MPEG-2 layer III, 16 kHz, constant bit rate, so
// that none is padded.
type shape struct {
	kbit   int
	bytes  int // of a frame
	header uint32
	side   int // bytes of side information behind the header (ISO 13818-3, 2.4.1.7)
}

const (
	frameSamples = 576 // of a frame, per channel
	delay        = 576 // silence that LAME puts before the sound; a decoder adds 529 of its own
)

func shapeOf(channels int) shape {
	if channels == 2 {
		return shape{64, 288, 0xFFF38844, 17} // joint stereo
	}
	return shape{32, 144, 0xFFF348C4, 9}
}

// frame is one of silence.
func (s shape) frame() []byte {
	b := make([]byte, s.bytes)
	binary.BigEndian.PutUint32(b, s.header)
	return b
}

// finish writes the first frame, once size bytes of sound stand behind it.
func (s shape) finish(out io.WriterAt, size, samples int64) error {
	frames := size / int64(s.bytes)
	if size%int64(s.bytes) != 0 || frames*frameSamples < samples+delay {
		return fmt.Errorf("mp3: the encoder made %d bytes of %d samples, which cannot be", size, samples)
	}
	_, err := out.WriteAt(s.info(frames, samples), 0)
	return err
}

// info is the frame before all others, which holds no sound but tells players how many follow and which part of their
// sound is the recording's (the layout is LAME's; there is no standard).
func (s shape) info(frames, samples int64) []byte {
	b := s.frame()
	t := b[4+s.side:]
	copy(t, "Info")
	binary.BigEndian.PutUint32(t[4:], 3) // what follows: frames and bytes
	binary.BigEndian.PutUint32(t[8:], uint32(frames))
	binary.BigEndian.PutUint32(t[12:], uint32((frames+1)*int64(s.bytes)))
	t = t[16:]
	copy(t, "LAME3.100")
	t[9] = 1 // constant bit rate
	t[20] = byte(s.kbit)
	padding := frames*frameSamples - samples - delay
	t[21], t[22], t[23] = delay>>4, byte(delay&15)<<4|byte(padding>>8), byte(padding)
	return b
}
