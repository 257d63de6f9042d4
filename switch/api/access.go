package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// A User may use the HTTP API.
type User struct {
	Name     string
	Password string
	API      bool // may use the API (code 306 without)
	Admin    bool // may use the console
	AnyURL   bool // the URLs it hands over count as the operator's (decisions 9)
}

// An Access says who may come in (http-api.md A2). The zero Access lets nobody
// in. It is not changed once handlers use it.
type Access struct {
	Off     bool           // http.auth: off: no credentials are asked for
	Users   []User         // who has credentials
	Allowed []netip.Prefix // who may use the API; none = every address
	Denied  []netip.Prefix // exceptions to Allowed
	Proxies []netip.Prefix // whose X-Forwarded-For is believed
	Origins []string       // pages of other origins that may use it: https://app.example
	Hosts   []string       // names of this switch beside localhost and its addresses; counts with Off
}

// address gives where a request comes from: the peer, or what the nearest proxy
// that is not believed in was told.
func (a *Access) address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	at := peer.Addr().Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && within(a.Proxies, at); i-- {
		s := strings.TrimSpace(hops[i])
		next, err := netip.ParseAddr(strings.Trim(s, "[]"))
		if err != nil {
			p, perr := netip.ParseAddrPort(s)
			if perr != nil {
				break
			}
			next = p.Addr()
		}
		at = next.Unmap().WithZone("")
	}
	return at
}

func within(nets []netip.Prefix, at netip.Addr) bool {
	return slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(at) })
}

// admits tells whether an address may use the API: a denied one may not, even
// within an allowed network.
func (a *Access) admits(at netip.Addr) bool {
	return at.IsValid() && !within(a.Denied, at) && (len(a.Allowed) == 0 || within(a.Allowed, at))
}

// user gives the user of a name (in any letter case) and password. Every
// password is compared, and in a time that tells nothing about it.
func (a *Access) user(name, password string) (User, bool) {
	want := sha256.Sum256([]byte(password))
	var found User
	ok := false
	for _, u := range a.Users {
		has := sha256.Sum256([]byte(u.Password))
		same := subtle.ConstantTimeCompare(want[:], has[:]) == 1
		if same && strings.EqualFold(u.Name, name) && u.Password != "" {
			found, ok = u, true
		}
	}
	return found, ok
}

// foreign tells whether a web page of another origin made the request. Such a
// page must not use what a browser adds by itself: Basic credentials, or with
// auth off the mere place on this machine.
func (a *Access) foreign(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin != "" && a.known(origin) {
		return false
	}
	if a.Off && !a.own(r.Host) { // a name that was bent to our address (DNS rebinding)
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "":
		u, err := url.Parse(origin)
		return origin != "" && (err != nil || !strings.EqualFold(u.Host, r.Host))
	}
	return true
}

// known tells whether a page's origin is one of Origins.
func (a *Access) known(origin string) bool {
	return slices.ContainsFunc(a.Origins, func(o string) bool {
		return strings.EqualFold(strings.TrimRight(o, "/"), origin)
	})
}

// own tells whether a Host header names this switch.
func (a *Access) own(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if _, err := netip.ParseAddr(host); err == nil || strings.EqualFold(host, "localhost") {
		return true
	}
	return slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// cors lets the pages of Origins read the answer. It reports whether the
// request was only the question whether it may be made, and is answered.
func (a *Access) cors(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if len(a.Origins) > 0 {
		w.Header().Add("Vary", "Origin")
	}
	if origin == "" || !a.known(origin) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
	w.WriteHeader(http.StatusNoContent)
	return true
}

type userKey struct{}

// UserOf gives the user of a request that Guard let through.
func UserOf(ctx context.Context) User {
	u, _ := ctx.Value(userKey{}).(User)
	return u
}

// Guard lets only API users through, by Basic credentials, and answers others
// with a problem (RFC 9457). It is for everything but the legacy API, which has
// answers of its own.
func (a *Access) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.cors(w, r) {
			return
		}
		u, p := a.enter(r)
		if p != nil {
			p.write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, u)))
	})
}

func (a *Access) enter(r *http.Request) (User, *problem) {
	if !a.admits(a.address(r)) {
		return User{}, &problem{Status: http.StatusForbidden, Code: 307, Detail: "this address may not use the API: see http.allowed and http.denied"}
	}
	name, password, given := r.BasicAuth()
	if a.foreign(r) {
		return User{}, &problem{Status: http.StatusForbidden, Code: 307, Detail: "a web page of another origin asked: see http.origins"}
	}
	if !given {
		if a.Off {
			return User{API: true, Admin: true}, nil
		}
		return User{}, &problem{Status: http.StatusUnauthorized, Code: 304, Detail: "name and password of an API user are needed"}
	}
	u, ok := a.user(name, password)
	switch {
	case !ok:
		return User{}, &problem{Status: http.StatusUnauthorized, Code: 305, Detail: "bad user name or password"}
	case !u.API:
		return User{}, &problem{Status: http.StatusForbidden, Code: 306, Detail: "user " + u.Name + " may not use the API"}
	}
	return u, nil
}
