package bridge

import (
	"crypto/rand"

	"ozswitch/media/sdes"
	"ozswitch/switch/call"
)

// A secured is what a leg has agreed on about SRTP with keys in the SDP (SDES, RFC
// 4568). Its fields are the signalling's. How we behave:
//
//   - Mandatory offers RTP/SAVP, and takes nothing that has no key that we can use.
//   - Optional offers RTP/AVP with keys beside it (RFC 8643, which is what baresip
//     calls srtp and others best effort): who knows them answers with one, who does
//     not reads over them. It takes either.
//   - Plain offers no keys, reads over those beside RTP/AVP, and refuses RTP/SAVP.
type secured struct {
	want  call.Security
	wire  *sdes.Wire
	lines []keyLine // ours, as last described
}

// A keyLine is one a=crypto line of ours.
type keyLine struct {
	tag int
	key sdes.Key
}

// secure decides about the first offer or answer of a leg; nil means that its sound
// goes as it is. It is asked before there is a socket. Errors are AgreeErrors.
func secure(want call.Security, ours, remote *call.Media) (*secured, error) {
	switch {
	case want == call.Plain && remote != nil && remote.Secure:
		return nil, &AgreeError{"the offer wants SRTP, and it is off here (srtp: off)"}
	case want == call.Plain:
		return nil, nil
	}
	s := &secured{want: want}
	if remote != nil {
		return s, s.answer(ours, remote)
	}
	for i, suite := range sdes.Suites() {
		k, err := sdes.New(suite, rand.Reader)
		if err != nil {
			return nil, err
		}
		s.lines = append(s.lines, keyLine{i + 1, k})
	}
	s.describe(ours, want == call.Mandatory)
	return s, nil
}

// describe writes our lines into a description.
func (s *secured) describe(m *call.Media, savp bool) {
	m.Crypto, m.Secure = nil, savp
	for _, l := range s.lines {
		m.Crypto = append(m.Crypto, call.Crypto{Tag: l.tag, Suite: l.key.Suite(), Key: l.key.Inline()})
	}
}

// answer takes the first of the offered keys that we can use. A key of ours whose
// suite stays is kept, so that the stream goes on (RFC 4568, 7.1.4).
func (s *secured) answer(ours, remote *call.Media) error {
	for _, c := range remote.Crypto {
		if _, err := sdes.Parse(c.Suite, c.Key); err != nil {
			continue
		}
		mine := keyLine{tag: c.Tag}
		for _, l := range s.lines {
			if theirs, _ := sdes.Parse(c.Suite, c.Key); l.key.Suite() == theirs.Suite() {
				mine.key = l.key
			}
		}
		if mine.key.Suite() == "" {
			var err error
			if mine.key, err = sdes.New(c.Suite, rand.Reader); err != nil {
				return err
			}
		}
		s.lines = []keyLine{mine}
		s.describe(ours, remote.Secure)
		return nil
	}
	switch {
	case remote.Secure:
		return &AgreeError{"the offer wants SRTP by no key that is spoken here (" + sdes.AES80 + ", _32, " + sdes.GCM128 + ")"}
	case s.want == call.Mandatory:
		return &AgreeError{"the offer has no SRTP, without which there is no call here (srtp: mandatory)"}
	}
	s.lines = nil
	return nil
}

// wrap puts the leg's wires into those that encrypt.
func (s *secured) wrap(l *Leg) {
	s.wire = sdes.Wrap(l.wire)
	l.wire = s.wire
	if l.control != nil {
		l.control = s.wire.Control(l.control)
	}
}

// connect goes on with the keys that the far end has said: in its answer to our
// offer, or in its offer once it has our answer.
func (s *secured) connect(remote *call.Media) error {
	for _, c := range remote.Crypto {
		for _, l := range s.lines {
			if theirs, err := sdes.Parse(c.Suite, c.Key); err == nil && l.tag == c.Tag && l.key.Suite() == theirs.Suite() {
				return s.wire.SetKeys(l.key, theirs)
			}
		}
	}
	if s.want == call.Mandatory || remote.Secure {
		return &AgreeError{"the far end answered our offer of SRTP without a key, or with another one than offered"}
	}
	s.wire.Plain()
	return nil
}

// Secure reports whether the leg's sound is encrypted, by keys in the SDP or by
// WebRTC.
func (l *Leg) Secure() bool {
	return l.web != nil || l.sec != nil && l.sec.wire.Secure()
}
