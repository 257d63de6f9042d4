package bridge

import (
	"net/netip"

	"ozswitch/media/pace"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// A Capture keeps the packets of one call (log.sound).
type Capture interface {
	// Sound takes n packets, each behind its pace.PacketHead, that follow those
	// before; dropped were lost between. It keeps nothing of records and never
	// blocks.
	Sound(records []byte, n, dropped int)
	// Secret tells that keys are not to be kept.
	Secret() bool
}

// capture makes what the pacer copies packets to; nil when nobody wants them.
func (l *Leg) capture(keys uint8) *pace.Packets {
	if l.b.c.Capture == nil {
		return nil
	}
	if l.keeper = l.b.c.Capture(l.id, l.sink); l.keeper == nil {
		return nil
	}
	if !l.keeper.Secret() {
		keys = 0
	}
	l.packets = pace.NewPackets(l.bell, keys)
	return l.packets
}

// drainPackets hands on what was copied.
func (l *Leg) drainPackets() {
	if l.packets == nil {
		return
	}
	for b, ok := l.packets.Next(); ok; b, ok = l.packets.Next() {
		l.keeper.Sound(b.Data, b.N, b.Dropped)
		l.packets.Release(b)
	}
}

// started tells which payload type is which codec, and the addresses; of WebRTC as
// soon as they are known.
func (l *Leg) started(theirs call.Codec) {
	if l.web == nil {
		l.told(theirs, l.far)
		return
	}
	l.mu.Lock()
	l.theirs = theirs
	far := l.way
	l.mu.Unlock()
	if far.IsValid() {
		l.told(theirs, far)
	}
}

func (l *Leg) told(theirs call.Codec, far netip.AddrPort) {
	l.sink.Emit(trace.Event{Type: trace.MediaStarted, Leg: string(l.id), Kept: l.keeper != nil, Name: theirs.Name, Count: int64(theirs.PT), Peer: far.String(), Local: l.wire.LocalAddr().String()})
}
