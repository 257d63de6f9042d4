package bridge

import (
	"slices"

	"ozswitch/media/codec"
	"ozswitch/media/pace"
)

// A tapped is a recording's tap and who gets its blocks.
type tapped struct {
	tap  *pace.Tap
	sink func(*pace.Block)
}

// Record hands both directions of the leg to sink, in blocks of up to 100 ms,
// until stop is called, the next Record begins or the leg is closed; the last
// block has Last set. Of of a block is its *codec.Codec; see CodecOf. What was heard
// before a key is handed over before the key.
func (l *Leg) Record(sink func(*pace.Block)) (stop func(), err error) {
	if err := l.Usable(); err != nil {
		return nil, err
	}
	t := pace.NewTap(pace.TapConfig{Bell: l.bell})
	l.mu.Lock()
	l.taps = append(l.taps, tapped{t, sink})
	l.mu.Unlock()
	if err := l.paced.SetTap(t); err != nil {
		return nil, err
	}
	return func() { l.paced.SetTap(nil) }, nil
}

// CodecOf is what the frames of a block are coded in; nil for one without frames.
func CodecOf(b *pace.Block) *codec.Codec {
	c, _ := b.Of.(*codec.Codec)
	return c
}

func (l *Leg) drainTap() {
	l.mu.Lock()
	taps := slices.Clone(l.taps)
	l.mu.Unlock()
	for _, t := range taps {
		for b, ok := t.tap.Next(); ok; b, ok = t.tap.Next() {
			last := b.Last
			t.sink(b)
			t.tap.Release(b)
			if last {
				l.mu.Lock()
				l.taps = slices.DeleteFunc(l.taps, func(o tapped) bool { return o.tap == t.tap })
				l.mu.Unlock()
				break
			}
		}
	}
}
