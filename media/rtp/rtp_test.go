package rtp

import (
	"bytes"
	"errors"
	"testing"
	"time"

	pion "github.com/pion/rtp"
)

func TestParse(t *testing.T) {
	ok := func(h pion.Header, payload string, padding byte) []byte {
		b, err := (&pion.Packet{Header: h, Payload: []byte(payload), PaddingSize: padding}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	h := pion.Header{Version: 2, PayloadType: 101, Marker: true, SequenceNumber: 0xfffe, Timestamp: 0xfedcba98, SSRC: 7}
	csrc := h
	csrc.CSRC = []uint32{1, 2, 3}
	ext := csrc
	ext.SetExtension(1, []byte{1, 2, 3})
	padded := h
	padded.Padding = true
	for name, b := range map[string][]byte{
		"plain": ok(h, "sound", 0), "sources": ok(csrc, "sound", 0),
		"extension": ok(ext, "sound", 0), "padding": ok(padded, "sound", 4),
	} {
		p, err := Parse(b)
		if err != nil || p.PT != 101 || !p.Marker || p.Seq != 0xfffe || p.TS != 0xfedcba98 || p.SSRC != 7 || string(p.Payload) != "sound" {
			t.Errorf("%s: Parse = %+v, %v", name, p, err)
		}
	}
	plain := ok(h, "sound", 0)
	with := func(i int, v byte) []byte { b := bytes.Clone(plain); b[i] = v; return b }
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"empty", nil, ErrShort},
		{"eleven bytes", plain[:11], ErrShort},
		{"version 1", with(0, 0x40), ErrVersion},
		{"sender report", with(1, 200), ErrRTCP},
		{"more sources than bytes", with(0, 0x8f), ErrShort},
		{"extension longer than the packet", append(with(0, 0x90)[:12], 0, 0, 0xff, 0xff), ErrShort},
		{"half an extension", with(0, 0x90)[:14], ErrShort},
		{"padding of none", append(with(0, 0xa0)[:16], 0), ErrPadding},
		{"padding longer than the payload", append(with(0, 0xa0)[:16], 6), ErrPadding},
	} {
		if _, err := Parse(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// What we write, others read.
func TestPutHeader(t *testing.T) {
	want := Packet{PT: 8, Marker: true, Seq: 65535, TS: 1 << 31, SSRC: 0xdeadbeef}
	b := make([]byte, 14)
	PutHeader(b, want)
	var got pion.Packet
	if err := got.Unmarshal(b); err != nil || got.PayloadType != 8 || !got.Marker || got.SequenceNumber != 65535 ||
		got.Timestamp != 1<<31 || got.SSRC != 0xdeadbeef || len(got.Payload) != 2 {
		t.Errorf("PutHeader(%+v) reads as %v, %v", want, got, err)
	}
}

func FuzzParse(f *testing.F) {
	b := make([]byte, 20)
	PutHeader(b, Packet{})
	f.Add(b)
	f.Add([]byte{0xbf, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		// Whatever we take, the other implementation takes in the same way.
		var q pion.Packet
		if err := q.Unmarshal(b); err == nil && (q.PayloadType != p.PT || q.SequenceNumber != p.Seq ||
			q.Timestamp != p.TS || q.SSRC != p.SSRC || !bytes.Equal(q.Payload, p.Payload)) {
			t.Errorf("Parse(% x) = %+v, pion has %v", b, p, q)
		}
	})
}

func TestReception(t *testing.T) {
	for _, c := range []struct {
		name                string
		seqs                []int
		packets, lost, dups int64
	}{
		{"in order", []int{10, 11, 12, 13}, 4, 0, 0},
		{"wrap", []int{65534, 65535, 0, 1}, 4, 0, 0},
		{"wrap with a loss", []int{65534, 0, 1}, 3, 1, 0},
		{"copies", []int{1, 1, 2, 2, 1}, 2, 0, 3},
		{"overtaken", []int{1, 3, 2, 4}, 4, 0, 0},
		{"overtaken at the wrap", []int{65535, 1, 0, 0}, 3, 0, 1},
		{"the first overtaken", []int{5, 4, 6}, 3, 0, 0},
		{"lost", []int{1, 2, 7}, 3, 4, 0},
		{"the sender began anew", []int{1, 2, 4, 30000, 30001}, 5, 1, 0},
		{"very late", []int{1, 100, 2, 200}, 4, 196, 0},
	} {
		var r Reception
		for _, s := range c.seqs {
			r.Put(Packet{Seq: uint16(s), SSRC: 1})
		}
		if r.Packets() != c.packets || r.Lost() != c.lost || r.Duplicates() != c.dups {
			t.Errorf("%s: packets %d, lost %d, duplicates %d, want %d, %d, %d", c.name,
				r.Packets(), r.Lost(), r.Duplicates(), c.packets, c.lost, c.dups)
		}
	}
}

func TestReceptionJitter(t *testing.T) {
	var even, uneven Reception
	now := time.Unix(0, 0)
	for i := range 1000 {
		ts := uint32(0xffff0000) + uint32(i*160) // wraps on the way
		even.Sway(now, 8000, ts)
		uneven.Sway(now.Add(time.Duration(i%2)*10*time.Millisecond), 8000, ts)
		now = now.Add(20 * time.Millisecond)
	}
	if got := even.Jitter(); got != 0 {
		t.Errorf("an even stream has jitter %v, want 0", got)
	}
	if got := uneven.Jitter(); got < 9900*time.Microsecond || got > 10100*time.Microsecond {
		t.Errorf("a stream that sways by 10 ms has jitter %v, want 10ms", got)
	}
}
