// Package extension is who can be called: telephones, web apps (api) and script
// files, each under a number, as the configuration names them (contract.md
// "Config").
//
// It is not the dial plan, which leads numbers to extensions, nor the register
// of where telephones are (switch/sip). Start reading at Extension and NewSet.
package extension

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Type says what an extension is.
type Type string

// The types.
const (
	Phone      Type = "phone"  // registers and is called
	API        Type = "api"    // a web app decides: IncomingCall goes to URL
	Script     Type = "script" // a file runs
	Echo       Type = "echo"   // sends back what it hears
	RingGroup  Type = "ringgroup"
	Voicemail  Type = "voicemail"
	Conference Type = "conference"
	Queue      Type = "queue"
)

var types = []Type{Phone, API, Script, Echo, RingGroup, Voicemail, Conference, Queue}

// words lists types for people.
func words(types []Type) string {
	var b strings.Builder
	for i, t := range types {
		switch i {
		case 0:
		case len(types) - 1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(t))
	}
	return b.String()
}

// An Extension is one entry of `extensions:`. Zero values are usable but for
// Number and Type.
type Extension struct {
	Number string `yaml:"number"`
	Type   Type   `yaml:"type"`
	Name   string `yaml:"name"` // shown to who is called

	Disabled bool // it is there, but cannot be called and calls nobody

	// phone
	Password string   `yaml:"password"`
	Digest   string   `yaml:"digest"`  // md5 | sha-256 | both; "" = md5
	Contact  string   `yaml:"contact"` // SIP URI of a telephone that does not register
	Settings Settings // as configured; changes since are their owner's

	PickupGroup string // who is in the same one may pick up its calls; "" = the group of all that are in none

	// api, and what script shares with it
	URL            string `yaml:"url"`
	FallbackURL    string `yaml:"fallback_url"`
	FallbackScript string `yaml:"fallback_script"`
	ErrorURL       string `yaml:"error_url"`
	FinishedURL    string `yaml:"finished_url"`
	SMSURL         string `yaml:"sms_url"`
	Secret         string `yaml:"secret"`
	RecordChannels int    `yaml:"record_channels"` // 1 | 2; 0 = 1
	SensitiveInput bool   `yaml:"sensitive_input"`

	File string `yaml:"file"` // script

	// ringgroup, queue
	Members  []string      `yaml:"members"`
	Strategy string        `yaml:"strategy"`  // ringgroup: all | order | random; "" = all
	RingTime int           `yaml:"ring_time"` // of each member, seconds; 0 = 20
	Delay    time.Duration `yaml:"delay"`     // ringgroup, all: each member begins so long after the one before
	Music    string        `yaml:"music"`
}

// RunsScript tells whether a call to it runs a script.
func (e *Extension) RunsScript() bool { return e.Type == API || e.Type == Script }

// URLs lists the URLs that the configuration names: their hosts may be reached
// (decisions 9).
func (e *Extension) URLs() []string {
	return slices.DeleteFunc([]string{e.URL, e.FallbackURL, e.ErrorURL, e.FinishedURL, e.SMSURL},
		func(u string) bool { return u == "" })
}

// Check tells all that is wrong with e, nil when nothing is.
func (e *Extension) Check() error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if e.Number == "" {
		fault("number is missing")
	} else if !Dialable(e.Number) {
		fault("number: want 1 to 64 letters, digits or + * # . _ -")
	}
	switch {
	case e.Type == "":
		fault("type is missing: want %s", words(types))
	case !slices.Contains(types, e.Type):
		fault("type %q is unknown: want %s", e.Type, words(types))
	}
	if !slices.Contains([]string{"", "md5", "sha-256", "both"}, e.Digest) {
		fault("digest %q: want md5, sha-256 or both", e.Digest)
	}
	if e.RecordChannels < 0 || e.RecordChannels > 2 {
		fault("record_channels %d: want 1 or 2", e.RecordChannels)
	}
	if e.Type == Phone && e.Password == "" && e.Contact == "" {
		fault("a phone wants a password to register with, or a contact")
	}
	if e.Type == API && e.URL == "" {
		fault("an api extension wants a url")
	}
	if e.Type == Script && e.File == "" {
		fault("a script extension wants a file")
	}
	if e.Type == RingGroup {
		e.checkGroup(fault)
	}
	for _, u := range []struct{ name, value string }{{"url", e.URL}, {"fallback_url", e.FallbackURL}, {"error_url", e.ErrorURL},
		{"finished_url", e.FinishedURL}, {"sms_url", e.SMSURL}} {
		if u.value == "" {
			continue
		}
		// The parser's message would show the password.
		if p, err := url.Parse(u.value); err != nil || p.Scheme != "http" && p.Scheme != "https" || p.Hostname() == "" {
			fault("%s: want http://host/path or https://host/path", u.name)
		}
	}
	return errors.Join(faults...)
}

// Dialable tells whether s can be a number: the user part of a SIP URI that
// needs no escape and every telephone can send.
func Dialable(s string) bool {
	return s != "" && len(s) <= 64 && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("+*#._-", r))
	}) < 0
}

// samples are passwords that stand in published samples, ours included.
var samples = []string{"secret1", "qwe123", "qwe12345", "password", "12345678", "changeme", "123456789", "password1"}

// Weak says why a password must not be used beyond loopback, "" when it may.
// number is the extension's, "" for a user.
func Weak(password, number string) string {
	switch {
	case len(password) < 8:
		return "is shorter than 8 characters"
	case slices.Contains(samples, strings.ToLower(password)):
		return "stands in published samples"
	case number != "" && strings.Contains(password, number) && len(password) < len(number)+8:
		return "is little more than the number"
	}
	return ""
}

// A Set is all extensions, by number. It is not changed after NewSet: to reload,
// make another.
type Set struct {
	list   []Extension
	byName map[string]int
}

// NewSet checks the extensions; the error names every fault of every one.
func NewSet(list []Extension) (*Set, error) {
	s := &Set{list: slices.Clone(list), byName: map[string]int{}}
	var faults []error
	for i, e := range s.list {
		name := fmt.Sprintf("extension %s", e.Number)
		if e.Number == "" {
			name = fmt.Sprintf("extension number %d of the list", i+1)
		}
		if err := e.Check(); err != nil {
			for _, f := range err.(interface{ Unwrap() []error }).Unwrap() {
				faults = append(faults, fmt.Errorf("%s: %w", name, f))
			}
		}
		if _, twice := s.byName[e.Number]; twice && e.Number != "" {
			faults = append(faults, fmt.Errorf("%s: stands twice", name))
		}
		s.byName[e.Number] = i
	}
	faults = append(faults, s.loops()...)
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return s, nil
}

// Seal shows each password once, to who makes digests of them, and keeps none
// (RFC 7616 wants H(user:realm:password) only). Call it before the set is
// shared.
func (s *Set) Seal(show func(Extension)) {
	for i, e := range s.list {
		if e.Password != "" {
			show(e)
			s.list[i].Password = ""
		}
	}
}

// Find gives the extension of that number.
func (s *Set) Find(number string) (Extension, bool) {
	i, ok := s.byName[number]
	if !ok {
		return Extension{}, false
	}
	return s.list[i], true
}

// Has tells whether there is an extension of that number.
func (s *Set) Has(number string) bool { _, ok := s.byName[number]; return ok }

// All lists the extensions in the order of the configuration. It is a copy.
func (s *Set) All() []Extension { return slices.Clone(s.list) }
