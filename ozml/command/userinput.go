package command

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ozswitch/ozml"
)

// betweenKeys is how long to wait for the next key of an entry when Timeout is
// 0 (decisions 5.3).
const betweenKeys = 3 * time.Second

// UserInput asks for keys.
func UserInput() *ozml.Command {
	return &ozml.Command{
		Name:  "UserInput",
		Title: "ask the caller for keys: a menu, a number",
		Doc: `Runs InitialCommands and takes keys at the same time: the first key ends what is heard, and the rest of InitialCommands is skipped.

An entry is complete when it equals the Key of an Input that is the beginning of no other Key, or when MaxDigits keys are in (the longest Key raises that). With fewer keys, when Timeout has passed since the last one, it is taken if it equals a Key or has MinDigits keys. Then the body of that Input runs; an entry that is no Key is posted as DtmfEntered to ForwardToUrl, and the commands of the answer run in place. Everything else counts as no entry.

With Repeat, InitialCommands run again after no entry, after the body of an Input and after a DtmfEntered answer; without it, the script goes on after the UserInput.

UserInputs can stand within each other. BackKey ends the one that declares it, at any moment, and leads to InitialCommands of the one around it; in the outermost it leads to what follows.

Keys that are pressed ahead, at most 5 s before the UserInput begins, count; those pressed before the first UserInput of a call do not.`,
		Notes: []string{
			"Timeout runs from the end of InitialCommands, and anew from each key. With Timeout 0 the keys of one entry may be 3 s apart.",
			"`Digits` alone sets MinDigits and MaxDigits; either of these wins over it.",
			"A menu that repeats and holds nothing to hear makes at most one round a second.",
			"ExecuteSQL is refused with an error event; the UserInput runs without it.",
			"If the answer to DtmfEntered is no script, there is an error event and the script goes on after the UserInput.",
		},
		Example: `<Response>
  <UserInput Timeout="5" Repeat="true" BackKey="*">
    <InitialCommands>
      <Speak>Sales, press 1. Support, press 2.</Speak>
    </InitialCommands>
    <Inputs>
      <Input Key="1"><Speak>Sales</Speak><Hangup/></Input>
      <Input Key="2"><GoTo>http://app.example/support</GoTo></Input>
    </Inputs>
  </UserInput>
</Response>`,
		In:  ozml.Extension,
		New: newUserInput,
	}
}

type userInput struct {
	initial  ozml.Block
	inputs   []input
	timeout  time.Duration
	repeat   bool
	back     ozml.Keys
	min, max int
	url      string

	unsure  []ozml.Block // to check: of Inputs whose Key is not known yet
	counted bool         // Digits or MinDigits is given
}

type input struct {
	key  ozml.Keys
	body ozml.Block
}

func newUserInput(p *ozml.Params) ozml.Action {
	var c userInput
	var digits int
	var sql string
	most := ozml.AtMost(float64(p.Limits().Digits))
	p.Bool(&c.repeat, "Repeat", "ask again", ozml.Default("false"))
	p.Seconds(&c.timeout, "Timeout", "how long to wait for a key after InitialCommands, and for each further one", ozml.Default("0"), ozml.AtMost(p.Limits().Delay.Seconds()))
	p.Keys(&c.back, "BackKey", "the key that leads back to the menu around this one", ozml.Length(1))
	p.Int(&digits, "Digits", "number of keys of an entry", ozml.Default("1"), most)
	p.Int(&c.min, "MinDigits", "least number of keys; Digits where absent", most)
	p.Int(&c.max, "MaxDigits", "greatest number of keys; Digits where absent", most)
	p.URL(&c.url, "ForwardToUrl", "gets DtmfEntered with an entry that is no Key", ozml.Also("enteredUrl"))
	p.String(&sql, "ExecuteSQL", "not offered", ozml.Refused("SQL is not offered: let a web application do the query, by ForwardToUrl"))
	p.Block(&c.initial, "InitialCommands", "what the caller hears while keys are awaited")
	room := c.max // that was asked for
	if room == 0 && p.Has("Digits") {
		room = max(digits, c.min)
	}
	if p.Unsure() {
		room = 0
	}
	c.counted = p.Has("Digits") || p.Has("MinDigits")
	seen := map[ozml.Keys]bool{}
	p.Each("Inputs", "Input", "what to do for an entry", func(p *ozml.Params) {
		var i input
		p.Keys(&i.key, "Key", "the entry: one or more keys", ozml.Required)
		p.Commands(&i.body, "what to do")
		if seen[i.key] && i.key != "" {
			p.Warn(ozml.CodeSameKey, "Key", fmt.Sprintf("a second Input with Key %s", i.key), "the first is taken")
		}
		if c.back != "" && strings.Contains(string(i.key), string(c.back)) {
			p.Warn(ozml.CodeHiddenKey, "Key", fmt.Sprintf("no entry reaches this Input: %s is the BackKey, which acts at once", c.back), "choose another BackKey or Key")
		} else if room > 0 && len(i.key) > room {
			p.Warn(ozml.CodeDigits, "Key", fmt.Sprintf("Key %s is longer than an entry is to be, %d", i.key, room), "the longest Key counts; write Digits=\""+strconv.Itoa(len(i.key))+"\" or leave it out")
		}
		if p.OK() && i.key != "" {
			c.inputs, seen[i.key] = append(c.inputs, i), true
		} else if p.Unsure() {
			c.unsure = append(c.unsure, i.body)
		}
	})
	digits = max(digits, 1)
	if c.min > 0 && c.max > 0 && c.min > c.max {
		p.Invalid("MinDigits", fmt.Sprintf("%d is more than MaxDigits, %d", c.min, c.max))
	}
	if c.min == 0 && c.max == 0 {
		c.min, c.max = digits, digits
	} else if c.min == 0 {
		c.min = min(digits, c.max)
	} else if c.max == 0 {
		c.max = max(digits, c.min)
	}
	for _, i := range c.inputs {
		c.max = max(c.max, len(i.key))
	}
	return &c
}

