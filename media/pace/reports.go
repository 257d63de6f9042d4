package pace

import (
	"net/netip"
	"time"

	"ozswitch/media/rtp"
)

// reports is a leg's RTCP: a report each 5 s or so, and theirs. It goes by a wire
// of its own, which is looked at once a second (the kernel has marked when each
// packet came), or together with the sound.
type reports struct {
	rtp.Reporter
	wire Wire // nil = none
	came stamper
	mux  bool

	beside netip.AddrPort // the peer of the sound that the wire is aimed beside
	peer   netip.AddrPort // where to
}

func (r *reports) init(c LegConfig) {
	*r = reports{Reporter: rtp.Reporter{SSRC: c.SSRC, Name: c.Name}, mux: c.Mux}
	switch {
	case c.Mux:
		r.wire = c.Wire
	case c.Control != nil:
		r.wire, r.came = c.Control, stamps(c.Control)
	}
}

// tellAll reads the reports that came and sends ours if it is due; now is the time
// of day, due that of the frame that was just served.
func (l *Leg) tellAll(now, due time.Time, s *Shard) {
	r := &l.reports
	if r.wire == nil {
		return
	}
	if !r.mux {
		n := r.wire.Recv(s.bufs, s.from)
		for i := range n {
			l.hearReport(arrival(r.came, i, now), due, s.from[i], s.bufs[i])
		}
	}
	if r.Due(now) {
		l.sendReport(now, due, s.packet, false)
	}
}

// arrival is when packet i came, now if its wire cannot tell.
func arrival(s stamper, i int, now time.Time) time.Time {
	if s != nil {
		if at := s.Came(i); !at.IsZero() {
			return at
		}
	}
	return now
}

// hearReport takes what may be a report. Only the host that the sound comes from
// is heard; where its NAT gave the reports a port of their own, ours go there.
func (l *Leg) hearReport(at, due time.Time, from netip.AddrPort, b []byte) {
	r, e := &l.reports, &l.ear
	if r.wire == nil || from.Addr() != e.src.peer.Addr() || r.mux && from != e.src.peer {
		e.st.Refused++
		return
	}
	c, err := r.Hear(b, at)
	if err != nil {
		e.st.Invalid++
		return
	}
	if !c.Bye { // whoever reports is there, though he may be muted
		e.heard, e.lost = due, false
	}
	if !r.mux && from != r.peer {
		l.aimReports(from)
	}
}

func (l *Leg) aimReports(to netip.AddrPort) {
	r := &l.reports
	r.peer = to
	if r.wire.Aim(to) != nil {
		r.peer = netip.AddrPort{}
	}
}

// sendReport sends ours.
func (l *Leg) sendReport(now, due time.Time, buf []byte, bye bool) {
	r, t, st := &l.reports, &l.talk, &l.ear.st
	if p := l.ear.src.peer; !r.mux && p != r.beside {
		r.beside = p
		r.peer = netip.AddrPort{}
		if p.IsValid() && !p.Addr().IsUnspecified() && p.Port() != 0 && p.Port() != 0xffff {
			l.aimReports(netip.AddrPortFrom(p.Addr(), p.Port()+1))
		}
	}
	// The frame that was due has the timestamp before t.ts; since then time went on.
	late := int64(now.Sub(due)) * int64(t.format.clock()) / int64(time.Second)
	s := rtp.Sent{Packets: st.PacketsOut, Bytes: st.BytesOut, TS: t.ts - uint32(t.format.Ticks) + uint32(late)}
	n := r.Put(buf, now, s, &l.ear.rec, bye)
	if r.mux || r.peer.IsValid() {
		r.wire.Send(buf[:n]) // what is lost is said again
	}
}

// goodbye is the last report, if the far end had heard from us at all.
func (l *Leg) goodbye(now time.Time, buf []byte) {
	if l.begun && l.reports.wire != nil && l.ear.st.PacketsOut > 0 {
		l.sendReport(now, now, buf, true)
	}
}
