package bridge

import (
	"fmt"

	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// Join lets two legs hear each other, until Part or until one of them is closed. It
// may be called before they are connected; who was joined with one of them before
// is parted.
func (b *Bridge) Join(x, y call.LegID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.joined[x] == y || x == y {
		return
	}
	b.part(x)
	b.part(y)
	b.joined[x], b.joined[y] = y, x
	b.weld(x)
}

// Part ends Join.
func (b *Bridge) Part(x, y call.LegID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.joined[x] == y {
		b.part(x)
	}
}

// part parts a leg from the one that it is joined with. It and weld are called with
// the lock.
func (b *Bridge) part(x call.LegID) {
	y, ok := b.joined[x]
	if !ok {
		return
	}
	delete(b.joined, x)
	delete(b.joined, y)
	for _, id := range []call.LegID{x, y} {
		if l := b.legs[id]; l != nil && l.peer.Swap(nil) != nil {
			l.paced.Join(nil, nil, nil) // a leg that has left its shard needs no parting
		}
	}
}

// weld joins the sound of a leg with that of its partner, once both are connected;
// again when the codec of one has become another.
func (b *Bridge) weld(id call.LegID) {
	x, y := b.legs[id], b.legs[b.joined[id]]
	if x == nil || y == nil || !x.ready.Load() || !y.ready.Load() {
		return
	}
	fx, fy := *x.speaking.Load(), *y.speaking.Load()
	xy, yx := pace.NewWay(fx.format()), pace.NewWay(fy.format())
	x.peer.Store(y)
	y.peer.Store(x)
	var toX, toY pace.Coder // of what the other hears
	switch {
	case fx.passes(&fy):
	case fx.co == nil || fy.co == nil:
		for _, l := range []*Leg{x, y} {
			l.sink.Emit(trace.Event{Type: trace.Error, Code: trace.CodeSound, Text: fmt.Sprintf(
				"the two parties cannot hear each other: one speaks %s, the other %s, and the switch can turn only PCMU, PCMA, G722 and opus into each other", fx.Name, fy.Name)})
		}
		return
	default:
		toX, toY = codec.NewTranscoder(fy.co, fx.co), codec.NewTranscoder(fx.co, fy.co)
	}
	x.laid.Store(toX != nil)
	y.laid.Store(toY != nil)
	x.paced.Join(xy, yx, toX)
	y.paced.Join(yx, xy, toY)
}

// lay lets what is about to be played be laid over what comes from the other party.
// It is done now and not by weld: few joined calls hear a prompt, and the state of
// two codecs is large.
func (l *Leg) lay() {
	y := l.peer.Load()
	if y == nil || l.laid.Swap(true) {
		return
	}
	from, to := y.speaking.Load(), l.speaking.Load()
	if from.co != nil && to.co != nil {
		l.paced.Lay(codec.NewTranscoder(from.co, to.co))
	}
}
