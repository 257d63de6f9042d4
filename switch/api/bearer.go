package api

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// bearerOf gives the token of a request (RFC 6750, 2.1). One in the query does
// not count: addresses are written down everywhere.
func bearerOf(r *http.Request) (token string, ok bool) {
	kind, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(rest), strings.EqualFold(kind, "Bearer")
}

// byToken gives the user of a token that may do what a scope names.
func (a *Access) byToken(text string, scope Scope) (User, *problem) {
	bad := &problem{Status: http.StatusUnauthorized, Code: codeAuthFailed, Detail: "the token is not good, or no longer: see POST /v1/tokens", bearer: `error="invalid_token"`}
	if a.Tokens == nil {
		return User{}, bad
	}
	g, ok := a.Tokens.Check(text, time.Now())
	i := a.find(g.User)
	switch {
	case !ok || i < 0:
		return User{}, bad
	case scope == "":
		return User{}, &problem{Status: http.StatusForbidden, Code: codeForbiddenUser, Detail: "this cannot be done by a token", bearer: `error="insufficient_scope"`}
	case !g.Has(scope):
		return User{}, &problem{Status: http.StatusForbidden, Code: codeForbiddenUser,
			Detail: fmt.Sprintf("this needs a token with the scope %s; this one has %s", scope, words(g.Scopes)), bearer: fmt.Sprintf(`error="insufficient_scope", scope="%s"`, scope)}
	}
	u := a.Users[i]
	if g.Has(Phoning) { // the telephone's own password is not handed to a page
		u.Phone, u.Token = g.Phone, text
	}
	return u, nil
}

func words(all []Scope) string {
	var words []string
	for _, s := range all {
		words = append(words, string(s))
	}
	return strings.Join(words, ", ")
}
