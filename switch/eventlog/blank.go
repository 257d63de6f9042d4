package eventlog

import (
	"strings"
	"sync"

	"ozswitch/ozml/trace"
)

// Blank takes secrets out of an event: the credentials of Authorization and
// Proxy-Authorization headers (RFC 7235, RFC 3261 22), passwords in URLs, and
// cookies (RFC 6265), the keys that SDP carries (a=crypto of RFC 4568, a=ice-pwd
// of RFC 8839), and the values of fields whose name says that they are secret, in query strings,
// forms, XML and JSON. With sensitive (an extension's sensitive_input) the keys
// of the caller too: Key, DtmfDigits and the body of a SIP INFO; their number
// stays to be seen (decisions 5.8). An event without secrets is not copied.
func Blank(e *trace.Event, sensitive bool) {
	for _, s := range []*string{&e.URL, &e.Doc, &e.Text, &e.Body, &e.Hint} {
		if *s != "" {
			*s = BlankText(*s, sensitive)
		}
	}
	if !sensitive {
		return
	}
	e.Key = dots(e.Key)
	if (e.Type == trace.SIPReceived || e.Type == trace.SIPSent) && (e.Method == "INFO" || strings.HasPrefix(e.Body, "INFO ")) {
		if head, body, ok := strings.Cut(e.Body, "\r\n\r\n"); ok && body != "" {
			e.Body = head + "\r\n\r\n" + blank
		}
	}
}

const blank = "***"

// dots gives as many dots as there are keys: '*' is a key itself.
func dots(keys string) string { return strings.Repeat("•", len(keys)) }

// A secret is a name whose value is blanked.
var secrets = [...]string{"password", "passwd", "pass", "pwd", "secret", "token", "apikey", "api_key", "authorization", "dtmfdigits"}

// lines are names of secrets that stand before a colon and go on to the line's
// end: a header's, and of SDP the key of a=crypto and the value of a=ice-pwd.
var lines = [...]string{"cookie", "inline:", "ice-pwd:"}

// trigger marks the bytes that secretAt looks at: every event passes here.
var trigger = [256]bool{':': true, '%': true, 'p': true, 'P': true, 's': true, 'S': true, 't': true, 'T': true, 'a': true, 'A': true, 'd': true, 'D': true,
	'c': true, 'C': true, 'i': true, 'I': true}

// BlankText takes secrets out of a URL, a form, a SIP message or a document.
// Rather too much is blanked than too little.
func BlankText(s string, sensitive bool) string {
	var b strings.Builder
	kept := 0 // s up to here is in b
	for i := 0; i < len(s); {
		if !trigger[s[i]] {
			i++
			continue
		}
		from, to, next, keys := secretAt(s, i, sensitive)
		if to > from {
			b.WriteString(s[kept:from])
			if keys {
				b.WriteString(strings.Repeat("*", to-from))
			} else {
				b.WriteString(blank)
			}
			kept = to
		}
		i = max(next, i+1)
	}
	if kept == 0 {
		return s
	}
	b.WriteString(s[kept:])
	return b.String()
}

// secretAt looks at s[i:] for a secret that is told by what stands at i. It
// gives the place of its value (from == to: none), where to look on, and
// whether the value is keys whose number may be seen.
func secretAt(s string, i int, sensitive bool) (from, to, next int, keys bool) {
	c := s[i]
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	switch c {
	case ':':
		if strings.HasPrefix(s[i:], "://") {
			from, to = userinfo(s, i+3, "/?#\"'<> \t\r\n", "@", ":")
			return from, to, to, false
		}
	case '%':
		if len(s) >= i+9 && strings.EqualFold(s[i:i+9], "%3a%2f%2f") {
			from, to = userinfo(s, i+9, "&\"'<> \t\r\n", "%40", "%3a")
			return from, to, to, false
		}
	case 'c', 'i':
		for _, name := range lines {
			if len(s) < i+len(name) || !strings.EqualFold(s[i:i+len(name)], name) {
				continue
			}
			if name == "cookie" {
				from, to = header(s, i, i+len(name))
			} else { // SDP, also where it stands escaped in JSON
				from = i + len(name)
				to = until(s, from, "\r\n\\\"| ")
			}
			if to > from {
				return from, to, to, false
			}
		}
	case 'p', 's', 't', 'a', 'd':
		for _, name := range secrets {
			if name[0] != c || len(s) < i+len(name) || !strings.EqualFold(s[i:i+len(name)], name) {
				continue
			}
			keys = name == "dtmfdigits"
			if keys && !sensitive {
				return 0, 0, i + len(name), false
			}
			if name == "authorization" {
				if from, to = header(s, i, i+len(name)); to > from {
					return from, to, to, false
				}
			}
			if name == "pass" && i > 0 && alnum(s[i-1]) { // bypass, compass
				continue
			}
			if from, to = value(s, i, i+len(name)); to > from {
				return from, to, to, keys
			}
		}
	}
	return 0, 0, 0, false
}

