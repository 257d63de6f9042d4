package ozml_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

func parse(t testing.TB, src string) *syntax.File {
	t.Helper()
	f, err := syntax.Parse("s.xml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// log collects events in short.
type log []string

func (l *log) Emit(e trace.Event) {
	s := string(e.Type)
	if e.Line > 0 {
		s += fmt.Sprintf(" %d:%d", e.Line, e.Col)
	}
	for _, w := range []string{e.Name, e.Code, e.Reason} {
		if w != "" {
			s += " " + w
		}
	}
	if !strings.HasPrefix(s, "script.parsed") && e.Reason != "note" {
		*l = append(*l, s)
	}
}

func expect(t testing.TB, what string, got []string, want string) {
	t.Helper()
	want = strings.ReplaceAll(strings.TrimSpace(want), "\t", "")
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("%s:\n%s\nwant\n%s", what, g, want)
	}
}

// TestEvents: what the machine reports, with places.
func TestEvents(t *testing.T) {
	const src = `<Response>
<Beep Loud="1"/>
<Quark/>
<Delay>x</Delay>
<Play>a.wav</Play>
<UserInput Timeout="2"><InitialCommands><Delay>1</Delay></InitialCommands></UserInput>
<Exit/>
</Response>`
	sc, err := ozmltest.Parse("caller", "file a.wav missing\nat 1s press 5", nil)
	if err != nil {
		t.Fatal(err)
	}
	var l log
	r := ozmltest.Play(t.Context(), ozmltest.Config{Table: command.Table(), File: parse(t, src), Scenario: sc, Sink: &l})
	expect(t, "events", l, `
		script.warning 2:7 Beep OZ1102
		command.started 2:1 Beep
		command.ended 2:1 Beep
		script.warning 3:2 Quark OZ1101
		command.skipped 3:1 Quark
		error 4:8 Delay OZ1103
		command.skipped 4:1 Delay
		command.started 5:1 Play
		command.failed 5:1 Play OZ1322
		command.started 6:1 UserInput
		command.started 6:41 Delay
		key
		command.ended 6:41 Delay key
		input 6:1 UserInput
		command.ended 6:1 UserInput
		command.started 7:1 Exit
		command.ended 7:1 Exit exit
		call.ended script
		script.ended 7:1 Exit script`)
	if r.End.Reason != "script" || r.End.At.String() != "s.xml:7:1" {
		t.Errorf("ended %s at %v, want script at s.xml:7:1", r.End.Reason, r.End.At)
	}
}

// TestEndIsNamed: when the caller leaves, one event names the place.
func TestEndIsNamed(t *testing.T) {
	sc, _ := ozmltest.Parse("caller", "at 2s hangup", nil)
	var l log
	r := ozmltest.Play(t.Context(), ozmltest.Config{Table: command.Table(), File: parse(t, `<Response><Array ID="a"><item/></Array>
<ForEach Source="a"><Delay>9</Delay></ForEach></Response>`), Scenario: sc, Sink: &l})
	if got, want := l[len(l)-1], "script.ended 2:21 Delay gone"; got != want {
		t.Errorf("last event %q, want %q", got, want)
	}
	if r.End.Reason != "gone" || r.Reason != "caller" {
		t.Errorf("script ended %s, call %s, want gone, caller", r.End.Reason, r.Reason)
	}
}

func TestDoRequest(t *testing.T) {
	table := command.Table()
	sc, _ := ozmltest.Parse("caller", "dial 13 Busy", nil)
	call := ozmltest.NewCall(t.Context(), sc)
	id := call.Info().ID
	run := func(name string, params ...ozml.Value) (int, error) {
		accepted := 0
		w := ozml.World{Call: nil, Calls: dir{call}, Trace: trace.SinkFunc(func(trace.Event) {})}
		err := ozml.Do(t.Context(), w, table, ozml.OneCommand(name, params), ozml.Options{Setting: ozml.API, Accepted: func() { accepted++ }})
		return accepted, err
	}
	if n, err := run("Speak", ozml.Value{Name: "CallId", Value: id}, ozml.Value{Name: "Text", Value: "Hi"}); err != nil || n != 1 {
		t.Errorf("Speak = %v, accepted %d times, want nil, once", err, n)
	}
	if n, err := run("Speak", ozml.Value{Name: "CallId", Value: "nix"}, ozml.Value{Name: "Text", Value: "Hi"}); !errors.Is(err, ozml.ErrNoCall) || n != 0 {
		t.Errorf("Speak to nobody = %v, accepted %d times, want ErrNoCall, never", err, n)
	} else if err.Error() != "Call not found with ID 'nix'" {
		t.Errorf("error %q, want the words of 601", err)
	}
	if _, err := run("Speak", ozml.Value{Name: "CallId", Value: id}); !hasCode(err, ozml.CodeBadParam) {
		t.Errorf("Speak without Text = %v, want OZ1103", err)
	}
	if _, err := run("Delay", ozml.Value{Name: "Time", Value: "1"}); !hasCode(err, ozml.CodeNotHere) {
		t.Errorf("Delay = %v, want OZ1108", err)
	}
	if _, err := run("Hangup", ozml.Value{Name: "CallId", Value: id}); err != nil {
		t.Errorf("Hangup = %v, want nil", err)
	}
	if _, err := run("Speak", ozml.Value{Name: "CallId", Value: id}, ozml.Value{Name: "Text", Value: "Hi"}); !errors.Is(err, ozml.ErrNoCall) {
		t.Errorf("Speak on a call that is over = %v, want ErrNoCall", err)
	}
}

func hasCode(err error, code string) bool {
	f, ok := errors.AsType[*ozml.Fault](err)
	return ok && f.Code == code
}

// dir has one call.
type dir struct{ ozml.Call }

func (d dir) Find(id string) (ozml.Call, error) {
	if id == d.Info().ID {
		return d.Call, nil
	}
	return nil, ozml.NoCall(id)
}
func (d dir) Dial(context.Context, ozml.Dial) (string, error) { return "", nil }
func (d dir) Active() []ozml.ActiveCall                       { return nil }

// TestOtherCallGone: the end of another call does not end the script.
func TestOtherCallGone(t *testing.T) {
	other := ozmltest.NewCall(t.Context(), &ozmltest.Scenario{Info: ozml.CallInfo{ID: "other"}})
	if err := other.Hangup(other.Context()); err != nil {
		t.Fatal(err)
	}
	call := ozmltest.NewCall(t.Context(), &ozmltest.Scenario{})
	var l log
	ozml.Run(call.Context(), ozml.World{Call: call, Calls: dir{other}, Trace: &l}, command.Table(), parse(t, `<Response><Speak CallId="other">Hi</Speak><Exit/></Response>`), ozml.Options{Setting: ozml.ThirdParty})
	expect(t, "events", l, `
		command.started 1:11 Speak
		command.failed 1:11 Speak OZ1324
		command.started 1:43 Exit
		command.ended 1:43 Exit exit
		script.ended 1:43 Exit script`)
}

// TestSensitive: an entry is in no event, wherever the script puts it.
func TestSensitive(t *testing.T) {
	sc, _ := ozmltest.Parse("caller", "sensitive\nat 1s press 4711", nil)
	var b strings.Builder
	ozmltest.Play(t.Context(), ozmltest.Config{Table: command.Table(), Scenario: sc,
		File: parse(t, `<Response><UserInput Digits="4" Timeout="5"><Inputs><Input Key="4711"><Var ID="pin">x$digits</Var><Speak>$pin</Speak><Delay>$pin</Delay></Input></Inputs></UserInput></Response>`),
		Sink: trace.SinkFunc(func(e trace.Event) { fmt.Fprintf(&b, "%+v\n", e) })})
	if strings.Contains(b.String(), "4711") || !strings.Contains(b.String(), "x••••") {
		t.Errorf("the entry is in the events, or nothing is:\n%s", b.String())
	}
}

// slow is a Directory whose Dial waits for the end of its context.
type slow struct{ dir }

func (s slow) Dial(ctx context.Context, d ozml.Dial) (string, error) {
	<-ctx.Done()
	return "", context.Cause(ctx)
}

// TestOnHangupLimit: 30 s, then it is given up.
func TestOnHangupLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		call := ozmltest.NewCall(t.Context(), &ozmltest.Scenario{})
		var l log
		begun := time.Now()
		ozml.Run(call.Context(), ozml.World{Call: call, Calls: slow{dir{call}}, Trace: &l}, command.Table(),
			parse(t, `<Response><OnHangup><Call Url="http://x">1</Call><Call Url="http://x">2</Call></OnHangup></Response>`), ozml.Options{})
		if took := time.Since(begun); took != 30*time.Second {
			t.Errorf("OnHangup took %v, want 30s", took)
		}
		expect(t, "events", l, `
			command.started 1:11 OnHangup
			command.ended 1:11 OnHangup
			script.ended 1:11 OnHangup script
			command.started 1:21 Call
			command.ended 1:21 Call cancelled
			error 1:21 Call OZ1200`)
	})
}

