package pace

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"ozswitch/media"
	"ozswitch/media/rtp"
)

// Errors of the commands of a leg.
var (
	ErrGone   = errors.New("pace: the leg has left its shard")
	ErrFull   = errors.New("pace: too many commands wait for this leg")
	ErrNoKeys = errors.New("pace: the far end takes no telephone-events")
)

// Why a leg Failed, besides that nobody took its results.
var (
	ErrStopped = errors.New("pace: the pacer has stopped") // before the leg was removed
	ErrPanic   = errors.New("pace: panic in a leg")        // with the stack behind it
)

// Format is what a leg needs to know of its codec. All of it comes from a
// codec.Codec: Ticks(), Silence, Lasts and Join, and the payload type SDP settled on.
type Format struct {
	PT      uint8
	Ticks   int    // by which the RTP timestamp grows in a frame of 20 ms
	Silence []byte // one coded frame of silence, read-only

	Lasts func(payload []byte) int   // as in codec.Codec; nil = bytes are time
	Join  func(dst, a, b []byte) int //

	Of any // told in the blocks of taps: whose format it is
}

// LegConfig says what a leg is made of. Wire, Remote and Format are needed.
type LegConfig struct {
	Wire   Wire           // owned by the caller, who closes it after Remove
	Remote netip.AddrPort // where SDP says the far end listens
	Format Format
	DTMFPT uint8 // payload type of telephone-event (RFC 4733); 0 = not agreed

	SSRC uint32 // of what we send; these three want to be random (RFC 3550, 5.1)
	Seq  uint16
	TS   uint32

	// Keys pressed as sound are looked for only where DTMFPT is 0, since that costs as
	// much as all the rest of a packet. Decode turns a payload into samples of Rate; it
	// is called in the shard's thread, and allocates nothing. nil = not looked for.
	Decode func(dst []int16, payload []byte) int
	Rate   media.Rate

	// RTCP goes by a wire of its own, at the port above Wire's, which the caller owns
	// too; or by Wire itself (RFC 5761). Neither: there is none.
	Control Wire
	Mux     bool
	Name    string // CNAME (RFC 3550, 6.5.1): random, up to 40 bytes

	Packets *Packets // gets all packets that are sent and taken; nil = nobody does

	Timeout time.Duration // MediaLost after so long without a packet; 0 = never
	Jitter  time.Duration // how long the jitter buffer holds packets at first; 0 = 40 ms
	Silence bool          // send silence when nothing plays
	Hold    bool          // begin without sending, as after SetSending(false)
	Fault   string        // where to panic; only looked at with build tag faults
}

// A Clip is sound that is ready to send: coded frames of 20 ms in the leg's
// format. Nobody writes to it any more, so any number of calls may play it.
type Clip struct{ Frames [][]byte }

// A Leg is one stream of RTP, out and in. Its commands may be given from any
// goroutine; Next belongs to one.
type Leg struct {
	cfg  LegConfig
	cmds commands
	res  results
	done chan struct{}
	home atomic.Pointer[Shard] // set by Add

	keysPT  atomic.Uint32       // payload type of telephone-event, 0 = not agreed
	from    atomic.Pointer[Way] // of the last Join
	tapping atomic.Bool         // of the last SetTap

	stats statsBox

	// From here on only the shard's thread may look.
	talk    talk
	ear     ear
	reports reports
	joint   joint
	phase   phase
	tap     *Tap
	feed    Feed
	slot    int   // where it is in the shard,
	at      int   // and its place there
	turns   int   // frames since the statistics were published
	begun   bool  // it has had a turn
	rest    bool  // the next turn is none: it has moved to a later slot
	deaf    bool  // a result found no place
	gone    bool  // the shard let go of it
	broken  error // in another leg's turn: it ends in its own
}

