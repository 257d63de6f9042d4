package line

import (
	"fmt"

	"ozswitch/switch/sip"
)

// unanswered says why a place could not be used.
func unanswered(at sip.Place, a sip.Asked) string {
	switch {
	case a.Heard:
		return fmt.Sprintf("%s answers %d %s", at, a.Code, a.Reason)
	case a.Code == 408:
		return fmt.Sprintf("no answer from %s: is the address right, and does the firewall let it through?", at)
	}
	return fmt.Sprintf("%s cannot be reached: %s", at, a.Reason)
}

// refusal says what a carrier has against our registration, and what to do.
func refusal(c *Config, a sip.Asked) string {
	said := fmt.Sprintf("%d %s", a.Code, a.Reason)
	switch {
	case a.Realm != "":
		return fmt.Sprintf("the carrier asks for the password of realm %q, which is not the line's: is its realm right?", a.Realm)
	case (a.Code == 401 || a.Code == 407) && c.Password == "":
		return fmt.Sprintf("the carrier asks for a password, and the line has none (%s)", said)
	case a.Code == 401 || a.Code == 407 || a.Code == 403:
		return fmt.Sprintf("the carrier does not take user %q with this password (%s)", c.User, said)
	case a.Code == 404:
		return fmt.Sprintf("the carrier knows no user %q (%s)", c.User, said)
	case a.Code == 423:
		return fmt.Sprintf("the carrier wants registrations of at least %v, which is more than a day (%s)", a.Least, said)
	}
	return "the carrier refuses the registration: " + said
}
