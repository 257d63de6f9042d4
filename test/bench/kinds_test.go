//go:build bench && linux

package bench

import (
	"fmt"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/pace"
	"ozswitch/switch/phone"
)

// kinds holds 50 calls of each kind of line: SIP and browsers (SIP by WebSocket,
// ICE, DTLS-SRTP, with pion as the caller), in PCMU and in Opus. The prompt is
// coded before, so Opus costs the switch what its recordings and keys ask for.
func kinds(b *bench) error {
	n, err := b.node()
	if err != nil {
		return err
	}
	const calls = 50
	var sip time.Duration
	for _, k := range []struct {
		what, transport string
		codec           *codec.Codec
	}{
		{"SIP, PCMU", "udp", codec.PCMU}, {"SIP, Opus", "udp", codec.Opus},
		{"browser, PCMU", "ws", codec.PCMU}, {"browser, Opus", "ws", codec.Opus},
	} {
		voice, err := k.codec.Frames(media.Tone(k.codec.Rate, 300, -15, 40*time.Second))
		if err != nil {
			return err
		}
		o := phone.Options{Codecs: []*codec.Codec{k.codec}, Say: []phone.Say{{Clip: &pace.Clip{Frames: voice}}}}
		warm := b.placeBy(k.transport, n, "9002", 1, 1, o, nil) // the prompt in this codec
		warm.wait(b)
		c := b.placeBy(k.transport, n, "9004", calls, 25, o, nil)
		c.up(b)
		b.pause(time.Second)
		cpu, began := n.cpu(), time.Now()
		b.pause(pick(15*time.Second, 10*time.Second))
		cpu = n.cpu() - cpu
		window := time.Since(began)
		c.hangup()
		c.wait(b)
		c.note(b.table)
		if err := n.idle(b); err != nil {
			return err
		}
		if sip == 0 {
			sip = cpu
		}
		s := c.sound()
		b.table.note(fmt.Sprintf("H %d, %s: CPU s a call-minute; lost", calls, k.what), "%.3f (%.2f of SIP, PCMU); %d (%d of %d good)",
			cpu.Seconds()/(calls*window.Minutes()), cpu.Seconds()/sip.Seconds(), s.Lost, c.good(), calls)
		if err := c.failedIn(k.what); err != nil {
			return err
		}
	}
	return nil
}
