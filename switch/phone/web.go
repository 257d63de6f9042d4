package phone

import (
	"fmt"
	"net/netip"
	"strings"

	"ozswitch/media/rtc"
	"ozswitch/switch/call"
)

// A webWire is the sound of a call by WebSocket: WebRTC, by a port of its own,
// as a browser has it.
type webWire struct {
	*rtc.Wire
	port *rtc.Port
}

// Close ends the path, and the port with it.
func (w webWire) Close() error {
	err := w.Wire.Close()
	if perr := w.port.Close(); err == nil {
		err = perr
	}
	return err
}

// farAway is where the pacer believes the far end of a webWire to be; where it
// is, is ICE's business.
var farAway = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 9)

// byWeb tells whether the calls that we make go by WebSocket.
func (p *Phone) byWeb() bool { return strings.HasPrefix(p.c.Transport, "ws") }

// listenWeb opens the call's port.
func (c *Call) listenWeb() (webWire, error) {
	port, err := rtc.Listen(netip.AddrPortFrom(c.p.ua.Addr().Addr(), 0), rtc.PortConfig{
		Panicked: func(v any, stack []byte) {
			c.p.panics.Add(1)
			c.p.log.Error("phone: bug caught", "panic", fmt.Sprint(v), "stack", string(stack))
		}})
	if err != nil {
		return webWire{}, err
	}
	w, err := port.Open(rtc.Config{Full: true, Failed: c.soundFailed})
	if err != nil {
		port.Close()
		return webWire{}, err
	}
	return webWire{w, port}, nil
}

// soundFailed is told by the wire; the call's goroutine hears of it.
func (c *Call) soundFailed(err error) {
	select {
	case c.broken <- err:
	default:
	}
}

// offerWeb describes our path in an offer, answerWeb in an answer to theirs.
func (c *Call) offerWeb() *call.WebMedia {
	w := call.WebMedia(c.web.Offer())
	return &w
}

func (c *Call) answerWeb(theirs *call.WebMedia) (*call.WebMedia, error) {
	d, err := c.web.Answer(rtc.Description(*theirs))
	if err != nil {
		return nil, err
	}
	w := call.WebMedia(d)
	return &w, nil
}

// aim is where the pacer sends to.
func aim(m *call.Media) netip.AddrPort {
	if m.Web != nil {
		return farAway
	}
	return m.Addr
}
