package bridge

import (
	"fmt"
	"net/netip"
	"time"

	"ozswitch/media/pace"
	"ozswitch/switch/call"
)

// A WebWire is the wire of a leg whose sound goes by WebRTC. To the pacer it is a
// wire like any other, with one constant far address and RTCP beside the sound.
type WebWire interface {
	pace.Wire

	// Offer describes us as the one who offers.
	Offer() *call.WebMedia

	// Answer describes us in answer to an offer, the first or a later one. Where
	// the far end begins ICE anew, so do we; keys and sound are kept.
	Answer(remote *call.WebMedia) (*call.WebMedia, error)

	// Connect goes on with what the far end said: its offer, once Answer was
	// given, or its answer to our Offer. To repeat it does nothing.
	Connect(remote *call.WebMedia) error
}

// A WebConfig is what a WebWire is made of. Its functions are called at most once
// each, from any goroutine, and never after Close.
type WebConfig struct {
	Timeout time.Duration            // how long the far end's consent (RFC 7675) may be gone; 0 = for ever
	Lost    func()                   // it was gone for so long
	Failed  func(error)              // there will be no sound: a wrong certificate, or no path in time
	Up      func(far netip.AddrPort) // the keys are agreed, and that is the way the sound goes
}

// webFar stands for the far end of a WebWire, whose own address changes as ICE
// pleases: a documentation address (RFC 5737), at the discard port.
var webFar = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 9)

// An AgreeError is an offer that a leg cannot take (SIP 488).
type AgreeError struct{ Why string }

func (e *AgreeError) Error() string { return e.Why }

// openWeb gives l a WebWire, and ours what is to be said of it.
func (b *Bridge) openWeb(l *Leg, ours *call.Media, remote *call.Media) error {
	if b.c.OpenWeb == nil {
		return &AgreeError{"this switch takes no WebRTC"}
	}
	w, err := b.c.OpenWeb(WebConfig{
		Timeout: b.c.Timeout,
		Lost:    func() { l.post(call.MediaLost{Leg: l.id}) },
		Failed:  func(err error) { l.fail(err.Error()) },
		Up:      l.webUp,
	})
	if err != nil {
		return fmt.Errorf("bridge: no WebRTC for sound: %w", err)
	}
	if remote == nil {
		ours.Web = w.Offer()
	} else if ours.Web, err = w.Answer(remote.Web); err != nil {
		w.Close()
		return &AgreeError{err.Error()}
	}
	ours.Mux = true
	l.wire, l.web, l.mux = w, w, true
	return nil
}

// webUp tells of the sound's start once it has its way: before that there is no
// address to tell. The codec may come after it, when our offer is being answered.
func (l *Leg) webUp(far netip.AddrPort) {
	l.mu.Lock()
	l.way = far
	theirs, tell := l.theirs, l.theirs.Name != ""
	l.mu.Unlock()
	if tell {
		l.told(theirs, far)
	}
}

// Agree describes a leg anew in answer to a later offer. Errors are CodecError and
// AgreeError.
func (b *Bridge) Agree(id call.LegID, remote *call.Media) (call.Media, error) {
	l := b.Leg(id)
	if l == nil {
		return call.Media{}, fmt.Errorf("bridge: leg %s has no socket", id)
	}
	if (remote.Web != nil) != (l.web != nil) {
		return call.Media{}, &AgreeError{"a call stays with WebRTC, or with plain RTP, to its end"}
	}
	ours, s, err := b.answer(call.OpenMedia{Remote: remote}, l.speaking.Load())
	if err != nil {
		return call.Media{}, err
	}
	switch {
	case l.sec != nil:
		if err := l.sec.answer(&ours, remote); err != nil {
			return call.Media{}, err
		}
	case remote.Secure && l.web == nil:
		return call.Media{}, &AgreeError{"the offer wants SRTP, and it is off here (srtp: off)"}
	}
	l.answered = &s
	ours.Addr, ours.Ptime, ours.Mux = l.addr, l.ptime, l.mux
	if l.web != nil {
		if ours.Web, err = l.web.Answer(remote.Web); err != nil {
			return call.Media{}, &AgreeError{err.Error()}
		}
	}
	return ours, nil
}
