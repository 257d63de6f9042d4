package extension

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Settings are what the user of a telephone may change about the calls that come
// to it. They come from the configuration, and from what was changed since by
// feature codes and /v1 (Change).
type Settings struct {
	Forward      Forward
	DoNotDisturb bool // busy for all, or Forward.Busy when that is set
	CallWaiting  bool // a further call rings too; else who talks is busy
}

// A Forward says to which number a call goes instead; "" = to none. Who forwards
// dials that number: the dial plan decides whether he may.
type Forward struct {
	Always      string
	Busy        string
	NoAnswer    string        // after After without an answer
	Unavailable string        // the telephone is not registered, or cannot be reached
	After       time.Duration // 0 = 20 s
}

// DefaultAfter is how long a telephone rings before Forward.NoAnswer.
const DefaultAfter = 20 * time.Second

// longestAfter is the longest that may be said: no network waits longer for an
// answer (RFC 3261 13.2.1 suggests three minutes).
const longestAfter = 3 * time.Minute

// A Why is why a call is not taken by the telephone that it is for.
type Why uint8

// The reasons.
const (
	WhyBusy Why = iota
	WhyNoAnswer
	WhyUnavailable
)

// Before tells what becomes of a call before anything rings, while the extension
// has so many calls: it goes to another number, or it is busy. With neither the
// telephone rings.
func (s Settings) Before(calls int) (to string, busy bool) {
	switch {
	case s.Forward.Always != "":
		return s.Forward.Always, false
	case s.DoNotDisturb, calls > 0 && !s.CallWaiting:
		return s.Forward.Busy, s.Forward.Busy == ""
	}
	return "", false
}

// Instead gives the number to which a call goes that the telephone did not take;
// "" = the call has failed.
func (s Settings) Instead(why Why) string {
	switch why {
	case WhyBusy:
		return s.Forward.Busy
	case WhyNoAnswer:
		return s.Forward.NoAnswer
	case WhyUnavailable:
		return s.Forward.Unavailable
	}
	return ""
}

// RingTime is how long the telephone rings when otherwise it would for d (0 =
// without end): shorter when somebody else is to be tried then.
func (s Settings) RingTime(d time.Duration) time.Duration {
	after := cmp.Or(s.Forward.After, DefaultAfter)
	if s.Forward.NoAnswer == "" || d > 0 && d < after {
		return d
	}
	return after
}

// Check tells what is wrong with the settings of the extension of that number.
func (s Settings) Check(number string) error {
	var faults []error
	f := s.Forward
	for _, one := range []struct{ name, to string }{{"always", f.Always}, {"busy", f.Busy}, {"no_answer", f.NoAnswer}, {"unavailable", f.Unavailable}} {
		switch {
		case one.to == "":
		case !Dialable(one.to):
			faults = append(faults, fmt.Errorf("forward.%s: want a number to dial: 1 to 64 letters, digits or + * # . _ -", one.name))
		case one.to == number:
			faults = append(faults, fmt.Errorf("forward.%s: %s would call itself; name another number", one.name, number))
		}
	}
	if f.After != 0 && (f.After < time.Second || f.After > longestAfter) {
		faults = append(faults, fmt.Errorf("forward.after %s: want 1 s to 3 minutes", f.After))
	}
	return errors.Join(faults...)
}

// SettingsJSON is how Settings look in /v1, which describes them by it.
type SettingsJSON struct {
	Forward struct {
		Always       string  `json:"always"`
		Busy         string  `json:"busy"`
		NoAnswer     string  `json:"no_answer"`
		Unavailable  string  `json:"unavailable"`
		AfterSeconds float64 `json:"after_seconds"`
	} `json:"forward"`
	DND         bool `json:"dnd"`
	CallWaiting bool `json:"call_waiting"`
}

// MarshalJSON implements json.Marshaler.
func (s Settings) MarshalJSON() ([]byte, error) {
	var j SettingsJSON
	j.Forward.Always, j.Forward.Busy, j.Forward.NoAnswer, j.Forward.Unavailable = s.Forward.Always, s.Forward.Busy, s.Forward.NoAnswer, s.Forward.Unavailable
	j.Forward.AfterSeconds = cmp.Or(s.Forward.After, DefaultAfter).Seconds()
	j.DND, j.CallWaiting = s.DoNotDisturb, s.CallWaiting
	return json.Marshal(j)
}

// A Change says what is to be other than it was; nil fields stay. As JSON it has
// the form of Settings, with what does not change left out.
type Change struct {
	Forward     ForwardChange `json:"forward,omitzero"`
	DND         *bool         `json:"dnd,omitempty"`
	CallWaiting *bool         `json:"call_waiting,omitempty"`
}

// A ForwardChange is what changes of a Forward; "" ends one.
type ForwardChange struct {
	Always       *string  `json:"always,omitempty"`
	Busy         *string  `json:"busy,omitempty"`
	NoAnswer     *string  `json:"no_answer,omitempty"`
	Unavailable  *string  `json:"unavailable,omitempty"`
	AfterSeconds *float64 `json:"after_seconds,omitempty"`
}

// Then gives both changes in one: what next says counts.
func (c Change) Then(next Change) Change {
	replace(&c.Forward.Always, next.Forward.Always)
	replace(&c.Forward.Busy, next.Forward.Busy)
	replace(&c.Forward.NoAnswer, next.Forward.NoAnswer)
	replace(&c.Forward.Unavailable, next.Forward.Unavailable)
	replace(&c.Forward.AfterSeconds, next.Forward.AfterSeconds)
	replace(&c.DND, next.DND)
	replace(&c.CallWaiting, next.CallWaiting)
	return c
}

