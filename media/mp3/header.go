package mp3

import (
	"encoding/binary"
	"fmt"
)

// header is what the four bytes before a frame say (ISO 11172-3, 2.4.1.3; ISO 13818-3, 2.4.1.3).
type header struct {
	mpeg1   bool
	crc     bool
	rate    int
	mono    bool
	size    int // bytes of the frame, this header included
	samples int // of the frame, per channel
}

var (
	bitrates1 = [16]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0}
	bitrates2 = [16]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0}
	rates     = [4]int{44100, 48000, 32000, 0}
)

// parseHeader reads a frame's header. ok is false where there is none; the error tells one that is understood but not
// played.
func parseHeader(b []byte) (h header, ok bool, err error) {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return h, false, nil
	}
	version, layer := b[1]>>3&3, b[1]>>1&3
	bitrate, rate := b[2]>>4, rates[b[2]>>2&3]
	if version == 1 || layer == 0 || bitrate == 15 || rate == 0 {
		return h, false, nil
	}
	switch {
	case layer != 1:
		return h, true, fmt.Errorf("%w: MPEG audio layer %s; only layer III (mp3) is played", ErrFormat, [4]string{2: "II", 3: "I"}[layer])
	case version == 0:
		return h, true, fmt.Errorf("%w: MPEG-2.5 (%d samples a second); convert it to 16000 or more", ErrFormat, rate/4)
	case bitrate == 0:
		return h, true, fmt.Errorf("%w: free-format bit rate", ErrFormat)
	}
	h = header{mpeg1: version == 3, crc: b[1]&1 == 0, rate: rate, mono: b[3]>>6 == 3, samples: 1152}
	kbit := bitrates1[bitrate]
	if !h.mpeg1 {
		h.rate, h.samples, kbit = rate/2, 576, bitrates2[bitrate]
	}
	h.size = h.samples/8*kbit*1000/h.rate + int(b[2]>>1&1)
	return h, true, nil
}

// info reads an Info (or Xing) frame: its first frame tells how many follow and, when LAME or one like it wrote it, how
// many samples of silence the encoder put before and behind the sound. ok is false for a frame of sound.
func (h header) info(frame []byte) (skip, length int64, ok bool) {
	at := 4 + 17
	switch {
	case h.mpeg1 && !h.mono:
		at = 4 + 32
	case !h.mpeg1 && h.mono:
		at = 4 + 9
	}
	if h.crc {
		at += 2
	}
	if len(frame) < at+8 {
		return 0, 0, false
	}
	b := frame[at:]
	if id := string(b[:4]); id != "Info" && id != "Xing" {
		return 0, 0, false
	}
	flags := binary.BigEndian.Uint32(b[4:])
	b = b[8:]
	frames := int64(0)
	for bit, size := range []int{4, 4, 100, 4} { // frames, bytes, table of contents, quality
		if flags>>bit&1 == 0 {
			continue
		}
		if len(b) < size {
			return 0, 0, true
		}
		if bit == 0 {
			frames = int64(binary.BigEndian.Uint32(b))
		}
		b = b[size:]
	}
	if frames == 0 || len(b) < 24 || b[0] == 0 {
		return 0, 0, true
	}
	delay, padding := int64(b[21])<<4|int64(b[22])>>4, int64(b[22]&15)<<8|int64(b[23])
	length = frames*int64(h.samples) - delay - padding
	if length <= 0 {
		return 0, 0, true
	}
	// 529 is the decoder's own delay.
	return delay + 529, length, true
}
