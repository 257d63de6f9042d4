package pace

import (
	"time"

	"ozswitch/media/rtp"
)

// talk is the sending half of a leg.
type talk struct {
	format  Format
	dtmf    uint8
	silence bool // between clips silence is sent
	hold    bool // nothing is sent
	paused  bool // nothing was sent in the frame before: the next packet is marked

	ssrc, ts uint32
	seq      uint16

	player      // of the call's own sound
	over   over // what visitors have the far end hear over it

	back   *Clip // plays beneath them, over and over; nil = nothing does
	backAt int   // its next frame

	keys rtp.KeySender
	rows list // of keys; the first is being sent
}

func (t *talk) init(c LegConfig) {
	*t = talk{
		format: c.Format, dtmf: c.DTMFPT, silence: c.Silence, hold: c.Hold, paused: true,
		ssrc: c.SSRC, ts: c.TS, seq: c.Seq,
		keys: rtp.KeySender{Frame: c.Format.Ticks},
	}
}

// flush drops what is queued, but a key that is down is let up properly.
func (t *talk) flush(q *commands) {
	t.drop(q)
	t.keys.Stop()
	var down list
	if t.keys.Busy() {
		t.rows.first.op = opFlush // no result for it
		down.add(t.take())
	}
	for ; t.rows.first != nil; t.rows.drop() {
		q.over()
	}
	t.rows = down
}

// take takes the first row out.
func (t *talk) take() *command {
	c := t.rows.first
	t.rows.drop()
	return c
}

// say sends what is due, by s's memory. It returns the sound of the frame, for a
// tap; nil if it has none.
func (l *Leg) say(now, due time.Time, s *Shard) (sound []byte) {
	t := &l.talk
	ts := t.ts
	t.ts += uint32(t.format.Ticks)
	alone := false // it does not hear whom it is joined with

	if c := t.rows.first; c != nil {
		ts = l.own(ts)
		if !t.keys.Busy() {
			t.keys.Start(c.keys)
		}
		k, send := t.keys.Next(ts)
		if !t.keys.Busy() {
			if c.op == opKeys {
				l.report(Result{Kind: KeysSent, ID: c.id, At: due})
			}
			t.rows.drop()
			l.cmds.over()
		}
		if send {
			l.discard(due)
			p := rtp.Packet{PT: t.dtmf, Marker: k.Marker, TS: k.TS}
			l.packet(now, due, p, k.Event[:], s)
			return nil
		}
	} else {
		sound = t.play(l, due)
		back := sound == nil && t.back != nil
		if back {
			sound = t.background()
			l.discard(due)
		}
		sound = t.over.mix(sound, t.over.play(l, due), t, s)
		alone = back
	}
	if !alone && l.joint.from != nil {
		var passed []byte
		if sound, passed = l.relay(now, due, ts, sound, s); sound == nil {
			return passed
		}
		ts = l.own(ts)
	}
	if sound == nil && l.feed != nil && t.rows.first == nil {
		if n := l.feed.Say(t.format.Of, s.said); n > 0 {
			sound = s.said[:n]
		}
	}
	if sound == nil && t.silence && l.joint.from == nil {
		sound = t.format.Silence
	}
	if sound == nil || t.hold {
		t.paused = true
		return nil
	}
	p := rtp.Packet{PT: t.format.PT, Marker: t.paused, TS: ts}
	t.paused = false
	l.packet(now, due, p, sound, s)
	return sound
}

// packet sends one packet of our own; a leg on hold sends none.
func (l *Leg) packet(now, due time.Time, p rtp.Packet, payload []byte, s *Shard) {
	t := &l.talk
	if t.hold {
		return
	}
	p.Seq, p.SSRC = t.seq, t.ssrc
	t.seq++
	rtp.PutHeader(s.packet, p)
	l.emit(now, due, s.packet[:rtp.HeaderLen+copy(s.packet[rtp.HeaderLen:], payload)])
}

// background is its next frame, nil if it is empty.
func (t *talk) background() []byte {
	if len(t.back.Frames) == 0 {
		return nil
	}
	f := t.back.Frames[t.backAt]
	t.backAt = (t.backAt + 1) % len(t.back.Frames)
	return f
}
