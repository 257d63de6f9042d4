package rtp

import "encoding/binary"

// keyNames are the keys in the order of their event codes (RFC 4733, 3.2).
const keyNames = "0123456789*#ABCD"

// KeyEvent is the event code of a key: 0-9, *, #, A-D in either case.
func KeyEvent(key byte) (code uint8, ok bool) {
	if key >= 'a' && key <= 'd' {
		key -= 'a' - 'A'
	}
	for i := range len(keyNames) {
		if keyNames[i] == key {
			return uint8(i), true
		}
	}
	return 0, false
}

// A KeyReceiver finds the keys in a stream of telephone-events. One key is many
// packets, any of which may be lost, doubled or out of order; what they share is
// the timestamp, which is the moment the key went down. Its zero value is ready
// for a clock of 8 kHz.
type KeyReceiver struct {
	Clock int // ticks of the timestamp in a second; 0 = 8000

	began bool
	ended bool // an end packet of this event came
	code  uint8
	ts    uint32 // of the event; of its newest segment if it is long
	dur   uint16 // the longest duration seen in this segment

	before struct { // the key before it, whose copies may still come
		code uint8
		ts   uint32
	}
}

// stale is how far back a timestamp may lie, in seconds, to be taken for a packet
// that was held up; further back, the sender has begun anew.
const stale = 10

// Put takes a packet of the telephone-event payload type and returns the key that
// went down with it: each key once, with the first of its packets to arrive.
// Events that are no keys (a hook flash, tones of a fax) are no keys.
func (k *KeyReceiver) Put(p Packet) (key byte, ok bool) {
	if len(p.Payload) < 4 {
		return 0, false
	}
	code, end := p.Payload[0], p.Payload[1]&0x80 != 0
	if int(code) >= len(keyNames) {
		return 0, false // it says nothing about the key that is down
	}
	clock := k.Clock
	if clock == 0 {
		clock = 8000
	}
	dur := binary.BigEndian.Uint16(p.Payload[2:])
	ahead := int32(p.TS - k.ts)
	switch {
	case !k.began:
	case ahead == 0 && code == k.code: // the same key goes on, or a copy of its end
		k.dur, k.ended = max(k.dur, dur), k.ended || end
		return 0, false
	case ahead < 0 && int(ahead) > -stale*clock, // an older key's packet, held up
		code == k.before.code && p.TS == k.before.ts: // or one of equal age
		return 0, false
	case ahead > 0 && code == k.code && (k.segment(p, ahead) || k.creeps(p, ahead, dur)):
		k.ts, k.dur, k.ended = p.TS, dur, k.ended && ahead < int32(k.dur) || end
		return 0, false
	}
	next := KeyReceiver{Clock: k.Clock, began: true, ended: end, code: code, ts: p.TS, dur: dur}
	next.before.code = 0xff // none
	if k.began {
		next.before.code, next.before.ts = k.code, k.ts
	}
	*k = next
	return keyNames[code], true
}

// creeps reports whether p carries on a key of a sender whose timestamps run on
// while the key is down, which is against RFC 4733 and common all the same. Then
// the timestamp grew by as much as the duration; or it lies before the end of what
// was already told, where no other press can have begun.
func (k *KeyReceiver) creeps(p Packet, ahead int32, dur uint16) bool {
	if p.Marker || dur < k.dur {
		return false
	}
	return !k.ended && int32(dur-k.dur) == ahead || ahead < int32(k.dur)
}

// segment reports whether p carries on a key that is held longer than the 16 bits
// of the duration can say (RFC 4733, 2.5.1.3): without marker, and with a
// timestamp where the full segment before it ended.
func (k *KeyReceiver) segment(p Packet, ahead int32) bool {
	const full = 0xf000 // packets of the end of the segment may be lost
	return !k.ended && !p.Marker && k.dur >= full && ahead >= full && ahead <= 0x10000
}

// Reset forgets the stream, for one that begins anew with another SSRC.
func (k *KeyReceiver) Reset() { *k = KeyReceiver{Clock: k.Clock} }

// A KeySender makes the telephone-events of a row of keys: for each key a packet
// with the marker, one each frame while it is held, three at its end, and a gap.
type KeySender struct {
	Frame int // ticks of the timestamp in a frame; set before use
	Tone  int // frames a key is held: 0 = 5, i.e. 100 ms; at most 300, so that the duration fits 16 bits
	Gap   int // frames between keys: 0 = 3, i.e. 60 ms; the end packets lie in it, so at least 3

	keys string
	at   int    // frames since the key went down
	ts   uint32 // when that was
}

// KeyPacket is one packet of an event.
type KeyPacket struct {
	TS     uint32
	Marker bool
	Event  [4]byte // the payload
}

// Start begins to send keys; those that KeyEvent does not know are left out.
func (k *KeySender) Start(keys string) { k.keys, k.at = keys, 0 }

// Stop sends nothing after the key that is being sent.
func (k *KeySender) Stop() {
	if k.at == 0 {
		k.keys = ""
	} else {
		k.keys = k.keys[:1]
	}
}

// Busy reports whether there is anything to send, gaps included.
func (k *KeySender) Busy() bool { return k.keys != "" }

// Next is the packet for the frame with timestamp ts; send is false in a gap.
// It is called once a frame while Busy.
func (k *KeySender) Next(ts uint32) (p KeyPacket, send bool) {
	tone, gap := min(k.Tone, 300), max(k.Gap, 3)
	if tone <= 0 {
		tone = 5
	}
	for k.keys != "" {
		code, ok := KeyEvent(k.keys[0])
		if !ok {
			k.keys = k.keys[1:]
			continue
		}
		if k.at == 0 {
			k.ts = ts
		}
		at := k.at
		if k.at++; k.at == tone+gap {
			k.keys, k.at = k.keys[1:], 0
		}
		if at >= tone+3 {
			return p, false
		}
		const volume = 10 // -10 dBm0, RFC 4733, 2.3.3
		p = KeyPacket{TS: k.ts, Marker: at == 0, Event: [4]byte{code, volume}}
		if at >= tone {
			p.Event[1] |= 0x80
		}
		binary.BigEndian.PutUint16(p.Event[2:], uint16(min(min(at+1, tone)*k.Frame, 0xffff)))
		return p, true
	}
	return p, false
}
