package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"ozswitch/switch/store"
)

// A Grant is a token by which a program comes in without a password (RFC 6750).
// It can never do more than its user, and of that only what its scopes name.
type Grant struct {
	ID      string    `json:"id" doc:"by which it is revoked; it lets nobody in"`
	User    string    `json:"user" doc:"whose it is"`
	Name    string    `json:"name" doc:"what it is for, in its user's words"`
	Scopes  []Scope   `json:"scopes" doc:"what it may do"`
	Made    time.Time `json:"made"`
	Expires time.Time `json:"expires" doc:"from then on it is good for nothing"`
	Used    time.Time `json:"used,omitzero" doc:"when it was last good; absent when it was not since the switch started"`
	Phone   string    `json:"phone,omitempty" doc:"with the scope phone: the extension that a page is by it, whose SIP password it is"`
}

// Has tells whether the token may do what a scope names.
func (g *Grant) Has(s Scope) bool { return s != "" && slices.Contains(g.Scopes, s) }

// A TokenKeeper keeps documents by name over restarts; store.Store is one.
type TokenKeeper interface {
	PutSetting(name string, doc []byte) error
	DropSetting(name string) error
	Settings(ctx context.Context, prefix string) iter.Seq2[store.Setting, error]
}

// TokenStore has the tokens that were issued. It keeps of each a hash only: who
// reads the database can use none of them. All methods may be used at once.
type TokenStore struct {
	keep       TokenKeeper
	telephones Telephones // of tokens with the scope phone

	mu   sync.Mutex
	byID map[string]*kept
	by   map[secret]*kept
}

// kept is a token as the store has it.
type kept struct {
	Grant
	Hash   []byte `json:"hash"`             // SHA-256 of the secret: of 128 random bits no slower one is needed
	Digest *HA1   `json:"digest,omitempty"` // with Phone: the secret as its SIP password
}

const (
	tokenPrefix  = "token/" // how the names begin in the store; the id follows
	maxTokens    = 10_000   // of all users
	maxUserToken = 2_000    // of one: a web app may issue one to each of its pages
	maxTokenName = 100
)

var (
	// ErrTooManyTokens says that a user, or the switch, has as many as it may.
	ErrTooManyTokens = errors.New("there are too many tokens: revoke some, or let them expire sooner")
	// ErrNoToken says that there is none of that id, or that it is another user's.
	ErrNoToken = errors.New("there is no such token")
)

// OpenTokenStore reads the tokens of earlier runs. A row that cannot be read is
// told in an error, and the store is good all the same.
func OpenTokenStore(keep TokenKeeper) (*TokenStore, error) {
	s := &TokenStore{keep: keep, byID: map[string]*kept{}, by: map[secret]*kept{}}
	var faults []error
	for row, err := range keep.Settings(context.Background(), tokenPrefix) {
		if err != nil {
			return s, err
		}
		var k kept
		if err := json.Unmarshal(row.Doc, &k); err != nil || len(k.Hash) != sha256.Size || tokenPrefix+k.ID != row.Name {
			faults = append(faults, fmt.Errorf("api: the token %q cannot be read: %w", row.Name, cmp.Or(err, errors.New("it is no token"))))
			continue
		}
		s.byID[k.ID], s.by[secret(k.Hash)] = &k, &k
	}
	return s, errors.Join(faults...)
}

// Issue makes a token for a user that is good until expires. The secret, of 22
// characters, is what a client sends as Authorization: Bearer; it is told only
// here. The id is good for Revoke. Issue asks nobody whether the user may.
//
// With the scope phone it is the telephone that the user has, if any.
func (s *TokenStore) Issue(user, name string, scopes []Scope, expires, now time.Time) (secretText, id string, err error) {
	phone := ""
	if slices.Contains(scopes, Phoning) && s.telephones.Of != nil {
		phone = s.telephones.Of(user)
	}
	return s.IssuePhone(user, name, scopes, phone, expires, now)
}

