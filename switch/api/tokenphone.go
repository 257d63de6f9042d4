package api

import "time"

// A HA1 is a password of SIP digest as a switch keeps it (RFC 7616 3.4.2), in hex.
type HA1 struct {
	MD5    string `json:"md5"`
	SHA256 string `json:"sha256"`
}

// Telephones make tokens of the scope phone ones by which a web page is a
// telephone: the secret is then a SIP password of one extension, for as long as
// the token is good, and the extension's own password stays where it is.
type Telephones struct {
	Of     func(user string) (number string)          // the telephone that a user has, "" = none
	Digest func(number, password string) (digest HA1) // a password as it is kept
}

// SetTelephones says how. Call it before the first Issue.
func (s *TokenStore) SetTelephones(t Telephones) { s.telephones = t }

// A TokenPhone is a token as the password of a telephone.
type TokenPhone struct {
	User   string // whose token it is; whether he may be that telephone still is for the caller to see
	Digest HA1
}

// Phones gives the tokens that are the telephone of a number now.
func (s *TokenStore) Phones(number string, now time.Time) (all []TokenPhone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.byID {
		if k.Phone == number && k.Digest != nil && now.Before(k.Expires) {
			all = append(all, TokenPhone{k.User, *k.Digest})
		}
	}
	return all
}
