package alarm

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"ozswitch/media/dtmf"
	"ozswitch/ozml/contactid"
)

const (
	keySpan = 102                    // samples of the window in which keys are looked for, 12.75 ms
	torn    = 62 * time.Millisecond  // a key again within this time of its begin is the same one, with a hole
	gap     = 4                      // hops of silence that part two equal keys: a lost frame leaves six of them
	quiet   = 250 * time.Millisecond // ends a message; a lost key makes at most 180 ms
	slow    = time.Second            // ends one of packets, which come as slowly as SIP INFO can
	lastKey = 100 * time.Millisecond // from the packet of its last key to the end of that key
	most    = 64                     // keys that are kept of one message
)

// keys are those by which the digits of contactid.Alphabet are sent, in its order.
const keys = "1234567890*#ABC"

// A digit is one key that was heard.
type digit struct {
	key byte
	at  int // samples from the start to its first hop
}

// A reader hears keys and when each began. Two hops make a key: a packet lost in
// the middle of 50 ms leaves that much.
type reader struct {
	win    [keySpan]int16
	heard  int // samples
	cur    digit
	on     bool    // cur is set
	last   int     // samples up to the newest hop that held cur
	still  int     // hops since then
	cand   digit   // a hop held it; it becomes cur by a second
	peak   float64 // the power of the strongest hop in this message
	digits []digit
	packet bool // keys come as packets: those in the sound are what is left of them
}

// hear takes one hop. It gives the digits of a message when it is over, valid
// until the next; else nil.
func (r *reader) hear(pcm []int16) []digit {
	copy(r.win[:], r.win[hop:])
	copy(r.win[keySpan-hop:], pcm)
	r.heard += hop
	key, power := dtmf.Key(r.win[:], Rate)
	at := r.heard - keySpan
	switch {
	case r.packet, key == 0, power*fainter < r.peak: // or an echo
		r.still++
	case r.on && key == r.cur.key && (r.still < gap || at-r.cur.at < Rate.N(torn)):
		r.still, r.last, r.peak = 0, r.heard, max(r.peak, power)
	case r.cand.key == key && at-r.cand.at < Rate.N(torn):
		r.add(r.cand)
		r.peak = max(r.peak, power)
	default:
		r.still++
		r.cand = digit{key, at}
	}
	if !r.over() {
		return nil
	}
	done := r.digits
	r.digits, r.on, r.peak, r.cand = r.digits[:0], false, 0, digit{}
	return done
}

// over reports whether nothing more of a message is awaited.
func (r *reader) over() bool {
	wait := quiet
	switch {
	case len(r.digits) == 0:
		return false
	case r.packet && len(r.digits) == contactid.Length:
		wait = lastKey
	case r.packet:
		wait = slow
	}
	return r.heard-r.last >= Rate.N(wait)
}

// add takes a digit that now is certain.
func (r *reader) add(d digit) {
	if len(r.digits) < most {
		r.digits = append(r.digits, d)
	}
	r.cur, r.on, r.cand, r.still, r.last = d, true, digit{}, 0, r.heard
}

// press takes a key that came as a packet. An adapter that makes packets of tones
// lets some of each tone through before it has recognized it: from the first packet
// on, and for what came of this message before it, the sound says nothing.
func (r *reader) press(key byte) {
	if !r.packet {
		r.packet, r.digits, r.cand = true, r.digits[:0], digit{}
	}
	r.add(digit{key, r.heard})
	r.on = false
}

// busy reports whether a message is being heard.
func (r *reader) busy() bool { return len(r.digits) > 0 }

// The spacing of keys, as parts of the usual one in the message. Nothing but a
// lost or torn key lies outside: a lost packet moves a key by at most 25 ms.
const closest, widest = 0.6, 1.6

// assemble makes 16 digits of keys, or says why they are none. The spacing guards
// what the checksum alone would let pass once in 15 times. Keys that came as packets
// are whole, and come when the network lets them: their spacing says nothing.
func assemble(all []digit, packets bool) (string, error) {
	if len(all) != contactid.Length {
		return "", fmt.Errorf("%d digits came, a message has %d", len(all), contactid.Length)
	}
	s := make([]byte, contactid.Length)
	var steps []int
	for i, d := range all {
		at := slices.Index([]byte(keys), d.key)
		if at < 0 {
			return "", fmt.Errorf("digit %d is the key %c, which Contact ID does not use", i+1, d.key)
		}
		s[i] = contactid.Alphabet[at]
		if i > 0 && !packets {
			steps = append(steps, d.at-all[i-1].at)
		}
	}
	if packets {
		return string(s), nil
	}
	usual := float64(slices.Sorted(slices.Values(steps))[len(steps)/2])
	for i, step := range steps {
		switch f := float64(step); {
		case f > widest*usual:
			return "", fmt.Errorf("between digits %d and %d a digit is missing: %v apart, the others %v", i+1, i+2, ms(step), ms(int(usual)))
		case f < closest*usual:
			return "", fmt.Errorf("digits %d and %d are parts of one: %v apart, the others %v", i+1, i+2, ms(step), ms(int(usual)))
		}
	}
	return string(s), nil
}

func ms(samples int) time.Duration { return Rate.D(samples).Round(time.Millisecond) }

// Errors of a call. What Err gives wraps one of them and says more.
var (
	// ErrNoMessage: the caller said nothing that could be a message.
	ErrNoMessage = errors.New("no message came")
	// ErrDamaged: messages came, and the last could not be understood.
	ErrDamaged = errors.New("a message was damaged")
	// ErrNoHandshake: whoever answered gave no handshake.
	ErrNoHandshake = errors.New("no handshake was heard")
	// ErrNoKissOff: a message was sent as often as allowed and never confirmed.
	ErrNoKissOff = errors.New("no kiss-off was heard")
	// ErrHungUp: whoever answered hung up before all was confirmed.
	ErrHungUp = errors.New("the other side hung up")
)
