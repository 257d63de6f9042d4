package route

import (
	"errors"
	"fmt"

	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/extension"
)

// errNowhere: there was nobody to ring.
var errNowhere = &Refused{Failure: call.Failure{Code: 480, Reason: "there is no telephone to ring"}, State: "NotFound"}

// refuse makes a *Refused of a status and words.
func refuse(code int, format string, args ...any) *Refused {
	return &Refused{Failure: call.Failure{Code: code, Reason: fmt.Sprintf(format, args...)}, State: stateOf(code)}
}

func nobody(number string) *Refused { return refuse(404, "nobody has the number %s", number) }

// stateOf is LastCallState of RoutingInterception (http-api.md B3, pbx-concepts.md
// C8).
func stateOf(code int) string {
	switch code {
	case 486, 600, 603:
		return "Busy"
	case 404, 410, 484, 604:
		return "NotFound"
	case 408, 480, 487:
		return "NoAnswer"
	}
	return "Error"
}

// refusedBy makes of what the far ends said what the caller is told: a status
// that telephones understand, and words.
func refusedBy(a *exchange.AskError, targets []call.Target) *Refused {
	who := targets[0].Extension
	switch {
	case len(targets) > 1 && (who == "" || differ(targets)):
		who = "nobody"
	case who != "":
		who = "extension " + who
	default:
		who = "line " + targets[0].Line
	}
	no := refuse(toCaller(a.Code), "%s: %s", who, firstOf(a.Reason, fmt.Sprintf("refused with %d", a.Code)))
	if who == "nobody" {
		no.Reason = "nobody answered: " + a.Reason
	}
	no.contacts = a.Contacts
	no.from = a.Code
	return no
}

func differ(targets []call.Target) bool {
	for _, t := range targets[1:] {
		if t.Extension != targets[0].Extension {
			return true
		}
	}
	return false
}

// toCaller is the status that a caller gets for one that a called party gave.
func toCaller(code int) int {
	switch {
	case code == 486 || code == 600:
		return 486
	case code == 603 || code == 403 || code == 488 || code == 483 || code == 606:
		return code
	case stateOf(code) == "NotFound":
		return 404
	case stateOf(code) == "NoAnswer" || code >= 300 && code < 400:
		return 480
	}
	return 503
}

// cause says what of a telephone's settings a refusal stands for, and its word
// in Diversion (RFC 5806).
func cause(no *Refused) (extension.Why, string) {
	code := no.from
	if code == 0 {
		return extension.WhyUnavailable, "unavailable" // nothing rang
	}
	switch stateOf(code) {
	case "Busy":
		return extension.WhyBusy, "user-busy"
	case "NoAnswer":
		if code != 408 { // that one has not even answered our INVITE
			return extension.WhyNoAnswer, "no-answer"
		}
	}
	return extension.WhyUnavailable, "unavailable"
}

// final tells whether a call needs no further try: it was answered, handed over,
// or is over.
func final(err error) bool {
	_, no := errors.AsType[*Refused](err)
	return !no
}

// better gives the failure that a caller should be told: busy before no answer
// before not found; of two alike the first.
func better(a, b error) error {
	x, ok := errors.AsType[*Refused](a)
	if !ok {
		return b
	}
	y, ok := errors.AsType[*Refused](b)
	if !ok || rank(y.Code) >= rank(x.Code) {
		return a
	}
	return b
}

func rank(code int) int {
	switch code {
	case 486:
		return 0
	case 603:
		return 1
	case 480:
		return 2
	case 404:
		return 4
	case 483:
		return 5
	}
	return 3
}

func words(err error) string {
	if err == nil {
		return "it has no members"
	}
	if no, ok := errors.AsType[*Refused](err); ok {
		return no.Reason
	}
	return err.Error()
}

func codeOf(err error, or int) int {
	if no, ok := errors.AsType[*Refused](err); ok {
		return no.Code
	}
	return or
}
