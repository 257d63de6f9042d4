package ozml

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// A Machine runs one script on one call, on the goroutine of its caller. Run
// and Do make one; commands are given it.
type Machine struct {
	World
	Commands Table

	o        Options
	vars     *Vars
	frames   []Place // the commands that run, outermost first
	place    Place   // the last command that ran
	menus    int     // UserInputs that run within each other
	includes int     // documents that run within each other
	budget   budget
	told     map[string]bool // remarks that were made
	sent     int             // Error notifications
	ringing  bool
	onHangup Block
	secrets  []string           // what was entered where input is sensitive, each with what stands for it
	blank    *strings.Replacer  // of secrets; nil while there are none
	prepare  func(*syntax.File) // tells the call what a document may say; nil in Do
	promise  *promised          // nil = nothing goes on when the script has ended
	failed   error              // why the last command did not do what it should
}

// heardEnough is how long something must have sounded to count as heard.
const heardEnough = 20 * time.Millisecond

func newMachine(w World, t Table, o Options) *Machine {
	if o.Setting == 0 {
		o.Setting = Extension
	}
	w.Limits = w.Limits.orDefault()
	info := o.Info
	if w.Call != nil {
		info = w.Call.Info()
	}
	vars := callVars(info)
	for n, v := range o.Vars {
		vars[n] = v
	}
	return &Machine{World: w, Commands: t, o: o, vars: predefined(NewVars(vars), o.Arrays), told: map[string]bool{}, ringing: o.Ringing}
}

// predefined adds predefined arrays to v.
func predefined(v *Vars, arrays func(string) ([]Item, bool)) *Vars {
	v.given = arrays
	return v
}

// Do runs the commands of a block. For commands that hold commands.
func (m *Machine) Do(ctx context.Context, b Block) (err error) {
	for _, n := range b.nodes {
		if e, ok := n.(*syntax.Element); ok {
			if err = m.command(ctx, b.doc, e); m.goesOn(err) {
				err = nil
			}
			if err != nil {
				break
			}
		}
	}
	if n := len(m.frames); n > 0 && (err == nil || err == ErrKey || err == Back) {
		m.place = m.frames[n-1] // the command that holds the block goes on
	}
	return err
}

// command runs one element. It returns nil when the script goes on with the
// next one, also when this one failed (decisions 3.5).
func (m *Machine) command(ctx context.Context, doc string, e *syntax.Element) error {
	if after := m.outlives(); after != nil {
		ctx = after
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	m.place, m.failed = Place{Doc: doc, Pos: e.Span.From, Command: e.Name}, nil
	if err := m.Charge(); err != nil {
		return err
	}
	c := m.Commands.Lookup(e.Name)
	if c == nil {
		return m.skip(unknownCommand(m.Commands.nearest(e.Name), doc, e))
	}
	m.place.Command = c.Name
	if c.In&m.o.Setting == 0 {
		return m.skip(notHere(doc, e, c))
	}
	if m.callless() && !c.NoCall && m.o.Setting != API {
		return m.skip(Diagnostic{File: doc, Span: e.NameSpan, Severity: Warning, Code: CodeNeedsCall, Msg: c.Name + " needs a call, and there is none any more", Command: c.Name})
	}
	b := &binding{doc: doc, in: m.o.Setting, limits: m.Limits, vars: m.vars, unknown: m.unknownVar}
	a, p := c.bind(b, e)
	for i, d := range b.diags {
		if p.bad && d.Code == CodeBadParam && !p.part {
			m.failed = fault(d)
		}
		m.remark(b.diags[i])
	}
	if p.bad {
		m.emit(trace.Event{Type: trace.CommandSkip})
		return nil
	}
	return m.run1(ctx, c, a)
}

// run1 runs an action and reports its start and end.
func (m *Machine) run1(ctx context.Context, c *Command, a Action) error {
	at := m.place
	ev := trace.Event{Type: trace.CommandStart}
	if t, ok := a.(Teller); ok {
		ev.Text = t.Tell()
	}
	m.emit(ev)
	m.frames = append(m.frames, at)
	begun := m.now()
	err := m.safely(ctx, a)
	took := m.now().Sub(begun)
	m.frames = m.frames[:len(m.frames)-1]
	inner := m.place
	m.place = at
	if c.Sounds && took >= heardEnough {
		m.heard()
	}
	end := trace.Event{Type: trace.CommandEnd, Seconds: took.Seconds()}
	switch {
	case err == nil:
		m.emit(end)
		return nil
	case ctx.Err() != nil && !isOwn(err):
		err = context.Cause(ctx)
		fallthrough
	case isOwn(err):
		end.Reason = reason(err)
		m.emit(end)
		m.place = inner // where the script ends, if it does
		return err
	}
	m.fail(err, trace.CommandFail)
	return nil
}

// safely keeps a fault of ours in one command from ending more than it.
func (m *Machine) safely(ctx context.Context, a Action) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Fault{Code: CodeCrash, Msg: fmt.Sprintf("internal fault: %v", r), Err: fmt.Errorf("%v\n%s", r, debug.Stack())}
		}
	}()
	return a.Do(ctx, m)
}

// isOwn tells an error that steers the machine from one that tells of a fault.
func isOwn(err error) bool {
	if err == Stop || err == Back || err == ErrGone || err == ErrKey {
		return true
	}
	switch err.(type) {
	case *jump, *Ended, *Takeover, *limitError:
		return true
	}
	return false
}

