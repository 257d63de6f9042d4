package pace

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime/debug"
	"time"

	"ozswitch/media"
	"ozswitch/media/rtp"
)

// A Coder makes frames of a leg's format of what the joined leg hears. It is made
// by whoever knows codecs, and called in the leg's thread: it neither allocates
// nor waits.
type Coder interface {
	// Begin tells what the far end has heard last of the other leg, nil = nothing,
	// so that there is no seam.
	Begin(last []byte)
	// Hear takes a frame that the other leg heard; empty = there is none.
	Hear(payload []byte)
	// Leap takes the frame behind the one of Hear, in whose stead it is heard from
	// the end of this Say on: time is made up for without a click.
	Leap(payload []byte)
	// Say writes the frame to send and returns its length, 0 = nothing is to be
	// sent. over, a frame in the leg's own format, is laid over what was heard, which
	// is lowered by 12 dB from its first frame to its last.
	Say(dst, over []byte) int
	// Even tells whether what was heard is at its full level again.
	Even() bool
}

// joint is what a leg has to say of the leg that it is joined with.
type joint struct {
	from *Way // nil = not joined, or nothing comes yet
	to   *Way // where what this leg hears goes

	coder  Coder       // nil: whoever wants to lay something over has not brought it yet
	jitter *rtp.Jitter // before coder
	pass   bool        // packets pass as they are while nothing lies over them
	coding bool        // coder is at work
	tapped *rtp.Jitter // what has passed, laid out in frames for a tap; nil = no tap yet

	// How numbers and timestamps of what passes become ours: by adding these. They
	// are chosen so that the first packet follows what we have sent; from then on the
	// stream's own differences are kept, so that the far end sees what was lost or
	// overtaken, and hears the sender's own time.
	anchored bool
	ssrc     uint32
	seq      uint16
	ts       uint32
	newest   uint16 // number of the newest packet, as it came
	span     int16  // how far before it the anchor lies, at most lateWindow
	end      uint32 // timestamp, ours, at which the sound that has passed ends

	lead    int32 // by which ours was before our own clock, at most, in this second
	counted int   // packets in this second

	// Of telephone-events while frames are coded, where timestamps are our own.
	key           bool
	keyIn, keyOut uint32
}

// lateWindow is how many packets late one may be and still pass.
const lateWindow = 32

// joining is what Join brings to the thread.
type joining struct {
	to, from *Way
	coder    Coder
	pass     bool
	jitter   *rtp.Jitter
	tapped   *rtp.Jitter
}

// Join makes the leg say what comes by from, and put what it hears on to: both nil
// part it. Without a coder packets pass as they are, which is for equal formats.
// What was joined before is parted.
func (l *Leg) Join(to, from *Way, c Coder) error {
	k := &joining{to: to, from: from, coder: c, pass: c == nil}
	l.from.Store(from)
	if from != nil {
		from.reader.Store(l)
	}
	if c != nil {
		k.jitter = newJitter(from.from, 0)
	} else if from != nil && l.tapping.Load() {
		k.tapped = newJitter(from.from, 0)
	}
	return l.command(&command{op: opJoin, join: k})
}

// Lay brings a coder to a leg whose packets pass, so that what plays on it can be
// laid over what comes. Without one it is heard in its stead.
func (l *Leg) Lay(c Coder) error {
	from := l.from.Load()
	if from == nil {
		return nil
	}
	// What has come when a sound begins is a frame old at most, and need not wait.
	k := &joining{from: from, coder: c, jitter: newJitter(from.from, media.Frame)}
	return l.command(&command{op: opLay, join: k})
}

// join carries out Join.
func (l *Leg) join(k *joining) {
	if k.from != nil {
		k.from.clear()
	}
	l.own(l.talk.ts)
	l.joint = joint{to: k.to, from: k.from, pass: k.pass, coder: k.coder, jitter: k.jitter, tapped: k.tapped}
	l.talk.paused = true
	l.phase = phase{}
}

// lay carries out Lay.
func (l *Leg) lay(k *joining) {
	if j := &l.joint; j.from == k.from && j.coder == nil {
		j.coder, j.jitter = k.coder, k.jitter
	}
}