func (c *userInput) find(entry ozml.Keys) *input {
	for i := range c.inputs {
		if c.inputs[i].key == entry {
			return &c.inputs[i]
		}
	}
	return nil
}

func (c *userInput) Do(ctx context.Context, m *ozml.Machine) error {
	depth, leave := m.EnterMenu()
	defer leave()
	for {
		again, err := c.round(ctx, m, depth)
		if err == ozml.Back { // from a menu below
			again, err = true, nil
		}
		if err != nil || !again {
			return up(err)
		}
	}
}

// errUp is Back from the menu itself, which must not be taken for one from
// below.
type errUp struct{}

func (errUp) Error() string { return ozml.Back.Error() }

func up(err error) error {
	if _, ok := err.(errUp); ok {
		return ozml.Back
	}
	return err
}

// round asks once and does what the answer says. again tells whether to ask
// again.
func (c *userInput) round(ctx context.Context, m *ozml.Machine, depth int) (again bool, err error) {
	if err := m.Charge(); err != nil {
		return false, err
	}
	begun, heard := m.Call.Now(), m.Heard()
	entry, isBack, err := c.ask(ctx, m)
	if err != nil {
		return false, err
	}
	in := c.find(entry)
	switch {
	case isBack:
		m.Entered(c.back, "", "back")
		if depth > 1 {
			return false, errUp{}
		}
		return false, nil
	case entry == "" || in == nil && c.url == "":
		m.Entered(entry, "", "no entry")
		if c.repeat && m.Heard() == heard {
			err = c.pause(ctx, m, begun.Add(time.Second).Sub(m.Call.Now()))
		}
	case in != nil:
		m.Entered(entry, in.key, "")
		err = m.Do(ctx, in.body)
	default:
		m.Entered(entry, "", "")
		err = m.Include(ctx, ozml.Notification{Name: "DtmfEntered", URL: c.url, Fields: url.Values{"DtmfDigits": {string(entry)}}})
	}
	return c.repeat, err
}

// pause keeps a menu with nothing in it from going round and round.
func (c *userInput) pause(ctx context.Context, m *ozml.Machine, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	key, stop := m.Call.UntilKey(ctx)
	defer stop()
	if err := m.Call.Wait(key, d); err != ozml.ErrKey {
		return err
	}
	return nil
}

// ask runs InitialCommands and reads an entry; an empty one is none.
func (c *userInput) ask(ctx context.Context, m *ozml.Machine) (entry ozml.Keys, back bool, err error) {
	done := m.Call.Input(ctx)
	defer done()
	prompt, stop := m.Call.UntilKey(ctx) // a key cuts the prompt short
	err = m.Do(prompt, c.initial)
	stop()
	if err != nil && err != ozml.ErrKey {
		return "", false, err
	}
	wait := c.timeout
	for {
		k, err := m.Key(ctx, wait)
		switch {
		case err == ozml.ErrNoKey && (c.find(entry) != nil || len(entry) >= c.min):
			return c.took(m, entry), false, nil
		case err == ozml.ErrNoKey:
			return "", false, nil
		case err != nil:
			return "", false, err
		case c.back == ozml.Keys(rune(k)):
			return "", true, nil
		}
		if entry += ozml.Keys(rune(k)); c.complete(entry) {
			return c.took(m, entry), false, nil
		}
		if wait = c.timeout; wait == 0 {
			wait = betweenKeys
		}
	}
}

func (c *userInput) took(m *ozml.Machine, entry ozml.Keys) ozml.Keys {
	m.Vars().Set("digits", string(entry))
	return entry
}

// complete tells whether no further key is awaited (decisions 5.3).
func (c *userInput) complete(entry ozml.Keys) bool {
	if len(entry) >= c.max {
		return true
	}
	if c.find(entry) == nil {
		return false
	}
	for _, i := range c.inputs {
		if i.key != entry && strings.HasPrefix(string(i.key), string(entry)) {
			return false
		}
	}
	return true
}