func replace[T any](was **T, next *T) {
	if next != nil {
		*was = next
	}
}

// With gives the settings with a change.
func (s Settings) With(c Change) Settings {
	take(&s.Forward.Always, c.Forward.Always)
	take(&s.Forward.Busy, c.Forward.Busy)
	take(&s.Forward.NoAnswer, c.Forward.NoAnswer)
	take(&s.Forward.Unavailable, c.Forward.Unavailable)
	take(&s.DoNotDisturb, c.DND)
	take(&s.CallWaiting, c.CallWaiting)
	if a := c.Forward.AfterSeconds; a != nil {
		s.Forward.After = time.Duration(min(max(*a, 0), 3600) * float64(time.Second)) // Check tells of what is too long
	}
	return s
}

func take[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// Codes are what a telephone dials to change its settings; "" = there is no such
// code. After those that forward, the number follows.
type Codes struct {
	Always, AlwaysOff     string
	Busy, BusyOff         string
	NoAnswer, NoAnswerOff string
	DND, DNDOff           string

	PickUp      string // and a number: answers the call that rings there
	PickUpGroup string // answers the call that rings longest in the same group
	Agent       string // and a queue's number: its agent logs out of it, or in
}

// DefaultCodes are those that many switches have.
var DefaultCodes = Codes{Always: "*72", AlwaysOff: "*73", Busy: "*90", BusyOff: "*91", NoAnswer: "*92", NoAnswerOff: "*93", DND: "*78", DNDOff: "*79",
	PickUp: "*8", PickUpGroup: "**", Agent: "*45"}

// PicksUp tells whether a number that was dialled picks up a call, and whose; "" =
// of anybody in the group.
func (c Codes) PicksUp(dialed string) (number string, ok bool) {
	if c.PickUpGroup != "" && dialed == c.PickUpGroup {
		return "", true
	}
	return follows(c.PickUp, dialed)
}

// Agents tells of which queue the agent who dialled that wants to log out, or in.
func (c Codes) Agents(dialed string) (queue string, ok bool) { return follows(c.Agent, dialed) }

// follows gives what stands behind a code.
func follows(code, dialed string) (number string, ok bool) {
	number, ok = strings.CutPrefix(dialed, code)
	return number, ok && code != "" && number != ""
}

// Match tells what a number that was dialled changes, and in words what is so
// then; ok is false when it is no code. A code that forwards without a number
// changes nothing: to is "" then, and said tells so.
func (c Codes) Match(dialed string) (change Change, said string, ok bool) {
	on, off, none := true, false, ""
	for _, one := range []struct {
		code   string
		change Change
		said   string
	}{
		{c.AlwaysOff, Change{Forward: ForwardChange{Always: &none}}, "Calls are no longer forwarded."},
		{c.BusyOff, Change{Forward: ForwardChange{Busy: &none}}, "Calls are no longer forwarded when busy."},
		{c.NoAnswerOff, Change{Forward: ForwardChange{NoAnswer: &none}}, "Calls are no longer forwarded when nobody answers."},
		{c.DND, Change{DND: &on}, "Do not disturb is on."},
		{c.DNDOff, Change{DND: &off}, "Do not disturb is off."},
	} {
		if one.code != "" && dialed == one.code {
			return one.change, one.said, true
		}
	}
	for _, one := range []struct {
		code   string
		change func(to *string) Change
		when   string
	}{
		{c.Always, func(to *string) Change { return Change{Forward: ForwardChange{Always: to}} }, ""},
		{c.Busy, func(to *string) Change { return Change{Forward: ForwardChange{Busy: to}} }, " when busy"},
		{c.NoAnswer, func(to *string) Change { return Change{Forward: ForwardChange{NoAnswer: to}} }, " when nobody answers"},
	} {
		to, found := strings.CutPrefix(dialed, one.code)
		switch {
		case one.code == "" || !found:
		case to == "":
			return Change{}, "Nothing was changed: dial the number after the code.", true
		default:
			return one.change(&to), "Calls are forwarded" + one.when + " to " + strings.Join(strings.Split(to, ""), " ") + ".", true
		}
	}
	return Change{}, "", false
}

// Check tells what is wrong with codes: one that is the beginning of another one
// which a number follows would never be found.
func (c Codes) Check() error {
	var faults []error
	const numbered = 5 // a number follows the first
	all := []struct{ name, code string }{{"forward_always", c.Always}, {"forward_busy", c.Busy}, {"forward_no_answer", c.NoAnswer},
		{"pickup", c.PickUp}, {"queue_agent", c.Agent}, {"pickup_group", c.PickUpGroup},
		{"forward_always_off", c.AlwaysOff}, {"forward_busy_off", c.BusyOff}, {"forward_no_answer_off", c.NoAnswerOff}, {"dnd", c.DND}, {"dnd_off", c.DNDOff}}
	for i, a := range all {
		if a.code == "" {
			continue
		}
		if !Dialable(a.code) {
			faults = append(faults, fmt.Errorf("%s: want a code to dial, such as *72", a.name))
		}
		for j, b := range all {
			if i != j && b.code != "" && (a.code == b.code && i < j || i < numbered && a.code != b.code && strings.HasPrefix(b.code, a.code)) {
				faults = append(faults, fmt.Errorf("%s: %s is also how %s (%s) begins; take another code", a.name, a.code, b.name, b.code))
			}
		}
	}
	return errors.Join(faults...)
}
