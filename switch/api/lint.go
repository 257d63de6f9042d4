package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ozswitch/ozml"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

// A Diag is a remark on a script. Lines and columns count from 1, columns in
// bytes; the end is the place after the last byte.
type Diag struct {
	Line     int    `json:"line"`
	Col      int    `json:"col"`
	EndLine  int    `json:"end_line"`
	EndCol   int    `json:"end_col"`
	Code     string `json:"code"`
	Severity string `json:"severity"` // error | warning | note
	Message  string `json:"message"`
	Hint     string `json:"hint"`
	Fix      *Fix   `json:"fix"` // a change that cures it; nil when there is none
}

// A Fix is a text to put in place of another.
type Fix struct {
	Text    string `json:"text"`
	Line    int    `json:"line"`
	Col     int    `json:"col"`
	EndLine int    `json:"end_line"`
	EndCol  int    `json:"end_col"`
}

func diagOf(d ozml.Diagnostic) Diag {
	from, to := d.Span.From, d.Span.To
	one := Diag{Line: from.Line, Col: from.Column, EndLine: to.Line, EndCol: to.Column, Code: d.Code, Severity: d.Severity.String(), Message: d.Msg, Hint: d.Hint}
	if d.Severity == ozml.Info {
		one.Severity = "note"
	}
	if f := d.Fix; f != nil {
		one.Fix = &Fix{f.Text, f.Span.From.Line, f.Span.From.Column, f.Span.To.Line, f.Span.To.Column}
	}
	return one
}

// parse reads a script as it would be read for a call.
func (v *V1) parse(name, text string) (*syntax.File, error) {
	return syntax.ParseWith(syntax.Options{
		Name: name, Limits: v.Document, IsCommand: func(n string) bool { return v.Table.Lookup(n) != nil },
	}, []byte(text))
}

// Lint gives all remarks on a script, in the words of `ozswitch vet`, in the
// order of their places. The file is nil when it is refused.
func (v *V1) Lint(name, text string) (*syntax.File, []Diag) {
	f, err := v.parse(name, text)
	if err != nil {
		d, ok := ozml.Diagnose(err)
		if !ok { // syntax has no others
			d = ozml.Diagnostic{Msg: err.Error()}
		}
		return nil, []Diag{diagOf(d)}
	}
	all := v.Table.Check(f, ozml.Extension)
	slices.SortStableFunc(all, func(a, b ozml.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Span.From.Line, b.Span.From.Line), cmp.Compare(a.Span.From.Column, b.Span.From.Column))
	})
	out := make([]Diag, len(all))
	for i, d := range all {
		out[i] = diagOf(d)
	}
	return f, out
}

// TransformSchema implements huma.SchemaTransformer.
func (Diag) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	orNull(s, "fix")
	return s
}

type lintRequest struct {
	Text string `json:"text" doc:"the script"`
	Name string `json:"name,omitempty" doc:"what it is called in the remarks"`
}

type lintAnswer struct {
	Problems []Diag `json:"problems"`
}

// scriptBody is the most that a request with a script may have: JSON may make
// six bytes of one.
func (v *V1) scriptBody() int64 { return 6*int64(max(v.Document.Body, 1<<20)) + smallBody }

// postLint checks a text.
func (v *V1) postLint(_ context.Context, in *struct{ Body lintRequest }) (*one[lintAnswer], error) {
	_, problems := v.Lint(cmp.Or(in.Body.Name, "script.xml"), in.Body.Text)
	return give(lintAnswer{problems})
}

type runRequest struct {
	Text   *string `json:"text,omitempty" nullable:"true" doc:"the script; without it that of name"`
	Name   string  `json:"name,omitempty" doc:"a name of /v1/scripts, or what text is called"`
	Caller string  `json:"caller,omitempty" doc:"lines of a scenario: at 2s press 1"`
}

// RunAnswer is what a call on paper came to.
type RunAnswer struct {
	Transcript string        `json:"transcript"`
	Events     []trace.Event `json:"events"`
	Seconds    float64       `json:"seconds"` // how long the call would have been
	TookMS     float64       `json:"took_ms"`
	Problems   []Diag        `json:"problems"`
}

// What a run on paper may use: it shares the machine with calls.
const (
	runTime   = 2 * time.Second
	runEvents = 5000
)

var (
	errRunTime   = errors.New("the run was cut after 2 s: the script goes on and on")
	errRunEvents = fmt.Errorf("the run was cut after %d events", runEvents)
)

// postRun plays a script on paper.
func (v *V1) postRun(ctx context.Context, body *struct{ Body runRequest }) (*one[RunAnswer], error) {
	in := body.Body
	name := cmp.Or(in.Name, "script.xml")
	if in.Text == nil {
		s, err := v.script(in.Name)
		if err != nil {
			return nil, err
		}
		in.Text = &s.Text
	}
	sc, err := ozmltest.Parse("caller", in.Caller, func(string) (string, error) { return "", errors.New("files cannot be named here") })
	if err != nil {
		return nil, badRequest("%v", err)
	}
	f, problems := v.Lint(name, *in.Text)
	out := RunAnswer{Problems: problems, Events: []trace.Event{}}
	if f == nil {
		return give(out)
	}
	done, err := v.runs.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := v.paper(ctx, f, sc, &out); err != nil {
		return nil, err
	}
	return give(out)
}

// paper plays the call, within its limits.
func (v *V1) paper(ctx context.Context, f *syntax.File, sc *ozmltest.Scenario, out *RunAnswer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			v.log().Error("api: bug in a run", "panic", p, "stack", string(debug.Stack()))
			err = errors.New("a fault of the switch while it ran this script")
		}
	}()
	i := &sc.Info
	i.ID, i.Caller, i.Dialed = "paper", cmp.Or(i.Caller, "1001"), cmp.Or(i.Dialed, "9000")
	i.Direction, i.Extension, sc.Show = cmp.Or(i.Direction, "Inbound"), cmp.Or(i.Extension, i.Dialed), true
	steps, jumps := v.Limits.Steps, v.Limits.Jumps
	if n := sc.Limits.Steps; n <= 0 || n > steps {
		sc.Limits.Steps = steps
	}
	if n := sc.Limits.Jumps; n <= 0 || n > jumps {
		sc.Limits.Jumps = jumps
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(runTime, func() { cancel(errRunTime) })
	defer late.Stop()
	var text strings.Builder
	printer := trace.NewPrinter(&text)
	begun := time.Now()
	res := ozmltest.Play(ctx, ozmltest.Config{Table: v.Table, File: f, Scenario: sc, Sink: trace.SinkFunc(func(e trace.Event) {
		if len(out.Events) == runEvents {
			cancel(errRunEvents)
			return
		}
		if e.Type == trace.ScriptParsed {
			e.Body = "" // the caller has it
		}
		out.Events = append(out.Events, e)
		printer.Emit(e)
	})})
	if err := printer.Flush(); err != nil {
		return err
	}
	out.TookMS = float64(time.Since(begun).Microseconds()) / 1000
	out.Seconds = res.Length.Seconds()
	if cause := context.Cause(ctx); cause == errRunTime || cause == errRunEvents {
		text.WriteString(cause.Error() + "\n")
	} else if cause != nil {
		return cause
	}
	out.Transcript = text.String()
	return nil
}
