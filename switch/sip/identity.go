package sip

import (
	"cmp"
	"slices"
	"strings"

	msg "github.com/emiago/sipgo/sip"

	"ozswitch/switch/call"
	"ozswitch/switch/sip/flow"
)

// domain is the host of our From. A browser's own name means nothing to anybody:
// it says that of the switch.
func (e *Endpoint) domain(l *leg, f flow.Flow) string {
	if a := l.out.line; a != nil && a.From != "" {
		return bracket(a.From)
	}
	var u msg.Uri
	if e.c.WebName != "" && web(f) && msg.ParseUri(l.dlg.Target, &u) == nil {
		return u.Host
	}
	return e.host(f)
}

// identity gives our From without its tag, and the headers that say who calls to
// those who need to know although others must not (RFC 3323 4.1, RFC 3325).
func (e *Endpoint) identity(l *leg, f flow.Flow) (from, headers string) {
	o := l.out
	who := "<sip:" + Escape(cmp.Or(o.user, "anonymous")) + "@" + e.domain(l, f) + ">"
	if o.name != "" {
		who = quote(o.name) + " " + who
	}
	if a := o.line; a != nil && a.Assert && o.user != "" {
		headers = "P-Asserted-Identity: " + who + "\r\n"
	}
	if !o.private {
		return who, headers
	}
	return `"Anonymous" <sip:anonymous@anonymous.invalid>`, headers + "Privacy: id\r\n"
}

// anonymous is the user part of a From that hides who calls (RFC 3323 4.1.1.3).
const anonymous = "anonymous"

// caller is who an INVITE says that calls. An extension that proved itself is
// called as what it proved to be, whatever stands there; asserted identities and
// diversions are looked at only where the line they came by is trusted.
func (e *Endpoint) caller(m *message, in *call.Invited) {
	from := m.req.From()
	in.User, in.Line = m.user, m.line
	in.FromName, in.FromHost = displayName(from.DisplayName), from.Address.Host
	if user := unescape(from.Address.User); strings.EqualFold(user, anonymous) {
		in.Private = true
	} else {
		in.From = user
	}
	if m.user != "" {
		in.From = m.user
	}
	in.Private = in.Private || private(m.req)
	if m.line == "" {
		return
	}
	a, ok := e.c.Line(m.line)
	if !ok {
		return
	}
	if a.Contact != "" && in.To == a.Contact { // the Request-URI says which line, To whom it is for
		in.To = dialled(m.req, &a)
	}
	if !a.Trust {
		return
	}
	in.Asserted = cmp.Or(addressed(m.req, "p-asserted-identity"), addressed(m.req, "remote-party-id"))
	in.Diversion = cmp.Or(addressed(m.req, "diversion"), historyInfo(m.req))
}

// private tells whether a caller asks that nobody be told who it is (RFC 3323
// 4.2, RFC 3325 9.3).
func private(req *msg.Request) bool {
	for _, h := range req.GetHeaders("privacy") {
		for p := range strings.FieldsFuncSeq(h.Value(), func(r rune) bool { return r == ';' || r == ',' || r == ' ' }) {
			switch strings.ToLower(p) {
			case "id", "user", "header":
				return true
			}
		}
	}
	return false
}

// addressed gives the user part of the first address in a header; "" = none.
func addressed(req *msg.Request, name string) string {
	for _, h := range req.GetHeaders(name) {
		for _, v := range flow.Split(h.Value()) {
			if user := userOf(v); user != "" {
				return user
			}
		}
	}
	return ""
}

// historyInfo gives who sent a call here last (RFC 7044): the entry before the
// one that is we.
func historyInfo(req *msg.Request) string {
	var all []string
	for _, h := range req.GetHeaders("history-info") {
		all = append(all, flow.Split(h.Value())...)
	}
	if len(all) < 2 {
		return ""
	}
	return userOf(all[len(all)-2])
}

// userOf gives the user part of a name-addr or addr-spec, or the number of a tel
// URI; "" = it has none, or is broken.
func userOf(v string) string {
	uri := strings.TrimSpace(v)
	if i := strings.IndexByte(uri, '<'); i >= 0 {
		j := strings.IndexByte(uri[i:], '>')
		if j < 0 {
			return ""
		}
		uri = uri[i+1 : i+j]
	} else {
		uri, _, _ = strings.Cut(uri, ";")
	}
	if number, ok := cutFold(uri, "tel:"); ok {
		number, _, _ = strings.Cut(number, ";")
		return clean(number)
	}
	var u msg.Uri
	if msg.ParseUri(uri, &u) != nil {
		return ""
	}
	user, _, _ := strings.Cut(u.User, ";") // parameters of a telephone number (RFC 3261 19.1.6)
	return clean(unescape(user))
}

func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// clean drops a number that holds what no number does.
func clean(number string) string {
	if flow.Line(number) != number || len(number) > 128 {
		return ""
	}
	return number
}

// contacts gives where a 3xx sends a call, the best first (RFC 3261 8.1.3.4, q
// as of 20.10); at most five, of which only the URIs are taken.
func contacts(res *msg.Response) (uris []string) {
	if res.StatusCode < 300 || res.StatusCode > 399 {
		return nil
	}
	const most = 5
	type place struct {
		uri string
		q   int
	}
	var all []place
	for _, h := range res.GetHeaders("contact") {
		c, ok := h.(*msg.ContactHeader)
		if !ok || c.Address.Wildcard || c.Address.Host == "" {
			continue
		}
		if s := strings.ToLower(c.Address.Scheme); s != "sip" && s != "sips" {
			continue
		}
		u := c.Address
		u.Headers = nil // what else it would have us say
		uri := u.String()
		if flow.Line(uri) != uri || strings.ContainsAny(uri, " <>\"") || len(uri) > 512 {
			continue
		}
		q, _ := c.Params.Get("q")
		all = append(all, place{uri, quality(q)})
	}
	slices.SortStableFunc(all, func(a, b place) int { return b.q - a.q })
	for _, p := range all[:min(len(all), most)] {
		uris = append(uris, p.uri)
	}
	return uris
}

// quality reads a q value in thousandths; what is not said or broken is 1 (RFC
// 3261 20.10 leaves it open).
func quality(v string) int {
	whole, frac, _ := strings.Cut(strings.TrimSpace(v), ".")
	if whole == "0" && len(frac) <= 3 {
		n := 0
		for _, c := range frac + strings.Repeat("0", 3-len(frac)) {
			if c < '0' || c > '9' {
				return 1000
			}
			n = n*10 + int(c-'0')
		}
		return n
	}
	return 1000
}
