package rtp

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

func TestKeyReceiver(t *testing.T) {
	// A packet is key:timestamp:duration, with M for the marker and E for the end.
	for _, c := range []struct{ name, in, want string }{
		{"plain", "M5:1000:160 5:1000:320 5:1000:480 E5:1000:640 E5:1000:640 E5:1000:640", "5"},
		{"no marker", "5:1000:160 5:1000:320 E5:1000:480", "5"},
		{"the marker lost", "5:1000:320 E5:1000:480", "5"},
		{"only one end left", "E5:1000:480", "5"},
		{"no end", "M5:1000:160 5:1000:320 M6:3000:160 6:3000:320", "56"},
		{"all copies", "M5:1000:160 M5:1000:160 5:1000:320 5:1000:320 E5:1000:480 E5:1000:480 E5:1000:480 E5:1000:480", "5"},
		{"end before start", "E5:1000:480 M5:1000:160 5:1000:320", "5"},
		{"the last key's end comes late", "M5:1000:160 M6:3000:160 E5:1000:480 6:3000:320 E5:1000:480 E6:3000:480", "56"},
		{"one key twice, fast", "M5:1000:160 E5:1000:320 M5:1480:160 E5:1480:320", "55"},
		{"one key twice, without marker or end", "5:1000:160 5:1000:320 5:1480:160 5:1480:320", "55"},
		{"two keys at one timestamp", "M5:1000:160 E5:1000:320 M6:1000:160 E6:1000:320", "56"},
		{"duration wraps, timestamp stays", "M5:1000:65000 5:1000:65520 5:1000:144 5:1000:304 E5:1000:400", "5"},
		{"held over two segments", "M5:1000:160 5:1000:65535 5:66535:160 5:66535:320 E5:66535:480 E5:66535:480", "5"},
		{"held over three", "M5:1000:65535 5:66535:65535 5:132070:800 E5:132070:960", "5"},
		{"the end of a segment lost", "M5:1000:160 5:1000:65120 5:66535:320 E5:66535:480", "5"},
		{"pressed again after a long one", "M5:1000:65535 E5:1000:65535 M5:70000:160", "55"},
		{"timestamp wraps", "M5:4294967000:160 E5:4294967000:320 M6:500:160 E6:500:320", "56"},
		{"all keys", "M0:0:9 M1:1000:9 M9:2000:9 M10:3000:9 M11:4000:9 M12:5000:9 M15:6000:9", "019*#AD"},
		{"duration 0 all along", "M5:1000:0 5:1000:0 E5:1000:0 E5:1000:0 M6:3000:0 E6:3000:0", "56"},
		{"shrinking", "M5:1000:480 5:1000:320 5:1000:160 E5:1000:80", "5"},
		{"no gap between two keys", "M5:1000:160 5:1000:800 E5:1000:800 M6:1800:160 E6:1800:800", "56"},
		{"no gap between the same key twice", "M5:1000:160 5:1000:800 E5:1000:800 M5:1800:160 E5:1800:800", "55"},
		{"no gap, no marker, no end", "5:1000:160 5:1000:800 5:1800:160 5:1800:800", "55"},
		{"only the ends of three", "E5:1000:800 E5:2280:800 E5:3560:800", "555"},
		{"timestamps that run on", "M5:1000:160 5:1160:320 5:1320:480 E5:1480:640 E5:1480:640 E5:1480:640 M5:3000:160", "55"},
		{"the same with loss", "M5:1000:160 5:1480:640 E5:1640:800", "5"},
		{"ends whose timestamps run on", "M5:1000:160 5:1000:640 E5:1160:640 E5:1320:640 E5:1480:640", "5"},
		{"an event between a key's packets", "M5:1000:160 16:1000:160 5:1000:320 66:1200:20 5:1000:480 E5:1000:640", "5"},
		{"copies of the key before, at the same timestamp", "M5:1000:160 E5:1000:320 M6:1000:160 E5:1000:320 E6:1000:320", "56"},
		{"flash is no key", "M16:1000:160 E16:1000:320 M5:3000:160", "5"},
		{"the sender's time went far back", "M5:900000:160 E5:900000:480 M5:1000:160", "55"},
	} {
		var k KeyReceiver
		var got []byte
		for _, w := range strings.Fields(c.in) {
			marker, end := strings.HasPrefix(w, "M"), strings.HasPrefix(w, "E")
			var code, dur int
			var ts uint32
			if _, err := fmt.Sscanf(strings.TrimLeft(w, "ME"), "%d:%d:%d", &code, &ts, &dur); err != nil {
				t.Fatal(err)
			}
			b := []byte{byte(code), 10, 0, 0}
			if end {
				b[1] |= 0x80
			}
			binary.BigEndian.PutUint16(b[2:], uint16(dur))
			if key, ok := k.Put(Packet{Marker: marker, TS: ts, Payload: b}); ok {
				got = append(got, key)
			}
		}
		if string(got) != c.want {
			t.Errorf("%s: %s gives %q, want %q", c.name, c.in, got, c.want)
		}
	}
	// What is held up and what is a new beginning depends on the clock.
	for _, clock := range []int{0, 8000, 16000, 48000} {
		k := KeyReceiver{Clock: clock}
		if clock == 0 {
			clock = 8000
		}
		for _, c := range []struct {
			code byte
			back int // seconds
			ok   bool
		}{{1, 0, true}, {2, 9, false}, {3, 11, true}} {
			p := Packet{TS: uint32(1<<30 - c.back*clock), Payload: []byte{c.code, 0x80, 0, 160}}
			if key, ok := k.Put(p); ok != c.ok {
				t.Errorf("clock %d: %d s back gives key %q, %v, want %v", clock, c.back, key, ok, c.ok)
			}
		}
	}
	var k KeyReceiver
	if key, ok := k.Put(Packet{Payload: []byte{5, 0, 0}}); ok {
		t.Errorf("three bytes gave key %q, want none", key)
	}
}

