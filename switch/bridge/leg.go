package bridge

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/media/rtp"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// A Leg is the sound of one leg. Play and SendKeys are its script's, one at a
// time, and so is PlayOver visitors'; the rest may come from anywhere.
type Leg struct {
	b       *Bridge
	id      call.LegID
	wire    pace.Wire
	web     WebWire        // wire, where that is one of WebRTC
	sec     *secured       // of SRTP by keys in the SDP; nil = there is none
	addr    netip.AddrPort // of our description, as is
	ptime   time.Duration
	control pace.Wire // of RTCP; nil when it shares wire (mux), or has none
	mux     bool
	post    func(call.Event) bool
	sink    trace.Sink
	done    chan struct{} // closed by close

	paced    *pace.Leg    // nil until connected
	offered  []call.Codec // by Open; these two are of signalling
	answered *speech      // by Open or Agree; nil = we offered
	speaking atomic.Pointer[speech]
	moved    atomic.Bool         // the format is new, or another: the leg is to be joined (again)
	laid     atomic.Bool         // sound can be laid over the peer's
	mixer    *mixer              // of PlayOver; nil = nothing was laid over what the leg says
	peer     atomic.Pointer[Leg] // whom it is joined with; nil = nobody, or it is not connected
	keysPT   uint8               // of telephone-event, connect's; 0 = not agreed
	events   atomic.Bool         // telephone-events are agreed
	far      netip.AddrPort      // of the first description
	quiet    bool                // the far end need not send; connect's
	ready    atomic.Bool         // paced and speaking are set
	closed   atomic.Bool         // by close
	onKey    atomic.Value        // func(byte, bool, time.Time)

	held   time.Time     // since when the far end holds the call; zero: it does not
	onHold time.Duration // before that

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, when codec becomes another
	lastID  uint32
	ends    map[uint32]chan struct{}
	way     netip.AddrPort // where WebRTC goes, once that is known
	theirs  call.Codec     // of WebRTC, once connected
	wants   [music + 1]bool
	back    background    // what it hears of them
	packets *pace.Packets // all that come and go; nil = nobody wants them
	keeper  Capture

	taps []tapped      // the running one last; before it those that still owe their last block
	bell chan struct{} // of all taps
}

// Codec is what the leg speaks; nil until it is connected, and when it speaks one
// that we can only pass on: see Usable.
func (l *Leg) Codec() *codec.Codec {
	if !l.ready.Load() {
		return nil
	}
	return l.speaking.Load().co
}

// OnKey names who gets the keys that arrive in RTP, as events or, where those were
// not agreed, inband as tones. f must not block.
func (l *Leg) OnKey(f func(key byte, inband bool, at time.Time)) { l.onKey.Store(f) }

// patience is how long a leg that need not send may be silent.
const patience = 30 * time.Minute

// timeout is after how long without a packet the sound is lost.
func (l *Leg) timeout(quiet bool) time.Duration {
	if t := l.b.c.Timeout; !quiet || t == 0 {
		return t
	}
	return max(patience, l.b.c.Timeout)
}

func (l *Leg) connect(s speech, remote call.Media) error {
	sending := remote.Dir == call.SendRecv || remote.Dir == call.RecvOnly
	held := remote.Nowhere()
	if l.web != nil {
		if remote.Web == nil {
			return &AgreeError{"the far end answered our WebRTC offer with plain RTP"}
		}
		if err := l.web.Connect(remote.Web); err != nil {
			return &AgreeError{err.Error()}
		}
		remote.Addr = webFar
	}
	if l.sec != nil {
		if err := l.sec.connect(&remote); err != nil {
			return err
		}
	}
	quiet := held || remote.Dir != call.SendRecv // the far end need not send
	l.hold(held || !sending, time.Now())
	var keys uint8
	if k, ok := remote.KeysFor(s.Codec); ok {
		keys = k.PT
	}
	l.events.Store(keys != 0)
	if l.paced != nil {
		if err := l.speak(s, keys); err != nil {
			return err
		}
		if quiet != l.quiet {
			l.quiet = quiet
			l.paced.SetTimeout(l.timeout(quiet))
		}
		if !held {
			if err := l.paced.SetRemote(remote.Addr); err != nil {
				return err
			}
		}
		return l.paced.SetSending(sending && !held)
	}
	if l.mux = l.mux && remote.Mux; l.mux && l.control != nil {
		l.control.Close() // the answer took our offer of one port for both
		l.control = nil
	}
	l.speaking.Store(&s)
	l.moved.Store(true)
	l.keysPT, l.far, l.quiet = keys, remote.Addr, quiet
	random := l.b.c.Rand
	l.paced = pace.NewLeg(pace.LegConfig{
		Wire: l.wire, Remote: remote.Addr, DTMFPT: keys,
		Format: s.format(),
		Decode: s.decode(), Rate: s.rate(),
		SSRC: random(), Seq: uint16(random()), TS: random(),
		Control: l.control, Mux: l.mux, Name: fmt.Sprintf("%08x%08x%08x", random(), random(), random()),
		Timeout: l.timeout(quiet), Silence: l.b.c.Silence, Hold: !sending || held,
		Fault: paceFault(remote.Addr), Packets: l.capture(keys),
	})
	if err := l.b.c.Pacer.Add(l.paced); err != nil {
		return err
	}
	l.started(s.Codec)
	l.ready.Store(true)
	l.b.wg.Go(l.run)
	return nil
}