// IssuePhone is Issue for a token that is the telephone of a number, "" = none.
func (s *TokenStore) IssuePhone(user, name string, scopes []Scope, phone string, expires, now time.Time) (secretText, id string, err error) {
	switch {
	case user == "" || len(scopes) == 0:
		return "", "", errors.New("api: a token needs a user and a scope")
	case !expires.After(now):
		return "", "", errors.New("api: the token would be over at once")
	case len(name) > maxTokenName:
		return "", "", fmt.Errorf("api: the name of a token has at most %d bytes", maxTokenName)
	}
	for _, one := range scopes {
		if !one.Known() {
			return "", "", fmt.Errorf("api: there is no scope %q", one)
		}
	}
	b := make([]byte, 16+9)
	rand.Read(b) // does not fail
	secretText, id = base64.RawURLEncoding.EncodeToString(b[:16]), base64.RawURLEncoding.EncodeToString(b[16:])
	key := secret(sha256.Sum256([]byte(secretText)))
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	k := &kept{Grant: Grant{ID: id, User: user, Name: name, Scopes: scopes, Made: now.UTC(), Expires: expires.UTC()}, Hash: key[:]}
	if phone != "" && slices.Contains(scopes, Phoning) && s.telephones.Digest != nil {
		d := s.telephones.Digest(phone, secretText)
		k.Phone, k.Digest = phone, &d
	}
	doc, err := json.Marshal(k)
	if err != nil {
		return "", "", err
	}
	s.sweep(now)
	s.mu.Lock()
	mine := 0
	for _, one := range s.byID {
		if one.User == user {
			mine++
		}
	}
	if mine >= maxUserToken || len(s.byID) >= maxTokens {
		s.mu.Unlock()
		return "", "", ErrTooManyTokens
	}
	s.byID[id], s.by[key] = k, k
	s.mu.Unlock()
	// It counts only once it is kept: nobody has the secret before.
	if err := s.keep.PutSetting(tokenPrefix+id, doc); err != nil {
		s.forget(k)
		return "", "", fmt.Errorf("api: the token is not kept: %w", err)
	}
	return secretText, id, nil
}

// Check gives the token of a secret; false when there is none, or it is over.
// Whether its user may still come in is for the caller to see.
func (s *TokenStore) Check(secretText string, now time.Time) (Grant, bool) {
	key := secret(sha256.Sum256([]byte(secretText)))
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.by[key]
	if k == nil || !now.Before(k.Expires) {
		return Grant{}, false
	}
	k.Used = now.UTC()
	return k.copy(), true
}

// good tells whether a secret is good still; unlike Check it is no use of it.
func (s *TokenStore) good(secretText string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.by[secret(sha256.Sum256([]byte(secretText)))]
	return k != nil && now.Before(k.Expires)
}

// List gives the tokens of a user, or of all with "", that are not over, the
// oldest first.
func (s *TokenStore) List(user string, now time.Time) []Grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []Grant{}
	for _, k := range s.byID {
		if (user == "" || k.User == user) && now.Before(k.Expires) {
			all = append(all, k.copy())
		}
	}
	slices.SortFunc(all, func(a, b Grant) int { return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID)) })
	return all
}

// Revoke ends a token of a user, or of anybody with ""; ErrNoToken when there is
// none.
func (s *TokenStore) Revoke(user, id string) error {
	s.mu.Lock()
	k := s.byID[id]
	s.mu.Unlock()
	if k == nil || user != "" && k.User != user {
		return ErrNoToken
	}
	s.forget(k) // it is good for nothing from now on, whatever the store does
	if err := s.keep.DropSetting(tokenPrefix + id); err != nil {
		return fmt.Errorf("api: the token is revoked, but a restart brings it back: %w", err)
	}
	return nil
}

// Keep revokes the tokens of users that keep does not want: who was taken out of
// the configuration does not come back with his namesake.
func (s *TokenStore) Keep(keep func(user string) bool) error {
	return s.drop(func(k *kept) bool { return !keep(k.User) })
}

// sweep removes what is over. That the store cannot is no matter: what is over
// stays over.
func (s *TokenStore) sweep(now time.Time) {
	_ = s.drop(func(k *kept) bool { return !now.Before(k.Expires) })
}

func (s *TokenStore) drop(which func(*kept) bool) error {
	var over []*kept
	s.mu.Lock()
	for _, k := range s.byID {
		if which(k) {
			over = append(over, k)
		}
	}
	s.mu.Unlock()
	var faults []error
	for _, k := range over {
		s.forget(k)
		faults = append(faults, s.keep.DropSetting(tokenPrefix+k.ID))
	}
	return errors.Join(faults...)
}

func (s *TokenStore) forget(k *kept) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, k.ID)
	delete(s.by, secret(k.Hash))
}

// copy gives what others may keep. s.mu is held.
func (k *kept) copy() Grant {
	g := k.Grant
	g.Scopes = slices.Clone(g.Scopes)
	return g
}
