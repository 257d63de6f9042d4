package pace

import (
	"net/netip"
	"time"

	"ozswitch/media/rtp"
)

// source decides whose packets a leg takes. Before anything came that is the
// address from SDP. A far end behind a NAT sends from another: five packets in a
// row move the lock there, and until then no more than five strange packets are
// taken. Once locked nobody else is heard. The lock moves by signalling, or when
// nothing came for two seconds and the same stream goes on from another port of
// the same host, its NAT having forgotten it.
type source struct {
	sdp    netip.AddrPort // as signalled
	peer   netip.AddrPort // where packets go; the only source once locked
	locked bool
	open   bool      // locked, but silent for so long that the wire hears everybody
	last   time.Time // when the peer was last heard

	old    netip.AddrPort // the peer before SetRemote: its stragglers are not the new one
	oldTil time.Time

	guest   netip.AddrPort // who else sends, before the lock
	prev    rtp.Packet     // its last packet, without payload
	guestAt time.Time
	row     int // its packets in a row
	taken   int // strange packets taken
}

type verdict uint8

const (
	refuse verdict = iota
	take
	bind // take, and tie the wire to peer
)

const (
	lockAfter   = 5
	guestLeaves = 500 * time.Millisecond
	openAfter   = 2 * time.Second
)

// move expects the stream from addr, as signalled. It reports whether that is news.
func (s *source) move(now time.Time, addr netip.AddrPort) bool {
	if addr == s.sdp {
		return false // also when the lock has moved away from it since: SDP repeats itself
	}
	*s = source{sdp: addr, peer: addr, last: now, old: s.peer, oldTil: now.Add(openAfter)}
	return true
}

// judge says what to do with a packet; follows is whether it carries on the
// stream taken so far.
func (s *source) judge(now time.Time, from netip.AddrPort, p rtp.Packet, follows bool) verdict {
	switch {
	case from == s.peer:
		s.last = now
		if s.locked && !s.open {
			return take
		}
		s.locked, s.open = true, false
		return bind
	case s.locked:
		if s.open && follows && from.Addr() == s.peer.Addr() {
			s.peer, s.open, s.last = from, false, now
			return bind
		}
		return refuse
	case from == s.old && now.Before(s.oldTil):
		return refuse
	}
	if from != s.guest && s.guest.IsValid() && now.Sub(s.guestAt) < guestLeaves {
		return refuse // one at a time
	}
	step := int16(p.Seq - s.prev.Seq)
	if from != s.guest || p.SSRC != s.prev.SSRC || step <= -64 || step == 0 || step > 100 {
		s.row = 0
	}
	s.guest, s.guestAt = from, now
	s.prev.Seq, s.prev.SSRC = p.Seq, p.SSRC
	if s.row++; s.row == lockAfter {
		s.peer, s.locked, s.last = from, true, now
		return bind
	}
	if s.taken++; s.taken > lockAfter {
		return refuse
	}
	return take
}

// opens reports, once, that the peer has been silent for so long that it may
// have moved: the wire is to hear everybody again.
func (s *source) opens(now time.Time) bool {
	if !s.locked || s.open || now.Sub(s.last) < openAfter {
		return false
	}
	s.open = true
	return true
}