// crash is a command with a fault of ours.
func crash() *ozml.Command {
	return &ozml.Command{Name: "Crash", In: ozml.Extension, New: func(*ozml.Params) ozml.Action { return crashes{} }}
}

type crashes struct{}

func (crashes) Do(context.Context, *ozml.Machine) error { panic("ouch") }

// TestCrash: a fault of ours ends one command, not the call.
func TestCrash(t *testing.T) {
	table := ozml.NewTable(crash(), command.Beep())
	var l log
	r := ozmltest.Play(t.Context(), ozmltest.Config{Table: table, File: parse(t, `<Response><Crash/><Beep/></Response>`), Sink: &l})
	expect(t, "events", l, `
		command.started 1:11 Crash
		command.failed 1:11 Crash OZ1211
		command.started 1:19 Beep
		command.ended 1:19 Beep
		call.ended script
		script.ended 1:19 Beep script`)
	if r.Reason != "script" {
		t.Errorf("call ended %q, want script", r.Reason)
	}
}

// TestErrorNotifications: at most 20 of them in a call, each place once.
func TestErrorNotifications(t *testing.T) {
	var b strings.Builder
	b.WriteString("<Response>")
	for range 30 {
		b.WriteString("<Play/>")
	}
	b.WriteString(`<Array ID="a"><item/><item/></Array><ForEach Source="a"><Play/></ForEach></Response>`)
	r := ozmltest.Play(t.Context(), ozmltest.Config{Table: command.Table(), File: parse(t, b.String()), Scenario: &ozmltest.Scenario{ErrorURL: "http://app/e"}})
	if len(r.Posted) != 20 {
		t.Errorf("%d Error notifications, want 20", len(r.Posted))
	}
	f := r.Posted[0].Fields
	if f.Get("ErrorCode") != "OZ1103" || f.Get("Line") != "1" || f.Get("Column") != "12" || f.Get("Document") != "s.xml" {
		t.Errorf("first notification %v, want OZ1103 at s.xml:1:12", f)
	}
}

