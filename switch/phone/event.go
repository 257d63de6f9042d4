package phone

import (
	"fmt"
	"time"

	"ozswitch/media"
	"ozswitch/media/pace"
)

// A Kind says what an Event is.
type Kind uint8

// What can happen to a call.
const (
	Dialled  Kind = iota // Text: the number
	Ringing              // Code and Text of the provisional answer; incoming: Text is the caller
	Answered             //
	Sound                // the first packet came
	KeySent              // Text: the keys
	KeyHeard             // Key: the far end pressed it
	Said                 // a Say has been played
	Held                 // the far end put us on hold
	Resumed              // and took us back
	Trouble              // Text: something that was asked for could not be done
	Over                 // Code and Text say why
	Early                // sound before the answer began
	Moved                // what became of a transfer that we asked for: Code and Text, once for each step
	Changed              // another codec; Text: its name
)

func (k Kind) String() string {
	return [...]string{"dialled", "ringing", "answered", "sound", "key sent", "key heard", "said", "held", "resumed", "trouble", "over", "early sound", "transfer", "codec"}[k]
}

// An Event is something that happened to a call.
type Event struct {
	At   time.Duration // since the call began
	Kind Kind
	Code int
	Key  byte
	Text string
}

func (e Event) String() string {
	s := fmt.Sprintf("%8.2f  %s", e.At.Seconds(), e.Kind)
	if e.Code != 0 {
		s += fmt.Sprintf(" %d", e.Code)
	}
	if e.Key != 0 {
		s += " " + string(rune(e.Key))
	}
	if e.Text != "" {
		s += " " + e.Text
	}
	return s
}

// A Cause says how a call ended.
type Cause uint8

// The ends of a call.
const (
	HungUp     Cause = iota + 1 // by us
	TheyHungUp                  // by the far end, or it gave up calling us
	GaveUp                      // we gave up before the answer
	WasRefused                  // Code and Reason are the far end's, or 408, 503
	WasLost                     // no ACK, no answer, or a bug
)

func (c Cause) String() string {
	return [...]string{"", "hung up", "far end hung up", "given up", "refused", "lost"}[c]
}

// A Result is how a call went, once it has ended.
type Result struct {
	Cause  Cause
	Code   int // SIP status, 0 when a call ended as it should
	Reason string
	Setup  time.Duration // from INVITE to the answer
	Length time.Duration // from the answer to the end
	Stats  pace.Stats
	Heard  *Heard // with Options.Record
}

func (r Result) String() string {
	s := r.Cause.String()
	if r.Code != 0 {
		s += fmt.Sprintf(", %d", r.Code)
	}
	if r.Reason != "" && r.Reason != s {
		s += " " + r.Reason
	}
	return s
}

// A Heard is what came from the far end: the packets as they arrived, and
// their sound laid out by timestamps.
type Heard struct {
	Rate    media.Rate
	PCM     []int16
	From    time.Duration // when its first packet came, since the call began
	Packets []Packet
}

// A Packet is one RTP packet that came, without its payload.
type Packet struct {
	At     time.Duration // since the call began, to the pacer's tick
	Seq    uint16
	TS     uint32
	PT     uint8
	Marker bool
	Len    int // of the payload, bytes
}

// event tells the listener.
func (c *Call) event(e Event) { c.eventAt(time.Now(), e) }

func (c *Call) eventAt(t time.Time, e Event) {
	if c.o.Events != nil {
		e.At = t.Sub(c.began)
		c.o.Events(e)
	}
}