// userinfo finds the password in user:password@host, which begins at i and ends
// before any of stop.
func userinfo(s string, i int, stop, at, colon string) (from, to int) {
	end := len(s)
	if n := strings.IndexAny(s[i:], stop); n >= 0 {
		end = i + n
	}
	if at == "%40" { // an encoded URL ends at its own encoded path as well
		for _, x := range []string{"%2f", "%2F", "%3f", "%3F"} {
			if n := strings.Index(s[i:end], x); n >= 0 {
				end = i + n
			}
		}
	}
	a := strings.LastIndex(s[i:end], at)
	if a < 0 {
		return 0, 0
	}
	c := strings.Index(strings.ToLower(s[i:i+a]), colon)
	if c < 0 {
		return 0, 0
	}
	return i + c + len(colon), i + a
}

// header finds the value of an Authorization or Proxy-Authorization header
// whose name stands at start to end, folded lines included; the scheme stays.
func header(s string, start, end int) (from, to int) {
	line := strings.LastIndexByte(s[:start], '\n') + 1
	if before := s[line:start]; before != "" && !strings.EqualFold(before, "proxy-") && !strings.EqualFold(before, "set-") {
		return 0, 0
	}
	i := skip(s, end, " \t")
	if i == len(s) || s[i] != ':' {
		return 0, 0
	}
	i = skip(s, i+1, " \t")
	to = len(s)
	for at := i; ; {
		n := strings.IndexByte(s[at:], '\n')
		if n < 0 {
			break
		}
		at += n + 1
		if at == len(s) || s[at] != ' ' && s[at] != '\t' {
			if to = at - 1; to > i && s[to-1] == '\r' {
				to--
			}
			break
		}
	}
	if n := strings.IndexAny(s[i:to], " \t"); n > 0 && !strings.EqualFold(s[start:end], "cookie") {
		i += n + 1
	}
	return i, to
}

// value finds what is given to the name that stands at start to end: name=value
// bare, quoted or percent-encoded, "name": "value", <name>value</name>.
func value(s string, start, end int) (from, to int) {
	i := end
	if i == len(s) {
		return 0, 0
	}
	switch {
	case s[i] == '=':
		i++
		if i < len(s) && (s[i] == '"' || s[i] == '\'') {
			return i + 1, until(s, i+1, s[i:i+1])
		}
		return i, until(s, i, "& \t\r\n\"'<>#")
	case len(s) >= i+3 && strings.EqualFold(s[i:i+3], "%3d"):
		i += 3
		to = until(s, i, "& \t\r\n\"'<>#")
		if n := strings.Index(s[i:to], "%26"); n >= 0 {
			to = i + n
		}
		return i, to
	case s[i] == '"': // JSON
		if i = skip(s, i+1, " \t\r\n"); i == len(s) || s[i] != ':' {
			return 0, 0
		}
		if i = skip(s, i+1, " \t\r\n"); i == len(s) {
			return 0, 0
		}
		if s[i] != '"' {
			return i, until(s, i, ",}] \t\r\n")
		}
		i++
		for to = i; to < len(s) && s[to] != '"'; to++ {
			if s[to] == '\\' {
				to++
			}
		}
		return i, min(to, len(s))
	case s[i] == '>': // XML: the name must be that of an element
		tag := strings.LastIndexByte(s[:start], '<')
		if tag < 0 || strings.ContainsAny(s[tag:start], "> \t\r\n/") {
			return 0, 0
		}
		return i + 1, until(s, i+1, "<")
	case s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n': // name = "value"
		if i = skip(s, i, " \t\r\n"); i == len(s) || s[i] != '=' {
			return 0, 0
		}
		if i = skip(s, i+1, " \t\r\n"); i < len(s) && (s[i] == '"' || s[i] == '\'') {
			return i + 1, until(s, i+1, s[i:i+1])
		}
	}
	return 0, 0
}

// skip gives the first place from i on with none of set.
func skip(s string, i int, set string) int {
	for i < len(s) && strings.IndexByte(set, s[i]) >= 0 {
		i++
	}
	return i
}

// until gives the first place from i on with any of set, or the end.
func until(s string, i int, set string) int {
	if n := strings.IndexAny(s[i:], set); n >= 0 {
		return i + n
	}
	return len(s)
}

func alnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// entries remembers what the caller of a sensitive call entered, so that it is
// not told after all by a command that says it or puts it into a URL.
type entries struct {
	mu   sync.Mutex
	last [8]string
	n    int
}

// minEntry is how long an entry must be to be looked for: shorter ones would
// blank half of every message, and are no secret.
const minEntry = 3

func (t *entries) note(e *trace.Event) {
	if len(e.Key) < minEntry {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.last {
		if k == e.Key {
			return
		}
	}
	t.last[t.n%len(t.last)] = e.Key
	t.n++
}

func (t *entries) blank(e *trace.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.last {
		if k == "" {
			continue
		}
		for _, s := range []*string{&e.URL, &e.Doc, &e.Text, &e.Body, &e.Hint} {
			if strings.Contains(*s, k) {
				*s = strings.ReplaceAll(*s, k, strings.Repeat("*", len(k)))
			}
		}
	}
}
