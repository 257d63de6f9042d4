package sip

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ozswitch/switch/call"
)

// sdesProtos are the media lines whose keys stand in the SDP (RFC 4568). With a
// fingerprint they are DTLS-SRTP's.
var sdesProtos = []string{"RTP/SAVP", "RTP/SAVPF"}

// keyLengths are the suites that are known, with the bytes of key and salt (RFC
// 4568 6.2, RFC 6188 2, RFC 7714 14.2).
var keyLengths = map[string]int{
	"AES_CM_128_HMAC_SHA1_80": 30, "AES_CM_128_HMAC_SHA1_32": 30,
	"AES_256_CM_HMAC_SHA1_80": 46, "AES_256_CM_HMAC_SHA1_32": 46,
	"AEAD_AES_128_GCM": 28, "AEAD_AES_256_GCM": 44,
}

// mostCrypto is how many a=crypto lines are read.
const mostCrypto = 8

// readCrypto reads the value of a=crypto: "1 AES_CM_128_HMAC_SHA1_80
// inline:KEY|2^31". ok is false for one that we could not keep to, which is to be
// passed over (RFC 4568 7.1.2): another suite, several keys, a master key
// identifier, a session parameter that changes what is encrypted.
func readCrypto(v string) (c call.Crypto, ok bool) {
	f := strings.Fields(v)
	if len(f) < 3 || len(f[0]) > 9 || f[0][0] == '0' && len(f[0]) > 1 {
		return c, false
	}
	tag, err := strconv.ParseUint(f[0], 10, 31)
	length, known := keyLengths[strings.ToUpper(f[1])]
	if err != nil || !known {
		return c, false
	}
	for _, p := range f[3:] {
		if _, ok := cutFold(p, "WSH="); !ok {
			return c, false
		}
	}
	key, inline := strings.CutPrefix(f[2], "inline:")
	key, life, _ := strings.Cut(key, "|")
	raw, err := base64.StdEncoding.Strict().DecodeString(key)
	if !inline || err != nil || len(raw) != length || strings.ContainsAny(life, ":;|") {
		return c, false
	}
	if life != "" && !lifetime(life) {
		return c, false
	}
	return call.Crypto{Tag: int(tag), Suite: strings.ToUpper(f[1]), Key: f[2]}, true
}

// lifetime tells whether v is one: packets in decimal, or as a power of two (RFC
// 4568 6.1).
func lifetime(v string) bool {
	if power, ok := strings.CutPrefix(v, "2^"); ok {
		n, err := strconv.ParseUint(power, 10, 7)
		return err == nil && n <= 48
	}
	n, err := strconv.ParseUint(v, 10, 48)
	return err == nil && n > 0
}

// crypto takes an a=crypto line of our audio.
func (d *description) crypto(v string) {
	if len(d.media.Crypto) == mostCrypto {
		return
	}
	c, ok := readCrypto(v)
	if ok && !slices.ContainsFunc(d.media.Crypto, func(o call.Crypto) bool { return o.Tag == c.Tag }) {
		d.media.Crypto = append(d.media.Crypto, c)
	}
}

func writeCrypto(b *strings.Builder, all []call.Crypto) {
	for _, c := range all {
		fmt.Fprintf(b, "a=crypto:%d %s %s\r\n", c.Tag, c.Suite, c.Key)
	}
}

var inline = []byte("inline:")

// blank gives a message without the keys of its a=crypto lines, for eyes other
// than the far end's; its length stays. One without keys comes back as it is.
func blank(message []byte) []byte {
	if !bytes.Contains(message, inline) {
		return message
	}
	b := bytes.Clone(message)
	for rest := b; ; {
		i := bytes.Index(rest, inline)
		if i < 0 {
			return b
		}
		rest = rest[i+len(inline):]
		for j := 0; j < len(rest) && rest[j] > ' ' && rest[j] != '|' && rest[j] != ';'; j++ {
			rest[j] = '*'
		}
	}
}
