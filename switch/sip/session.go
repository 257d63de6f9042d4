package sip

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/netip"
	"strings"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
)

// A session is what both ends of a leg said of their sound.
type session struct {
	ours    call.Media
	said    []byte // the last body with ours; nil = none was sent
	theirs  *description
	id      uint64
	version uint64
}

// describe puts SDP into a 1xx or 2xx. Without new media a 2xx repeats what was
// said before, held where the other side now holds (RFC 3264 6.1).
func (e *Endpoint) describe(l *leg, r *flow.Reply, m *call.Media, v *invite) {
	if m == nil {
		if r.Code < 200 || l.media.said == nil {
			return
		}
		same := l.media.ours
		if v.again && v.offered {
			same.Dir = mirror(l.media.theirs.media)
		}
		m = &same
	}
	if r.Code < 200 && !v.offered {
		return // an offer of ours is for the 2xx: before, nobody could answer it
	}
	var answers *description
	if v.offered {
		answers = l.media.theirs
	}
	r.Type, r.Body = "application/sdp", e.write(l, *m, answers, l.to)
}

// mirror is the direction of our answer to an offer that we otherwise take.
func mirror(offer call.Media) call.MediaDir {
	switch {
	case offer.Dir == call.Inactive:
		return call.Inactive
	case offer.Dir == call.SendOnly, offer.Nowhere():
		return call.RecvOnly
	case offer.Dir == call.RecvOnly:
		return call.SendOnly
	}
	return call.SendRecv
}

// write gives a body and keeps what was said; a change raises the version (RFC
// 3264 8). An address that is none of ours to tell is replaced.
func (e *Endpoint) write(l *leg, m call.Media, answers *description, f flow.Flow) []byte {
	if a, err := netip.ParseAddr(e.address(f)); err == nil && (m.Addr.Addr().IsUnspecified() || !m.Addr.Addr().IsValid() ||
		e.c.External != "" && !f.Remote().Addr().IsLoopback()) {
		m.Addr = netip.AddrPortFrom(a, m.Addr.Port())
	}
	if l.withoutEvents() {
		m.Keys = nil
	}
	s := &l.media
	if s.id == 0 {
		e.randMu.Lock()
		s.id = e.rand.Uint64N(1<<53) + 1
		e.randMu.Unlock()
		s.version = 1
	}
	s.ours = m
	body := writeSDP(m, answers, s.theirs, s.id, s.version)
	if s.said != nil && !bytes.Equal(body, s.said) {
		s.version++
		body = writeSDP(m, answers, s.theirs, s.id, s.version)
	}
	s.said = body
	return body
}

// sdpPart finds the SDP in a body: the body itself, or a part of a multipart
// one (RFC 5621). A nil part with code 0 cannot come back.
func sdpPart(kind string, body []byte) (part []byte, code int, why string) {
	media, params, err := mime.ParseMediaType(kind)
	switch {
	case err != nil && kind == "":
		return nil, 415, "Unsupported Media Type (no Content-Type)"
	case err != nil:
		return nil, 400, "Bad Request (bad Content-Type)"
	case media == "application/sdp":
		return body, 0, ""
	case !strings.HasPrefix(media, "multipart/") || params["boundary"] == "":
		return nil, 415, ""
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range 16 {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 400, "Bad Request (broken multipart body)"
		}
		t, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if t != "application/sdp" {
			continue
		}
		if part, err = io.ReadAll(io.LimitReader(p, flow.MaxMessage)); err != nil {
			return nil, 400, "Bad Request (broken multipart body)"
		}
		return part, 0, ""
	}
	return nil, 415, ""
}
