package api

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// A hash is an argon2id password hash (RFC 9106) with all that it was made by.
// The zero hash is that of no password.
type hash struct {
	memory uint32 // KiB
	rounds uint32
	lanes  uint8
	salt   []byte
	key    []byte
}

// stored is the second recommendation of RFC 9106, 4: 64 MiB, three rounds, four
// lanes. It is for hashes that lie in a file, which may be stolen.
var stored = hash{memory: 64 << 10, rounds: 3, lanes: 4}

// running is the least that OWASP asks for: 19 MiB, two rounds, one lane. It is
// for passwords that stand plainly in the configuration and are only kept out of
// our memory; a start with many users must not take minutes.
var running = hash{memory: 19 << 10, rounds: 2, lanes: 1}

const argonPrefix = "$argon2id$"

// HashPassword gives the text for users[].password in place of a plain one.
func HashPassword(password string) string { return stored.of(password).String() }

// Seal replaces a plain password by a hash of it, for as long as we run. It takes
// about 20 ms.
func (u *User) Seal() {
	if u.Password != "" && !strings.HasPrefix(u.Password, argonPrefix) {
		u.Password = running.of(u.Password).String()
	}
}

// CheckPassword says what is wrong with a value of users[].password; a plain
// password is good.
func CheckPassword(s string) error {
	if !strings.HasPrefix(s, argonPrefix) {
		return nil
	}
	_, err := parseHash(s)
	return err
}

// of hashes a password with h's parameters and a salt of its own.
func (h hash) of(password string) hash {
	h.salt = make([]byte, 16)
	rand.Read(h.salt) // crypto/rand does not fail
	h.key = argon2.IDKey([]byte(password), h.salt, h.rounds, h.memory, h.lanes, 32)
	return h
}

// is tells whether a password is the one, in a time that depends on h's
// parameters only.
func (h hash) is(password string) bool {
	got := argon2.IDKey([]byte(password), h.salt, h.rounds, h.memory, h.lanes, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(got, h.key) == 1
}

func (h hash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("%sv=%d$m=%d,t=%d,p=%d$%s$%s", argonPrefix, argon2.Version, h.memory, h.rounds, h.lanes, b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

// parseHash reads the form of String, which is that of the reference program; on
// an error it gives the zero hash.
func parseHash(s string) (hash, error) {
	var h hash
	part := strings.Split(s, "$") // "", argon2id, v=, m=,t=,p=, salt, key
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" {
		return hash{}, errors.New(`the hash is not of the form $argon2id$v=19$m=...,t=...,p=...$salt$key`)
	}
	if part[2] != "v="+strconv.Itoa(argon2.Version) {
		return hash{}, fmt.Errorf("the hash is of argon2 version %q, want v=%d", part[2], argon2.Version)
	}
	var lanes uint32
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &h.memory, &h.rounds, &lanes); n != 3 || err != nil {
		return hash{}, fmt.Errorf("the hash has the parameters %q and not m, t and p", part[3])
	}
	if h.memory < 8<<10 || h.memory > 1<<20 || h.rounds < 1 || h.rounds > 16 || lanes < 1 || lanes > 16 {
		return hash{}, fmt.Errorf("the hash has the parameters %q; 8 MiB to 1 GiB, 1 to 16 rounds and lanes are accepted", part[3])
	}
	h.lanes = uint8(lanes)
	var err, err2 error
	h.salt, err = base64.RawStdEncoding.Strict().DecodeString(part[4])
	h.key, err2 = base64.RawStdEncoding.Strict().DecodeString(part[5])
	if err := errors.Join(err, err2); err != nil || len(h.salt) < 8 || len(h.key) < 16 || len(h.key) > 64 {
		return hash{}, errors.New("salt or key of the hash is cut short, or no base64")
	}
	return h, nil
}
