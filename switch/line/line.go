// Package line is the outside lines: it keeps each registered at its carrier's,
// sees whether the carrier is alive, and tells by which line a call came.
//
// What to do when is a Machine, pure: it is told the time and what was answered.
// A Set runs the machines of all lines over switch/sip. Which calls go over a
// line is switch/dialplan's, and how a call looks on it switch/sip's. Start
// reading at Machine.Due, then Set.Run.
package line

import (
	"net"
	"net/netip"
	"strings"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip"
)

// A Config is one outside line.
type Config struct {
	Name      string
	Addresses []string // host, host:port or a name with SRV records; the first that works counts
	Transport string   // "udp", "tcp" or "tls"; "" = udp
	Host      string   // of the carrier's users, where an address is a proxy of it; "" = that of the first address

	User     string // our name at the carrier's, "" = we are known by our address
	Password string
	AuthUser string // for digest; "" = User
	Realm    string // whose challenges are answered; "" = the first that asks over the registration
	Register bool
	Expires  time.Duration // asked for; 0 = 1 h

	CallerID string // number shown; "" = the caller's own, or User where there is one
	Asserted bool   // say it in P-Asserted-Identity too (RFC 3325)
	Trust    bool   // believe the identities that the carrier asserts
	Headers  []call.Header

	Codecs   []string // nil = those of the switch
	Keys     string   // "auto", "rfc2833", "info" or "inband": how keys are sent; "" = auto
	Security call.Security
	MaxCalls int           // at once, both ways; 0 = no limit
	Ping     time.Duration // between two OPTIONS; 0 = none are sent

	Token string // user part of our Contact there: whoever calls it comes by this line. Hard to guess
}

// Domain is the carrier's host, as in its URIs.
func (c *Config) Domain() string {
	if c.Host != "" || len(c.Addresses) == 0 {
		return c.Host
	}
	return host(c.Addresses[0])
}

// host takes the port off an address; an IPv6 address keeps its brackets.
func host(address string) string {
	h, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if strings.Contains(h, ":") {
		return "[" + h + "]"
	}
	return h
}

// named tells whether one of the addresses must be looked up.
func (c *Config) named() bool {
	for _, a := range c.Addresses {
		if _, err := netip.ParseAddr(strings.Trim(host(a), "[]")); err != nil {
			return true
		}
	}
	return false
}

// trunk is who we are to the carrier.
func (c *Config) trunk() sip.TrunkConfig {
	return sip.TrunkConfig{Domain: c.Domain(), User: c.User, Login: c.AuthUser, Password: c.Password, Realm: c.Realm, Contact: c.Token}
}

// URI is that of a number at the carrier's.
func (c *Config) URI(number string) string { return "sip:" + sip.Escape(number) + "@" + c.Domain() }

// Shown is the number that a call over the line shows: what the rule of the dial
// plan says, else the line's, else its user, else the caller's own.
func (c *Config) Shown(rule, own string) string {
	for _, n := range []string{rule, c.CallerID, c.User} {
		if n != "" {
			return n
		}
	}
	return own
}

// A Condition is whether somebody is there.
type Condition uint8

// The conditions.
const (
	Unknown Condition = iota
	Up
	Down
)

func (c Condition) String() string { return [...]string{"unknown", "up", "down"}[c] }

// A Status is how a line is.
type Status struct {
	Name       string
	Address    string // as configured, several with commas between
	State      Condition
	Register   bool      // it should be registered
	Registered bool      // it is
	Until      time.Time // when the registration ends unless it is refreshed
	Why        string    // what is wrong, in words; "" = nothing
	Places     []PlaceStatus
}

// A PlaceStatus is how one place of a line is.
type PlaceStatus struct {
	sip.Place
	State Condition
}
