package sip

import (
	"fmt"
	"slices"
	"strings"

	"ozswitch/switch/call"
)

// webProtos are the media lines that DTLS-SRTP may guard (RFC 5764 8, RFC 8829
// 5.1.2): with a fingerprint they do, without one the latter two are SDES: sdes.go.
var webProtos = []string{"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"}

const (
	maxCandidates   = 64
	maxFingerprints = 8
)

// rtcLines are what was read of WebRTC so far: of the session, or of our media line,
// where it overrides the session's (RFC 8839 4.4, RFC 8842 5).
type rtcLines struct {
	call.WebMedia
	group string // a=group:BUNDLE, of the session
}

// take takes an attribute; what is not WebRTC's is passed over.
func (w *rtcLines) take(v string) {
	name, rest, _ := strings.Cut(v, ":")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(name) {
	case "ice-ufrag":
		w.Ufrag = rest
	case "ice-pwd":
		w.Pwd = rest
	case "ice-options":
		w.Options = rest
	case "ice-lite":
		w.Lite = true
	case "fingerprint":
		if len(w.Fingerprints) < maxFingerprints && rest != "" {
			w.Fingerprints = append(w.Fingerprints, rest)
		}
	case "setup":
		w.Setup = rest
	case "candidate":
		if len(w.Candidates) < maxCandidates && rest != "" {
			w.Candidates = append(w.Candidates, rest)
		}
	case "end-of-candidates":
		w.EndOfCandidates = true
	case "group":
		if kind, mids, _ := strings.Cut(rest, " "); kind == "BUNDLE" {
			w.group = mids
		}
	}
}

// media is what our media line says, with what the session says for all.
func (w *rtcLines) media(session *rtcLines, mid string) *call.WebMedia {
	m := w.WebMedia
	inherit := func(own *string, all string) {
		if *own == "" {
			*own = all
		}
	}
	if m.Ufrag == "" && m.Pwd == "" {
		m.Ufrag, m.Pwd = session.Ufrag, session.Pwd
	}
	inherit(&m.Options, session.Options)
	inherit(&m.Setup, session.Setup)
	if len(m.Fingerprints) == 0 {
		m.Fingerprints = session.Fingerprints
	}
	m.Lite = m.Lite || session.Lite
	m.EndOfCandidates = m.EndOfCandidates || session.EndOfCandidates
	m.Mid = mid
	m.Bundle = mid != "" && slices.Contains(strings.Fields(session.group), mid)
	return &m
}

// writeWebSession writes the lines of the session.
func writeWebSession(b *strings.Builder, w *call.WebMedia) {
	if w.Bundle {
		fmt.Fprintf(b, "a=group:BUNDLE %s\r\n", w.Mid)
	}
	if w.Lite {
		b.WriteString("a=ice-lite\r\n")
	}
}

// writeWeb writes the lines of our media.
func writeWeb(b *strings.Builder, w *call.WebMedia, setup string) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "a=%s:%s\r\n", name, value)
		}
	}
	line("mid", w.Mid)
	b.WriteString("a=msid:ozswitch sound\r\n") // pages look for the stream of a track (RFC 8830)
	line("ice-ufrag", w.Ufrag)
	line("ice-pwd", w.Pwd)
	line("ice-options", w.Options)
	for _, f := range w.Fingerprints {
		line("fingerprint", f)
	}
	line("setup", setup)
	for _, c := range w.Candidates {
		line("candidate", c)
	}
	if w.EndOfCandidates {
		b.WriteString("a=end-of-candidates\r\n")
	}
}

// role is our a=setup: an offer leaves it open also within a call (RFC 8842 5.2),
// an answer may not.
func role(w *call.WebMedia, answers *description) string {
	switch {
	case answers == nil:
		return call.ActPass
	case w.Setup == call.Active || w.Setup == call.Passive:
		return w.Setup
	case answers.media.Web != nil && answers.media.Web.Setup == call.Passive:
		return call.Active
	}
	return call.Passive
}
