package server

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"ozswitch/switch/dialplan"
	"ozswitch/switch/quota"
)

// A Line leads outside. One without User is known by its address; docs/lines.md
// says what each key is for.
type Line struct {
	Name      string   `yaml:"name"`
	Address   Names    `yaml:"address"`   // host (its SRV records count), host:port, or several: the first that works
	Transport string   `yaml:"transport"` // udp | tcp | tls; "" = udp
	Domain    string   `yaml:"domain"`    // of the carrier's users; "" = the host of the first address
	User      string   `yaml:"user"`
	Password  Secret   `yaml:"password"`
	AuthUser  string   `yaml:"auth_user"` // for the password; "" = user
	Realm     string   `yaml:"realm"`     // whose challenges are answered; "" = the first that asks
	Register  bool     `yaml:"register"`
	Expires   Duration `yaml:"expires"`   // of the registration, as asked for; 0 = 1 h
	CallerID  string   `yaml:"caller_id"` // shown; "" = user, else the caller's own
	Asserted  bool     `yaml:"asserted"`  // say it in P-Asserted-Identity too
	Trust     bool     `yaml:"trust"`     // believe the identities that the carrier asserts
	Headers   []string `yaml:"headers"`   // "X-Office: 1", of each call
	Codecs    []string `yaml:"codecs"`    // none = those of the switch
	DTMF      string   `yaml:"dtmf"`      // auto | rfc2833 | info | inband: how keys are sent; "" = auto
	SRTP      string   `yaml:"srtp"`      // SRTP with keys in SDP (SDES): off | optional | mandatory; "" = off
	MaxCalls  int      `yaml:"max_calls"` // at once, both ways; 0 = no limit
	Ping      Every    `yaml:"options_ping"`
}

// Every is a Duration or the word off; 0 = 30 s.
type Every time.Duration

// off is the Every that is never.
const off = Every(-1)

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (e *Every) UnmarshalYAML(n ast.Node) error {
	return scalar(n, func(s string) error {
		if s == "off" {
			*e = off
			return nil
		}
		d, err := ParseDuration(s)
		if err != nil || d < Duration(time.Second) {
			return fmt.Errorf("%q: write 30s, or off", s)
		}
		*e = Every(d)
		return nil
	})
}

// UserLimits are what one extension may use; 0 = not said, -1 = no limit.
type UserLimits struct {
	Calls         int `yaml:"calls"`            // at once
	PerMinute     int `yaml:"calls_per_minute"` // new ones
	SecondsPerDay int `yaml:"seconds_per_day"`  // talked over lines
}

func (l *Line) fill() {
	set(&l.Transport, "udp")
	set(&l.Expires, Duration(time.Hour))
	set(&l.DTMF, "auto")
	set(&l.SRTP, "off")
	set(&l.Ping, Every(30*time.Second))
}

func (v *validator) lines() {
	seen := map[string]bool{}
	users := map[string]string{}
	for i, l := range v.c.Lines {
		path := fmt.Sprintf("lines[%d]", i)
		switch {
		case l.Name == "":
			v.err(path, "a line needs a name")
		case l.Name == "extension" || l.Name == "any" || l.Name == "script" || l.Name == "*":
			v.err(path+".name", "%q has a meaning of its own in the dial plan", l.Name)
		case seen[l.Name]:
			v.err(path+".name", "line %q stands here twice", l.Name)
		case slices.ContainsFunc(v.c.Extensions, func(e Extension) bool { return e.Number == l.Name }):
			v.err(path+".name", "%s is the number of an extension too", l.Name)
		}
		seen[l.Name] = true
		v.line(path, l)
		if l.User == "" || len(l.Address) == 0 {
			continue
		}
		account := l.User + " at " + l.Address[0]
		if other := users[account]; other != "" {
			v.warn(path+".user", "line %q has the same account, %s", other, account)
		}
		users[account] = l.Name
	}
	v.userLimits("limits.user", v.c.Limits.User)
	for i, e := range v.c.Extensions {
		v.userLimits(fmt.Sprintf("extensions[%d].limits", i), e.Limits)
	}
	for i, n := range v.c.Emergency {
		if n == "" || !number(n) {
			v.err(fmt.Sprintf("emergency[%d]", i), "%q is no number", n)
		}
	}
}

