//go:build peers

package peers

import (
	"bytes"
	"encoding/binary"
	"math"
)

// talkAndPress is a capture file for sipp to play: a caller who talks for 5 s
// (440 Hz in mu-law, RTP payload 0) and then presses key 1 for 160 ms (RFC
// 4733, payload 101).
func talkAndPress() []byte {
	var b bytes.Buffer
	write := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	write([]uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 65535, 1}) // pcap 2.4, Ethernet

	const frames, frame = 250, 160
	seq, at := uint16(1000), uint32(0) // at: RTP time, 1/8000 s
	packet := func(when uint32, marker bool, payloadType byte, stamp uint32, payload []byte) {
		rtp := []byte{0x80, payloadType, 0, 0, 0, 0, 0, 0, 0xca, 0x11, 0xe4, 0x01}
		if marker {
			rtp[1] |= 0x80
		}
		binary.BigEndian.PutUint16(rtp[2:], seq)
		binary.BigEndian.PutUint32(rtp[4:], stamp)
		seq++
		data := ethernet(append(rtp, payload...))
		micros := uint64(when) * 1e6 / 8000
		write([]uint32{uint32(micros / 1e6), uint32(micros % 1e6), uint32(len(data)), uint32(len(data))})
		b.Write(data)
	}
	for i := range frames {
		payload := make([]byte, frame)
		for j := range payload {
			payload[j] = muLaw(int16(12000 * math.Sin(2*math.Pi*440*float64(i*frame+j)/8000)))
		}
		packet(at, i == 0, 0, at, payload)
		at += frame
	}
	start := at
	for i := range 11 { // eight while the key is down, the end three times
		length, end := uint16(min(i+1, 8)*frame), byte(0)
		if i >= 8 {
			end = 0x80
		}
		packet(at, i == 0, 101, start, []byte{1, end | 10, byte(length >> 8), byte(length)})
		at += frame
	}
	return b.Bytes()
}

// ethernet wraps RTP in UDP, IPv4 and Ethernet; sipp replaces the addresses.
func ethernet(rtp []byte) []byte {
	d := make([]byte, 0, 42+len(rtp))
	d = append(d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x00)
	d = append(d, 0x45, 0)
	d = binary.BigEndian.AppendUint16(d, uint16(28+len(rtp)))
	d = append(d, 0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1)
	d = append(d, 0x27, 0x10, 0x27, 0x10)
	d = binary.BigEndian.AppendUint16(d, uint16(8+len(rtp)))
	d = append(d, 0, 0)
	return append(d, rtp...)
}

// muLaw encodes one sample (ITU-T G.711, the usual bias and segments).
func muLaw(s int16) byte {
	const bias, clip = 0x84, 32635
	sign, v := byte(0), int(s)
	if v < 0 {
		sign, v = 0x80, -v
	}
	v = min(v, clip) + bias
	exponent := 7
	for mask := 0x4000; v&mask == 0 && exponent > 0; mask >>= 1 {
		exponent--
	}
	return ^(sign | byte(exponent<<4) | byte(v>>(exponent+3))&0x0f)
}
