// Package registrar knows who may say that he is an extension (digest, RFC
// 7616, RFC 8760) and where the telephones of an extension are (RFC 3261
// section 10). It reads no message and sends none: switch/sip asks it and
// writes the answers; where bindings outlive the process is the user's affair.
//
// Time is an argument everywhere. Start reading at Auth.Check and
// Table.Register.
package registrar

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/icholy/digest"
)

// An Account is what an extension proves itself with. The password is not kept:
// MD5 and SHA256 are its HA1s, in hex; "" = that algorithm is not for it.
type Account struct {
	Number      string
	MD5, SHA256 string
}

// NewAccount makes one of a password. kind is md5, sha-256 or both; "" = md5.
func NewAccount(number, realm, password, kind string) Account {
	a := Account{Number: number}
	whole := []byte(number + ":" + realm + ":" + password)
	if kind != "sha-256" {
		sum := md5.Sum(whole)
		a.MD5 = hex.EncodeToString(sum[:])
	}
	if kind == "sha-256" || kind == "both" {
		sum := sha256.Sum256(whole)
		a.SHA256 = hex.EncodeToString(sum[:])
	}
	return a
}

// The limits of logging in.
const (
	nonceLife = 5 * time.Minute
	freeTries = 10               // wrong passwords of a source that cost it nothing
	forgiven  = 10 * time.Second // one wrong try is forgotten after each
	longest   = 32 * time.Second // that a source must wait for its next try
	mostKept  = 65536            // nonces and sources
)

// An Auth checks digest credentials.
type Auth struct {
	realm    string
	secret   []byte
	accounts atomic.Pointer[accounts]
	others   func(now time.Time, number string) []Account

	mu     sync.Mutex
	serial uint64
	used   map[string]use        // nonces that somebody proved himself with
	tries  map[netip.Addr]*tries // wrong ones
	stales map[staler]int        // right ones with an old nonce, one after another
}

// A staler is who answered an old challenge.
type staler struct {
	source netip.Addr
	user   string
}

type use struct {
	count int // the last nonce count
	until time.Time
}

type tries struct {
	n     int
	last  time.Time
	until time.Time // nothing is looked at before
	told  bool      // that nothing is looked at until then
}

type accounts struct {
	list     []Account
	byNumber map[string]int
}

// NewAuth gives an Auth. secret signs nonces and must be hard to guess.
func NewAuth(realm string, secret []byte, list []Account) *Auth {
	a := &Auth{realm: realm, secret: secret, used: map[string]use{}, tries: map[netip.Addr]*tries{}, stales: map[staler]int{}}
	a.Set(list)
	return a
}

// Set replaces all accounts. It gives the numbers of those that are no more, or
// have another password.
func (a *Auth) Set(list []Account) (changed []string) {
	s := &accounts{list, make(map[string]int, len(list))}
	for i, one := range list {
		s.byNumber[one.Number] = i
	}
	was := a.accounts.Swap(s)
	if was == nil {
		return nil
	}
	for _, one := range was.list {
		if i, still := s.byNumber[one.Number]; !still || list[i] != one {
			changed = append(changed, one.Number)
		}
	}
	return changed
}

// Also lets further passwords of an account count: those that f gives of its
// number. Call it before the first Check.
func (a *Auth) Also(f func(now time.Time, number string) []Account) { a.others = f }

func (a *Auth) find(number string) (Account, bool) {
	s := a.accounts.Load()
	i, ok := s.byNumber[number]
	if !ok {
		return Account{}, false
	}
	return s.list[i], true
}

// like gives an account for one who has none, always the same, so that nobody
// can tell by the algorithm who exists.
func (a *Auth) like(number string) Account {
	s := a.accounts.Load()
	if len(s.list) == 0 {
		return Account{MD5: "-"}
	}
	return s.list[binary.LittleEndian.Uint64(a.sign("like", number))%uint64(len(s.list))]
}

// A Verdict is what came of a check.
type Verdict uint8

// The verdicts.
const (
	None  Verdict = iota // there were no credentials for us: challenge
	Good                 // Proof.User is who he says
	Wrong                // challenge again
	Stale                // right, but the nonce is old or used: challenge with stale
	Slow                 // too many wrong ones from there: not looked at, wait Proof.Wait
)

