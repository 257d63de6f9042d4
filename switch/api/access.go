package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A User may use the HTTP API.
type User struct {
	Name     string
	Password string // plain, or an argon2id hash (HashPassword)
	API      bool   // may use the API (code 306 without)
	Admin    bool   // may change scripts and numbers; may use the console
	AnyURL   bool   // the URLs it hands over count as the operator's (decisions 9)
	Phone    string // number of the extension that is this user's phone, "" = none
	Token    string // by which he came in, where it is the SIP password of Phone; "" = another way
}

// An Access says who may come in (http-api.md A2). The zero Access lets nobody
// in. It is not changed once handlers use it.
//
// There are four ways in: Basic credentials, the credentials in the parameters
// of the legacy API, for browsers the cookie of a session, and for programs a
// token.
type Access struct {
	Off     bool           // http.auth: off: no credentials are asked for
	Users   []User         // who has credentials
	Allowed []netip.Prefix // who may use the API; none = every address
	Denied  []netip.Prefix // exceptions to Allowed
	Proxies []netip.Prefix // whose X-Forwarded-For is believed
	Origins []string       // pages of other origins that may use it: https://app.example
	Hosts   []string       // names of this switch beside localhost and its addresses; counts with Off

	Sessions *Sessions   // who is signed in; nil = nobody can
	Tokens   *TokenStore // nil = there are none
	vault    vault
	alone    gate // counts bad passwords without Sessions
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
		from := origin
		if from == "" { // of an image, a form or a link that an older browser, or one on plain HTTP, asks for
			from = r.Header.Get("Referer")
		}
		u, err := url.Parse(from)
		return from != "" && (err != nil || !strings.EqualFold(u.Host, r.Host) && !a.known(u.Scheme+"://"+u.Host))
	}
	return true
}

// unsure tells of a request that a browser made without saying for which page: on
// plain HTTP it tells no Sec-Fetch-Site, and the page may forbid the Referer. All
// browsers call themselves like Gecko; PowerShell says Mozilla and no more.
func unsure(r *http.Request) bool {
	h := r.Header
	return h.Get("Sec-Fetch-Site")+h.Get("Origin")+h.Get("Referer") == "" && strings.Contains(h.Get("User-Agent"), "Gecko")
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
	h.Set("Access-Control-Expose-Headers", "ETag, Idempotency-Replayed, Link, Retry-After, WWW-Authenticate")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID")
	w.WriteHeader(http.StatusNoContent)
	return true
}

type userKey struct{}

// UserOf gives the user of a request that Guard let through.
func UserOf(ctx context.Context) User {
	u, _ := ctx.Value(userKey{}).(User)
	return u
}

// Guard lets only users of the API and of the console through, by Basic
// credentials or the cookie of a session, and answers others with a problem (RFC
// 9457). It is for everything but the legacy API, which has answers of its own.
//
// A token is enough for no such handler: those for which it is name a scope.
func (a *Access) Guard(next http.Handler) http.Handler { return a.guard("", next) }

