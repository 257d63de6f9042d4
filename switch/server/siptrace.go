package server

import (
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// sipTrace turns SIP messages into events of their call. An INVITE is seen
// before its call exists: what comes early is kept until the call's log is
// opened.
type sipTrace struct {
	sink func(call.LegID) trace.Sink // nil when the leg has no call (yet)

	mu    sync.Mutex
	early map[call.LegID][]trace.Event
	order []call.LegID // of early, oldest first
}

// earlyLegs is how many legs may wait for their call; those of refused calls
// are pushed out by newer ones.
const earlyLegs = 256

func newSIPTrace(sink func(call.LegID) trace.Sink) *sipTrace {
	return &sipTrace{sink: sink, early: map[call.LegID][]trace.Event{}}
}

// message is sip.Config.Trace.
func (s *sipTrace) message(leg call.LegID, sent bool, transport string, remote netip.AddrPort, b []byte) {
	if leg == "" {
		return
	}
	e := trace.Event{T: time.Now(), Type: trace.SIPReceived, Source: transport, Peer: remote.String(), Text: string(b)}
	if sent {
		e.Type = trace.SIPSent
	}
	e.Method, e.Status = startLine(e.Text)
	if k := s.sink(leg); k != nil {
		k.Emit(e)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.early[leg]; !known {
		if s.order = append(s.order, leg); len(s.order) > earlyLegs {
			delete(s.early, s.order[0])
			s.order = s.order[1:]
		}
	}
	s.early[leg] = append(s.early[leg], e)
}

// opened gives the events that came before the call's log was there.
func (s *sipTrace) opened(leg call.LegID, to trace.Sink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.early[leg] {
		to.Emit(e)
	}
	delete(s.early, leg)
}

// startLine gives the method of a request or the status of a response.
func startLine(m string) (method string, status int) {
	line, _, _ := strings.Cut(m, "\r\n")
	first, rest, _ := strings.Cut(line, " ")
	if strings.HasPrefix(first, "SIP/") {
		code, _, _ := strings.Cut(rest, " ")
		status, _ = strconv.Atoi(code)
		return "", status
	}
	return first, 0
}