// A Proof is the outcome of a check.
type Proof struct {
	Verdict Verdict
	User    string        // as claimed; it is proven only when Verdict is Good
	Why     string        // what is wrong, for the log and the console, never for the far end; "" = nothing that is to be told
	Do      string        // what to do about it
	Wait    time.Duration // Slow
}

// staleLoop is how many old challenges in a row somebody answers who does not
// understand that there is a new one.
const staleLoop = 4

// Check looks at the values of the Authorization (or Proxy-Authorization)
// headers of a request.
func (a *Auth) Check(now time.Time, source netip.Addr, method string, headers []string) Proof {
	c, realm := a.ours(headers)
	switch {
	case c == nil && realm != "":
		return Proof{Why: fmt.Sprintf("it logs in to the domain %.64q", realm), Do: fmt.Sprintf("the phone's account wants %q as its domain or realm", a.realm)}
	case c == nil:
		return Proof{}
	}
	source = network(source)
	if wait, first := a.waits(now, source); wait > 0 {
		p := Proof{Verdict: Slow, User: c.Username, Wait: wait}
		if first {
			p.Why = fmt.Sprintf("too many wrong passwords from there: nothing is looked at for %s", wait.Round(time.Second))
			p.Do = "correct the password of every phone at that address; it is let in again by itself"
		}
		return p
	}
	kind := strings.ToUpper(c.Algorithm)
	account, known := a.find(c.Username)
	ha1, algorithm := account.MD5, "MD5"
	if kind == "SHA-256" {
		ha1, algorithm = account.SHA256, kind
	}
	allowed := known && ha1 != "" && (kind == "" || kind == "MD5" || kind == "SHA-256")
	if !allowed {
		// The same work for who is unknown, and a secret that nobody can guess.
		sum := a.sign("nobody", c.Username)
		ha1 = hex.EncodeToString(sum[:16])
	}
	right := a.response(c, ha1, algorithm, method) && allowed || known && a.other(now, c, algorithm, method)
	switch {
	case !right:
		a.failed(now, source)
		p := Proof{Verdict: Wrong, User: c.Username, Why: "wrong password", Do: "enter the password of this extension in the phone once more"}
		if !known {
			p.Why, p.Do = "there is no such extension", "the phone's user name (or authentication name) must be the number of an extension that has a password"
		} else if !allowed {
			p.Why, p.Do = "this extension does not use "+c.Algorithm, "set digest: both for this extension"
		}
		return p
	case !a.fresh(now, c):
		p := Proof{Verdict: Stale, User: c.Username}
		if n := a.stale(staler{source, c.Username}); n == staleLoop {
			p.Why = "the password is right, but it answers old challenges again and again"
			p.Do = "restart the phone, and look for an update of it: it does not understand stale=true (RFC 7616 3.3)"
		}
		return p
	}
	a.mu.Lock()
	delete(a.stales, staler{source, c.Username})
	a.mu.Unlock()
	return Proof{Verdict: Good, User: c.Username}
}

// other tells whether one of the further passwords of a number is the right one.
func (a *Auth) other(now time.Time, c *digest.Credentials, algorithm, method string) bool {
	if a.others == nil {
		return false
	}
	for _, one := range a.others(now, c.Username) {
		ha1 := one.MD5
		if algorithm == "SHA-256" {
			ha1 = one.SHA256
		}
		if ha1 != "" && a.response(c, ha1, algorithm, method) {
			return true
		}
	}
	return false
}

// stale counts an old challenge that was answered, and gives how many that are in
// a row.
func (a *Auth) stale(who staler) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.stales) >= mostKept {
		clear(a.stales)
	}
	a.stales[who]++
	return a.stales[who]
}

// ours finds the credentials that answer our challenge; else the realm that others
// are for.
func (a *Auth) ours(headers []string) (ours *digest.Credentials, realm string) {
	for _, h := range headers {
		c, err := digest.ParseCredentials(strings.TrimSpace(h))
		switch {
		case err != nil || len(c.Username) > 128 || len(c.Nonce) > 128:
		case c.Realm == a.realm:
			return c, ""
		default:
			realm = c.Realm
		}
	}
	return nil, realm
}

