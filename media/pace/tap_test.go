package pace

import (
	"fmt"
	"strings"
	"testing"
)

// blocks takes what the tap has, a word a frame: out and in, "-" for nothing.
func blocks(t *Tap, release bool) string {
	var out []string
	for {
		b, ok := t.Next()
		if !ok {
			return strings.Join(out, " | ")
		}
		s := fmt.Sprintf("%d:", b.At.Sub(start).Milliseconds())
		if b.Dropped > 0 {
			s += fmt.Sprintf(" %d dropped", b.Dropped)
		}
		for i := range b.N {
			s += " " + letter(b.Out(i)) + letter(b.In(i))
		}
		if b.Last {
			s += " last"
		}
		out = append(out, s)
		if release {
			t.Release(b)
		}
	}
}

func letter(f []byte) string {
	switch {
	case f == nil:
		return "-"
	case f[0] == 0xff:
		return "_"
	}
	return string(f[:1])
}

func TestTap(t *testing.T) {
	r := newRig(t, nil)
	r.frames(1)
	tap := NewTap(TapConfig{})
	r.ok(r.l.SetTap(tap))
	r.ok(r.l.Enqueue(1, clip("XY")))
	for i := range 7 {
		if i != 3 { // one packet is lost
			r.w.comes(far, speech(i))
		}
		r.frames(1)
	}
	r.ok(r.l.SetTap(nil))
	r.frames(3)
	r.want("tapped", blocks(tap, true), "20: X- Y- _a _b _c | 120: _- _e last")
	select {
	case <-tap.Bell():
	default:
		t.Error("the bell did not ring")
	}
}

// Keys that are sent have no sound; a tap that is replaced, or whose leg ends,
// gets its last block, be it empty.
func TestTapEnds(t *testing.T) {
	r := newRig(t, nil)
	one, two, three := NewTap(TapConfig{}), NewTap(TapConfig{}), NewTap(TapConfig{})
	r.ok(r.l.SetTap(one))
	r.ok(r.l.SendKeys(1, "5"))
	r.frames(10)
	r.ok(r.l.SetTap(two))
	r.frames(1)
	r.ok(r.l.SetTap(three))
	r.s.close(r.now)
	r.want("first", blocks(one, true), "0: -- -- -- -- -- | 100: -- -- -- _- _- | 200: last")
	r.want("second", blocks(two, true), "200: _- last")
	r.want("third", blocks(three, true), "220: last")
}

// A reader that is too slow loses blocks, is told how much, and holds up nobody.
func TestTapSlowReader(t *testing.T) {
	r := newRig(t, nil)
	tap := NewTap(TapConfig{Blocks: 2})
	r.ok(r.l.SetTap(tap))
	r.frames(13)
	r.want("two blocks", blocks(tap, true), "0: _- _- _- _- _- | 100: _- _- _- _- _-")
	r.frames(5)
	r.want("after 3 frames without", blocks(tap, false), "260: 3 dropped _- _- _- _- _-")
	r.frames(5)
	r.want("the other block", blocks(tap, false), "360: _- _- _- _- _-")
	r.frames(4)
	r.ok(r.l.SetTap(nil))
	r.frames(1)
	r.want("the end is always told", blocks(tap, true), "540: 4 dropped last")
}
