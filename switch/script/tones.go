package script

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"ozswitch/media/codec"
	"ozswitch/ozml"
	"ozswitch/switch/alarm"
	"ozswitch/switch/bridge"
)

// The sound of an alarm: an end of switch/alarm hears a leg and speaks to it, frame
// by frame, as a conference does.

// An alarmEnd is an *alarm.Receiver or an *alarm.Sender.
type alarmEnd interface {
	Write(pcm []int16) error
	Read(pcm []int16) (int, error)
	Done() bool
	Err() error
}

// frameLen is the bytes of a frame of G.711.
const frameLen = 160

// How many frames lie between the leg's thread and the goroutine of an end: what
// is said is made so far ahead that a goroutine that is late leaves no hole in a tone.
const (
	framesIn = 32
	ahead    = 2
)

// tones join an end to a leg. Hear and Say belong to the leg's thread and neither
// block nor allocate; key may come from anywhere; the rest is of who runs them.
type tones struct {
	co      *codec.Codec
	in, out frames
	bell    chan struct{}
	other   atomic.Bool // the leg speaks another codec now

	mu   sync.Mutex
	keys []byte // that came as packets

	dec *codec.Patcher
	enc codec.Encoder
	pcm [frameLen]int16
	raw [frameLen]byte
}

// newTones gives those of a leg's codec; the error is for the author of the script.
func newTones(l *bridge.Leg) (*tones, error) {
	co := l.Codec()
	if co != codec.PCMU && co != codec.PCMA {
		name := "a codec that the switch can only pass on"
		if co != nil {
			name = co.Name
		}
		return nil, fmt.Errorf("the call speaks %s: the tones of an alarm need G.711 (PCMU or PCMA)", name)
	}
	return &tones{co: co, bell: make(chan struct{}, 1), dec: codec.NewPatcher(co), enc: co.NewEncoder()}, nil
}

// Hear implements pace.Feed.
func (t *tones) Hear(of any, payload []byte) {
	if c, _ := of.(*codec.Codec); c != t.co {
		t.other.Store(true)
	} else {
		t.in.put(payload)
	}
	select {
	case t.bell <- struct{}{}:
	default:
	}
}

// Say implements pace.Feed.
func (t *tones) Say(of any, dst []byte) int {
	if c, _ := of.(*codec.Codec); c != t.co {
		return 0
	}
	n, _ := t.out.take(dst)
	return n
}

// key takes a key that came as a packet.
func (t *tones) key(k byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.keys) < framesIn {
		t.keys = append(t.keys, k)
	}
}

// run lets an end hear and speak until it is done: nil; until the leg goes on in
// another codec; or until ctx ends: its cause. turn is called after each frame.
func (t *tones) run(ctx context.Context, e alarmEnd, turn func()) error {
	for {
		for n, ok := t.in.take(t.raw[:]); ok; n, ok = t.in.take(t.raw[:]) {
			t.hear(e, n)
			turn()
		}
		for t.out.waiting() < ahead && !e.Done() {
			n, _ := e.Read(t.pcm[:]) // less than a frame at its end, which is silence
			clear(t.pcm[n:])
			t.out.put(t.raw[:t.enc.Encode(t.raw[:], t.pcm[:])])
		}
		turn()
		switch {
		case e.Done():
			return nil
		case t.other.Load():
			return fmt.Errorf("the call went on in another codec than %s: the tones of an alarm need G.711 (PCMU or PCMA)", t.co.Name)
		}
		select {
		case <-t.bell:
		case <-ctx.Done():
			for n, ok := t.in.take(t.raw[:]); ok; n, ok = t.in.take(t.raw[:]) {
				t.hear(e, n) // what came before the end counts
			}
			turn()
			return context.Cause(ctx)
		}
	}
}

// hear gives the end a frame of n bytes in raw, and the keys that came meanwhile.
func (t *tones) hear(e alarmEnd, n int) {
	if r, ok := e.(*alarm.Receiver); ok {
		t.mu.Lock()
		for _, k := range t.keys {
			r.Key(k)
		}
		t.keys = t.keys[:0]
		t.mu.Unlock()
	}
	m := t.dec.Decode(t.pcm[:], t.raw[:n])
	clear(t.pcm[m:])
	_ = e.Write(t.pcm[:]) // it has no error
}

// frames is a queue between one goroutine that puts and one that takes.
type frames struct {
	head, tail atomic.Uint32 // taken up to head, put up to tail
	n          [framesIn]int
	data       [framesIn][frameLen]byte
}

func (f *frames) waiting() int { return int(f.tail.Load() - f.head.Load()) }

// put copies a frame; in a full queue it is lost.
func (f *frames) put(b []byte) {
	t := f.tail.Load()
	if t-f.head.Load() == framesIn {
		return
	}
	i := t % framesIn
	f.n[i] = copy(f.data[i][:], b)
	f.tail.Store(t + 1)
}

// take copies the oldest frame to dst.
func (f *frames) take(dst []byte) (n int, ok bool) {
	h := f.head.Load()
	if h == f.tail.Load() {
		return 0, false
	}
	i := h % framesIn
	n = copy(dst, f.data[i][:f.n[i]])
	f.head.Store(h + 1)
	return n, true
}

// panel is who gets the keys of a call meanwhile; nil = its scripts.
func (c *live) panel(t *tones) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alarm = t
}

var _, _ ozml.AlarmReceiver = (*live)(nil), (*visitor)(nil)
