package bridge

import (
	"fmt"
	"slices"
	"strings"

	"ozswitch/media/codec"
	"ozswitch/switch/call"
)

// This file agrees on codecs (RFC 3264, 6.1 and 7): what we offer, what we answer,
// and what a leg speaks then.

// A CodecError is the failure to agree on a codec (SIP 488).
type CodecError struct{ Offered, Ours string }

func (e *CodecError) Error() string {
	return fmt.Sprintf("no codec in common: offered %s, we take %s", e.Offered, e.Ours)
}

// keysPT is the payload type of telephone-event in our own offers.
const keysPT = 101

// A speech is the format of a leg: as it was agreed, and our codec for it.
type speech struct {
	call.Codec
	co *codec.Codec // nil: packets can be passed on, and nothing else
}

// is tells whether two descriptions are of one format.
func is(x, y call.Codec) bool {
	return x.Is(y.Name, y.ClockRate) && max(1, x.Channels) == max(1, y.Channels)
}

// passes tells whether packets of s may be sent to who agreed on o.
func (s *speech) passes(o *speech) bool {
	// What else may stand in a=fmtp are wishes, or the decoder finds out by itself:
	// but with or without octet-align (RFC 4867, 8.1) the bits lie elsewhere.
	return is(s.Codec, o.Codec) && s.param("octet-align") == o.param("octet-align")
}

// param is the value of a parameter of a=fmtp; "" and "0" are the same.
func (s *speech) param(name string) string {
	for p := range strings.SplitSeq(s.Fmtp, ";") {
		if k, v, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(k, name) && v != "0" {
			return v
		}
	}
	return ""
}

// ours is our codec for a format, nil if we have none.
func (b *Bridge) ours(c call.Codec) *codec.Codec {
	i := slices.IndexFunc(b.c.Codecs, func(o *codec.Codec) bool { return c.Is(o.Name, o.ClockRate) })
	if i < 0 {
		return nil
	}
	return b.c.Codecs[i]
}

// noSpeech are formats that stand beside a codec and carry no speech by themselves:
// comfort noise (RFC 3389), whose gaps stay gaps, and redundancy (RFC 2198).
func noSpeech(c call.Codec) bool {
	return strings.EqualFold(c.Name, "CN") || strings.EqualFold(c.Name, "red")
}

// offer describes us as the one who offers: the codecs of the other party, so that
// packets can pass, then ours. only, unless nil, are the names of all that may be
// offered; ours come in its order.
func (b *Bridge) offer(peer *call.Media, only []string) (m call.Media) {
	m.Mux = true // RFC 5761, 5.1.1: whoever does not know it leaves it out of his answer
	rank := func(name string) int {
		return slices.IndexFunc(only, func(o string) bool { return strings.EqualFold(o, name) })
	}
	taken := map[uint8]bool{keysPT: true} // kept for the first clock's keys
	free := func(pt uint8) uint8 {
		for ; taken[pt] || pt >= 128; pt++ {
			if pt < codec.FirstDynamic-1 || pt >= 127 {
				pt = codec.FirstDynamic - 1
			}
		}
		taken[pt] = true
		return pt
	}
	add := func(c call.Codec) {
		if noSpeech(c) || only != nil && rank(c.Name) < 0 || len(m.Codecs) == mostCodecs ||
			slices.ContainsFunc(m.Codecs, func(o call.Codec) bool { return is(c, o) && c.Fmtp == o.Fmtp || is(c, o) && b.ours(c) != nil }) {
			return
		}
		c.PT = free(c.PT)
		m.Codecs = append(m.Codecs, c)
	}
	if peer != nil {
		for _, c := range peer.Codecs {
			add(c)
		}
	}
	all := slices.Clone(b.c.Codecs)
	if only != nil {
		slices.SortStableFunc(all, func(x, y *codec.Codec) int { return rank(x.Name) - rank(y.Name) })
	}
	for _, c := range all {
		add(call.Codec{PT: c.PT, Name: c.Name, ClockRate: c.ClockRate, Channels: c.Channels, Fmtp: c.Fmtp})
	}
	rates := map[int]bool{}
	for _, c := range m.Codecs {
		if rates[c.ClockRate] {
			continue
		}
		rates[c.ClockRate] = true
		pt := uint8(keysPT)
		if len(m.Keys) > 0 {
			pt = free(keysPT)
		}
		m.Keys = append(m.Keys, call.Codec{PT: pt, Name: "telephone-event", ClockRate: c.ClockRate, Fmtp: "0-16"})
	}
	return m
}

