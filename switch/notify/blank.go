package notify

import (
	"net/url"
	"strings"
)

const blanked = "***"

// secretParams are the parameters of a URL that are nobody's business.
var secretParams = map[string]bool{"password": true, "passwd": true, "pwd": true, "pass": true, "secret": true,
	"token": true, "access_token": true, "api_key": true, "apikey": true, "signature": true}

// Blank gives a URL as it may be shown: without credentials before the host and
// without the values of parameters such as password and token. It takes any
// text, because what is wrong with a URL is shown too.
func Blank(u string) string {
	p, err := url.Parse(u)
	if (err != nil || p.Host == "") && strings.Contains(u, "@") {
		return blankAll(u)
	}
	rest, fragment, hasFragment := strings.Cut(u, "#")
	rest, query, hasQuery := strings.Cut(rest, "?")
	if scheme, after, ok := strings.Cut(rest, "//"); ok {
		authority, path, hasPath := strings.Cut(after, "/")
		if i := strings.LastIndexByte(authority, '@'); i >= 0 {
			authority = blanked + authority[i:]
		}
		if rest = scheme + "//" + authority; hasPath {
			rest += "/" + path
		}
	}
	if hasQuery {
		rest += "?" + blankQuery(query)
	}
	if hasFragment {
		rest += "#" + blankQuery(fragment)
	}
	return rest
}

// blankAll is for what is no URL: everything before the last @ may be a password
// with a slash or a question mark in it, and everything after it too.
func blankAll(u string) string {
	scheme, _, ok := strings.Cut(u, "://")
	if !ok || strings.ContainsAny(scheme, "@:/?#") {
		return blanked
	}
	host := u[strings.LastIndexByte(u, '@'):]
	if i := strings.IndexAny(host, "/?#&"); i >= 0 {
		host = host[:i] + "/..."
	}
	return scheme + "://" + blanked + host
}

func blankQuery(q string) string {
	pairs := strings.Split(q, "&")
	for i, p := range pairs {
		name, _, ok := strings.Cut(p, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		if ok && secretParams[strings.ToLower(plain)] {
			pairs[i] = name + "=" + blanked
		}
	}
	return strings.Join(pairs, "&")
}