// relay says what has come from the joined leg, with over, which this leg plays,
// laid over it. Packets that pass are sent at once; sound is what is still to be
// sent, at ts, and heard is what a tap gets.
func (l *Leg) relay(now, due time.Time, ts uint32, over []byte, s *Shard) (sound, heard []byte) {
	j := &l.joint
	if j.pass && !j.coding && (over == nil || j.coder == nil) {
		if over != nil || l.talk.hold {
			l.talk.paused = l.talk.paused || l.talk.hold
			l.discard(due)
			return over, over
		}
		l.passAll(now, due, ts, s)
		if j.tapped != nil {
			heard = s.said[:j.tapped.Get(due, s.said)]
		}
		return nil, heard
	}
	if !j.coding {
		j.coding = true
		j.jitter.Reset()
		j.coder.Begin(j.from.last())
	}
	for {
		p, event, ok := j.from.take()
		switch {
		case !ok:
			sound = l.code(due, over, s)
			l.talk.paused = l.talk.paused || sound == nil
			return sound, sound
		case event:
			l.passKey(now, due, ts, p, s)
			continue
		case p.SSRC != j.ssrc:
			j.ssrc = p.SSRC
			j.jitter.Reset()
		}
		j.jitter.Put(due, p.TS, p.Payload)
	}
}

// code makes the frame that is due.
func (l *Leg) code(due time.Time, over []byte, s *Shard) []byte {
	j := &l.joint
	ends := j.pass && over == nil && j.coder.Even()
	n := j.jitter.Get(due, s.heard)
	j.coder.Hear(s.heard[:n])
	if ends { // packets pass from the next frame on: what the buffer holds is left out
		for {
			n, ok := j.jitter.Rest(s.heard)
			if !ok {
				break
			}
			j.coder.Leap(s.heard[:n])
		}
		j.coding = false
		if j.tapped != nil {
			j.tapped.Reset()
		}
	}
	if n = j.coder.Say(s.said, over); n == 0 {
		return nil
	}
	return s.said[:n]
}

// passAll sends the packets that have come.
func (l *Leg) passAll(now, due time.Time, ts uint32, s *Shard) {
	j, t := &l.joint, &l.talk
	for {
		p, event, ok := j.from.take()
		if !ok {
			return
		}
		step := int16(p.Seq - j.newest)
		switch away := int32(p.TS + j.ts - ts); {
		case !j.anchored || p.SSRC != j.ssrc || step > 3000 || step < -3000 ||
			!event && (away > t.astray() || away < -t.astray()):
			t.paused = t.paused || j.anchored // a break in the sender's own time
			j.anchored, j.ssrc, j.newest, j.span = true, p.SSRC, p.Seq, 0
			j.seq, j.ts, j.end = t.seq-p.Seq, ts-p.TS, ts
			j.lead, j.counted = math.MinInt32, 0
		case step <= 0 && -step > j.span:
			continue // too late, or of before something that we have said ourselves
		case step > 0:
			j.newest = p.Seq
			j.span = min(j.span+min(step, lateWindow), lateWindow)
		}
		pt, payload := t.format.PT, p.Payload
		if event {
			if t.dtmf == 0 || len(payload) < 4 {
				j.seq-- // not missing: it has no place there
				continue
			}
			pt = t.dtmf
		}
		out := rtp.Packet{PT: pt, Marker: p.Marker, Seq: p.Seq + j.seq, TS: p.TS + j.ts, SSRC: t.ssrc}
		if int16(out.Seq-t.seq) >= 0 {
			t.seq = out.Seq + 1
		}
		if !event {
			out.Marker = out.Marker || t.paused
			t.paused = false
			l.keepTime(out.TS, ts, payload)
			if j.tapped != nil {
				j.tapped.Put(due, p.TS, payload)
			}
		}
		rtp.PutHeader(s.packet, out)
		l.emit(now, due, s.packet[:rtp.HeaderLen+copy(s.packet[rtp.HeaderLen:], payload)])
	}
}

