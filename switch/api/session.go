package api

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"sync"
	"time"
)

// Sessions are who is signed in by a browser, in memory only: a restart signs
// everybody out. It outlives the Access of one configuration, and counts the
// bad passwords of a place. The zero Sessions is ready.
type Sessions struct {
	Idle time.Duration // after which one ends by itself; 0 = 12 h

	gate gate

	mu    sync.Mutex
	open  map[secret]*session
	links map[secret]link // one-time links that nobody has used yet
}

// A secret is the hash of 32 random bytes that only the browser has.
type secret [sha256.Size]byte

type session struct {
	user string
	seen time.Time
}

type link struct {
	user string
	made time.Time
}

const (
	cookieName  = "ozswitch_session"
	maxSessions = 10_000
	linkLife    = 24 * time.Hour
)

func (s *Sessions) idle() time.Duration {
	if s.Idle > 0 {
		return s.Idle
	}
	return 12 * time.Hour
}

func newSecret() (text string, key secret) {
	b := make([]byte, 32)
	rand.Read(b) // does not fail
	text = base64.RawURLEncoding.EncodeToString(b)
	return text, sha256.Sum256([]byte(text))
}

// Link makes a token that signs a user in once, by /?login=TOKEN, within a day.
func (s *Sessions) Link(user string, now time.Time) string {
	text, key := newSecret()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links == nil {
		s.links = map[secret]link{}
	}
	s.links[key] = link{user, now}
	return text
}

// redeem gives the user of a one-time link, and ends the link.
func (s *Sessions) redeem(token string, now time.Time) (user string, ok bool) {
	key := secret(sha256.Sum256([]byte(token)))
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.links[key]
	delete(s.links, key)
	return l.user, ok && now.Sub(l.made) < linkLife
}

// begin opens a session and gives its cookie's value.
func (s *Sessions) begin(user string, now time.Time) string {
	text, key := newSecret()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[secret]*session{}
	}
	if len(s.open) >= maxSessions {
		s.tidy(now)
	}
	s.open[key] = &session{user, now}
	return text
}

// tidy removes what is over, and the oldest when that is not enough. s.mu is held.
func (s *Sessions) tidy(now time.Time) {
	var oldest secret
	at := now
	for k, one := range s.open {
		if now.Sub(one.seen) > s.idle() {
			delete(s.open, k)
		} else if !one.seen.After(at) {
			oldest, at = k, one.seen
		}
	}
	if len(s.open) >= maxSessions {
		delete(s.open, oldest)
	}
}

// user gives whose session a cookie is, which goes on by that.
func (s *Sessions) user(cookie string, now time.Time) (name string, ok bool) {
	key := secret(sha256.Sum256([]byte(cookie)))
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.open[key]
	if one == nil {
		return "", false
	}
	if now.Sub(one.seen) > s.idle() {
		delete(s.open, key)
		return "", false
	}
	one.seen = now
	return one.user, true
}

// good tells whether a cookie's session goes on; unlike user it does not prolong it.
func (s *Sessions) good(cookie string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.open[secret(sha256.Sum256([]byte(cookie)))]
	return one != nil && now.Sub(one.seen) <= s.idle()
}

// end closes the session of a cookie.
func (s *Sessions) end(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, secret(sha256.Sum256([]byte(cookie))))
}

// keep ends the sessions and links of users that keep does not want: a reload
// that takes a user away signs him out.
func (s *Sessions) keep(keep func(user string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, one := range s.open {
		if !keep(one.user) {
			delete(s.open, k)
		}
	}
	for k, l := range s.links {
		if !keep(l.user) {
			delete(s.links, k)
		}
	}
}

// cookie gives the value that a request came with, "" when none.
func cookie(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie lets the browser keep a session, or with "" forget it; secure means
// that the browser speaks TLS, with us or with a proxy that is believed.
func setCookie(w http.ResponseWriter, secure bool, value string) {
	c := &http.Cookie{Name: cookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: secure}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
