package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"ozswitch/switch/api"
	"ozswitch/switch/dialplan"
	"ozswitch/switch/extension"
	"ozswitch/switch/notify"
	"ozswitch/switch/sip/registrar"
)

// A state is what can be changed while the switch runs. It is replaced as a
// whole and never changed.
type state struct {
	cfg      *Config // passwords of extensions and users are blank here: accounts and users have their hashes
	exts     *extension.Set
	plan     *dialplan.Plan
	accounts []registrar.Account
	users    []api.User
	phones   map[string]string // passwords of the extensions that are users' phones in the browser
	cert     *tls.Certificate  // nil = no TLS
}

// newState makes all that can fail of a configuration. users are those of c when
// they are sealed already, which takes its time.
func newState(c *Config, users []api.User) (st *state, err error) {
	own := *c
	own.Extensions = slices.Clone(c.Extensions)
	st = &state{cfg: &own, phones: map[string]string{}}
	for i := range own.Extensions {
		e := &own.Extensions[i]
		if e.Type == "phone" && e.Password != "" && e.enabled() {
			st.accounts = append(st.accounts, registrar.NewAccount(e.Number, own.SIP.Domain, string(e.Password), e.Digest))
			if slices.ContainsFunc(own.Users, func(u User) bool { return u.Phone == e.Number }) {
				st.phones[e.Number] = string(e.Password)
			}
		}
	}
	if st.exts, err = own.extensions(); err != nil {
		return nil, err
	}
	if st.plan, err = own.plan(st.exts); err != nil {
		return nil, err
	}
	for i := range own.Extensions {
		own.Extensions[i].Password = ""
	}
	own.Users = slices.Clone(c.Users)
	for i := range own.Users {
		u := &own.Users[i]
		if users != nil {
			u.Password, st.users = "", users
			continue
		}
		one := api.User{Name: u.Name, Password: string(u.Password), API: u.API, Admin: u.Admin, AnyURL: u.URLs == "any", Phone: u.Phone}
		one.Seal()
		u.Password, st.users = "", append(st.users, one)
	}
	if _, err := notify.ParseRules(own.allowed()); err != nil {
		return nil, fmt.Errorf("server: web.allow: %w", err)
	}
	if own.SIP.TLS.Cert != "" {
		pair, err := tls.LoadX509KeyPair(own.SIP.TLS.Cert, own.SIP.TLS.Key)
		if err != nil {
			return nil, fmt.Errorf("server: sip.tls: %w", err)
		}
		st.cert = &pair
	}
	return st, nil
}

// certificate is tls.Config.GetCertificate: a reload brings a new one.
func (s *Server) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return s.state.Load().cert, nil
}

// tls is what TLS listeners show; nil without a certificate.
func (s *Server) tls() *tls.Config {
	if s.state.Load().cert == nil {
		return nil
	}
	return &tls.Config{GetCertificate: s.certificate, MinVersion: tls.VersionTLS12}
}

// live are the keys that Reload applies; the rest needs a restart.
var live = []string{
	"sip.guests", "sip.headers", "sip.tls", "http.allowed", "http.denied", "http.origins", "http.proxies", "http.auth", "users", "extensions", "lines", "dialplan", "feature_codes", "features", "addressbooks",
	"routing_url", "call_changed_url", "web.allow", "limits", "limits.user", "emergency", "log.level", "mail", "sms",
	"retention.calls", "retention.recordings", "retention.messages", "retention.min_free",
}

// except are keys below those of live that need a restart all the same: who
// made their parts has taken them.
var except = []string{"limits.body", "limits.depth", "limits.elements", "limits.attributes"}

// Reload applies what can change live of c and gives the keys that have changed
// and need a restart. On an error nothing has changed. Calls that are up go on
// by what they began with; c is the Server's from then on.
func (s *Server) Reload(c *Config) (restart []string, err error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	return s.reload(c)
}

// ReloadFile is Reload of what Options.Source has now, and tells what is to be
// remarked of that.
func (s *Server) ReloadFile() (restart []string, ps Problems, err error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	c, ps := s.opt.Source.Load()
	if c == nil {
		return nil, ps, errors.New("the file has errors")
	}
	restart, err = s.reload(c)
	return restart, ps, err
}

// reload is Reload for who holds reloading.
func (s *Server) reload(c *Config) (restart []string, err error) {
	c.Fill()
	old := s.state.Load()
	was := old.cfg
	merged := *was
	restart = merge(reflect.ValueOf(&merged).Elem(), reflect.ValueOf(c).Elem(), "")
	if (was.SIP.TLS.Cert == "") != (c.SIP.TLS.Cert == "") { // there is no listener for it, or one that needs it
		merged.SIP.TLS, restart = was.SIP.TLS, append(restart, "sip.tls")
	}
	if err := merged.Validate().Err(); err != nil {
		return nil, fmt.Errorf("server: reload, beside what needs a restart (%s): %w", strings.Join(restart, ", "), err)
	}
	doors := s.markKey.of(&Config{HTTP: merged.HTTP, Users: merged.Users, Limits: merged.Limits})
	var users []api.User
	if doors == s.doors {
		users = old.users
	}
	st, err := newState(&merged, users)
	if err != nil {
		return nil, err
	}
	if err := s.web.SetAllow(merged.allowed()); err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(was.AddressBooks, merged.AddressBooks) {
		if err := s.openBooks(&merged); err != nil {
			return nil, err
		}
		s.books.Load().Warm()
	}
	if err := s.setMessages(was, &merged); err != nil {
		return nil, err
	}
	s.state.Store(st)
	s.sip.SetAccounts(st.accounts)
	s.setLines(&merged)
	s.quota.Set(merged.quotas())
	s.sip.SetLimits(merged.Limits.CallsPerSecond, merged.Limits.Calls)
	s.calls.SetLimits(merged.callLimits(), merged.Limits.Calls)
	s.scripts.SetLimits(s.scriptLimits())
	if doors != s.doors {
		s.http.handle(s.newHandler(&merged))
	}
	if s.opt.Level != nil {
		_ = s.opt.Level.UnmarshalText([]byte(merged.Log.Level)) // Validate knows the words
	}
	s.remember(c, doors)
	return restart, nil
}

// remember notes what is loaded, so that the HTTP API can change it.
func (s *Server) remember(c *Config, doors mark) {
	s.doors = doors
	if s.opt.Source != nil {
		s.loaded = s.markKey.of(c)
		return
	}
	own := *c
	own.Extensions = slices.Clone(c.Extensions)
	s.preset = &own
}

// merge takes the live keys of c into run, and gives the others that differ.
func merge(run, c reflect.Value, path string) (differ []string) {
	for f, v := range run.Fields() {
		name := f.Tag.Get("yaml")
		if name == "" {
			continue
		}
		name = strings.TrimPrefix(path+"."+name, ".")
		from := c.FieldByIndex(f.Index)
		switch {
		case slices.Contains(live, name) && !slices.ContainsFunc(except, func(e string) bool { return strings.HasPrefix(e, name+".") }):
			v.Set(from)
		case keys(v) && !slices.Contains(except, name):
			differ = append(differ, merge(v, from, name)...)
		case path != "" && slices.Contains(live, path) && !slices.Contains(except, name):
			v.Set(from)
		case !reflect.DeepEqual(v.Interface(), from.Interface()):
			differ = append(differ, name)
		}
	}
	return differ
}

// keys tells whether a value is a group of keys, and no value of one.
func keys(v reflect.Value) bool {
	return v.Kind() == reflect.Struct && v.NumField() > 0 && v.Type().Field(0).Tag.Get("yaml") != ""
}
