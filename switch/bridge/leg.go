package bridge

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/dtmf"
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

// ahead is how much sound is handed to the pacer before it is due: enough that
// a slow disk or voice is not heard, little enough to throw away at a key.
const ahead = 2 * time.Second

// Play plays clips one after the other, fetching them as they are needed, and
// returns when the last was heard to its end, with the time it was heard. It
// ends early with the cause of ctx (the rest is thrown away at once) or the
// error of clips. The pacer's slot lies within the frame after now, so that
// the end of a prompt is its start plus its length and the next prompt follows
// without a gap (ADR 0009). When the leg's codec becomes another it ends with
// ErrChanged; PlayIn goes on.
func (l *Leg) Play(ctx context.Context, clips iter.Seq2[*pace.Clip, error]) (heard time.Duration, err error) {
	_, changed := l.speaks()
	if err := l.Usable(); err != nil {
		return 0, err
	}
	return l.play(ctx, clips, changed, false)
}

func (l *Leg) play(ctx context.Context, clips iter.Seq2[*pace.Clip, error], changed <-chan struct{}, over bool) (heard time.Duration, err error) {
	var end time.Time // when all that was enqueued will have been heard
	var total time.Duration
	var last chan struct{}
	var id uint32
	timer := time.NewTimer(0)
	defer timer.Stop()
	by := func() time.Duration { return max(0, total-max(0, time.Until(end))) }
	stop := func() (time.Duration, error) {
		if over {
			l.paced.FlushOver()
		} else {
			l.paced.Flush()
		}
		l.drop(id)
		return by(), context.Cause(ctx)
	}
	other := func() (time.Duration, error) {
		l.drop(id)
		return by(), ErrChanged
	}
	for c, err := range clips {
		if ctx.Err() != nil {
			return stop()
		}
		if err != nil {
			return total, err
		}
		if len(c.Frames) == 0 {
			continue
		}
		if last != nil {
			l.drop(id)
		}
		id, last = l.expect()
		if now := time.Now(); end.Before(now) {
			end = now
		}
		if err := l.enqueue(id, c, changed, over); errors.Is(err, ErrChanged) {
			return other()
		} else if err != nil {
			l.drop(id)
			return total, l.over(err)
		}
		n := time.Duration(len(c.Frames)) * media.Frame
		end, total = end.Add(n), total+n
		timer.Reset(time.Until(end) - ahead)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return stop()
		case <-changed:
			return other()
		case <-l.done:
			return total, ErrClosed
		}
	}
	if last == nil {
		return 0, nil
	}
	select {
	case <-last:
	case <-ctx.Done():
		return stop()
	case <-changed:
		return other()
	case <-l.done:
		return total, ErrClosed
	}
	timer.Reset(time.Until(end))
	select {
	case <-timer.C:
		return total, nil
	case <-ctx.Done():
		return stop()
	case <-l.done:
		return total, ErrClosed
	}
}

// ErrClosed is returned by Play and SendKeys when the leg's sound has ended.
var ErrClosed = fmt.Errorf("bridge: the leg is closed")

// over names the error of a leg that is being closed as of one that is.
func (l *Leg) over(err error) error {
	if errors.Is(err, pace.ErrGone) {
		return ErrClosed
	}
	return err
}

// SendKeys sends keys by RFC 4733, or as tones where the far end takes no events,
// and returns when the last was sent.
func (l *Leg) SendKeys(ctx context.Context, keys string) error {
	_, changed := l.speaks()
	id, sent := l.expect()
	err := l.paced.SendKeys(id, keys)
	if !errors.Is(err, pace.ErrNoKeys) {
		changed = nil // events go on in any codec
	} else {
		err = l.sendTones(id, keys)
	}
	if err != nil {
		l.drop(id)
		return l.over(err)
	}
	select {
	case <-sent:
		return nil
	case <-changed:
		l.drop(id)
		return fmt.Errorf("bridge: send keys as tones: %w", ErrChanged)
	case <-ctx.Done():
		l.drop(id)
		return context.Cause(ctx)
	case <-l.done:
		return ErrClosed
	}
}

// TakesEvents tells whether SendKeys sends events, and not tones. It is for a leg
// that is connected.
func (l *Leg) TakesEvents() bool { return l.events.Load() }

// sendTones plays keys. The silence before them lets the two ends of a codec with
// state agree on it.
func (l *Leg) sendTones(id uint32, keys string) error {
	co := l.Codec()
	if co == nil {
		return l.Usable()
	}
	tones, err := dtmf.Keys(co.Rate, keys, 0, 0)
	if err != nil {
		return fmt.Errorf("bridge: send keys: %w", err)
	}
	frames, err := co.Frames(media.Concat(media.Silence(co.Rate, 100*time.Millisecond), tones))
	if err != nil {
		return fmt.Errorf("bridge: send keys: %w", err)
	}
	l.lay()
	return l.paced.Enqueue(id, &pace.Clip{Frames: frames})
}

// A tapped is a recording's tap and who gets its blocks.
type tapped struct {
	tap  *pace.Tap
	sink func(*pace.Block)
}

// Record hands both directions of the leg to sink, in blocks of up to 100 ms,
// until stop is called, the next Record begins or the leg is closed; the last
// block has Last set. Of of a block is its *codec.Codec; see CodecOf. What was heard
// before a key is handed over before the key.
func (l *Leg) Record(sink func(*pace.Block)) (stop func(), err error) {
	if err := l.Usable(); err != nil {
		return nil, err
	}
	t := pace.NewTap(pace.TapConfig{Bell: l.bell})
	l.mu.Lock()
	l.taps = append(l.taps, tapped{t, sink})
	l.mu.Unlock()
	if err := l.paced.SetTap(t); err != nil {
		return nil, err
	}
	return func() { l.paced.SetTap(nil) }, nil
}

// CodecOf is what the frames of a block are coded in; nil for one without frames.
func CodecOf(b *pace.Block) *codec.Codec {
	c, _ := b.Of.(*codec.Codec)
	return c
}

func (l *Leg) drainTap() {
	l.mu.Lock()
	taps := slices.Clone(l.taps)
	l.mu.Unlock()
	for _, t := range taps {
		for b, ok := t.tap.Next(); ok; b, ok = t.tap.Next() {
			last := b.Last
			t.sink(b)
			t.tap.Release(b)
			if last {
				l.mu.Lock()
				l.taps = slices.DeleteFunc(l.taps, func(o tapped) bool { return o.tap == t.tap })
				l.mu.Unlock()
				break
			}
		}
	}
}
