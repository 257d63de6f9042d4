package pace

import (
	"errors"
	"net/netip"
	"time"

	"ozswitch/media"
	"ozswitch/media/rtp"
)

// ear is the hearing half of a leg.
type ear struct {
	format  Format
	dtmf    uint8
	src     source
	rec     rtp.Reception
	ssrc    uint32
	jitter  *rtp.Jitter
	keys    rtp.KeyReceiver
	timeout time.Duration
	heard   time.Time // the last packet, or the start
	first   bool      // a packet has come
	lost    bool      // MediaLost was said
	st      Stats     // of both halves
}

func (e *ear) init(c LegConfig) {
	*e = ear{
		format: c.Format, dtmf: c.DTMFPT, timeout: c.Timeout,
		src: source{sdp: c.Remote, peer: c.Remote},
		jitter: rtp.NewJitter(rtp.JitterConfig{
			Clock: c.Format.clock(), Ticks: c.Format.Ticks, Silence: c.Format.Silence, Target: c.Jitter,
		}),
	}
}

// clock is the ticks of a second.
func (f Format) clock() int { return f.Ticks * int(time.Second/media.Frame) }

// rounds bounds how much a flood may hold up the other legs of the shard.
const rounds = 4

// listen takes what came.
func (l *Leg) listen(now time.Time, bufs [][]byte, from []netip.AddrPort) {
	e := &l.ear
	for range rounds {
		n := l.cfg.Wire.Recv(bufs, from)
		for i := range n {
			l.hear(now, from[i], bufs[i])
		}
		if n < len(bufs) {
			break
		}
	}
	if e.src.opens(now) {
		l.cfg.Wire.Aim(e.src.peer) // if that fails the leg stays as deaf as it was
	}
	if e.timeout > 0 && !e.lost && now.Sub(e.heard) >= e.timeout {
		e.lost = true
		l.report(Result{Kind: MediaLost, At: now})
	}
}

// hear takes one packet.
func (l *Leg) hear(now time.Time, from netip.AddrPort, b []byte) {
	e := &l.ear
	p, err := rtp.Parse(b)
	if err != nil {
		if !errors.Is(err, rtp.ErrRTCP) {
			e.st.Invalid++
		}
		return
	}
	switch e.src.judge(now, from, p, e.rec.Follows(p)) {
	case refuse:
		e.st.Refused++
		return
	case bind:
		if err := l.cfg.Wire.Rebind(from); err != nil {
			e.st.SendErrors++ // still aimed where it was; source keeps strangers out
		}
	}
	e.heard, e.lost = now, false
	e.st.PacketsIn++
	e.st.BytesIn += int64(len(p.Payload))
	if !e.first {
		e.first = true
		l.report(Result{Kind: FirstPacket, From: from, At: now})
	}
	if p.SSRC != e.ssrc { // another stream, with times of its own
		e.ssrc = p.SSRC
		e.keys.Reset()
		e.jitter.Reset()
	}
	if !e.rec.Put(p) {
		return
	}
	switch {
	case p.PT == e.dtmf && e.dtmf != 0:
		if key, ok := e.keys.Put(p); ok {
			l.report(Result{Kind: KeyPressed, Key: key, At: now})
		}
	case p.PT == e.format.PT:
		e.rec.Sway(now, e.format.clock(), p.TS)
		e.jitter.Put(now, p.TS, p.Payload)
	}
}

// figures brings the statistics up to date.
func (e *ear) figures() *Stats {
	s := &e.st
	s.Lost, s.Duplicates, s.Jitter = e.rec.Lost(), e.rec.Duplicates(), e.rec.Jitter()
	s.Late = e.jitter.Late()
	return s
}
