package server

import (
	"errors"
	"strings"

	"ozswitch/switch/extension"
)

// Features are what a phone dials to act on the calls of others; "off" = there is
// no such code.
type Features struct {
	Pickup      string `yaml:"pickup"`       // with a number after it: answers the call that rings there; "" = *8
	PickupGroup string `yaml:"pickup_group"` // answers the call that rings longest in the same pickup_group; "" = **
}

func (f *Features) fill() {
	set(&f.Pickup, "*8")
	set(&f.PickupGroup, "**")
}

// pickup tells whether a number that was dialled picks up a call, and whose; ""
// = of anybody in the group.
func (f Features) pickup(dialed string) (number string, ok bool) {
	if dialed == f.PickupGroup && dialed != "off" {
		return "", true
	}
	number, ok = strings.CutPrefix(dialed, f.Pickup)
	return number, ok && number != "" && f.Pickup != "off"
}

// check tells what is wrong with the codes.
func (f Features) check() error {
	var faults []error
	for _, one := range []struct{ name, code string }{{"pickup", f.Pickup}, {"pickup_group", f.PickupGroup}} {
		if one.code != "" && !extension.Dialable(one.code) {
			faults = append(faults, errors.New(one.name+": want a code to dial, such as *8, or off"))
		}
	}
	return errors.Join(faults...)
}