// NewLeg makes a leg; pacer.Add starts it. It panics when c has no wire or no
// format, which is a programming error.
func NewLeg(c LegConfig) *Leg {
	if c.Wire == nil || c.Format.Ticks <= 0 {
		panic("pace: a leg needs a wire and a format")
	}
	l := &Leg{cfg: c, done: make(chan struct{}), at: -1}
	l.res.bell = make(chan struct{}, 1)
	l.res.ring.buf = make([]told, places)
	l.keysPT.Store(uint32(c.DTMFPT))
	l.talk.init(c)
	l.ear.init(c)
	l.reports.init(c)
	return l
}

// Enqueue plays a clip after what is queued. The leg reports Started with the
// clip's first frame and Ended with its last.
func (l *Leg) Enqueue(id uint32, c *Clip) error {
	return l.command(&command{op: opPlay, id: id, clip: c})
}

// SetBackground plays c over and over from the next frame on, while no clip plays
// and no key is sent; it goes on where it was. nil ends it. A leg with a background
// does not hear whom it is joined with. It has no results, and ends when the format
// becomes another.
func (l *Leg) SetBackground(c *Clip) error {
	return l.command(&command{op: opBackground, clip: c})
}

// Flush drops all clips that are queued or playing, and keys not yet begun. From
// the next frame on the leg is silent. Of what was dropped there is no result.
func (l *Leg) Flush() error { return l.command(&command{op: opFlush}) }

// SendKeys sends keys (0-9, *, #, A-D) as telephone-events, 100 ms each with
// gaps of 60 ms, now: what plays waits until they are out. The leg reports
// KeysSent. Where the far end takes no events (ErrNoKeys) the caller may Enqueue
// tones instead.
func (l *Leg) SendKeys(id uint32, keys string) error {
	if l.keysPT.Load() == 0 {
		return ErrNoKeys
	}
	for i := range len(keys) {
		if _, ok := rtp.KeyEvent(keys[i]); !ok {
			return fmt.Errorf("pace: send keys: %q is not a key", keys[i])
		}
	}
	return l.command(&command{op: opKeys, id: id, keys: strings.ToUpper(keys)})
}

// SetRemote sends to another address from now on, and lets the source of what
// comes be found anew. It is for signalling: a new SDP with a new address.
func (l *Leg) SetRemote(addr netip.AddrPort) error {
	return l.command(&command{op: opRemote, addr: addr})
}

// SetTap copies both directions to t from the next frame on; the tap before, if
// any, gets its last block. nil ends the copying. A Tap serves once.
func (l *Leg) SetTap(t *Tap) error {
	l.tapping.Store(t != nil)
	c := &command{op: opTap, tap: t}
	if from := l.from.Load(); from != nil && t != nil {
		c.join = &joining{from: from, tapped: newJitter(from.from, 0)}
	}
	return l.command(c)
}

// SetSending stops and starts sending, for a leg on hold. What plays goes on
// unheard meanwhile, and timestamps run on.
func (l *Leg) SetSending(on bool) error { return l.command(&command{op: opSending, on: on}) }

// SetTimeout changes after how long without a packet MediaLost is reported,
// counted anew from now; 0 = never.
func (l *Leg) SetTimeout(d time.Duration) error {
	return l.command(&command{op: opTimeout, d: d})
}

func (l *Leg) command(c *command) error {
	select {
	case <-l.done:
		return ErrGone
	default:
	}
	if !l.cmds.push(c) {
		return ErrFull
	}
	return nil
}

// Next takes the oldest result, if there is one.
func (l *Leg) Next() (Result, bool) { return l.res.next() }

// Bell has something in it when there may be results: take them all with Next.
func (l *Leg) Bell() <-chan struct{} { return l.res.bell }

// Done is closed when the shard has let go of the leg: it was removed, it
// failed, or the pacer stopped.
func (l *Leg) Done() <-chan struct{} { return l.done }

// Stats are the leg's figures: up to a second old while it runs, final once it
// is Done.
func (l *Leg) Stats() Stats { return l.stats.load() }
