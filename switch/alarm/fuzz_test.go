package alarm

import (
	"encoding/binary"
	"strings"
	"testing"

	"ozswitch/media"
	"ozswitch/media/dtmf"
)

// weights are those of DC-05, written down once more: the checksum of what is
// received must not be judged by the code that received it.
var weights = map[rune]int{'1': 1, '2': 2, '3': 3, '4': 4, '5': 5, '6': 6, '7': 7, '8': 8, '9': 9, '0': 10, 'B': 11, 'C': 12, 'D': 13, 'E': 14, 'F': 15}

// isMessage fails unless digits are a message by the rules of DC-05.
func isMessage(t *testing.T, r Received) {
	t.Helper()
	total := 0
	for _, d := range r.Digits {
		if weights[d] == 0 {
			t.Fatalf("received %s: %c is no digit", r.Digits, d)
		}
		total += weights[d]
	}
	if kind := r.Digits[4:6]; len(r.Digits) != 16 || total%15 != 0 || kind != "18" && kind != "98" || !strings.Contains("136", r.Digits[6:7]) {
		t.Fatalf("received %s, which is no message", r.Digits)
	}
	if r.Account != r.Digits[:4] || r.Event != r.Digits[7:10] || r.Partition != r.Digits[10:12] || r.Zone != r.Digits[12:15] {
		t.Fatalf("received %s as %+v", r.Digits, r.Message)
	}
}

// Any sound is survived by both ends, and what is received has a right checksum.
func FuzzSound(f *testing.F) {
	bytes := func(pcm []int16) (b []byte) {
		for _, v := range pcm {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
		return b
	}
	src, err := dtmf.Keys(Rate, keysOf("1234181131010158"), keyLen, keyLen)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes(pcm(f, media.Silence(Rate, keyLen), src)))
	f.Add(bytes(pcm(f, shake(1400, 2300, loudness, loudness, part, part), media.Silence(Rate, 3*keyLen), media.Tone(Rate, 1400, loudness, kissOff))))
	f.Add([]byte{0, 128, 255, 127, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		in := make([]int16, len(b)/2)
		for i := range in {
			in[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
		s, r := sender(t, must(t, "1234181131010158")), NewReceiver()
		buf := make([]int16, 160)
		for rest := in; len(rest) > 0; {
			n := min(len(rest), 1+int(uint16(rest[0]))%200) // in pieces of any size
			_ = r.Write(rest[:n])
			_ = s.Write(rest[:n])
			_, _ = r.Read(buf[:min(n, len(buf))])
			_, _ = s.Read(buf[:min(n, len(buf))])
			rest = rest[n:]
			for m, ok := r.Next(); ok; m, ok = r.Next() {
				isMessage(t, m)
			}
		}
		_, _ = r.Err(), s.Err()
	})
}

// Any keys, whether in the sound or as packets, at any spacing.
func FuzzKeys(f *testing.F) {
	f.Add([]byte(keysOf("1234181131010158")), uint8(5))
	f.Add([]byte(keysOf("1234981131010151")), uint8(6))
	f.Add([]byte("D234181131010158"), uint8(5))
	f.Fuzz(func(t *testing.T, pressed []byte, spacing uint8) {
		r := NewReceiver()
		silent := make([]int16, 20)
		for _, k := range append(pressed, make([]byte, 60)...) {
			if k != 0 {
				r.Key(k)
			}
			for range 1 + int(spacing)%12 {
				_ = r.Write(silent)
			}
			for m, ok := r.Next(); ok; m, ok = r.Next() {
				isMessage(t, m)
			}
		}
	})
}
