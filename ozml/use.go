package ozml

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// What commands use of the machine beside Do, Hangup, Warn and Fail.

// A budget bounds a script that runs in a circle (decisions 3.7).
type budget struct {
	steps, jumps int
	heard        int         // times something was heard, or a key pressed
	fetches      []time.Time // of the last second
}

type limitError struct {
	code string
	what string
	n    int
}

func (l *limitError) Error() string {
	return fmt.Sprintf("more than %d %s without anything heard and without a key", l.n, l.what)
}

// Charge takes one step off the budget; loops charge each turn. Its error must
// be returned.
func (m *Machine) Charge() error {
	if m.budget.steps++; m.budget.steps > m.Limits.Steps {
		return &limitError{CodeSteps, "steps", m.Limits.Steps}
	}
	return nil
}

func (m *Machine) heard() {
	m.budget.steps, m.budget.jumps = 0, 0
	m.budget.heard++
}

// Heard counts how often something was heard or a key pressed: a loop can tell
// by it whether a turn was empty.
func (m *Machine) Heard() int { return m.budget.heard }

// Key takes the next key of the machine's call, waiting at most d.
func (m *Machine) Key(ctx context.Context, d time.Duration) (Key, error) {
	k, err := m.Call.Key(ctx, d)
	if err == nil {
		m.heard()
	}
	return k, err
}

// Entered reports the entry that the running UserInput took, or why there is
// none; the keys are left out where input is sensitive (decisions 5.8).
func (m *Machine) Entered(entry, key Keys, why string) {
	e := trace.Event{Type: trace.Input, Count: int64(len(entry)), Text: why}
	if m.o.Sensitive {
		m.secret(string(entry))
	} else {
		e.Key, e.Reason = string(entry), string(key)
	}
	m.emit(e)
}

// Vars are the variables of the call.
func (m *Machine) Vars() *Vars { return m.vars }

// Setting is where the script runs.
func (m *Machine) Setting() Setting { return m.o.Setting }

// Place is the command that runs.
func (m *Machine) Place() Place { return m.place }

// Info is what is known of the call, or of what the script is an answer to when
// there is none.
func (m *Machine) Info() CallInfo {
	if m.Call != nil {
		return m.Call.Info()
	}
	return m.o.Info
}

// EnterMenu says that a UserInput begins; depth 1 is one that stands in no
// other. leave says that it ends.
func (m *Machine) EnterMenu() (depth int, leave func()) {
	m.menus++
	return m.menus, func() { m.menus = max(m.menus-1, 0) }
}

// On returns the call with that id: the machine's own when id is empty or its
// own, else another through World.Calls. ErrNoCall: there is none (601).
func (m *Machine) On(id string) (Call, error) {
	switch {
	case m.Call != nil && (id == "" || id == m.Call.Info().ID):
		return m.Call, nil
	case id == "":
		return nil, NoCall("")
	case m.Calls == nil:
		return nil, &Fault{Code: CodeNotOffered, Msg: "other calls cannot be reached from here"}
	}
	return m.Calls.Find(id)
}

// Result is what a verb of c, a call that On gave, came to: that another call
// is over does not end this script, and a party that is not there is a wrong
// parameter.
func (m *Machine) Result(c Call, err error) error {
	if err == ErrGone && c != m.Call {
		return NoCall(c.Info().ID)
	}
	if p, ok := errors.AsType[*PartyError](err); ok {
		return m.BadParam("Party", p.Error())
	}
	return err
}

// BadParam is a wrong parameter of the running command that showed only now.
func (m *Machine) BadParam(name, why string) error {
	return &ParamError{Param: name, Command: m.place.Command, Why: why}
}

// Sounds says that a command is about to sound for a party of c; see Accepted.
// Its error must be returned.
func (m *Machine) Sounds(c Call, p Party) error {
	if r, ok := c.(Roll); ok {
		if err := m.Result(c, r.There(p)); err != nil {
			return err
		}
	}
	m.Accepted()
	return nil
}

// Accepted says that all of a lasting command is known to be good: over HTTP
// the answer is sent now (house.md 7.2 f).
func (m *Machine) Accepted() {
	if m.o.Accepted != nil {
		m.o.Accepted()
		m.o.Accepted = nil
	}
}

// Reply answers the request that this script is.
func (m *Machine) Reply(v any) {
	if m.o.Reply != nil {
		m.o.Reply(v)
	}
}

// Started is the Reply of a command that made a call.
type Started struct{ CallID string }

// A CallError is why a call could not be made: code 402 of the HTTP API. A
// Directory returns one from Dial.
type CallError struct {
	To    string
	State string // Busy, NoAnswer, NotFound, Error, Cancelled
}

func (e *CallError) Error() string {
	return fmt.Sprintf("Call connect to '%s' failed with result state '%s'", e.To, e.State)
}

// maxIncludes bounds documents that run within each other by ForwardToUrl.
const maxIncludes = 500

// Include asks the web application and runs its answer in place.
func (m *Machine) Include(ctx context.Context, n Notification) error {
	f, err := m.fetch(ctx, n)
	if err != nil {
		return err
	}
	if m.includes++; m.includes > maxIncludes {
		return &limitError{CodeJumps, "documents within each other", maxIncludes}
	}
	place := m.place
	err = m.Do(ctx, m.document(f))
	m.place = place
	m.includes = max(m.includes-1, 0)
	return err
}

// Jump asks the web application and lets its answer replace what is left of the
// script: its result must be returned.
func (m *Machine) Jump(ctx context.Context, n Notification) error {
	f, err := m.fetch(ctx, n)
	if err != nil {
		return err
	}
	return &jump{f}
}

// fetch asks the web application, at most so many times a second (decisions
// 3.7).
func (m *Machine) fetch(ctx context.Context, n Notification) (*syntax.File, error) {
	if m.Web == nil {
		return nil, &Fault{Code: CodeNotOffered, Msg: "there is no web access here"}
	}
	b := &m.budget
	if b.jumps++; b.jumps > m.Limits.Jumps {
		return nil, &limitError{CodeJumps, "jumps", m.Limits.Jumps}
	}
	if m.Call != nil {
		if most := m.Limits.FetchesPerSecond; len(b.fetches) >= most {
			wait := b.fetches[0].Add(time.Second).Sub(m.now())
			b.fetches = append(b.fetches[:0], b.fetches[1:]...)
			if wait > 0 {
				if err := m.Call.Wait(ctx, wait); err != nil {
					return nil, err
				}
			}
		}
		b.fetches = append(b.fetches, m.now())
	}
	n.At = m.place
	f, err := m.Web.Fetch(ctx, n)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return f, err
}

// secret keeps an entry out of all further events, wherever the script may put
// it.
func (m *Machine) secret(entry string) {
	if entry != "" {
		m.secrets = append(m.secrets, entry, strings.Repeat("•", len(entry)))
		m.blank = strings.NewReplacer(m.secrets...)
	}
}
