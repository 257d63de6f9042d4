package alarm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ozswitch/media"
	"ozswitch/media/dtmf"
	"ozswitch/ozml/contactid"
)

// The times of a sender, after DC-05.
const (
	answerIn  = 30 * time.Second        // for the handshake, from the answer
	before    = 270 * time.Millisecond  // from the end of their tone to our message: 250 to 300 ms
	keyLen    = 55 * time.Millisecond   // of a key and of the silence after it: 50 to 60 ms
	kissIn    = 1250 * time.Millisecond // from the end of our message to the begin of the kiss-off
	attempts  = 4                       // times that a message is sent
	kissLast  = 3 * time.Second         // whatever else we hear, after this long we send again
	early     = 200 * time.Millisecond  // by which a hasty kiss-off may begin before the last silence is over
	shortKiss = 80                      // hops: 400 ms of 1400 Hz are a kiss-off,
	longKiss  = 400                     // hops: more than 2 s are something else
	someTone  = 4                       // hops: now a kiss-off may have begun
)

// A Sender is the end that reports: it waits for the handshake, sends its messages
// one after another, each until it is kissed off, and is done. Write what the call
// hears and Read what it is to say, a frame of each every 20 ms. The way there and
// back may take about a second: a kiss-off must begin 1.25 s after the message.
type Sender struct {
	mouth    mouth
	cut      hops
	ear      toneEar
	messages []contactid.Message
	at       int // messages kissed off
	tries    int // times that messages[at] was sent
	state    state
	due      int // until when we wait, in samples said
	ended    int // when the message ended, in samples said
	total    int // times that messages were sent, all in all
	longest  int // hops of 1400 Hz heard after this message, for the reason
	err      error
}

type state byte

const (
	listening state = iota // for the handshake
	sending
	awaiting // the kiss-off
	finished
)

// NewSender makes a sender for a call that was answered just now. The error names
// a message that is none; those of New and Parse are always good.
func NewSender(messages ...contactid.Message) (*Sender, error) {
	if len(messages) == 0 {
		return nil, errors.New("alarm: no message to send")
	}
	for _, m := range messages {
		if _, err := contactid.Parse(m.Digits()); err != nil {
			return nil, err
		}
	}
	return &Sender{messages: messages, due: Rate.N(answerIn)}, nil
}

// Rate is 8 kHz.
func (s *Sender) Rate() media.Rate { return Rate }

// String names the source.
func (s *Sender) String() string { return "alarm sender" }

// Write hears the sound of the far end. It has no error.
func (s *Sender) Write(pcm []int16) error {
	s.cut.each(pcm, s.hear)
	return nil
}

func (s *Sender) hear(pcm []int16) {
	s.ear.hear(pcm)
	tone := s.ear.whistle
	switch {
	case s.state == listening && s.ear.shaken:
		s.send(after)
	case s.state != awaiting:
	case s.ear.shaken: // they have heard nothing of us
		s.again(after)
	case tone >= shortKiss && s.mouth.said-(tone+holed)*hop >= s.ended-Rate.N(early):
		s.at++
		s.tries, s.longest = 0, 0
		if s.at == len(s.messages) {
			s.state = finished
			return
		}
		s.send(holed)
	case tone > 0: // perhaps the first half of a handshake
		s.longest = max(s.longest, tone)
		s.due = max(s.due, min(s.mouth.in(3*part), s.ended+Rate.N(kissLast)))
	}
}

// send says the message that is due. What caused it ended some hops ago.
func (s *Sender) send(ago int) {
	s.tries++
	s.total++
	s.state = sending
	sound, err := dtmf.Keys(Rate, keysOf(s.messages[s.at].Digits()), keyLen, keyLen)
	if err != nil { // NewSender has seen the digits
		s.fail(err)
		return
	}
	s.mouth.say(media.Silence(Rate, before-Rate.D(ago*hop)), sound)
}

// keysOf is the keys that send digits.
func keysOf(digits string) string {
	return strings.Map(func(d rune) rune { return rune(keys[strings.IndexRune(contactid.Alphabet, d)]) }, digits)
}

// again sends the message once more, or gives up.
func (s *Sender) again(ago int) {
	if s.tries < attempts {
		s.send(ago)
		return
	}
	heard := "nothing of 1400 Hz came"
	if longest := max(s.longest, s.ear.run); longest > 0 {
		heard = fmt.Sprintf("the longest 1400 Hz lasted %v, a kiss-off lasts 400ms to 2s", Rate.D(longest*hop))
	}
	s.fail(fmt.Errorf("alarm: %w for message %d of %d (%s), sent %d times: %s; the line may lose packets, or the receiver refuses the message",
		ErrNoKissOff, s.at+1, len(s.messages), s.messages[s.at].Digits(), attempts, heard))
}

func (s *Sender) fail(err error) { s.err, s.state = err, finished }

// HungUp tells that the far end has hung up, which ends it. A kiss-off that was cut
// short by that counts, if it had lasted long enough.
func (s *Sender) HungUp() {
	switch {
	case s.state == finished:
	case s.state == awaiting && s.at == len(s.messages)-1 && s.ear.run >= shortKiss:
		s.at++
		s.state = finished
	default:
		s.fail(fmt.Errorf("alarm: %w, %d of %d messages confirmed, the next sent %d times", ErrHungUp, s.at, len(s.messages), s.tries))
	}
}

// Read says what we say: a message or silence. It ends with io.EOF when the sender
// is done.
func (s *Sender) Read(buf []int16) (int, error) {
	n, err := s.mouth.end(s.state == finished, buf)
	switch late := s.mouth.said > s.due; {
	case s.state == sending && !s.mouth.busy():
		s.state, s.ended = awaiting, s.mouth.said
		s.due = s.mouth.in(kissIn)
	case s.state == listening && late:
		s.fail(fmt.Errorf("alarm: %w in %v: whoever answered is no Contact ID receiver, or the sound is lost on the way (it needs G.711)", ErrNoHandshake, answerIn))
	case s.state == awaiting && late && (s.ear.run < someTone || s.ear.run > longKiss):
		s.again(0)
	}
	return n, err
}

// Sent is the messages that were kissed off, in order.
func (s *Sender) Sent() []contactid.Message { return slices.Clone(s.messages[:s.at]) }

// Tries counts how often messages were sent, all in all: one each on a good line.
func (s *Sender) Tries() int { return s.total }

// Done reports whether the call can be ended.
func (s *Sender) Done() bool { return s.state == finished && !s.mouth.busy() }

// Err is nil when every message was kissed off or may still be, else ErrNoHandshake
// or ErrNoKissOff with the reason.
func (s *Sender) Err() error { return s.err }
