package line

import (
	"crypto/subtle"
	"fmt"
	"net/netip"
	"strings"

	"ozswitch/switch/sip"
)

// Known is what a line is recognised by.
type Known struct {
	Name     string
	Token    string // user part of our Contact there
	User     string
	CallerID string
	Places   []sip.Place
}

// Match tells by which line a call from source to the user part of a Request-URI
// came; "" = by none. The token is proof, wherever the call comes from: nobody but
// the carrier knows it. Else it must come from one of the line's addresses; a
// port is not compared, as carriers send from others. Of several lines at one
// address the one counts whose user or number is called, then the one whose
// port it is; when that is none or again several the error says so.
func Match(lines []Known, source netip.AddrPort, transport, to string) (name string, err error) {
	for _, l := range lines {
		if l.Token != "" && subtle.ConstantTimeCompare([]byte(l.Token), []byte(to)) == 1 {
			return l.Name, nil
		}
	}
	from := netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
	var there []Known
	for _, l := range lines {
		if l.at(func(p sip.Place) bool { return p.Addr.Addr() == from.Addr() && p.Transport == transport }) {
			there = append(there, l)
		}
	}
	if len(there) == 0 {
		return "", nil
	}
	for _, tells := range []func(l Known) bool{
		func(Known) bool { return true }, // there is but one
		func(l Known) bool { return l.User != "" && l.User == to || l.CallerID != "" && same(l.CallerID, to) },
		func(l Known) bool { return l.at(func(p sip.Place) bool { return p.Addr == from }) },
	} {
		var fit []Known
		for _, l := range there {
			if tells(l) {
				fit = append(fit, l)
			}
		}
		if len(fit) == 1 {
			return fit[0].Name, nil
		}
	}
	var names []string
	for _, l := range there {
		names = append(names, l.Name)
	}
	return "", fmt.Errorf("lines %s are all at %s, and %q is the user of none alone: let them register, or give each its user or caller_id",
		strings.Join(names, ", "), from.Addr(), to)
}

// same compares two numbers, whether they begin with + or not.
func same(a, b string) bool { return strings.TrimPrefix(a, "+") == strings.TrimPrefix(b, "+") }

func (l *Known) at(fits func(sip.Place) bool) bool {
	for _, p := range l.Places {
		if fits(p) {
			return true
		}
	}
	return false
}