// mostCodecs is how many an offer has at most: a datagram has to hold it.
const mostCodecs = 16

// answer describes us in answer to an offer: with the codec that the other party
// speaks, where it was offered, so that packets can pass; else with the one that the
// leg speaks now; else with the first one that we have: the caller's preference
// counts (RFC 3264, 6.1).
func (b *Bridge) answer(o call.OpenMedia, now *speech) (m call.Media, s speech, err error) {
	remote := o.Remote
	s, ok := b.meet(o, now)
	if !ok {
		return m, s, &CodecError{names(remote.Codecs), names(b.offer(nil, o.Codecs).Codecs)}
	}
	m.Codecs = []call.Codec{s.Codec}
	if k, ok := remote.KeysFor(s.Codec); ok {
		k.Fmtp = "0-16"
		m.Keys = []call.Codec{k}
	}
	m.Mux = remote.Mux // RFC 5761, 5.1.1
	m.Dir = remote.Mirror()
	return m, s, nil
}

// meet finds the codec of an answer. Its number is theirs, its parameters are those
// of who will hear it: the other party's or ours.
func (b *Bridge) meet(o call.OpenMedia, now *speech) (speech, bool) {
	find := func(c call.Codec) int {
		return slices.IndexFunc(o.Remote.Codecs, func(t call.Codec) bool { return is(t, c) })
	}
	if o.Peer != nil {
		for _, c := range o.Peer.Codecs {
			s := speech{c, b.ours(c)}
			if i := find(c); i >= 0 && !noSpeech(c) && s.passes(&speech{Codec: o.Remote.Codecs[i]}) {
				s.PT = o.Remote.Codecs[i].PT
				return s, true
			}
		}
	}
	if now != nil {
		if i := find(now.Codec); i >= 0 {
			return b.speech(o.Remote.Codecs[i]), true
		}
	}
	for _, c := range o.Remote.Codecs {
		if s := b.speech(c); s.co != nil && (o.Codecs == nil || slices.ContainsFunc(o.Codecs, func(n string) bool { return strings.EqualFold(n, c.Name) })) {
			return s, true
		}
	}
	return speech{}, false
}

// speech is a format of theirs with our parameters.
func (b *Bridge) speech(c call.Codec) speech {
	s := speech{c, b.ours(c)}
	if s.co != nil && s.co.Fmtp != "" {
		s.Fmtp = s.co.Fmtp
	}
	return s
}

// settled is what l speaks after remote: what we answered, or the first codec of
// their answer that we have offered or have at all.
func (l *Leg) settled(remote *call.Media) (speech, bool) {
	for _, c := range remote.Codecs {
		if l.answered != nil && is(c, l.answered.Codec) {
			return speech{c, l.answered.co}, true
		}
	}
	for _, c := range remote.Codecs {
		s := speech{c, l.b.ours(c)}
		if s.co != nil || slices.ContainsFunc(l.offered, func(o call.Codec) bool { return is(c, o) }) {
			return s, true
		}
	}
	return speech{}, false
}

func names(cs []call.Codec) string {
	var all []string
	for _, c := range cs {
		all = append(all, c.Name)
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, ", ")
}

// An OpaqueError says that a leg speaks a codec that we can pass on and neither
// decode nor code: nothing can be played into it, and it cannot be recorded.
type OpaqueError struct{ Codec string }

func (e *OpaqueError) Error() string {
	return "bridge: the call speaks " + e.Codec + ", which this switch passes on and can neither play nor record: let the telephone offer PCMU, PCMA, G722 or opus too"
}

// Usable is nil when sound can be played into the leg and recorded from it; else
// ErrClosed, when it is not connected, or an OpaqueError.
func (l *Leg) Usable() error {
	if !l.ready.Load() {
		return ErrClosed
	}
	if s := l.speaking.Load(); s.co == nil {
		return &OpaqueError{s.Name}
	}
	return nil
}
