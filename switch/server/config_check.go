package server

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"ozswitch/switch/api"
	"ozswitch/switch/bridge"
)

// samples are the passwords that stand in the manual and in well-known samples;
// beyond loopback they are no passwords (contract.md Config).
var samples = []string{"qwe123", "secret1", "secret2", "abc123", "password", "changeme", "12345678", "admin123", "HTTP_User_1"}

// Validate tells what is wrong with c and what is doubtful, each with the path
// of the key. `serve` refuses to start on an error.
func (c *Config) Validate() Problems {
	v := &validator{c: c}
	v.sip()
	v.http()
	v.people()
	v.extensions()
	v.lines()
	v.dialplan()
	if err := c.FeatureCodes.codes().Check(); err != nil {
		v.err("feature_codes", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	v.addressBooks()
	v.rest()
	return v.problems
}

// Public tells whether SIP or HTTP can be reached from beyond this machine. A
// reverse proxy in front of a loopback listener counts.
func (c *Config) Public() bool { return c.sipPublic() || c.httpPublic() }

func (c *Config) sipPublic() bool {
	return slices.ContainsFunc(c.SIP.Listen, func(l Listen) bool { return !loopback(l.Address) })
}

func (c *Config) httpPublic() bool {
	if c.HTTP.Listen == "" && c.HTTP.TLSListen == "" {
		return false
	}
	for _, at := range []string{c.HTTP.Listen, c.HTTP.TLSListen} {
		if at != "" && !loopback(at) {
			return true
		}
	}
	if len(c.HTTP.Proxies) > 0 {
		return true
	}
	u, err := url.Parse(c.HTTP.PublicURL)
	return err == nil && u.Host != "" && !loopback(u.Host)
}

// loopback tells whether host or host:port is this machine for sure.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = strings.Trim(addr, "[]")
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

type validator struct {
	c        *Config
	problems Problems
}

func (v *validator) err(path, format string, args ...any) {
	v.problems = append(v.problems, Problem{Path: path, Msg: fmt.Sprintf(format, args...)})
}

func (v *validator) warn(path, format string, args ...any) {
	v.problems = append(v.problems, Problem{Path: path, Msg: fmt.Sprintf(format, args...), Warning: true})
}

// oneOf checks a word; "" is the default and fine.
func (v *validator) oneOf(path, got string, words ...string) {
	if got == "" || slices.Contains(words, got) {
		return
	}
	msg := fmt.Sprintf("%q is not one of %s", got, strings.Join(words, ", "))
	if near := nearest(got, words); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	v.err(path, "%s", msg)
}

// url checks a URL to be requested; "" is fine.
func (v *validator) url(path, s string) {
	if s == "" {
		return
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		v.err(path, "%q is no http or https URL", s)
	}
}

// password checks a password that lets somebody in.
func (v *validator) password(path string, p Secret) {
	switch {
	case !v.c.Public():
	case len(p) < 8:
		v.err(path, "the password is shorter than 8 letters, and the switch listens beyond loopback")
	case slices.Contains(samples, string(p)), strings.HasPrefix(string(p), "change-me"):
		v.err(path, "the password is that of a sample, and the switch listens beyond loopback")
	}
}

func (v *validator) sip() {
	s := v.c.SIP
	seen := map[Listen]bool{}
	for i, l := range s.Listen {
		path := fmt.Sprintf("sip.listen[%d]", i)
		if _, err := ParseListen(l.String()); err != nil {
			v.err(path, "%v", err)
		}
		if seen[l] {
			v.err(path, "%s stands here twice", l)
		}
		seen[l] = true
		if l.Transport == "tls" && s.TLS.Cert == "" {
			v.err(path, "tls:// needs a certificate: sip.tls.cert and sip.tls.key")
		}
	}
	if len(s.Listen) == 0 {
		v.warn("sip.listen", "the switch listens for no phone")
	}
	if (s.TLS.Cert == "") != (s.TLS.Key == "") {
		v.err("sip.tls", "cert and key go together")
	}
	v.sipHeaders(s.Headers)
	v.oneOf("sip.guests", s.Guests, "none", "loopback", "all")
	if s.Guests == "all" && v.c.sipPublic() {
		v.warn("sip.guests", "anybody can call the api, script and echo extensions")
	}
	if a := s.ExternalAddress; a != "" {
		if _, err := netip.ParseAddr(a); err != nil && strings.ContainsAny(a, ":/@ ") {
			v.err("sip.external_address", "%q is no address or name of a host", a)
		}
	}
	if a := v.c.RTP.Address; a != "" {
		if ip, err := netip.ParseAddr(a); err != nil {
			v.err("rtp.address", "%q is no address", a)
		} else if ip.IsLoopback() && v.c.sipPublic() {
			v.warn("rtp.address", "phones beyond this machine will hear nothing: sound stays on %s", a)
		}
	}
	if p := v.c.RTP.Ports; p != (Ports{}) {
		if err := p.valid(); err != nil {
			v.err("rtp.ports", "%v", err)
		}
	}
	if p := v.c.RTP.WebRTCPort; p < -1 || p > 65535 {
		v.err("rtp.webrtc_port", "%d is no port; -1 turns WebRTC off", p)
	}
	v.oneOf("rtp.silence", v.c.RTP.Silence, "send", "off")
	v.oneOf("tones.country", v.c.Tones.Country, bridge.Countries()...)
	if m := v.c.Tones.Music; m != "" && !filepath.IsLocal(m) {
		v.err("tones.music", "%s is not below the folder media of data; give the path from there", m)
	}
}

func (v *validator) http() {
	h := v.c.HTTP
	v.oneOf("http.auth", h.Auth, "required", "off")
	if h.Auth == "off" && v.c.httpPublic() {
		v.err("http.auth", "off is for loopback only: anybody could place calls and read recordings")
	}
	if h.Listen != "" {
		addr, err := hostPort(h.Listen, "")
		if err != nil {
			v.err("http.listen", "%v", err)
		} else if host, _, _ := net.SplitHostPort(addr); h.PublicURL == "" && unspecific(host) {
			v.warn("http.public_url", "missing: http.listen is no single address, so links to recordings would lead nowhere")
		}
	}
	if h.TLSListen != "" {
		if _, err := hostPort(h.TLSListen, ""); err != nil {
			v.err("http.tls_listen", "%v", err)
		}
		if v.c.SIP.TLS.Cert == "" {
			v.err("http.tls_listen", "HTTPS needs a certificate: sip.tls.cert and sip.tls.key")
		}
	}
	if h.PublicURL != "" {
		v.url("http.public_url", h.PublicURL)
		if u, err := url.Parse(h.PublicURL); err == nil && (u.RawQuery != "" || u.Fragment != "" || u.User != nil) {
			v.err("http.public_url", "want nothing but scheme, host and path")
		}
	}
	for i, o := range h.Origins {
		if u, err := url.Parse(o); err != nil || u.Scheme == "" || u.Host == "" || strings.Trim(u.Path, "/") != "" {
			v.err(fmt.Sprintf("http.origins[%d]", i), "%q is no origin: write https://app.example", o)
		}
	}
}

func unspecific(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.IsUnspecified()
}

func (v *validator) people() {
	seen := map[string]bool{}
	for i, u := range v.c.Users {
		path := fmt.Sprintf("users[%d]", i)
		switch key := strings.ToLower(u.Name); {
		case u.Name == "":
			v.err(path, "a user needs a name")
		case seen[key]:
			v.err(path+".name", "user %q stands here twice", u.Name)
		default:
			seen[key] = true
		}
		if u.Password == "" && !v.c.Public() {
			v.err(path+".password", "user %q needs a password", u.Name)
		}
		v.password(path+".password", u.Password)
		v.oneOf(path+".urls", u.URLs, "allowed", "any")
		if err := api.CheckPassword(string(u.Password)); err != nil {
			v.err(path+".password", "%v; ozswitch config password makes one", err)
		}
		if u.Phone != "" && !slices.ContainsFunc(v.c.Extensions, func(e Extension) bool { return e.Number == u.Phone && (e.Type == "phone" || e.Type == "") }) {
			v.err(path+".phone", "there is no phone extension %q", u.Phone)
		}
	}
}

// fields of an extension by the types they count for.
func (e *Extension) set() map[string]bool {
	return map[string]bool{
		"contact": e.Contact != "", "digest": e.Digest != "", "url": e.URL != "", "fallback_url": e.FallbackURL != "",
		"fallback_script": e.FallbackScript != "", "sms_url": e.SMSURL != "", "file": e.File != "",
		"members": len(e.Members) > 0, "strategy": e.Strategy != "", "music": e.Music != "",
		"pin": e.PIN != "", "admin_pin": e.AdminPIN != "", "max": e.Max != 0, "record": e.Record, "tone": e.Tone != nil,
		"wrap_up": e.WrapUp != 0, "wait_limit": e.WaitLimit != 0, "announce": e.Announce != 0, "overflow": e.Overflow != "", "join_empty": e.JoinEmpty,
		"srtp": e.SRTP != "", "voicemail": e.Mailbox != Mailbox{},
		"forward": e.Forward != Forward{}, "dnd": e.DND, "call_waiting": e.CallWaiting != nil, "pickup_group": e.PickupGroup != "", "delay": e.Delay != 0,
	}
}

var counts = map[string][]string{
	"phone": {"contact", "digest", "forward", "dnd", "call_waiting", "pickup_group", "srtp", "voicemail"}, "api": {"url", "fallback_url", "fallback_script", "sms_url"}, "script": {"file"},
	"ringgroup": {"members", "strategy", "delay"}, "queue": {"members", "strategy", "music", "max", "wrap_up", "wait_limit", "announce", "overflow", "join_empty"},
	"voicemail": {"file"}, "conference": {"pin", "admin_pin", "max", "record", "tone", "music"}, "echo": {},
}

func (v *validator) extensions() {
	known := map[string]bool{}
	for _, e := range v.c.Extensions {
		known[e.Number] = true
	}
	seen := map[string]bool{}
	for i, e := range v.c.Extensions {
		path := fmt.Sprintf("extensions[%d]", i)
		switch {
		case e.Number == "":
			v.err(path, "an extension needs a number")
		case seen[e.Number]:
			v.err(path+".number", "extension %s stands here twice", e.Number)
		case !number(e.Number):
			v.err(path+".number", "%q is no number: want digits, letters and . _ + * # -", e.Number)
		}
		seen[e.Number] = true
		v.extension(path, e, known)
	}
}

func (v *validator) extension(path string, e Extension, known map[string]bool) {
	v.oneOf(path+".type", e.Type, "phone", "api", "script", "ringgroup", "voicemail", "conference", "queue", "echo")
	v.oneOf(path+".digest", e.Digest, "md5", "sha-256", "both")
	fields := e.set()
	for _, f := range slices.Sorted(mapKeys(fields)) {
		if on, ok := counts[e.Type]; fields[f] && ok && !slices.Contains(on, f) {
			v.warn(path+"."+f, "%s means nothing for type %s", f, e.Type)
		}
	}
	switch e.Type {
	case "phone":
		v.password(path+".password", e.Password)
		if e.Password == "" && !v.c.Public() {
			v.warn(path+".password", "extension %s has no password: whoever comes first is it", e.Number)
		}
		if err := e.settings().Check(e.Number); err != nil {
			v.err(path+".forward", "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	case "api":
		if e.URL == "" {
			v.err(path, "type api needs a url: where IncomingCall is posted to")
		}
	case "ringgroup":
		v.oneOf(path+".strategy", e.Strategy, "all", "order", "random")
	case "queue":
		v.oneOf(path+".strategy", e.Strategy, "longest-idle", "round-robin", "all")
	}
	if (e.Type == "ringgroup" || e.Type == "queue") && len(e.Members) == 0 {
		v.err(path, "type %s needs members", e.Type)
	}
	v.services(path, e, known)
	for i, m := range e.Members {
		if !known[m] {
			v.warn(fmt.Sprintf("%s.members[%d]", path, i), "there is no extension %s", m)
		} else if m == e.Number {
			v.err(fmt.Sprintf("%s.members[%d]", path, i), "%s would call itself", m)
		}
	}
	if e.RecordChannels < 0 || e.RecordChannels > 2 {
		v.err(path+".record_channels", "want 1 (mixed) or 2 (caller left, switch right)")
	}
	v.url(path+".url", e.URL)
	v.url(path+".fallback_url", e.FallbackURL)
	v.url(path+".error_url", e.ErrorURL)
	v.url(path+".finished_url", e.FinishedURL)
	v.url(path+".sms_url", e.SMSURL)
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func number(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return !(unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._+*#-", r))
	}) < 0
}
