package server

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// message is sip.Config.Trace: it counts a SIP message and writes it into the
// log of its call. A refused INVITE has no call.
func (s *Server) message(leg call.LegID, sent bool, transport string, remote netip.AddrPort, b []byte) {
	e := trace.Event{T: time.Now(), Type: trace.SIPReceived, Source: transport, Peer: remote.String(), Text: string(b)}
	dir := In
	if sent {
		e.Type, dir = trace.SIPSent, Out
	}
	if e.Method, e.Status = startLine(e.Text); e.Method != "" {
		s.metrics.SIPRequest(e.Method, transport, dir)
	} else {
		s.metrics.SIPResponse(answers(e.Text), e.Status)
	}
	if leg == "" {
		return
	}
	if l := s.calls.ByLeg(leg); l != nil {
		e.Local = s.localSIP(transport)
		l.Sink().Emit(e)
	}
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

// answers finds the method that a response answers.
func answers(m string) string {
	for line := range strings.SplitSeq(m, "\r\n") {
		if line == "" {
			break
		}
		if name, v, _ := strings.Cut(line, ":"); strings.EqualFold(strings.TrimSpace(name), "CSeq") {
			if f := strings.Fields(v); len(f) == 2 {
				return f[1]
			}
		}
	}
	return ""
}
