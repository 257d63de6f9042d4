package server_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/media/tts"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
	"ozswitch/switch/switchtest"
)

// mute is a voice that says nothing.
type mute struct{}

func (mute) Say(context.Context, tts.Request) iter.Seq2[tts.Piece, error] {
	return func(func(tts.Piece, error) bool) {}
}

// TestEcho: an echo extension sends back what it hears, and the call is over
// when the caller hangs up.
func TestEcho(t *testing.T) {
	switchtest.Run(t, func(w *switchtest.World) {
		t := w.T
		w.Config.Extensions = append(w.Config.Extensions, server.Extension{Number: "9900", Type: "echo"})
		w.Config.Dialplan = nil
		c := w.Phone("1001").Dial("9900")
		w.Pass(time.Second)
		for _, text := range []string{"hello echo", "and once more"} {
			if err := c.Say(media.Samples(8000, mediatest.Spell(text, 8000))); err != nil {
				t.Fatal(err)
			}
			c.Hears(text)
		}
		c.Hangup()
		if r := c.Wait(t.Context()); r.Cause != phone.HungUp {
			t.Errorf("the call ended %v, want by the caller", r)
		}
		w.Until("the switch has no call", func() bool { return w.Up() == 0 })
	})
}
