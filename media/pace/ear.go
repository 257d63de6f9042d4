package pace

import (
	"errors"
	"net/netip"
	"time"

	"ozswitch/media"
	"ozswitch/media/dtmf"
	"ozswitch/media/rtp"
)

// ear is the hearing half of a leg.
type ear struct {
	format  Format
	dtmf    uint8
	src     source
	rec     rtp.Reception
	ssrc    uint32
	next    rtp.Packet // of another SSRC, without payload: what may be the next stream
	spoke   time.Time  // when ssrc was last heard
	came    stamper
	jitter  *rtp.Jitter
	keys    rtp.KeyReceiver
	decode  func(dst []int16, payload []byte) int // for keys in the sound; nil = not looked for
	rate    media.Rate                            // of decode
	tones   *dtmf.Detector
	missing int // frames
	timeout time.Duration
	heard   time.Time // the last packet, or the start
	first   bool      // a packet has come
	lost    bool      // MediaLost was said
	st      Stats     // of both halves
}

func (e *ear) init(c LegConfig) {
	*e = ear{
		came: stamps(c.Wire), format: c.Format, dtmf: c.DTMFPT, timeout: c.Timeout,
		src:    source{sdp: c.Remote, peer: c.Remote},
		jitter: newJitter(c.Format, c.Jitter),
	}
	e.keys.Clock = c.Format.clock()
	if c.DTMFPT == 0 && c.Decode != nil {
		e.decode, e.rate, e.tones = c.Decode, c.Rate, dtmf.NewDetector(c.Rate)
	}
}

// tornBy is how many missing frames are passed over: a tone with a hole of 60 ms
// is one key, not two.
const tornBy = 3

// listenForKeys looks for keys in a frame of sound that is played now.
func (l *Leg) listenForKeys(at time.Time, payload []byte, pcm []int16) {
	e := &l.ear
	n := 0
	if len(payload) > 0 {
		n, e.missing = e.decode(pcm, payload), 0
	} else if e.missing++; e.missing > tornBy && e.first {
		n = e.rate.Frame()
		clear(pcm[:n])
	}
	for _, key := range e.tones.Write(pcm[:n]) {
		l.report(Result{Kind: KeyPressed, Key: key, Inband: true, At: at})
	}
}

// clock is the ticks of a second.
func (f Format) clock() int { return f.Ticks * int(time.Second/media.Frame) }

// rounds bounds how much a flood may hold up the other legs of the shard.
const rounds = 4

// listen takes what came.
//
// now is the time of day, due that of the frame, which is what the far end's sound
// is laid out by.
func (l *Leg) listen(now, due time.Time, bufs [][]byte, from []netip.AddrPort) {
	e := &l.ear
	for range rounds {
		n := l.cfg.Wire.Recv(bufs, from)
		for i := range n {
			at := arrival(e.came, i, now)
			if l.joint.to != nil && !at.Equal(now) {
				l.phase.note(now.Sub(at) - now.Sub(due))
			}
			l.hear(at, due, from[i], bufs[i])
		}
		if n < len(bufs) {
			break
		}
	}
	if e.src.opens(due) {
		l.cfg.Wire.Aim(e.src.peer) // if that fails the leg stays as deaf as it was
	}
	if e.timeout > 0 && !e.lost && due.Sub(e.heard) >= e.timeout {
		e.lost = true
		l.report(Result{Kind: MediaLost, At: due})
	}
}

// hear takes one packet, which came at a moment and is looked at with the frame
// that is due.
func (l *Leg) hear(at, due time.Time, from netip.AddrPort, b []byte) {
	e := &l.ear
	p, err := rtp.Parse(b)
	if err != nil {
		switch {
		case !errors.Is(err, rtp.ErrRTCP):
			e.st.Invalid++
		case l.reports.mux:
			l.hearReport(at, due, from, b)
		}
		return
	}
	fresh := !e.first // the stream is taken as it is
	switch e.src.judge(due, from, p, e.rec.Follows(p)) {
	case refuse:
		e.st.Refused++
		return
	case bind:
		fresh = true
		if err := l.cfg.Wire.Rebind(from); err != nil {
			e.st.SendErrors++ // still aimed where it was; source keeps strangers out
		}
	}
	e.heard, e.lost = due, false
	e.st.PacketsIn++
	e.st.BytesIn += int64(len(p.Payload))
	if l.cfg.Packets != nil {
		l.cfg.Packets.put(at, false, b)
	}
	if !e.first {
		e.first = true
		l.report(Result{Kind: FirstPacket, From: from, At: due})
	}
	if p.SSRC != e.ssrc {
		if !fresh && !e.changes(due, p) {
			e.st.Foreign++
			return
		}
		e.ssrc = p.SSRC // another stream, with times of its own
		e.keys.Reset()
		e.jitter.Reset()
	}
	e.spoke = due
	if !e.rec.Put(p) {
		return
	}
	switch {
	case p.PT == e.dtmf && e.dtmf != 0:
		l.tell(p, true)
		if key, ok := e.keys.Put(p); ok {
			l.report(Result{Kind: KeyPressed, Key: key, At: due})
		}
	case p.PT == e.format.PT:
		e.rec.Sway(at, e.format.clock(), p.TS)
		e.jitter.Put(due, p.TS, p.Payload)
		l.tell(p, false)
	default:
		if l.joint.to != nil {
			l.joint.to.leave()
		}
	}
}

// changes reports whether the far end goes on with another SSRC: the one it had is
// silent, and the other comes for the second time, in order (RFC 3550, A.1). A
// single stray packet changes nothing, nor does a second stream beside the first.
func (e *ear) changes(due time.Time, p rtp.Packet) bool {
	follows := p.SSRC == e.next.SSRC && p.Seq == e.next.Seq+1
	e.next = rtp.Packet{SSRC: p.SSRC, Seq: p.Seq}
	return follows && due.Sub(e.spoke) > media.Frame
}

// figures brings the statistics up to date.
func (l *Leg) figures() *Stats {
	e, r, s := &l.ear, &l.reports, &l.ear.st
	theirs := r.Theirs()
	s.RoundTrip, s.TheirLost = r.RoundTrip(), int64(theirs.Lost)
	s.TheirJitter = time.Duration(theirs.Jitter) * time.Second / time.Duration(e.format.clock())
	s.ReportsIn, s.ReportsOut = r.Counts()
	s.Lost, s.Duplicates, s.Jitter = e.rec.Lost(), e.rec.Duplicates(), e.rec.Jitter()
	s.Late, s.Hold = e.jitter.Late(), e.jitter.Hold()
	return s
}