// push sends at once what this leg has just put on its way, if the leg that says it
// is of the same shard, hence of the same goroutine, and has nothing else to say: so
// packets are held up once, by at most a frame, and not twice. A panic there is that
// leg's, which ends in its next turn.
func (l *Leg) push(now, due time.Time, s *Shard) {
	w := l.joint.to
	if w == nil {
		return
	}
	y := w.reader.Load()
	if y == nil || y.home.Load() != s || !y.begun || y.gone || y.joint.from != w {
		return
	}
	if t := &y.talk; !y.joint.pass || y.joint.coding || t.hold || t.back != nil || t.clips.first != nil || t.over.clips.first != nil || t.over.mixing || t.rows.first != nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			y.broken = fmt.Errorf("%w: %v\n%s", ErrPanic, r, debug.Stack())
		}
	}()
	y.passAll(now, due, y.talk.ts, s)
}

// keepTime lets our own clock follow that of what passes, so that what we say
// afterwards is at most a frame off.
func (l *Leg) keepTime(out, ts uint32, payload []byte) {
	j, t := &l.joint, &l.talk
	if end := out + uint32(j.from.from.lasts(payload)); int32(end-j.end) > 0 {
		j.end = end
	}
	j.lead = max(j.lead, int32(out-ts))
	if j.counted++; j.counted == 50 {
		t.ts += uint32(j.lead)
		j.lead, j.counted = math.MinInt32, 0
	}
}

// own is the timestamp of something that we say ourselves in the frame with ts:
// not before the end of what has passed. What passes later follows it.
func (l *Leg) own(ts uint32) uint32 {
	j, t := &l.joint, &l.talk
	if !j.anchored {
		return ts
	}
	j.anchored = false
	if ahead := int32(j.end - ts); ahead > 0 {
		t.ts += uint32(ahead)
		ts += uint32(ahead)
	}
	return ts
}

// passKey sends a telephone-event while frames are coded, in our own time and by
// our own clock.
func (l *Leg) passKey(now, due time.Time, ts uint32, p rtp.Packet, s *Shard) {
	j, t := &l.joint, &l.talk
	if t.dtmf == 0 || len(p.Payload) < 4 || t.hold {
		return
	}
	from, to := int64(j.from.from.clock()), int64(t.format.clock())
	since := int64(int32(p.TS - j.keyIn))
	if !j.key || p.Marker && since != 0 || since < -10*from || since > 10*from {
		j.key, j.keyIn, j.keyOut, since = true, p.TS, ts, 0
	}
	out := rtp.Packet{PT: t.dtmf, Marker: p.Marker, Seq: t.seq, TS: j.keyOut + uint32(since*to/from), SSRC: t.ssrc}
	t.seq++
	j.anchored = false
	rtp.PutHeader(s.packet, out)
	e := s.packet[rtp.HeaderLen:][:4]
	copy(e, p.Payload)
	long := int64(binary.BigEndian.Uint16(e[2:])) * to / from
	binary.BigEndian.PutUint16(e[2:], uint16(min(long, math.MaxUint16)))
	l.emit(now, due, s.packet[:rtp.HeaderLen+4])
}

// discard throws away what has come.
func (l *Leg) discard(due time.Time) {
	j := &l.joint
	if j.from == nil {
		return
	}
	for {
		p, event, ok := j.from.take()
		if !ok {
			return
		}
		j.anchored = false
		if j.coding && !event {
			j.jitter.Put(due, p.TS, p.Payload)
		}
	}
}

// tapJoint lets a tap have what passes.
func (l *Leg) tapJoint(k *joining) {
	if j := &l.joint; l.tap == nil {
		j.tapped = nil
	} else if k != nil && k.from == j.from && j.tapped == nil {
		j.tapped = k.tapped
	}
}

// skip leaves out n frames.
func (j *joint) skip(n int) {
	if j.jitter != nil {
		j.jitter.Skip(n)
	}
	if j.tapped != nil {
		j.tapped.Skip(n)
	}
}

// tell puts what came on the way to the joined leg.
func (l *Leg) tell(p rtp.Packet, event bool) {
	if l.joint.to != nil {
		l.joint.to.put(p, event)
	}
}

// lasts is how many ticks a payload is heard.
func (f *Format) lasts(payload []byte) int {
	switch {
	case f.Lasts != nil:
		return f.Lasts(payload)
	case len(f.Silence) > 0:
		return len(payload) * f.Ticks / len(f.Silence)
	}
	return f.Ticks
}

// astray is how far the timestamps of what passes may be from our own clock.
func (t *talk) astray() int32 { return int32(2 * t.format.clock()) }
