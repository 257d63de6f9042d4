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

// Sorry is what a caller hears when a script had to be stopped.
const Sorry = "We are sorry, this number is not available now"

// afterCall is how long OnHangup may take (decisions 3.4).
const afterCall = 30 * time.Second

// Options of one run.
type Options struct {
	Setting Setting           // 0 = Extension
	Ringing bool              // the call still rings: it is answered first, unless the script begins with Reject
	Vars    map[string]string // beside the predefined ones
	// Arrays are predefined arrays, asked for each time that one is named, in lower
	// case; a script's own of that name goes before. Nil = there are none.
	Arrays    func(name string) ([]Item, bool)
	Info      CallInfo // for the predefined variables when World.Call is nil
	ErrorURL  string   // gets Error notifications; "" = none
	Sensitive bool     // what is entered is not written to events (decisions 5.8)

	// Renew gives the context of what follows a Takeover, by which the one
	// before has ended. Nil: Run returns with Reason "takeover".
	Renew func() context.Context

	Reply    func(v any) // takes what a command answers: ActiveCalls, Started
	Accepted func()      // called once, when all of a lasting command is known to be good
}

// An End says how and where a script ended.
type End struct {
	// Reason is script (its end, Exit, Hangup: the call was hung up, but at the
	// end of a third-party script), gone (the caller or the network ended the
	// call), rejected, transferred, limit (stopped, see decisions 3.7),
	// takeover, cancelled.
	Reason string
	At     Place // the last command that ran
	Err    error // for limit and cancelled
}

// Run runs a script to its end, on the caller's goroutine.
//
// In the Extension setting it answers or rejects the call (decisions 3.2),
// runs the script and all it leads to, waits for a recording, hangs up (3.3),
// and then runs OnHangup for at most 30 s (3.4). In the ThirdParty setting it
// only runs the script: visitors leave the call alone. With World.Call nil it
// runs only the commands that need no call; the others are skipped with a
// warning, so it serves the answers that come after the end of a call.
func Run(ctx context.Context, w World, t Table, f *syntax.File, o Options) End {
	m := newMachine(w, t, o)
	ahead, over := context.WithCancel(context.WithoutCancel(ctx)) // a takeover ends ctx, and the script goes on
	defer over()
	m.prepare = func(f *syntax.File) { m.tellTexts(ahead, f) }
	end := m.run(ctx, f)
	over()
	m.place = end.At
	m.Trace.Emit(trace.Event{Type: trace.ScriptEnded, Doc: end.At.Doc, Line: end.At.Pos.Line, Col: end.At.Pos.Column, Name: end.At.Command, Reason: end.Reason})
	m.afterwards(ctx, end)
	return end
}

// Do runs a document of one command, such as OneCommand makes, and returns why
// it did not do what it should: ErrNoCall, a *Fault, a *CallError, a
// *FetchError, or nil.
func Do(ctx context.Context, w World, t Table, f *syntax.File, o Options) error {
	m := newMachine(w, t, o)
	if err := m.Do(ctx, Block{doc: f.Name, nodes: f.Root.Children}); err != nil && !endsWell(err) {
		return err
	}
	return m.failed
}

func endsWell(err error) bool {
	_, ended := err.(*Ended)
	return ended || err == Stop || err == Back
}

// An Ended is returned by a command that ends the script and has itself seen to
// the call: it was hung up, rejected, transferred.
type Ended struct{ Reason string }

func (e *Ended) Error() string { return "ozml: script ended: " + e.Reason }

// A jump replaces the rest of the document, and of all around it.
type jump struct{ file *syntax.File }

func (j *jump) Error() string { return "ozml: go to " + j.file.Name }

func (m *Machine) run(ctx context.Context, f *syntax.File) End {
	first := true
	for {
		b := m.document(f)
		var err error
		if first && m.o.Setting == Extension && m.Call != nil {
			err = m.open(ctx, b)
		}
		first = false
		if err == nil {
			err = m.Do(ctx, b)
		}
		if err == nil || err == Stop || err == Back {
			err = m.close(ctx)
		}
		m.menus, m.includes = 0, 0
		if ctx.Err() != nil && !isOwn(err) {
			err = context.Cause(ctx)
		}
		switch e := err.(type) {
		case *jump:
			f = e.file
			continue
		case *Takeover:
			if m.o.Renew == nil {
				return End{Reason: "takeover", At: m.place, Err: e}
			}
			ctx, f = m.o.Renew(), e.File
			continue
		case *Ended:
			return End{Reason: e.Reason, At: m.place}
		case *limitError:
			return m.stop(ctx, e)
		}
		if err == ErrGone {
			return End{Reason: "gone", At: m.place}
		}
		return End{Reason: "cancelled", At: m.place, Err: err}
	}
}

// maxSource is how much of a script its event carries (trace.ScriptParsed).
const maxSource = 64 << 10

