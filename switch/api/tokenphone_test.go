package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/store"
)

// TestTokenPhone: a token of the scope phone is the password of the telephone that
// its user has, or of the one that was named, until it is over or revoked; the
// store has neither the token nor that password.
func TestTokenPhone(t *testing.T) {
	mem, now := store.NewMem(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tel := Telephones{
		Of:     func(user string) string { return map[string]string{"ann": "1001"}[user] },
		Digest: func(number, password string) HA1 { return HA1{MD5: fmt.Sprint(number, len(password))} },
	}
	open := func() *TokenStore {
		s, err := OpenTokenStore(mem)
		if err != nil {
			t.Fatal(err)
		}
		s.SetTelephones(tel)
		return s
	}
	s := open()
	issue := func(user string, scopes []Scope, phone string) (text, id string) {
		t.Helper()
		var err error
		if phone == "" {
			text, id, err = s.Issue(user, "x", scopes, now.Add(time.Hour), now)
		} else {
			text, id, err = s.IssuePhone(user, "x", scopes, phone, now.Add(time.Hour), now)
		}
		if err != nil {
			t.Fatal(err)
		}
		return text, id
	}
	own, ownID := issue("ann", []Scope{Phoning}, "")
	issue("ann", []Scope{CallsRead}, "")
	issue("bob", []Scope{Phoning}, "") // who has no telephone
	issue("boss", []Scope{Phoning, CallsRead}, "1002")
	look := func(when time.Time, want string) {
		t.Helper()
		if got := fmt.Sprint(s.Phones("1001", when), s.Phones("1002", when), s.Phones("", when)); got != want {
			t.Errorf("phones %s, want %s", got, want)
		}
	}
	look(now, "[{ann {100122 }}] [{boss {100222 }}] []")
	look(now.Add(time.Hour), "[] [] []")
	s = open()
	look(now, "[{ann {100122 }}] [{boss {100222 }}] []")
	if g, ok := s.Check(own, now); !ok || g.Phone != "1001" {
		t.Errorf("the token is %+v, %v", g, ok)
	}
	for one := range mem.Settings(t.Context(), "") {
		if strings.Contains(string(one.Doc), own) || strings.Contains(one.Name, own) {
			t.Error("the store has the token itself")
		}
	}
	if err := s.Revoke("ann", ownID); err != nil {
		t.Fatal(err)
	}
	look(now, "[] [{boss {100222 }}] []")
}