// TestTakeoverWithoutRenew leaves the rest to whoever runs the script.
func TestTakeoverWithoutRenew(t *testing.T) {
	next := parse(t, "<Response/>")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&ozml.Takeover{File: next})
	call := ozmltest.NewCall(t.Context(), &ozmltest.Scenario{})
	end := ozml.Run(ctx, ozml.World{Call: call, Trace: trace.SinkFunc(func(trace.Event) {})}, command.Table(), parse(t, "<Response><Beep/></Response>"), ozml.Options{})
	if e, ok := end.Err.(*ozml.Takeover); end.Reason != "takeover" || !ok || e.File != next {
		t.Errorf("ended %+v, want takeover with the file", end)
	}
}

// TestShutdown: a script whose context ends for another reason says so.
func TestShutdown(t *testing.T) {
	why := errors.New("shutdown")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	call := ozmltest.NewCall(t.Context(), &ozmltest.Scenario{})
	end := ozml.Run(ctx, ozml.World{Call: call, Trace: trace.SinkFunc(func(trace.Event) {})}, command.Table(), parse(t, "<Response><OnHangup><Beep/></OnHangup><Beep/></Response>"), ozml.Options{})
	if end.Reason != "cancelled" || end.Err != why {
		t.Errorf("ended %+v, want cancelled by %v", end, why)
	}
}

