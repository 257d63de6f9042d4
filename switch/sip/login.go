package sip

import (
	"time"

	"github.com/icholy/digest"
)

// login gives the header that answers a 401 or 407 to a request of ours; ok is
// false when we have no password, or the one we have was refused.
func (e *Endpoint) login(m *message, method, uri string, tried bool) (header string, ok bool) {
	if e.c.Password == "" || m.head.Code != 401 && m.head.Code != 407 {
		return "", false
	}
	name, answer := "www-authenticate", "Authorization"
	if m.head.Code == 407 {
		name, answer = "proxy-authenticate", "Proxy-Authorization"
	}
	for _, h := range m.res.GetHeaders(name) {
		c, err := digest.ParseChallenge(h.Value())
		if err != nil || !digest.CanDigest(c) || tried && !c.Stale {
			continue
		}
		if c.SupportsQOP("auth") {
			c.QOP = []string{"auth"} // what we send has no auth-int
		} else if len(c.QOP) > 0 {
			continue
		}
		user := e.c.Username
		if user == "" {
			user = e.c.User
		}
		cred, err := digest.Digest(c, digest.Options{Method: method, URI: uri, Count: 1, Username: user, Password: e.c.Password, Cnonce: e.random(16)})
		if err == nil {
			return answer + ": " + cred.String() + "\r\n", true
		}
	}
	return "", false
}

// again401 sends the INVITE once more with what a challenge asks for.
func (s *shard) again401(now time.Time, l *leg, x *tx, m *message) bool {
	header, ok := s.e.login(m, "INVITE", l.dlg.Target, l.out.login != "")
	if !ok {
		return false
	}
	x.User.leg = nil
	l.out.login, l.out.ringing = header, false
	to := l.out.to
	to.way = l.to // by the same connection
	s.invite(now, l, to)
	return true
}