// response computes what the far end should have.
func (a *Auth) response(c *digest.Credentials, ha1, algorithm, method string) bool {
	challenge := &digest.Challenge{Realm: c.Realm, Nonce: c.Nonce, Algorithm: algorithm}
	switch strings.ToLower(c.QOP) {
	case "":
	case "auth":
		challenge.QOP = []string{"auth"}
	default:
		return false // never offered
	}
	if c.QOP != "" && (c.Nc <= 0 || c.Cnonce == "") {
		return false
	}
	want, err := digest.Digest(challenge, digest.Options{Method: method, URI: c.URI, Count: c.Nc, Username: c.Username, A1: ha1, Cnonce: c.Cnonce})
	return err == nil && subtle.ConstantTimeCompare([]byte(want.Response), []byte(strings.ToLower(c.Response))) == 1
}

// fresh tells whether the nonce is ours, young, and its count is new; without
// a count (RFC 2069) it serves once.
func (a *Auth) fresh(now time.Time, c *digest.Credentials) bool {
	made, ok := a.made(c.Nonce)
	if !ok || now.Sub(made) > nonceLife || made.After(now) {
		return false
	}
	count := c.Nc
	if c.QOP == "" {
		count = 1 << 30
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if count <= a.used[c.Nonce].count {
		return false
	}
	if len(a.used) >= mostKept {
		for n, u := range a.used {
			if now.After(u.until) {
				delete(a.used, n)
			}
		}
		if len(a.used) >= mostKept {
			return false // rather ask once more than let one be replayed
		}
	}
	a.used[c.Nonce] = use{count, made.Add(nonceLife)}
	return true
}

// Challenge gives the values of the WWW-Authenticate headers for a number: one,
// or with both algorithms two, the stronger first (RFC 8760 2.4). Who is
// unknown is challenged like one of those who are known.
func (a *Auth) Challenge(now time.Time, number string, stale bool) (values []string) {
	account, known := a.find(number)
	if !known {
		account = a.like(number)
	}
	c := digest.Challenge{Realm: a.realm, Nonce: a.nonce(now), QOP: []string{"auth"}, Stale: stale}
	if account.SHA256 != "" {
		c.Algorithm = "SHA-256"
		values = append(values, c.String())
	}
	if account.MD5 != "" || len(values) == 0 {
		c.Algorithm = "MD5"
		values = append(values, c.String())
	}
	return values
}

// nonce makes one: when, which, and our signature.
func (a *Auth) nonce(now time.Time) string {
	a.mu.Lock()
	a.serial++
	n := a.serial
	a.mu.Unlock()
	var b [28]byte
	binary.BigEndian.PutUint64(b[:], uint64(now.UnixNano()))
	binary.BigEndian.PutUint64(b[8:], n)
	copy(b[16:], a.sign("nonce", string(b[:16])))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// made tells when we made a nonce; ok is false when we did not.
func (a *Auth) made(nonce string) (at time.Time, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != 28 || !hmac.Equal(b[16:], a.sign("nonce", string(b[:16]))[:12]) {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))), true
}

func (a *Auth) sign(what, s string) []byte {
	h := hmac.New(sha256.New, a.secret)
	fmt.Fprintf(h, "%s\x00%s", what, s)
	return h.Sum(nil)
}

// network is what failed tries are counted by: an address, of IPv6 its /64,
// which is one subscriber's.
func network(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// waits tells how long a source must wait before its next try is looked at, and
// whether that is told for the first time.
func (a *Auth) waits(now time.Time, source netip.Addr) (d time.Duration, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tries[source]; t != nil {
		if d = t.until.Sub(now); d > 0 {
			first, t.told = !t.told, true
		}
	}
	return d, first
}

// failed counts a wrong try: after the free ones each costs twice as long.
func (a *Auth) failed(now time.Time, source netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tries[source]
	if t == nil {
		if len(a.tries) >= mostKept {
			for s, t := range a.tries {
				if now.Sub(t.last) > longest+forgiven {
					delete(a.tries, s)
				}
			}
			if len(a.tries) >= mostKept {
				return
			}
		}
		t = &tries{last: now}
		a.tries[source] = t
	}
	t.n = max(0, t.n-int(now.Sub(t.last)/forgiven)) + 1
	t.last = now
	if over := t.n - freeTries; over > 0 {
		t.until, t.told = now.Add(min(longest, time.Second<<min(over-1, 5))), false
	}
}
