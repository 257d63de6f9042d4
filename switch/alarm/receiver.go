package alarm

import (
	"fmt"
	"time"

	"ozswitch/media"
	"ozswitch/ozml/contactid"
)

// The times of a receiver. DC-05 has it wait 0.5 to 2 s before the handshake, and
// kiss off for 0.75 to 1 s.
const (
	settle     = time.Second            // from the answer to the handshake
	part       = 100 * time.Millisecond // of the handshake: tone, pause, tone
	patience   = 4 * time.Second        // from a handshake to the next
	handshakes = 5                      // then we give up
	kissOff    = 850 * time.Millisecond // tone
	idle       = 5 * time.Second        // from a message, or an attempt at one, to the end
	attempt    = 8                      // digits that make an attempt; fewer are noise
	barren     = 60 * time.Second       // without a good message we give up, whatever is heard
	waiting    = 1024                   // messages that may wait for Next: a call of an hour has fewer
)

// Received is a message, and the 16 digits by which it came.
type Received struct {
	contactid.Message
	Digits string
}

// A Receiver is the end that takes alarms. Write what the call hears and Read what
// it is to say, a frame of each every 20 ms; after a Write, take messages by Next.
// It gives the handshake up to five times, kisses each good message off, and is
// done when nothing more comes for 5 s, or nothing good for a minute. Confirming is
// promising: what Next gives was kissed off, the panel will not report it again.
type Receiver struct {
	mouth   mouth
	cut     hops
	reader  reader
	due     int // what we do next when nothing comes, in samples said
	limit   int // when we give up, in samples said
	shaken  int // handshakes given
	queue   []Received
	last    Received // the newest
	repeats int
	tried   bool // somebody has sent something
	fault   error
	done    bool
}

// NewReceiver makes a receiver for a call that was answered just now.
func NewReceiver() *Receiver { return &Receiver{due: Rate.N(settle), limit: Rate.N(barren)} }

// Rate is 8 kHz.
func (r *Receiver) Rate() media.Rate { return Rate }

// String names the source.
func (r *Receiver) String() string { return "alarm receiver" }

// Write hears the sound of the far end. It has no error.
func (r *Receiver) Write(pcm []int16) error {
	r.cut.each(pcm, func(pcm []int16) {
		if digits := r.reader.hear(pcm); digits != nil {
			r.take(digits)
		}
	})
	return nil
}

// Key takes a key that came as a packet (RFC 4733) and not in the sound, as from
// an adapter that turns the tones of a panel into packets.
func (r *Receiver) Key(key byte) { r.reader.press(key) }

// take judges what was sent.
func (r *Receiver) take(all []digit) {
	if len(all) < attempt || r.done {
		return
	}
	r.tried = true
	r.due = r.mouth.in(idle)
	digits, err := assemble(all, r.reader.packet)
	var m contactid.Message
	if err == nil {
		m, err = contactid.Parse(digits)
	}
	if r.fault = err; err != nil {
		return // no kiss-off: the panel sends again
	}
	if len(r.queue) == waiting {
		r.fault = fmt.Errorf("%d messages wait, none is taken", waiting)
		return
	}
	r.due += Rate.N(kissOff)
	r.limit = r.mouth.in(barren)
	r.mouth.say(media.Tone(Rate, 1400, loudness, kissOff))
	got := Received{m, digits}
	if got.Message == r.last.Message {
		r.repeats++ // it did not hear our kiss-off
		return
	}
	r.last = got
	r.queue = append(r.queue, got)
}

// Read says what we say: handshake, kiss-off, silence. It ends with io.EOF when
// the receiver is done.
func (r *Receiver) Read(buf []int16) (int, error) {
	n, err := r.mouth.end(r.done, buf)
	r.done = r.done || r.mouth.said >= r.limit
	if r.done || r.mouth.busy() || r.reader.busy() || r.mouth.said < r.due {
		return n, err
	}
	if r.tried || r.shaken == handshakes {
		r.done = true
		return n, err
	}
	r.shaken++
	r.mouth.say(media.Tone(Rate, 1400, loudness, part), media.Silence(Rate, part), media.Tone(Rate, 2300, loudness, part))
	r.due = r.mouth.in(3*part + patience)
	return n, err
}

// Speaks reports whether a handshake or a kiss-off is being said.
func (r *Receiver) Speaks() bool { return r.mouth.busy() }

// Next is the next message that was received, once.
func (r *Receiver) Next() (Received, bool) {
	if len(r.queue) == 0 {
		return Received{}, false
	}
	m := r.queue[0]
	r.queue = r.queue[1:]
	return m, true
}

// Repeats counts messages that came again in the same words, one after the other:
// they are kissed off again and given once, since a panel repeats what it believes
// to be lost.
func (r *Receiver) Repeats() int { return r.repeats }

// Done reports whether the call can be ended: nothing more is said or awaited.
func (r *Receiver) Done() bool { return r.done && !r.mouth.busy() }

// Err says what went wrong so far, whether the receiver is done or the far end
// hung up: nil if the last that came was a good message, else ErrNoMessage or
// ErrDamaged with the reason. Messages that came before are good all the same.
func (r *Receiver) Err() error {
	switch {
	case r.fault != nil:
		return fmt.Errorf("alarm: %w: %v (it was not confirmed, so the panel should send it again)", ErrDamaged, r.fault)
	case !r.tried:
		return fmt.Errorf("alarm: %w after %d handshakes: the caller is no Contact ID panel, or the sound is lost on the way (it needs G.711)", ErrNoMessage, r.shaken)
	}
	return nil
}
