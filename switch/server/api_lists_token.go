package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/switch/api"
	"ozswitch/switch/extension"
	"ozswitch/switch/sip/registrar"
)

// Token implements ozml.Lists: a token for a web page is a bearer token of /v1,
// and for SIP the password of a telephone.
func (l *lists) Token(_ context.Context, r ozml.TokenRequest) (t ozml.SecurityToken, err error) {
	no := func(why string) (ozml.SecurityToken, error) { return t, &ozml.TokenError{Why: why} }
	if l.u.Name == "" {
		return no("with http.auth: off there is no user whose token it would be")
	}
	phone, why := l.phoneOf(r)
	if why != "" {
		return no(why)
	}
	var scopes []api.Scope
	for _, s := range []struct {
		on     bool
		scopes []api.Scope
	}{
		{r.ReadCalls, []api.Scope{api.CallsRead, api.EventsRead}},
		{phone != "", []api.Scope{api.Phoning}},
		{r.ModifySession, []api.Scope{api.CallsWrite}},
		{r.SendMessages, []api.Scope{api.MessagesWrite}},
		{r.ReadContacts, []api.Scope{api.ContactsRead, api.ExtensionsRead}},
	} {
		if s.on {
			scopes = append(scopes, s.scopes...)
		}
	}
	if len(scopes) == 0 {
		return no("it would allow nothing")
	}
	now := time.Now()
	t.Expires = now.Add(r.Valid)
	name := r.Name
	if name == "" {
		name = "GenerateSecurityToken"
	}
	if t.Token, t.ID, err = l.s.grants.IssuePhone(l.u.Name, name, scopes, phone, t.Expires, now); err != nil {
		return ozml.SecurityToken{}, err
	}
	for _, s := range scopes {
		t.Scopes = append(t.Scopes, string(s))
	}
	l.s.log.Info("a token was made", "id", t.ID, "user", l.u.Name, "name", name, "phone", phone, "scopes", strings.Join(t.Scopes, " "), "expires", t.Expires)
	return t, nil
}

// phoneOf gives the telephone that a page is to be, "" = none, or says why it may
// not.
func (l *lists) phoneOf(r ozml.TokenRequest) (number, why string) {
	switch {
	case !r.MakeCalls && r.Extension == "":
		return "", ""
	case r.Extension == "" && l.u.Phone == "" && r.MustCall:
		return "", "user " + l.u.Name + " has no telephone: see users[].phone"
	case r.Extension == "":
		return l.u.Phone, ""
	case r.Extension != l.u.Phone && !l.u.Admin:
		return "", "extension " + r.Extension + " is not the telephone of user " + l.u.Name
	}
	if e, ok := l.s.state.Load().exts.Find(r.Extension); !ok || e.Type != extension.Phone {
		return "", "there is no phone with the number " + r.Extension
	}
	return r.Extension, ""
}

// pageTelephones are what tokens of the scope phone are.
func (s *Server) pageTelephones() api.Telephones {
	return api.Telephones{
		Of: func(user string) string {
			for _, u := range s.state.Load().users {
				if strings.EqualFold(u.Name, user) {
					return u.Phone
				}
			}
			return ""
		},
		Digest: func(number, password string) api.HA1 {
			a := registrar.NewAccount(number, s.state.Load().cfg.SIP.Domain, password, "both")
			return api.HA1{MD5: a.MD5, SHA256: a.SHA256}
		},
	}
}

// tokenPhones is sip.Config.Passwords: the tokens by which web pages are a
// telephone, of users who may be that one still.
func (s *Server) tokenPhones(now time.Time, number string) (all []registrar.Account) {
	users := s.state.Load().users
	for _, t := range s.grants.Phones(number, now) {
		if slices.ContainsFunc(users, func(u api.User) bool {
			return strings.EqualFold(u.Name, t.User) && (u.Phone == number || u.Admin)
		}) {
			all = append(all, registrar.Account{Number: number, MD5: t.Digest.MD5, SHA256: t.Digest.SHA256})
		}
	}
	return all
}
