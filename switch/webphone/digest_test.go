package webphone

import (
	"crypto/md5"
	"fmt"
	"regexp"
	"testing"
)

var quoted = regexp.MustCompile(`(realm|nonce)="([^"]*)"`)

// credentials answers a challenge with the password "right" (RFC 7616, qop auth).
func credentials(t *testing.T, challenged, method, uri, user string) string {
	t.Helper()
	v := map[string]string{}
	for _, m := range quoted.FindAllStringSubmatch(header(challenged, "WWW-Authenticate"), -1) {
		v[m[1]] = m[2]
	}
	h := func(format string, a ...any) string {
		return fmt.Sprintf("%x", md5.Sum(fmt.Appendf(nil, format, a...)))
	}
	response := h("%s:%s:00000001:c:auth:%s", h("%s:%s:right", user, v["realm"]), v["nonce"], h("%s:%s", method, uri))
	return fmt.Sprintf("Authorization: Digest username=%q, realm=%q, nonce=%q, uri=%q, response=%q, algorithm=MD5, cnonce=\"c\", nc=00000001, qop=auth\r\n",
		user, v["realm"], v["nonce"], uri, response)
}
