package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// A Session is what a page needs to know of its user and the switch.
type Session struct {
	Name    string `json:"name"`
	Admin   bool   `json:"admin"`
	API     bool   `json:"api"`
	Version string `json:"version"`
	Dev     bool   `json:"dev"`
	Domain  string `json:"domain"`
	Phone   *Phone `json:"phone"`          // nil = none
	Script  string `json:"script_number"`  // the number that runs the script of `dev`, "" = none
	Number  string `json:"default_number"` // what a phone offers to dial
}

// TransformSchema implements huma.SchemaTransformer.
func (Session) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	orNull(s, "phone")
	return s
}

// A Phone is the extension that is a user's phone in the browser.
type Phone struct {
	URI      string `json:"uri"` // sip:1001@localhost
	User     string `json:"user"`
	Password string `json:"password"` // for who came in by a token, the token
	Name     string `json:"name"`
	WS       string `json:"ws"` // path of SIP over WebSocket
}

type login struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}

// postSession signs a browser in.
func (v *V1) postSession(ctx context.Context, in *struct{ Body login }) (*one[Session], error) {
	w, r := turnOf(ctx).w, turnOf(ctx).r
	if p := v.Access.outside(r); p != nil {
		return nil, p
	}
	u, p := v.Access.signIn(r, in.Body.Name, in.Body.Password)
	if p != nil {
		p.quiet = true
		return nil, p
	}
	if !u.API && !u.Admin {
		return nil, &problem{Status: http.StatusForbidden, Code: codeForbiddenUser, Detail: "user " + u.Name + " may use neither the API nor the console: see users[].api and users[].admin"}
	}
	if old := cookie(r); old != "" {
		v.Sessions.end(old)
	}
	setCookie(w, v.Access.Secure(r), v.Sessions.begin(u.Name, time.Now()))
	return give(v.Describe(u))
}

// getSession tells who is signed in.
func (v *V1) getSession(ctx context.Context, _ *nothing) (*one[Session], error) {
	return give(v.Describe(UserOf(ctx)))
}

// deleteSession signs out. It is no error when nobody is signed in.
func (v *V1) deleteSession(ctx context.Context, _ *nothing) (*nothing, error) {
	w, r := turnOf(ctx).w, turnOf(ctx).r
	if p := v.Access.outside(r); p != nil {
		return nil, p
	}
	if r.Header.Get(ownHeader) == "" {
		return nil, &problem{Status: http.StatusForbidden, Code: codeForbiddenPlace, Detail: "this needs the header " + ownHeader + ": 1"}
	}
	if value := cookie(r); value != "" {
		v.Sessions.end(value)
	}
	setCookie(w, v.Access.Secure(r), "")
	return &nothing{}, nil
}

// Login signs in by the one-time link /?login=TOKEN and leads on to the page. It
// reports whether the request was one of that kind, and is answered.
func (v *V1) Login(w http.ResponseWriter, r *http.Request) bool {
	token := r.URL.Query().Get("login")
	if token == "" || r.Method != http.MethodGet {
		return false
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	if !v.Access.admits(v.Access.address(r)) {
		(&problem{Status: http.StatusForbidden, Code: codeForbiddenPlace, Detail: "this address may not use the API: see http.allowed and http.denied"}).write(w)
		return true
	}
	now := time.Now()
	to := "/"
	if name, ok := v.Sessions.redeem(token, now); ok && v.Access.find(name) >= 0 {
		setCookie(w, v.Access.Secure(r), v.Sessions.begin(name, now))
	} else if _, ok := v.Access.bySession(cookie(r)); !ok {
		to = "/login?link=used"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return true
}