// TestNotOffered: a nil member of the World fails with a clear event.
func TestNotOffered(t *testing.T) {
	var l log
	call := ozmltest.NewCall(t.Context(), &ozmltest.Scenario{})
	ozml.Run(call.Context(), ozml.World{Call: call, Trace: &l}, command.Table(), parse(t, `<Response><GoTo>http://x</GoTo><Call Url="http://x">1</Call></Response>`), ozml.Options{})
	expect(t, "events", l, `
		command.started 1:11 GoTo
		command.failed 1:11 GoTo OZ1109
		command.started 1:32 Call
		command.failed 1:32 Call OZ1109
		script.ended 1:32 Call script`)
}

// TestShow is the form of contract.md.
func TestShow(t *testing.T) {
	f, err := syntax.Parse("hello.xml", []byte("<Response>\n  <Speak>Hi</Speak>\n  <Spaek>Hello</Spaek>\n  <Delay>soon</Delay>\n</Response>"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range command.Table().Check(f, ozml.Extension) {
		if d.Severity != ozml.Info {
			got = append(got, d.Show(f))
		}
	}
	want := "hello.xml:3:4: error OZ1101: unknown command <Spaek>; did you mean <Speak>?\n" +
		"  3 |   <Spaek>Hello</Spaek>\n" +
		"    |    ^^^^^\n" +
		"hello.xml:4:10: error OZ1103: Missing or invalid parameter 'Time' for command 'Delay': want a number of seconds, got \"soon\"\n" +
		"  4 |   <Delay>soon</Delay>\n" +
		"    |          ^^^^"
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("shown:\n%s\nwant\n%s", g, want)
	}
}

// TestCodes: every code has a page, in order, and none is there twice.
func TestCodes(t *testing.T) {
	last := ""
	for _, c := range ozml.Codes() {
		if c.Code <= last || c.Title == "" || c.Cause == "" || c.Cure == "" {
			t.Errorf("code %s after %s: want ascending codes with title, cause and cure", c.Code, last)
		}
		last = c.Code
	}
}

func TestNotificationFields(t *testing.T) {
	known := map[string]bool{}
	for _, n := range ozml.Notifications() {
		for _, f := range n.Fields {
			known[n.Name+" "+f.Name] = true
		}
	}
	for _, f := range []string{"DtmfEntered DtmfDigits", "RecordCompleted RecordURL"} {
		if !known[f] {
			t.Errorf("no field %s", f)
		}
	}
	for name := range (ozml.Recorded{}).Fields() {
		if !known["RecordCompleted "+name] {
			t.Errorf("RecordCompleted sends %s, which is not described", name)
		}
	}
	for name := range ozml.ErrorFields(ozml.Place{Pos: syntax.Pos{Line: 1, Column: 1}}, "", "", "") {
		if !known["Error "+name] {
			t.Errorf("Error sends %s, which is not described", name)
		}
	}
}

func TestHasCommands(t *testing.T) {
	for src, want := range map[string]bool{"<Response/>": false, "<Response>text</Response>": false, "<Response><x/></Response>": true, "<Beep/>": true} {
		if got := ozml.HasCommands(parse(t, src)); got != want {
			t.Errorf("HasCommands(%s) = %v, want %v", src, got, want)
		}
	}
}

// BenchmarkMenu parses and runs a menu of one call; budget 100 µs.
func BenchmarkMenu(b *testing.B) {
	const src = `<Response><UserInput Timeout="5" Repeat="true"><InitialCommands><Speak>Press one for sales or two for support</Speak><Delay>3600</Delay></InitialCommands>
<Inputs><Input Key="1"><Speak>Sales</Speak></Input><Input Key="2"><Speak>Support</Speak><Hangup/></Input></Inputs></UserInput></Response>`
	table := command.Table()
	sc, _ := ozmltest.Parse("caller", "at 3000s press 2", nil)
	b.ReportAllocs()
	for b.Loop() {
		f, err := syntax.Parse("s.xml", []byte(src))
		if err != nil {
			b.Fatal(err)
		}
		if r := ozmltest.Play(b.Context(), ozmltest.Config{Table: table, File: f, Scenario: sc}); r.Reason != "script" {
			b.Fatalf("call ended %q", r.Reason)
		}
	}
}