func (v *validator) line(path string, l Line) {
	if len(l.Address) == 0 {
		v.err(path, "line %q needs an address", l.Name)
	}
	for j, a := range l.Address {
		at := path + ".address"
		if len(l.Address) > 1 {
			at = fmt.Sprintf("%s[%d]", at, j)
		}
		if strings.HasPrefix(a, "sip:") || strings.HasPrefix(a, "sips:") {
			v.err(at, "%q: write the host alone, sip.example.net", a)
		} else if _, err := hostPort(a, "5060"); err != nil {
			v.err(at, "%v", err)
		} else if strings.HasSuffix(a, ":0") {
			v.err(at, "%q: port 0 is nobody's", a)
		}
	}
	if strings.ContainsAny(l.Domain, ":/@<> \"") {
		v.err(path+".domain", "%q is no name of a host", l.Domain)
	}
	switch {
	case l.Register && l.User == "":
		v.err(path+".register", "a line that registers needs a user")
	case l.Password != "" && l.User == "" && l.AuthUser == "":
		v.err(path+".password", "a password needs a user")
	case l.Password != "" && !l.Register && l.Realm == "":
		v.warn(path+".realm", "say whose challenges are answered: without it, and without register, the first who asks during a call gets an answer")
	}
	if l.Expires != 0 && (l.Expires < Duration(time.Minute) || l.Expires > Duration(24*time.Hour)) {
		v.err(path+".expires", "want between 60 seconds and a day")
	}
	if l.MaxCalls < 0 {
		v.err(path+".max_calls", "want 0 or more")
	}
	for j, h := range l.Headers {
		if name, value, ok := strings.Cut(h, ":"); !ok || strings.TrimSpace(name) == "" || strings.TrimSpace(value) == "" {
			v.err(fmt.Sprintf("%s.headers[%d]", path, j), "%q is no header: write \"X-Office: 1\"", h)
		}
	}
	v.oneOf(path+".transport", l.Transport, "udp", "tcp", "tls")
	v.oneOf(path+".dtmf", l.DTMF, "auto", "rfc2833", "info", "inband")
	v.oneOf(path+".srtp", l.SRTP, "off", "optional", "mandatory")
	if l.SRTP == "mandatory" && l.Transport != "tls" {
		v.warn(path+".srtp", "the keys of the sound go over %s, where others may read them: use transport: tls", l.Transport)
	}
	v.codecs(path+".codecs", l.Codecs)
}

func (v *validator) userLimits(path string, l UserLimits) {
	for _, n := range []struct {
		name string
		n    int
	}{{"calls", l.Calls}, {"calls_per_minute", l.PerMinute}, {"seconds_per_day", l.SecondsPerDay}} {
		if n.n < -1 {
			v.err(path+"."+n.name, "want a number above 0, or -1 for no limit")
		}
	}
}

// explainLines says how a call looks on each line that it may go by, and what the
// caller may use of it; user is the extension that calls, "" = none.
func (c *Config) explainLines(user string, d dialplan.Destination) (said []string) {
	q := quota.New(c.quotas())
	emergency, outside := false, false
	for _, t := range d.Targets {
		i := slices.IndexFunc(c.Lines, func(l Line) bool { return t.Kind == dialplan.Line && l.Name == t.Name })
		if i < 0 {
			continue
		}
		outside, emergency = true, emergency || q.Emergency(t.Number)
		l := c.Lines[i].config(nil)
		shown := "the caller's own number"
		if n := l.Shown(d.CallerID, user); n != "" {
			shown = n
		}
		one := fmt.Sprintf("line %s: calls %s at %s by %s, showing %s", l.Name, l.URI(t.Number), strings.Join(l.Addresses, ", then "), l.Transport, shown)
		if l.MaxCalls > 0 {
			one += fmt.Sprintf("; at most %d calls at once", l.MaxCalls)
		}
		said = append(said, one)
	}
	switch {
	case !outside || user == "":
	case emergency:
		said = append(said, "limits: none, it is an emergency number")
	default:
		said = append(said, fmt.Sprintf("limits of %s: %s", user, q.Of(user)))
	}
	return said
}