// document prepares a document that begins to run.
func (m *Machine) document(f *syntax.File) Block {
	b := Block{doc: f.Name, nodes: f.Root.Children}
	n := 0
	for _, d := range m.Commands.Check(f, m.o.Setting) { // the whole of it, before its first command (decisions 1.8)
		if d.Severity != Info {
			n++
		}
	}
	e := trace.Event{Type: trace.ScriptParsed, Doc: f.Name, Count: int64(n), Size: int64(len(f.Source))}
	if !m.o.Sensitive { // it may hold what the caller entered
		e.Body = strings.ToValidUTF8(string(f.Source[:min(len(f.Source), maxSource)]), "")
	}
	m.Trace.Emit(e)
	for _, w := range f.Warnings {
		ev := trace.Event{Type: trace.ScriptWarning, Doc: f.Name, Line: w.Span.From.Line, Col: w.Span.From.Column, Code: w.Code, Text: w.Msg, Hint: w.Hint}
		if w.Note {
			ev.Reason = "note" // perfectly good; the transcript leaves it out
		}
		m.Trace.Emit(ev)
	}
	if e := findOnHangup(f.Root); e != nil && m.o.Setting == Extension {
		m.onHangup = m.last(f.Name, e)
	}
	if m.prepare != nil {
		m.prepare(f)
	}
	return b
}

// A Last is an Action that says what is to run when the call is over.
type Last interface{ Last() Block }

// last gives the commands of an OnHangup.
func (m *Machine) last(doc string, e *syntax.Element) Block {
	c := m.Commands.Lookup(e.Name)
	if c == nil {
		return Block{}
	}
	a, _ := c.bind(&binding{doc: doc, in: m.o.Setting, limits: m.Limits, vars: m.vars, unknown: func(string, syntax.Span) {}}, e)
	if l, ok := a.(Last); ok {
		return l.Last()
	}
	return Block{}
}

func findOnHangup(e *syntax.Element) *syntax.Element {
	for _, c := range e.Children {
		if c, ok := c.(*syntax.Element); ok {
			if strings.EqualFold(c.Name, "OnHangup") {
				return c
			}
			if found := findOnHangup(c); found != nil {
				return found
			}
		}
	}
	return nil
}

// open answers the call, unless the script begins with Reject.
func (m *Machine) open(ctx context.Context, b Block) error {
	if m.ringing && m.rejects(b) {
		return nil
	}
	m.ringing = false
	err := m.Call.Answer(ctx)
	if err != nil && ctx.Err() == nil {
		m.place = Place{Doc: b.doc}
		m.fail(err, trace.Error)
	}
	return err
}

// rejects tells whether the first command is Reject; Var and Array do not
// count (decisions 3.2).
func (m *Machine) rejects(b Block) bool {
	for _, n := range b.nodes {
		e, ok := n.(*syntax.Element)
		if !ok {
			continue
		}
		switch strings.ToLower(e.Name) {
		case "var", "array", "onhangup":
			continue
		}
		return strings.EqualFold(e.Name, "Reject")
	}
	return false
}

// Ringing tells whether the call still rings, so that it can be rejected.
func (m *Machine) Ringing() bool { return m.ringing }

// close is the end of a script (decisions 3.3).
func (m *Machine) close(ctx context.Context) error {
	if m.o.Setting != Extension || m.Call == nil {
		return &Ended{Reason: "script"}
	}
	if err := m.Call.Recording(ctx); err != nil {
		return err
	}
	return m.Hangup(ctx)
}

// Hangup ends the machine's own call, and with it the script.
func (m *Machine) Hangup(ctx context.Context) error {
	if err := m.Call.Hangup(ctx); err != nil {
		return err
	}
	return &Ended{Reason: "script"}
}

// stop ends a script that ran out of its budget (decisions 3.7).
func (m *Machine) stop(ctx context.Context, l *limitError) End {
	at := m.place
	m.fail(&Fault{Code: l.code, Msg: l.Error(), Hint: "the script was stopped"}, trace.Error)
	if m.o.Setting == Extension && m.Call != nil {
		m.sorry(ctx)
	}
	return End{Reason: "limit", At: at, Err: &ExecError{Place: at, Trace: m.trace(), Err: l}}
}

// sorry tells the caller that there is nothing more, and hangs up.
func (m *Machine) sorry(ctx context.Context) {
	e := trace.Event{Type: trace.CommandStart, Name: "Speak", Text: Sorry}
	m.Trace.Emit(e)
	err := m.Call.Speak(ctx, Utterance{Text: Sorry, To: All})
	e.Type, e.Text = trace.CommandEnd, ""
	m.Trace.Emit(e)
	if _, over := err.(*Takeover); over && m.o.Renew != nil {
		ctx = m.o.Renew() // too late: the script was stopped
	}
	_ = m.Call.Hangup(ctx) // it fails only if the call is over
}

// trace lists the commands that run, innermost first.
func (m *Machine) trace() []Place {
	var t []Place
	for i := len(m.frames) - 1; i >= 0; i-- {
		t = append(t, m.frames[i])
	}
	return t
}

// afterwards runs OnHangup once the call is over.
func (m *Machine) afterwards(ctx context.Context, end End) {
	if m.Call == nil || m.onHangup.Empty() || end.Reason == "rejected" || end.Reason == "takeover" || end.Reason == "cancelled" {
		return
	}
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), afterCall, errTooLong)
	defer cancel()
	m.Call, m.budget = nil, budget{}
	err := m.Do(ctx, m.onHangup)
	switch l := err.(type) {
	case nil, *Ended:
	case *limitError:
		m.fail(&Fault{Code: l.code, Msg: l.Error()}, trace.Error)
	default:
		if errors.Is(err, errTooLong) {
			m.fail(err, trace.Error)
		}
	}
}

var errTooLong = fmt.Errorf("ozml: OnHangup took longer than %v", afterCall)
