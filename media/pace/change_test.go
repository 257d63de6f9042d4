package pace

import (
	"testing"

	"ozswitch/media/codec"
)

// SetFormat goes on in the same stream: the payload types, the clock and a mark
// tell the far end; what was queued is dropped, what comes is heard in the new
// format, and secret keys stay unkept.
func TestSetFormat(t *testing.T) {
	packets := NewPackets(make(chan struct{}, 1), 101)
	r := newRig(t, func(c *LegConfig) { c.Silence, c.DTMFPT, c.Packets = true, 101, packets })
	tap := NewTap(TapConfig{Blocks: 64})
	if err := r.l.SetTap(tap); err != nil {
		t.Fatal(err)
	}
	r.frames(2)
	if err := r.l.Enqueue(1, &Clip{Frames: [][]byte{{1}, {2}, {3}, {4}}}); err != nil {
		t.Fatal(err)
	}
	r.frames(1)
	to := Change{Format: Format{PT: 111, Ticks: 960, Silence: codec.Opus.Silence, Lasts: codec.Opus.Lasts, Join: codec.Opus.Join, Of: codec.Opus}, DTMFPT: 102, Unkept: 102}
	if err := r.l.SetFormat(to); err != nil {
		t.Fatal(err)
	}
	n := len(r.w.sent)
	r.frames(2)
	before, first, second := r.w.sent[n-1], r.w.sent[n], r.w.sent[n+1]
	if first.PT != 111 || !first.Marker || first.SSRC != before.SSRC || first.Seq != before.Seq+1 || string(first.Payload) != string(codec.Opus.Silence) {
		t.Errorf("after the change %+v, before it %+v", first, before)
	}
	if second.Marker || second.TS != first.TS+960 {
		t.Errorf("the packet after it %+v, want no mark and 960 ticks more", second)
	}
	if !packets.skip[101] || !packets.skip[102] {
		t.Error("keys of one of the two payload types are kept")
	}
	to.Format.PT, to.Same, to.DTMFPT = 96, true, 0
	if err := r.l.SetFormat(to); err != nil {
		t.Fatal(err)
	}
	if err := r.l.SendKeys(1, "1"); err != ErrNoKeys {
		t.Errorf("SendKeys without events: %v, want ErrNoKeys", err)
	}
	r.frames(1)
	if p := r.w.sent[len(r.w.sent)-1]; p.PT != 96 {
		t.Errorf("payload type %d, want 96", p.PT)
	}
	if err := r.l.SetFormat(Change{}); err == nil {
		t.Error("a format without a clock was taken")
	}
}