func reason(err error) string {
	switch err {
	case Stop:
		return "exit"
	case Back:
		return "back"
	case ErrGone:
		return "gone"
	case ErrKey:
		return "key"
	}
	switch err := err.(type) {
	case *jump:
		return "goto"
	case *Ended:
		return err.Reason
	case *Takeover:
		return "takeover"
	case *limitError:
		return "limit"
	}
	return "cancelled"
}

// skip reports why an element does not run.
func (m *Machine) skip(d Diagnostic) error {
	m.failed = fault(d)
	m.remark(d)
	m.emit(trace.Event{Type: trace.CommandSkip})
	return nil
}

func fault(d Diagnostic) *Fault { return &Fault{Code: d.Code, Msg: d.Msg, Hint: d.Hint} }

// remark makes a remark once for each place. An unknown command or attribute
// is an error for its author and a warning for the call (decisions 1.8).
func (m *Machine) remark(d Diagnostic) {
	key := fmt.Sprint(d.Code, d.Span.From, d.Param, d.File)
	if m.told[key] || d.Severity == Info {
		return
	}
	m.told[key] = true
	ev := trace.Event{Type: trace.ScriptWarning, Doc: d.File, Line: d.Span.From.Line, Col: d.Span.From.Column, Name: d.Command, Code: d.Code, Text: d.Msg, Hint: d.Hint}
	if d.Severity == Error && d.Code != CodeUnknownCommand && d.Code != CodeUnknownParam {
		ev.Type = trace.Error
		m.tellError(Place{Doc: d.File, Pos: d.Span.From, Command: d.Command}, d.Code, d.Msg, "")
	}
	m.emit(ev)
}

// Warn reports something the author of the script should know; the running
// command goes on.
func (m *Machine) Warn(code, msg, hint string) {
	m.remark(Diagnostic{File: m.place.Doc, Span: syntax.Span{From: m.place.Pos}, Severity: Warning, Code: code, Msg: msg, Hint: hint, Command: m.place.Command})
}

// Fail reports a fault that does not end the running command.
func (m *Machine) Fail(err error) { m.fail(err, trace.Error) }

// Report is Fail for what the running command copes with: a request that is this
// script has not failed by it.
func (m *Machine) Report(err error) {
	was := m.failed
	m.fail(err, trace.Error)
	m.failed = was
}

func (m *Machine) fail(err error, t trace.Type) {
	m.failed = err
	ev := trace.Event{Type: t, Code: CodeFailed, Text: err.Error()}
	url := ""
	at := m.place
	if f, ok := errors.AsType[*Fault](err); ok {
		ev.Code, ev.Hint = f.Code, f.Hint
		if f.Code == CodeCrash && f.Err != nil {
			ev.Body = f.Err.Error()
		}
	} else if f, ok := errors.AsType[*FetchError](err); ok {
		ev.Code, ev.URL = f.Code, f.URL
		if !strings.HasPrefix(f.Code, "OZ10") { // else script.refused has told it
			ev.Hint = f.Hint
		}
		if url = f.URL; f.Pos.IsValid() {
			at.Doc, at.Pos = f.URL, f.Pos
		}
	} else if a, ok := errors.AsType[*AlarmError](err); ok {
		ev.Code = a.Code()
	} else if errors.Is(err, ErrNoCall) {
		ev.Code = CodeNoCall
	} else if _, ok := errors.AsType[*ParamError](err); ok {
		ev.Code = CodeBadParam
	} else if _, ok := errors.AsType[*CallError](err); ok {
		ev.Code = CodeDial
	}
	m.emit(ev)
	m.tellError(at, ev.Code, ev.Text, url)
}

// tellError sends an Error notification, at most 20 in a call.
func (m *Machine) tellError(at Place, code, msg, url string) {
	if m.o.ErrorURL == "" || m.Web == nil || m.sent >= 20 {
		return
	}
	m.sent++
	n := Notification{Name: "Error", URL: m.o.ErrorURL, At: m.place, Fields: ErrorFields(at, code, msg, url)}
	m.Web.Report(n)
}

func (m *Machine) unknownVar(ref string, at syntax.Span) {
	key := "$" + strings.ToLower(ref)
	if m.told[key] {
		return
	}
	m.told[key] = true
	hint := "it stays as typed"
	if name, _, ok := strings.Cut(ref, "."); ok {
		if _, known := m.vars.get(name[1:], ""); known {
			hint = name + " has no such field; if the dot ends a sentence, put a space after the name"
		}
	}
	m.emit(trace.Event{Type: trace.ScriptWarning, Doc: m.place.Doc, Line: at.From.Line, Col: at.From.Column, Code: CodeUnknownVar, Text: "unknown variable " + ref, Hint: hint})
}

// emit fills in the place of the running command where e has none.
func (m *Machine) emit(e trace.Event) {
	if e.Doc == "" {
		e.Doc, e.Line, e.Col = m.place.Doc, m.place.Pos.Line, m.place.Pos.Column
	}
	if e.Name == "" {
		e.Name = m.place.Command
	}
	if m.blank != nil {
		e.Text, e.URL, e.Hint = m.blank.Replace(e.Text), m.blank.Replace(e.URL), m.blank.Replace(e.Hint)
	}
	m.Trace.Emit(e)
}

// now is the time of the call; zero when there is none.
func (m *Machine) now() time.Time {
	if m.Call == nil {
		return time.Time{}
	}
	return m.Call.Now()
}