// format is what the pacer needs to know of a codec. The blocks of taps tell it.
func (s *speech) format() pace.Format {
	c := s.co
	if c == nil {
		return pace.Format{PT: s.PT, Ticks: s.ClockRate / int(time.Second/media.Frame)}
	}
	return pace.Format{PT: s.PT, Ticks: c.Ticks(), Silence: c.Silence, Lasts: c.Lasts, Join: c.Join, Of: c}
}

// decode and rate are for keys in the sound; nil and 0 where we cannot look.
func (s *speech) decode() func([]int16, []byte) int {
	if s.co == nil {
		return nil
	}
	return s.co.NewDecoder().Decode
}

func (s *speech) rate() media.Rate {
	if s.co == nil {
		return 0
	}
	return s.co.Rate
}

// hold counts the time during which the far end wants to hear nothing of us.
func (l *Leg) hold(on bool, now time.Time) {
	switch {
	case on && l.held.IsZero():
		l.held = now
	case !on && !l.held.IsZero():
		l.onHold, l.held = l.onHold+now.Sub(l.held), time.Time{}
	}
}

// quality is the event that tells how the sound was.
func (l *Leg) quality(s pace.Stats, now time.Time) trace.Event {
	l.hold(false, now)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	name, mos := l.speaking.Load().Name, 0.0
	if all := s.PacketsIn + s.Lost; s.PacketsIn > 0 {
		// What the far end says takes half a round trip, the frame that was filled
		// before it left, and what the jitter buffer holds it.
		mos = rtp.MOS(name, s.RoundTrip/2+media.Frame+s.Hold, float64(s.Lost+s.Late)/float64(all))
	}
	return trace.Event{
		Type: trace.MediaQuality, Leg: string(l.id), MOS: math.Round(mos*100) / 100, Name: name, MS: ms(s.Lag),
		Sent: s.PacketsOut, Received: s.PacketsIn, Lost: s.Lost, JitterMS: ms(s.Jitter),
		RoundTripMS: ms(s.RoundTrip), TheirLost: s.TheirLost, TheirJitterMS: ms(s.TheirJitter), HoldSeconds: l.onHold.Seconds(),
	}
}

// close ends the sound; the goroutine hands out the last block of a recording.
func (l *Leg) close() {
	if l.closed.Swap(true) {
		return
	}
	if l.ready.Load() {
		l.b.c.Pacer.Remove(l.paced)
	}
	close(l.done)
	l.wire.Close()
	if l.control != nil {
		l.control.Close()
	}
	if l.ready.Load() {
		s := l.paced.Stats()
		l.sink.Emit(l.quality(s, time.Now()))
		if l.b.c.Packets != nil {
			l.b.c.Packets(s)
		}
	}
}

// run takes what the pacer reports until the leg is closed. A panic ends this
// call's sound, hence the call, and no other.
func (l *Leg) run() {
	defer func() {
		if v := recover(); v != nil {
			l.panicked(v, string(debug.Stack()))
		}
	}()
	for {
		select {
		case <-l.paced.Bell():
		case <-l.bell:
		case <-l.done:
			l.drain()
			return
		}
		inject("run", l.far)
		l.drain()
	}
}

// drain takes all that waits: recorded sound first, since a key may end it.
func (l *Leg) drain() {
	l.drainPackets()
	l.drainTap()
	for {
		r, ok := l.paced.Next()
		if !ok {
			return
		}
		switch r.Kind {
		case pace.KeyPressed:
			l.drainTap()
			if y := l.peer.Load(); y != nil && !r.Inband && !y.TakesEvents() {
				// It cannot pass as it came: the call knows how else its party takes keys.
				l.post(call.KeyInfo{Leg: l.id, Key: r.Key})
			}
			if f, _ := l.onKey.Load().(func(byte, bool, time.Time)); f != nil {
				f(r.Key, r.Inband, r.At)
			}
		case pace.Ended, pace.KeysSent:
			l.finish(r.ID)
		case pace.MediaLost:
			l.post(call.MediaLost{Leg: l.id})
		case pace.Failed:
			if errors.Is(r.Err, pace.ErrPanic) {
				what, stack, _ := strings.Cut(r.Err.Error(), "\n")
				l.panicked(what, stack)
				return
			}
			l.fail("the sound broke: " + r.Err.Error())
		}
	}
}

// panicked reports a fault of ours; the far end is not told what it was.
func (l *Leg) panicked(v any, stack string) {
	l.b.c.Slog.Error("panic in a leg", "leg", l.id, "panic", v, "stack", stack)
	if l.b.c.Panicked != nil {
		l.b.c.Panicked("leg")
	}
	l.fail("a fault of the switch ended the sound")
}

func (l *Leg) fail(why string) {
	l.sink.Emit(trace.Event{Type: trace.Error, Code: trace.CodeSound, Text: why})
	l.post(call.MediaFailed{Leg: l.id, Failure: call.Failure{Code: 500, Reason: why}})
}

// expect gives the next id and the channel that finish closes.
func (l *Leg) expect() (uint32, chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lastID++
	c := make(chan struct{})
	l.ends[l.lastID] = c
	return l.lastID, c
}

func (l *Leg) finish(id uint32) {
	l.mu.Lock()
	c := l.ends[id]
	delete(l.ends, id)
	l.mu.Unlock()
	if c != nil {
		close(c)
	}
}

func (l *Leg) drop(id uint32) {
	l.mu.Lock()
	delete(l.ends, id)
	l.mu.Unlock()
}
