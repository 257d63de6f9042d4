package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

type tokenRequest struct {
	Name    string    `json:"name" minLength:"1" maxLength:"100" doc:"what it is for"`
	Scopes  []Scope   `json:"scopes" minItems:"1" maxItems:"50" doc:"what it may do"`
	Expires time.Time `json:"expires,omitzero" doc:"its end; without one in 90 days, at most in 10 years"`
	User    string    `json:"user,omitempty" doc:"whose it is to be, for an admin; without one one's own"`
}

// Schema implements huma.SchemaProvider.
func (Scope) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, one := range scopes {
		s.Enum = append(s.Enum, string(one.Scope))
	}
	return s
}

const (
	tokenLife   = 90 * 24 * time.Hour
	longestLife = 10 * 366 * 24 * time.Hour
)

// tokenIssued is a new token.
type tokenIssued struct {
	Grant
	Token string `json:"token" doc:"what to send as Authorization: Bearer; it is told only now"`
}

// postToken makes a token, for oneself or, by an admin, for another.
func (v *V1) postToken(ctx context.Context, in *struct{ Body tokenRequest }) (*one[tokenIssued], error) {
	u, want, now := UserOf(ctx), in.Body, time.Now()
	whose := cmp.Or(want.User, u.Name)
	if !strings.EqualFold(whose, u.Name) && !u.Admin {
		return nil, notAdmin("to make tokens of others")
	}
	i := v.Access.find(whose)
	if whose == "" || i < 0 {
		return nil, &problem{Status: http.StatusConflict, Detail: "there is no user " + whose + ", and a token is always somebody's: see users"}
	}
	expires := want.Expires
	if expires.IsZero() {
		expires = now.Add(tokenLife)
	}
	if !expires.After(now) || expires.Sub(now) > longestLife {
		return nil, badRequest("expires: want a time from now on, at most in 10 years")
	}
	if v.Access.Tokens == nil {
		return nil, errors.New("api: no tokens are kept here")
	}
	text, id, err := v.Access.Tokens.Issue(v.Access.Users[i].Name, want.Name, want.Scopes, expires, now)
	if errors.Is(err, ErrTooManyTokens) {
		return nil, &problem{Status: http.StatusConflict, Detail: err.Error()}
	} else if err != nil {
		return nil, err
	}
	v.log().Info("a token was made", "id", id, "user", whose, "by", u.Name, "scopes", words(want.Scopes), "expires", expires)
	g, _ := v.Access.Tokens.Check(text, now)
	g.Used = time.Time{}
	return give(tokenIssued{g, text})
}

// getTokens lists one's own tokens, to an admin all.
func (v *V1) getTokens(ctx context.Context, _ *nothing) (*one[[]Grant], error) {
	if v.Access.Tokens == nil {
		return give([]Grant{})
	}
	return give(v.Access.Tokens.List(mineOrAll(ctx), time.Now()))
}

// deleteToken ends a token.
func (v *V1) deleteToken(ctx context.Context, in *struct {
	ID string `path:"id" doc:"the token's id"`
}) (*nothing, error) {
	err := ErrNoToken
	if v.Access.Tokens != nil {
		err = v.Access.Tokens.Revoke(mineOrAll(ctx), in.ID)
	}
	if errors.Is(err, ErrNoToken) {
		return nil, notFound("there is no token of the id %s", in.ID)
	} else if err != nil {
		return nil, err
	}
	v.log().Info("a token was revoked", "id", in.ID, "by", UserOf(ctx).Name)
	return &nothing{}, nil
}

// mineOrAll is whose tokens a user may see: "" = everybody's.
func mineOrAll(ctx context.Context) string {
	u := UserOf(ctx)
	if u.Admin {
		return ""
	}
	return u.Name
}

func notAdmin(to string) error {
	return &problem{Status: http.StatusForbidden, Code: codeForbiddenUser, Detail: "it needs a user with admin: true " + to}
}
