package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Tokens makes and checks the tokens by which one recording can be had without
// credentials (contract.md "/recordings"). Nothing is stored: a token holds its
// expiry and proves it, so it survives a restart.
type Tokens struct {
	Key   []byte        // secret, at least 32 bytes
	Valid time.Duration // how long; 0 = 7 days
	Base  string        // http.public_url, without a slash at its end
}

// Mint gives a token for a file below recordings/.
func (t *Tokens) Mint(file string, now time.Time) string {
	valid := t.Valid
	if valid <= 0 {
		valid = 7 * 24 * time.Hour
	}
	expiry := now.Add(valid).Unix()
	return strconv.FormatInt(expiry, 16) + "." + base64.RawURLEncoding.EncodeToString(t.mac(file, expiry))
}

// URL gives the address of a recording, token included: RecordURL.
func (t *Tokens) URL(file string, now time.Time) string { return t.Base + t.Path(file, now) }

// Path is URL without the host, for our own pages.
func (t *Tokens) Path(file string, now time.Time) string {
	segments := strings.Split(file, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return "/recordings/" + strings.Join(segments, "/") + "?token=" + t.Mint(file, now)
}

// Good tells whether a token is one for the file and not over.
func (t *Tokens) Good(file, token string, now time.Time) bool {
	head, tail, ok := strings.Cut(token, ".")
	expiry, err := strconv.ParseInt(head, 16, 64)
	got, merr := base64.RawURLEncoding.Strict().DecodeString(tail)
	if !ok || err != nil || merr != nil || len(t.Key) == 0 {
		return false
	}
	return hmac.Equal(got, t.mac(file, expiry)) && now.Unix() < expiry
}

func (t *Tokens) mac(file string, expiry int64) []byte {
	m := hmac.New(sha256.New, t.Key)
	m.Write([]byte("recording\x00" + hex.EncodeToString([]byte(file)) + "\x00" + strconv.FormatInt(expiry, 10)))
	return m.Sum(nil)
}

// File gives the file that a URL of this switch names, if its token is good:
// such a URL is opened as the file and never dialled (decisions 9).
func (t *Tokens) File(raw string, now time.Time) (file string, ok bool) {
	rest, ours := strings.CutPrefix(raw, t.Base+"/recordings/")
	u, err := url.Parse(rest)
	if !ours || err != nil || u.IsAbs() || u.Host != "" {
		return "", false
	}
	return u.Path, t.Good(u.Path, u.Query().Get("token"), now)
}
