package server

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"ozswitch/media/rtc"
	"ozswitch/switch/bridge"
	"ozswitch/switch/call"
)

// bindWeb opens the one port of all browsers' sound, once.
func (s *Server) bindWeb() error {
	c := s.state.Load().cfg
	if s.rtc != nil || c.RTP.WebRTCPort < 0 || s.opt.ListenRTP != nil {
		return nil
	}
	addr, err := netip.ParseAddr(c.RTP.Address)
	if err != nil {
		return nil // Validate has told it
	}
	at := netip.AddrPortFrom(addr, uint16(c.RTP.WebRTCPort))
	external, _ := netip.ParseAddr(c.SIP.ExternalAddress)
	s.rtc, err = rtc.Listen(at, rtc.PortConfig{Advertise: external, Panicked: func(v any, stack []byte) {
		s.log.Error("panic at the WebRTC port", "panic", v, "stack", string(stack))
		s.panicked("rtc")
	}})
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("server: WebRTC: udp://%s is taken (rtp.webrtc_port names another, -1 turns WebRTC off)", at)
	}
	return err
}

// openWeb gives a browser's leg its wire.
func (s *Server) openWeb(c bridge.WebConfig) (bridge.WebWire, error) {
	if s.rtc == nil {
		return nil, &bridge.AgreeError{Why: "WebRTC is turned off (rtp.webrtc_port)"}
	}
	var w *rtc.Wire
	opened := make(chan struct{})
	w, err := s.rtc.Open(rtc.Config{Timeout: c.Timeout, Lost: c.Lost, Failed: c.Failed, Up: func() {
		<-opened
		if far := w.Path(); far.IsValid() {
			c.Up(far)
		}
	}})
	if err != nil {
		return nil, err // and Up is not called: no description was told
	}
	close(opened)
	return webWire{w}, nil
}

// webWire speaks of descriptions as switch/call does.
type webWire struct{ *rtc.Wire }

func (w webWire) Offer() *call.WebMedia {
	m := call.WebMedia(w.Wire.Offer())
	return &m
}

func (w webWire) Answer(remote *call.WebMedia) (*call.WebMedia, error) {
	d, err := w.Wire.Answer(rtc.Description(*remote))
	m := call.WebMedia(d)
	return &m, err
}

func (w webWire) Connect(remote *call.WebMedia) error {
	return w.Wire.Connect(rtc.Description(*remote))
}