// guard is Guard for a handler that may be used by a token of a scope, too.
func (a *Access) guard(scope Scope, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.cors(w, r) {
			return
		}
		u, p := a.enter(r, scope)
		if p != nil {
			p.write(w)
			return
		}
		ctx := context.WithValue(r.Context(), userKey{}, u)
		_, _, basic := r.BasicAuth()
		token, bearer := bearerOf(r)
		switch {
		case bearer:
			ctx = context.WithValue(ctx, stillKey{}, func() bool { return a.Tokens.good(token, time.Now()) })
		case !basic && !a.Off && cookie(r) != "":
			ctx = context.WithValue(ctx, stillKey{}, func() bool { return a.Sessions.good(cookie(r), time.Now()) })
			ctx = context.WithValue(ctx, pageKey{}, true)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

type (
	stillKey struct{}
	pageKey  struct{}
)

// stillIn tells whether who made a request that goes on and on is signed in
// still: a stream ends with its session.
func stillIn(ctx context.Context) bool {
	still, ok := ctx.Value(stillKey{}).(func() bool)
	return !ok || still()
}

// byCookie tells whether a request came from a page, by the cookie of a session.
func byCookie(ctx context.Context) bool { return ctx.Value(pageKey{}) != nil }

// ownHeader is what a page of ours sends with a request that changes something:
// a page of another origin cannot without our consent (ADR 0011).
const ownHeader = "X-Ozswitch"

// enter gives the user of a request; scope is what a token needs, "" = none is
// enough.
func (a *Access) enter(r *http.Request, scope Scope) (User, *problem) {
	if p := a.outside(r); p != nil {
		return User{}, p
	}
	var u User
	name, password, basic := r.BasicAuth()
	value := cookie(r)
	token, bearer := bearerOf(r)
	switch {
	case bearer:
		var p *problem
		if u, p = a.byToken(token, scope); p != nil {
			return User{}, p
		}
	case basic:
		var p *problem
		if u, p = a.signIn(r, name, password); p != nil {
			return User{}, p
		}
	case value != "" && a.Sessions != nil:
		var ok bool
		if u, ok = a.bySession(value); !ok && a.Off {
			break
		} else if !ok {
			return User{}, &problem{Status: http.StatusUnauthorized, Code: codeAuthRequired, Detail: "the session is over: sign in again", quiet: true}
		}
		if changes(r) && r.Header.Get(ownHeader) == "" {
			return User{}, &problem{Status: http.StatusForbidden, Code: codeForbiddenPlace, Detail: "a request by cookie that changes something needs the header " + ownHeader + ": 1"}
		}
	case a.Off:
	default:
		return User{}, &problem{Status: http.StatusUnauthorized, Code: codeAuthRequired, Detail: "name and password of an API user are needed", quiet: fromPage(r)}
	}
	if u.Name == "" && a.Off {
		return User{API: true, Admin: true, AnyURL: true}, nil
	}
	if !u.API && !u.Admin {
		return User{}, &problem{Status: http.StatusForbidden, Code: codeForbiddenUser, Detail: "user " + u.Name + " may not use the API"}
	}
	return u, nil
}

// outside refuses addresses that may not come in, and pages of other origins.
func (a *Access) outside(r *http.Request) *problem {
	if !a.admits(a.address(r)) {
		return &problem{Status: http.StatusForbidden, Code: codeForbiddenPlace, Detail: "this address may not use the API: see http.allowed and http.denied"}
	}
	if a.foreign(r) {
		return &problem{Status: http.StatusForbidden, Code: codeForbiddenPlace, Detail: "a web page of another origin asked: see http.origins"}
	}
	return nil
}

// signIn gives the user of a name and password.
func (a *Access) signIn(r *http.Request, name, password string) (User, *problem) {
	u, err := a.user(r.Context(), a.address(r), name, password)
	if err == nil {
		return u, nil
	}
	if busy, ok := errors.AsType[*busyError](err); ok {
		return u, &problem{Status: http.StatusTooManyRequests, Code: codeAuthFailed, Detail: busy.Error(), after: busy.after}
	}
	return u, &problem{Status: http.StatusUnauthorized, Code: codeAuthFailed, Detail: "bad user name or password", quiet: fromPage(r)}
}

// bySession gives the user of a cookie, if he is still among Users.
func (a *Access) bySession(value string) (User, bool) {
	name, ok := a.Sessions.user(value, time.Now())
	if !ok {
		return User{}, false
	}
	if i := a.find(name); i >= 0 {
		return a.Users[i], true
	}
	return User{}, false
}

// changes tells whether a request's method is one that may change something
// (RFC 9110, 9.2.1).
func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// fromPage tells whether a script of one of our pages asks: then the browser
// must not ask for name and password by itself.
func fromPage(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return r.Header.Get(ownHeader) != "" || mode != "" && mode != "navigate"
}
