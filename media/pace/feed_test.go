package pace

import (
	"fmt"
	"testing"

	"ozswitch/media/rtp"
)

// parrot is a Feed that keeps what it heard, and says a letter a frame.
type parrot struct {
	heard string
	says  string
}

func (p *parrot) Hear(of any, payload []byte) {
	l := "-"
	if len(payload) > 0 {
		l = letter(payload)
	}
	p.heard += fmt.Sprint(of) + l + " "
}

func (p *parrot) Say(_ any, dst []byte) int {
	if p.says == "" {
		return 0
	}
	for i := range 160 {
		dst[i] = p.says[0]
	}
	p.says = p.says[1:]
	return 160
}

// A feed hears each frame, and speaks where nothing plays; a clip comes before it.
func TestFeed(t *testing.T) {
	r := newRig(t, func(c *LegConfig) { c.Format.Of, c.Silence = "u", true })
	tap := NewTap(TapConfig{})
	r.ok(r.l.SetTap(tap))
	p := &parrot{says: "abcd"}
	r.ok(r.l.SetFeed(p))
	r.frames(2)
	r.ok(r.l.Enqueue(1, clip("X")))
	r.frames(1)
	r.w.comes(far, rtp.Packet{Seq: 1, TS: 160, SSRC: 7, Payload: clip("h").Frames[0]})
	r.frames(4)
	said := ""
	for _, s := range r.w.sent {
		said += letter(s.Payload)
	}
	if want := "abXcd__"; said != want {
		t.Errorf("sent %q, want %q", said, want)
	}
	if want := "u- u- u- u- u- uh u- "; p.heard != want {
		t.Errorf("the feed heard %q, want %q", p.heard, want)
	}
	r.ok(r.l.SetFeed(nil))
	p.says = "e"
	r.frames(1)
	if p.says != "e" {
		t.Error("a feed that was taken away was asked")
	}
	if got, want := blocks(tap, true), "0: a- b- X- c- d-"; got != want {
		t.Errorf("the tap has %q, want %q", got, want)
	}
}