func TestKeySender(t *testing.T) {
	k := KeySender{Frame: 160}
	k.Start("1#")
	var got []string
	for i := 0; k.Busy(); i++ {
		p, send := k.Next(uint32(5000 + 160*i))
		w := "-"
		if send {
			w = fmt.Sprintf("%d:%d:%d", p.Event[0], p.TS, binary.BigEndian.Uint16(p.Event[2:]))
			if p.Marker {
				w = "M" + w
			}
			if p.Event[1]&0x80 != 0 {
				w = "E" + w
			}
		}
		got = append(got, w)
	}
	want := "M1:5000:160 1:5000:320 1:5000:480 1:5000:640 1:5000:800 E1:5000:800 E1:5000:800 E1:5000:800 " +
		"M11:6280:160 11:6280:320 11:6280:480 11:6280:640 11:6280:800 E11:6280:800 E11:6280:800 E11:6280:800"
	if g := strings.Join(got, " "); g != want {
		t.Errorf("1# is\n%s\nwant\n%s", g, want)
	}
	k = KeySender{Frame: 160, Tone: 2, Gap: 5}
	k.Start("1")
	n := 0
	for ; k.Busy(); n++ {
		if _, send := k.Next(0); send != (n < 5) {
			t.Errorf("frame %d: send = %v", n, send)
		}
	}
	if n != 7 {
		t.Errorf("a key of 2 frames with a gap of 5 lasts %d frames, want 7", n)
	}
}

// What is sent is received, with any one packet lost, or every other.
func TestKeysLoss(t *testing.T) {
	const keys = "0123456789*#ABCD55"
	for lose := range 60 {
		frame := []int{160, 320, 960}[lose/20] // 8, 16 and 48 kHz
		lose %= 20
		s, r := KeySender{Frame: frame}, KeyReceiver{Clock: frame * 50}
		s.Start(keys)
		var got []byte
		for i := 0; s.Busy(); i++ {
			p, send := s.Next(uint32(frame * i))
			if !send || i%8 == lose || lose >= 8 && i%2 == lose%2 {
				continue
			}
			if key, ok := r.Put(Packet{Marker: p.Marker, TS: p.TS, Payload: p.Event[:]}); ok {
				got = append(got, key)
			}
		}
		if string(got) != keys {
			t.Errorf("loss %d: received %q, want %q", lose, got, keys)
		}
	}
}

func FuzzKeyReceiver(f *testing.F) {
	f.Add([]byte{5, 0x8a, 0, 160, 1, 0, 5})
	f.Fuzz(func(t *testing.T, in []byte) {
		var k KeyReceiver
		for i := range in {
			key, ok := k.Put(Packet{TS: uint32(len(in)-i) * 999, Marker: i%2 == 0, Payload: in[i:]})
			if _, known := KeyEvent(key); ok && !known {
				t.Fatalf("Put gave %q, which is no key", key)
			}
		}
	})
}
