package pace

import (
	"time"

	"ozswitch/media/rtp"
)

// This file is a leg's turn, seen from its shard: what happens to it in the
// thread besides say (talk.go) and listen (ear.go).

// begin begins the leg's life.
func (l *Leg) begin(now time.Time) {
	l.begun = true
	l.ear.heard, l.ear.src.last = now, now
	l.aim()
}

// aim sends to the peer, unless SDP named none.
func (l *Leg) aim() {
	if p := l.ear.src.peer; p.IsValid() && p.Port() != 0 && !p.Addr().IsUnspecified() {
		if err := l.cfg.Wire.Aim(p); err != nil {
			l.ear.st.SendErrors++
		}
	}
}

// obey carries out the commands that wait.
func (l *Leg) obey(now time.Time) {
	for c := l.cmds.take(); c != nil; {
		next := c.next
		switch c.op {
		case opPlay:
			l.talk.clips.add(c)
		case opKeys:
			l.talk.rows.add(c)
		case opOver:
			l.talk.over.clips.add(c)
			l.talk.over.coder = c.coder
		default:
			l.obeyAtOnce(c, now)
			l.cmds.over()
		}
		c = next
	}
}

func (l *Leg) obeyAtOnce(c *command, now time.Time) {
	switch c.op {
	case opFlush:
		l.talk.flush(&l.cmds)
	case opFlushOver:
		l.talk.over.drop(&l.cmds)
	case opRemote:
		if l.ear.src.move(now, c.addr) {
			l.aim()
		}
	case opTap:
		if l.tap != nil {
			l.tap.end(now)
		}
		l.tap = c.tap
		l.tapJoint(c.join)
	case opFeed:
		l.feed = c.feed
	case opSending:
		l.talk.hold = !c.on
	case opFormat:
		l.change(now, c.to)
	case opBackground:
		l.talk.back, l.talk.backAt = c.clip, 0
	case opJoin:
		l.join(c.join)
	case opLay:
		l.lay(c.join)
	case opTimeout:
		l.ear.timeout, l.ear.heard, l.ear.lost = c.d, now, false
	}
}

// skip lets n frames pass unsent and unheard.
func (l *Leg) skip(n int) {
	if n == 0 {
		return
	}
	l.talk.ts += uint32(n * l.talk.format.Ticks)
	l.talk.paused = true
	l.ear.jitter.Skip(n)
	l.joint.skip(n)
	l.ear.st.Skipped += int64(n)
}

// emit sends one packet, in the frame that is due.
func (l *Leg) emit(now, due time.Time, b []byte) {
	st := &l.ear.st
	if l.cfg.Packets != nil { // due is counted from the start: take it to the clock of today
		l.cfg.Packets.put(now.Add(due.Sub(now)), true, b)
	}
	if err := l.cfg.Wire.Send(b); err != nil {
		st.SendErrors++ // the far end is judged by what it sends, not by this
		return
	}
	st.PacketsOut++
	st.BytesOut += int64(len(b) - rtp.HeaderLen)
}

// report leaves a result. One without a place is the end of the leg: whoever
// should take the keys is gone, and a key is never dropped in silence.
func (l *Leg) report(r Result) {
	if !l.res.put(r) {
		l.deaf = true
	}
}

// leave ends the leg's life. A tap that was set, or is about to be, gets its
// last block.
func (l *Leg) leave(at time.Time, err error) {
	l.gone = true
	for c := l.cmds.take(); c != nil; c = c.next {
		if c.op == opTap {
			l.obeyAtOnce(c, at)
		}
	}
	if l.tap != nil {
		l.tap.end(at)
		l.tap = nil
	}
	if l.cfg.Packets != nil {
		l.cfg.Packets.end()
	}
	l.stats.store(l.figures())
	if err != nil {
		l.res.fail(at, err)
	}
	close(l.done)
}
