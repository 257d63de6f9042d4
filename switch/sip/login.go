package sip

import (
	"cmp"
	"strings"
	"time"

	"github.com/icholy/digest"
)

// credentials are what answers the challenges of a far end.
type credentials struct {
	user, password string
	realm          string // the only one that is answered; "" = any
}

// mostLogins is how often a request is sent again because it was challenged: once
// with a password, and once more when only its nonce was too old.
const mostLogins = 2

// login gives the header that answers a 401 or 407 to a request of ours by what
// we are ourselves; tried tells that one was answered before.
func (e *Endpoint) login(m *message, method, uri string, tried bool) (header string, ok bool) {
	tries := 0
	if tried {
		tries = 1
	}
	header, _, ok = e.prove401(m, e.own(), method, uri, tries)
	return header, ok
}

// own are our credentials where no account says otherwise.
func (e *Endpoint) own() credentials {
	return credentials{user: cmp.Or(e.c.Username, e.c.User), password: e.c.Password}
}

// prove401 gives the header that answers a 401 or 407, and the realm that asked;
// tries is how often this request was challenged before. ok is false when there
// is no password, the realm is another, or what we have was refused.
func (e *Endpoint) prove401(m *message, c credentials, method, uri string, tries int) (header, realm string, ok bool) {
	if c.password == "" || tries >= mostLogins || m.head.Code != 401 && m.head.Code != 407 {
		return "", "", false
	}
	name, answer := "www-authenticate", "Authorization"
	if m.head.Code == 407 {
		name, answer = "proxy-authenticate", "Proxy-Authorization"
	}
	for _, h := range m.res.GetHeaders(name) {
		ch, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(ch) || tries > 0 && !ch.Stale {
			continue
		}
		if c.realm != "" && !strings.EqualFold(c.realm, ch.Realm) {
			continue
		}
		if ch.SupportsQOP("auth") {
			ch.QOP = []string{"auth"} // what we send has no auth-int
		} else if len(ch.QOP) > 0 {
			continue
		}
		cred, err := digest.Digest(ch, digest.Options{Method: method, URI: uri, Count: 1, Username: c.user, Password: c.password, Cnonce: e.random(16)})
		if err == nil {
			return answer + ": " + cred.String() + "\r\n", ch.Realm, true
		}
	}
	return "", "", false
}

// again401 sends the INVITE once more with what a challenge asks for.
func (s *shard) again401(now time.Time, l *leg, x *tx, m *message) bool {
	header, realm, ok := s.e.prove401(m, l.credentials(), "INVITE", l.dlg.Target, l.out.logins)
	if !ok {
		return false
	}
	if a := l.out.line; a != nil && a.Learn != nil {
		a.Learn(realm)
	}
	x.User.leg = nil
	l.out.login, l.out.ringing = header, false
	l.out.logins++
	to := l.out.to
	to.way = l.to // by the same connection
	s.invite(now, l, to)
	return true
}
