package sdes

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pion/srtp/v3"
)

// The suites, in the order in which we offer them (RFC 4568, 6.2; RFC 7714, 14.1).
const (
	AES80  = "AES_CM_128_HMAC_SHA1_80"
	AES32  = "AES_CM_128_HMAC_SHA1_32"
	GCM128 = "AEAD_AES_128_GCM"
)

type suite struct {
	name    string
	profile srtp.ProtectionProfile
	salt    int // bytes; the key has 16
}

var suites = []suite{
	{AES80, srtp.ProtectionProfileAes128CmHmacSha1_80, 14},
	{AES32, srtp.ProtectionProfileAes128CmHmacSha1_32, 14},
	{GCM128, srtp.ProtectionProfileAeadAes128Gcm, 12},
}

const keyLen = 16

// Suites lists what we speak, the best first.
func Suites() (names []string) {
	for _, s := range suites {
		names = append(names, s.name)
	}
	return names
}

func find(name string) (suite, bool) {
	i := slices.IndexFunc(suites, func(s suite) bool { return strings.EqualFold(s.name, name) })
	if i < 0 {
		return suite{}, false
	}
	return suites[i], true
}

// A Key is what one side encrypts with: a master key and its salt. It prints as its
// suite only.
type Key struct {
	suite  suite
	master []byte // key, then salt
}

// ErrSuite is the error for a suite that we do not speak.
var ErrSuite = errors.New("sdes: a suite that is not spoken here")

// New makes a key from random.
func New(name string, random io.Reader) (Key, error) {
	s, ok := find(name)
	if !ok {
		return Key{}, ErrSuite
	}
	k := Key{s, make([]byte, keyLen+s.salt)}
	if _, err := io.ReadFull(random, k.master); err != nil {
		return Key{}, fmt.Errorf("sdes: make a key: %w", err)
	}
	return k, nil
}

// Parse reads the key parameters of an a=crypto line, "inline:..." with what
// follows. A lifetime is read over: no call lasts 2^48 packets. An MKI, several
// keys, or session parameters that change what is sent are refused, as RFC 4568,
// 7.1.2 has it: another line may do.
func Parse(name, params string) (Key, error) {
	s, ok := find(name)
	if !ok {
		return Key{}, ErrSuite
	}
	words := strings.Fields(params)
	if len(words) == 0 {
		return Key{}, errors.New("sdes: no key")
	}
	for _, w := range words[1:] {
		if !strings.HasPrefix(strings.ToUpper(w), "WSH=") && !strings.HasPrefix(w, "-") { // 6.3.7: - may be left unread
			return Key{}, fmt.Errorf("sdes: the session parameter %s is not spoken here", strings.SplitN(w, "=", 2)[0])
		}
	}
	inline, ok := strings.CutPrefix(words[0], "inline:")
	if !ok || strings.Contains(inline, ";") {
		return Key{}, errors.New("sdes: want inline: and one key")
	}
	parts := strings.Split(inline, "|")
	for _, p := range parts[1:] {
		if strings.Contains(p, ":") {
			return Key{}, errors.New("sdes: keys with an MKI are not spoken here")
		}
	}
	master, err := base64.StdEncoding.DecodeString(parts[0])
	if err != nil { // some leave the padding out
		master, err = base64.RawStdEncoding.DecodeString(parts[0])
	}
	if err != nil {
		return Key{}, errors.New("sdes: the key is no base64") // the error of base64 shows a piece of it
	}
	if len(master) != keyLen+s.salt {
		return Key{}, fmt.Errorf("sdes: a key of %s has %d bytes with its salt, not %d", s.name, keyLen+s.salt, len(master))
	}
	return Key{s, master}, nil
}

// Inline is the key as it stands in SDP.
func (k Key) Inline() string { return "inline:" + base64.StdEncoding.EncodeToString(k.master) }

// Suite names the suite; "" of the zero Key.
func (k Key) Suite() string { return k.suite.name }

// String keeps the key from being logged.
func (k Key) String() string { return k.suite.name + " ***" }

// GoString keeps %#v from telling it.
func (k Key) GoString() string { return k.String() }

func (k Key) equal(o Key) bool {
	return k.suite.name == o.suite.name && bytes.Equal(k.master, o.master)
}

// window is how many packets are remembered so that a copy is known (RFC 3711,
// 3.3.2 wants 64 at least).
const window = 128

func (k Key) context() (*srtp.Context, error) {
	return srtp.CreateContext(k.master[:keyLen], k.master[keyLen:], k.suite.profile,
		srtp.SRTPReplayProtection(window), srtp.SRTCPReplayProtection(window))
}
