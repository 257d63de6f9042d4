package ozml

import (
	"errors"
	"fmt"
	"strings"

	"ozswitch/ozml/syntax"
)

var (
	// ErrKey is the cause of a context that UntilKey gave, once a key waits.
	ErrKey = errors.New("ozml: a key was pressed")
	// ErrGone is the cause of a script's context once the call is over.
	ErrGone = errors.New("ozml: the call is over")
	// ErrNoKey is returned by Call.Key when the time is up.
	ErrNoKey = errors.New("ozml: no key was pressed")
	// ErrNoCall is returned where another call is named that does not exist (601).
	ErrNoCall = errors.New("ozml: no such call")
	// ErrNotRinging is returned by Forward for a call that does not ring (303).
	ErrNotRinging = errors.New("ozml: the call does not ring")
	// ErrNoTransferor is returned by Merge when nobody is in both calls.
	ErrNoTransferor = errors.New("nobody is in both calls: say who makes the transfer")
	// Stop ends a script from within a command. Like fs.SkipAll, it is no failure.
	Stop = errors.New("ozml: end of script")
	// Back leads from a nested menu to the one around it.
	Back = errors.New("ozml: up one menu")
)

// NoCall is an ErrNoCall in the words of code 601.
func NoCall(id string) error { return noCall(id) }

type noCall string

// CallOf gives the id of a NoCall in err.
func CallOf(err error) (id string, ok bool) {
	n, ok := errors.AsType[noCall](err)
	return string(n), ok
}

func (n noCall) Error() string        { return "Call not found with ID '" + string(n) + "'" }
func (n noCall) Is(target error) bool { return target == ErrNoCall }

// A Takeover is the cause of a script's context when RecordCompleted was
// answered with commands: Machine.Run, and nothing below it, runs File instead
// of what is left of the script, with the same variables (decisions 4.6).
type Takeover struct{ File *syntax.File }

func (t *Takeover) Error() string { return "ozml: taken over by " + t.File.Name }

// A Place is where in which document a command stands.
type Place struct {
	Doc     string // URL or file name
	Pos     syntax.Pos
	Command string
}

func (p Place) String() string {
	return fmt.Sprintf("%s:%d:%d", p.Doc, p.Pos.Line, p.Pos.Column)
}

// An ExecError says where a script failed; Trace lists the enclosing commands,
// innermost first.
type ExecError struct {
	Place
	Trace []Place
	Err   error
}

func (e *ExecError) Unwrap() error { return e.Err }

// Error prints "menu.xml:7:5: Play: no such file (in UserInput menu.xml:3:3)".
func (e *ExecError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %v", e.Place, e.Command, e.Err)
	lead := " (in "
	for _, p := range e.Trace {
		b.WriteString(lead + p.Command + " " + p.String())
		lead = ", "
	}
	if len(e.Trace) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}
