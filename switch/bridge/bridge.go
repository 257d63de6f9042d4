// Package bridge joins a call's leg to its sound: it opens the leg's socket,
// agrees on a codec, hands prompts to the pacer and takes keys and recordings
// from it. It knows media and switch/call, and neither SIP nor OzML.
//
// Start at Bridge.Open; what a script does to a leg is in leg.go.
package bridge

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// Config is what a Bridge needs.
type Config struct {
	Pacer *pace.Pacer
	// Listen gives a leg its socket on an even port.
	Listen func() (pace.Wire, error)
	// ListenTo does so for a leg whose far end has told its address, which may be of
	// the other family, IPv4 or IPv6; nil = Listen.
	ListenTo func(remote netip.Addr) (pace.Wire, error)
	// ListenControl gives a leg its socket for RTCP, above that of its sound; nil =
	// pace.ListenAbove. A leg without one (it is taken, say) makes no reports.
	ListenControl func(sound pace.Wire) (pace.Wire, error)
	// OpenWeb gives a leg a wire of WebRTC; nil = none is taken or offered.
	OpenWeb func(WebConfig) (WebWire, error)
	// Advertise is the address that goes into SDP instead of the socket's own,
	// when valid (NAT, or a socket on all addresses).
	Advertise netip.Addr
	Codecs    []*codec.Codec                                // in order of preference; nil = all
	Timeout   time.Duration                                 // no packet for that long ends the call; 0 = never
	Silence   bool                                          // send silence when nothing plays
	Rand      func() uint32                                 // SSRC, first sequence number and timestamp
	Packets   func(Stats)                                   // told when a leg has closed; may be nil
	Capture   func(leg call.LegID, sink trace.Sink) Capture // who keeps the packets of that leg; nil = nobody
	Panicked  func(where string)
	Slog      *slog.Logger

	Country string                       // whose ringing tone is heard: one of Countries; "" = DefaultCountry
	Music   func() (media.Source, error) // opens the hold music, once; nil, or no Source = a melody of our own
}

// Stats are what a closed leg had done.
type Stats = pace.Stats

// A Bridge holds the legs that have sound.
type Bridge struct {
	c Config

	mu     sync.Mutex
	legs   map[call.LegID]*Leg
	joined map[call.LegID]call.LegID // both ways
	backs  backs
	wg     sync.WaitGroup
}

// New gives a Bridge without legs.
func New(c Config) *Bridge {
	if c.Codecs == nil {
		c.Codecs = codec.Table
	}
	if c.ListenControl == nil {
		c.ListenControl = pace.ListenAbove
	}
	return &Bridge{c: c, legs: map[call.LegID]*Leg{}, joined: map[call.LegID]call.LegID{}}
}

// Open gives a leg its socket and says how to describe it: in answer to o.Remote,
// or as an offer when that is nil. post is the call's mailbox.
func (b *Bridge) Open(o call.OpenMedia, post func(call.Event) bool, sink trace.Sink) (call.Media, error) {
	id, remote, web := o.Leg, o.Remote, o.Web
	var ours call.Media
	var answered *speech
	var err error
	if remote == nil {
		ours = b.offer(o.Peer, o.Codecs)
	} else {
		answered = &speech{}
		if ours, *answered, err = b.answer(o, nil); err != nil {
			return call.Media{}, err
		}
	}
	web = remote == nil && web || remote != nil && remote.Web != nil
	var sec *secured
	if !web {
		if sec, err = secure(o.Security, &ours, remote); err != nil {
			return call.Media{}, err
		}
	}
	l := &Leg{b: b, id: id, sec: sec, mux: ours.Mux, offered: ours.Codecs, answered: answered, post: post, sink: sink, done: make(chan struct{}), bell: make(chan struct{}, 1), ends: map[uint32]chan struct{}{}, changed: make(chan struct{})}
	if web {
		err = b.openWeb(l, &ours, remote)
	} else if l.wire, err = b.listen(remote); err != nil {
		err = fmt.Errorf("bridge: no port for sound: %w", err)
	}
	if err != nil {
		return call.Media{}, err
	}
	ours.Addr = l.wire.LocalAddr()
	if b.c.Advertise.IsValid() && b.c.Advertise.Is4() == ours.Addr.Addr().Is4() {
		ours.Addr = netip.AddrPortFrom(b.c.Advertise, ours.Addr.Port())
	}
	ours.Ptime = media.Frame
	l.addr, l.ptime = ours.Addr, ours.Ptime
	if !l.mux || remote == nil && l.web == nil { // an answer need not take rtcp-mux
		l.control, _ = b.c.ListenControl(l.wire)
	}
	if sec != nil {
		sec.wrap(l)
	}
	b.mu.Lock()
	b.legs[id] = l
	b.mu.Unlock()
	return ours, nil
}

func (b *Bridge) listen(remote *call.Media) (pace.Wire, error) {
	if remote == nil || b.c.ListenTo == nil {
		return b.c.Listen()
	}
	return b.c.ListenTo(remote.Addr.Addr())
}

// Connect starts sound both ways, or moves it to what was agreed anew.
func (b *Bridge) Connect(id call.LegID, remote call.Media) error {
	l := b.Leg(id)
	if l == nil {
		return fmt.Errorf("bridge: leg %s has no socket", id)
	}
	speech, ok := l.settled(&remote)
	if !ok {
		return &CodecError{names(remote.Codecs), names(l.offered)}
	}
	if err := l.connect(speech, remote); err != nil {
		return err
	}
	if l.moved.Swap(false) {
		b.mu.Lock()
		b.weld(id)
		b.mu.Unlock()
		l.setBackground(true)
	}
	return nil
}

// Leg gives the leg with that id, nil when it has no sound.
func (b *Bridge) Leg(id call.LegID) *Leg {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.legs[id]
}

// Close ends a leg's sound and frees its socket.
func (b *Bridge) Close(id call.LegID) {
	b.mu.Lock()
	b.part(id)
	l := b.legs[id]
	delete(b.legs, id)
	b.mu.Unlock()
	if l != nil {
		l.close()
	}
}

// Wait returns when the goroutines of all closed legs have ended.
func (b *Bridge) Wait() { b.wg.Wait() }
