package api

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/store"
)

// full is a store that refuses to keep anything.
type full struct{ *store.Mem }

func (full) PutSetting(string, []byte) error { return errors.New("the disk is full") }

func TestTokenStore(t *testing.T) {
	mem := store.NewMem()
	s, err := OpenTokenStore(mem)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	day := now.Add(24 * time.Hour)
	text, id, err := s.Issue("ann", "page", []Scope{EventsRead, CallsRead, EventsRead}, day, now)
	if err != nil || len(text) != 22 || id == "" {
		t.Fatalf("Issue = %q, %q, %v, want a secret of 22 characters", text, id, err)
	}
	other, _, err := s.Issue("bob", "", []Scope{CallsWrite}, day, now)
	if err != nil || other == text {
		t.Fatalf("a second: %q, %v", other, err)
	}
	g, ok := s.Check(text, now)
	if !ok || g.User != "ann" || len(g.Scopes) != 2 || !g.Has(CallsRead) || g.Has(CallsWrite) || g.Has("") {
		t.Errorf("Check = %+v, %v", g, ok)
	}
	if _, ok := s.Check(text, day.Add(-time.Nanosecond)); !ok {
		t.Error("not good in its last moment")
	}
	for what, secret := range map[string]string{"none": "", "its id": id, "half": text[:21], "longer": text + "A"} {
		if _, ok := s.Check(secret, now); ok {
			t.Errorf("%s is good", what)
		}
	}
	if _, ok := s.Check(text, day); ok {
		t.Error("good after its end")
	}
	for row, err := range mem.Settings(context.Background(), "") {
		if err != nil || strings.Contains(string(row.Doc), text) || strings.Contains(string(row.Doc), other) || strings.Contains(row.Name, text) {
			t.Errorf("the store has a secret: %s %s %v", row.Name, row.Doc, err)
		}
	}

	if s, err = OpenTokenStore(mem); err != nil { // a restart
		t.Fatal(err)
	}
	if g, ok := s.Check(text, now); !ok || g.ID != id || !g.Expires.Equal(day) || g.Name != "page" {
		t.Errorf("after a restart: %+v, %v", g, ok)
	}
	if n, m := len(s.List("", now)), len(s.List("ann", now)); n != 2 || m != 1 {
		t.Errorf("List: %d and %d, want 2 and 1", n, m)
	}
	if err := s.Revoke("bob", id); !errors.Is(err, ErrNoToken) {
		t.Errorf("bob revokes ann's: %v", err)
	}
	if err := s.Revoke("ann", id); err != nil {
		t.Error(err)
	}
	if _, ok := s.Check(text, now); ok || s.good(text, now) {
		t.Error("good after it was revoked")
	}
	if err := s.Keep(func(user string) bool { return user != "bob" }); err != nil {
		t.Error(err)
	}
	if _, ok := s.Check(other, now); ok {
		t.Error("bob is gone, his token is not")
	}
	if s, err = OpenTokenStore(mem); err != nil || len(s.List("", now)) != 0 {
		t.Errorf("a restart brings back %v, %v", s.List("", now), err)
	}
}

func TestTokenStoreRefuses(t *testing.T) {
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	day := now.Add(24 * time.Hour)
	mem := store.NewMem()
	s, _ := OpenTokenStore(mem)
	for what, err := range func() iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			issue := func(what, user, name string, scopes []Scope, expires time.Time) {
				_, _, err := s.Issue(user, name, scopes, expires, now)
				yield(what, err)
			}
			issue("no user", "", "", []Scope{CallsRead}, day)
			issue("no scope", "ann", "", nil, day)
			issue("no such scope", "ann", "", []Scope{"calls"}, day)
			issue("over", "ann", "", []Scope{CallsRead}, now)
			issue("long name", "ann", strings.Repeat("x", maxTokenName+1), []Scope{CallsRead}, day)
		}
	}() {
		if err == nil {
			t.Errorf("%s: was issued", what)
		}
	}
	bad, _ := OpenTokenStore(full{mem})
	if _, _, err := bad.Issue("ann", "", []Scope{CallsRead}, day, now); err == nil || len(bad.List("", now)) != 0 {
		t.Errorf("a token that is not kept: %v, %v", err, bad.List("", now))
	}
	for range maxUserToken {
		if _, _, err := s.Issue("ann", "", []Scope{CallsRead}, now.Add(time.Minute), now); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Issue("ann", "", []Scope{CallsRead}, day, now); !errors.Is(err, ErrTooManyTokens) {
		t.Errorf("one too many: %v", err)
	}
	if _, _, err := s.Issue("ann", "", []Scope{CallsRead}, day, now.Add(time.Hour)); err != nil || len(s.List("", now)) != 1 {
		t.Errorf("after the others are over: %v, %d are left", err, len(s.List("", now)))
	}
	mem.PutSetting("token/x", []byte("{"))
	if s, err := OpenTokenStore(mem); err == nil || s == nil || len(s.List("", now)) != 1 {
		t.Errorf("a row that cannot be read: %v", err)
	}
}
