package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"ozswitch/ozml"
	"ozswitch/ozml/command"
	"ozswitch/ozml/ozmltest"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
)

const runHelp = `Example:  ozswitch run hello.xml --press "1@2s,#@5s"
          ozswitch run http://127.0.0.1:8000/ivr.php --wav out.wav
          ozswitch run examples/menu
          ozswitch run --from-log call.jsonl    # once more what happened

run tries a script without a telephone: a caller on paper listens and presses
keys in virtual time, so an hour of call takes a moment. It prints what happens,
with times and places.

A URL is asked as the switch asks it, by a POST of IncomingCall, and so is every
further URL that the script names; a scenario with "when" lines answers in the
app's place. A folder means its script.xml and, if there is one, its caller.txt.

A scenario (--caller FILE) says what the caller and the world do:

    call 1001 -> 9000 Ann
    at 3s press 12
    at 4s say 2.5s
    at 8s say order.wav
    at 20s hangup
    when POST http://app/menu DtmfDigits=12 reply menu2.xml
    file welcome.wav 3.2s
    dial 1002 Busy
    dial 1003 answers after 5s
    queue 9500 answers after 20s
    room team full

--like compares the sound with a file that --wav wrote, once it was good.

--from-log makes a call once more from its event log (data/calls/): the same
keys, the same answers of the web app, the same end, and the script that ran
then, or the one that is named beside it. It names the first step that was
another one.

The exit status is 1 when the script was refused or had errors; with --from-log,
when something was not as in the log.`

func newRunCommand() *cobra.Command {
	var r run
	c := &cobra.Command{
		Use:   "run SCRIPT|URL|DIR|-",
		Short: "try a script on paper, in virtual time",
		Long:  runHelp,
		Args: func(c *cobra.Command, args []string) error {
			if r.fromLog != "" {
				return nil // the log has the script
			}
			return wantArgs(1, "a script, a URL, a folder, or - for standard input")(c, args)
		},
		ValidArgsFunction: completeScript,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usagef("run: want one script, got %q", args)
			case r.caller != "" && r.fromLog != "":
				return usagef("run: --caller and --from-log do not go together")
			}
			return r.reported(strings.Join(args, ""), func(name string) error { return r.run(c, name) })
		},
	}
	f := c.Flags()
	f.StringVar(&r.press, "press", "", "`KEYS@TIME,...`: keys the caller presses")
	f.DurationVar(&r.hangup, "hangup-after", 0, "the caller hangs up after this time")
	f.StringVar(&r.caller, "caller", "", "scenario `FILE`: what the caller and the world do")
	f.StringVar(&r.fromLog, "from-log", "", "event log `FILE` of a call: caller and web app do the same")
	f.StringVar(&r.app, "app", "", "ask the web app at `URL` instead of the hosts the script names")
	f.StringArrayVar(&r.fields, "field", nil, "`NAME=VALUE` posted with IncomingCall; may be repeated")
	f.StringVar(&r.wav, "wav", "", "write what the caller hears to `FILE`")
	f.StringVar(&r.like, "like", "", "compare what the caller hears with the sound of `FILE`")
	f.StringVar(&r.media, "media", "", "folder of the sound files that Play names (default that of the script)")
	f.StringVar(&r.junit, "junit", "", "write a JUnit report to `FILE`")
	f.BoolVar(&r.json, "json", false, "print the events, one JSON object a line")
	f.BoolP("quiet", "q", false, "no remarks beside the transcript")
	_ = c.MarkFlagDirname("media")
	return c
}

type run struct {
	press, caller, fromLog, app, wav, like, media, junit string
	fields                                               []string
	hangup                                               time.Duration
	json                                                 bool

	table ozml.Table
	c     *cobra.Command
	tape  *tape
	log   []trace.Event // of --from-log
	other string        // how it differs from what --from-log or --like names
}

// paperTime is when every call on paper begins (package ozmltest).
var paperTime = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (r *run) run(c *cobra.Command, name string) error {
	r.c, r.table = c, command.Table()
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		if file := filepath.Join(name, "caller.txt"); r.caller == "" && r.fromLog == "" && exists(file) {
			r.caller = file
		}
		name = filepath.Join(name, "script.xml")
	}
	sc, first, err := r.scenario()
	if err != nil {
		return err
	}
	r.tape = newTape(c.OutOrStdout(), r.json)
	r.tape.keep = r.log != nil
	cfg := ozmltest.Config{Table: r.table, Scenario: sc, Sink: r.tape}
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()

	web, err := r.newWeb(sc.Info)
	if err != nil {
		return err
	}
	defer web.start(ctx)()
	if len(sc.Web) == 0 && r.log == nil || r.app != "" { // a log's web app is not asked again
		cfg.Web = web
	}
	folder := "."
	if !isURL(name) && name != "-" {
		folder = filepath.Dir(name)
	}
	if r.like != "" && r.wav == "" {
		dir, err := os.MkdirTemp("", "ozswitch-run")
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		defer os.RemoveAll(dir)
		r.wav = filepath.Join(dir, "heard.wav")
	}
	sound, err := r.newSound(folder)
	if err != nil {
		return err
	}
	defer sound.start(ctx)()
	cfg.SpeakLength, cfg.PlayLength, cfg.Heard = sound.speakLength(ctx), sound.playLength(ctx), sound.heard(ctx)

	switch {
	case name == "" && first == nil:
		return usagef("run: %s has no script in it; want a script beside it", r.fromLog)
	case name != "" && !isURL(name):
		d, err := readDocument(ctx, c.InOrStdin(), name)
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		first = &d
	}
	r.tape.Emit(trace.Event{Type: trace.CallStarted, T: paperTime, From: sc.Info.Caller, To: sc.Info.Dialed, Direction: sc.Info.Direction})
	if isURL(name) {
		cfg.File, err = r.ask(ctx, web, name)
	} else {
		cfg.File, err = r.read(*first)
	}
	if err != nil {
		return errors.Join(r.tape.flush(), err)
	}
	var res ozmltest.Result
	if cfg.File != nil {
		res = ozmltest.Play(ctx, cfg)
	}
	web.finish()
	if err := errors.Join(r.tape.flush(), sound.finish(res.Length), context.Cause(ctx)); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	if r.like != "" {
		if err := r.compareSound(r.wav); err != nil {
			return err
		}
	}
	if r.log != nil && !r.judge() || r.log == nil && r.tape.bad() {
		return errNo
	}
	return nil
}

// ask gives the answer to IncomingCall, nil when the transcript says why there
// is none.
func (r *run) ask(ctx context.Context, web *runWeb, url string) (*syntax.File, error) {
	f, err := web.Fetch(ctx, ozml.Notification{Name: "IncomingCall", URL: url, Fields: web.fields})
	fe, told := errors.AsType[*ozml.FetchError](err)
	if !told {
		return f, err
	}
	if e, refused := errors.AsType[*syntax.Error](err); refused {
		r.excerpt(e)
	} else if fe.Hint != "" {
		talk(r.c, "ozswitch: %s", fe.Hint)
	}
	return nil, nil
}

// read gives a document's script, nil when the transcript says why it is
// refused.
func (r *run) read(d document) (*syntax.File, error) {
	f, err := d.parse(r.table)
	e, refused := errors.AsType[*syntax.Error](err)
	if !refused {
		return f, err
	}
	r.tape.Emit(trace.Event{Type: trace.ScriptRefused, Doc: d.name, Line: e.Pos.Line, Col: e.Pos.Column, Code: e.Code, Text: e.Msg, Hint: e.Hint, Body: e.Line})
	r.excerpt(e)
	return nil, nil
}

// excerpt shows the line that is at fault.
func (r *run) excerpt(e *syntax.Error) {
	if x := excerpt(e.Line, e.Pos); x != "" {
		talk(r.c, "%s", x)
	}
}

// scenario reads what the caller will do. first is the script of a log.
func (r *run) scenario() (sc *ozmltest.Scenario, first *document, err error) {
	text, name := "", "--caller"
	open := func(string) (string, error) { return "", errors.New("no file here") }
	if r.caller != "" {
		b, err := os.ReadFile(r.caller)
		if err != nil {
			return nil, nil, fmt.Errorf("run: %w", err)
		}
		text, name = string(b), r.caller
		open = func(file string) (string, error) {
			if !filepath.IsAbs(file) {
				file = filepath.Join(filepath.Dir(r.caller), file)
			}
			b, err := os.ReadFile(file)
			return string(b), err
		}
	}
	if sc, err = ozmltest.Parse(name, text, open); err != nil {
		return nil, nil, fmt.Errorf("run: %w", err)
	}
	if err := sc.Listen(talks(filepath.Dir(r.caller))); err != nil {
		return nil, nil, fmt.Errorf("run: %s: %w", r.caller, err)
	}
	if r.fromLog != "" {
		events, err := readLog(r.fromLog)
		if err != nil {
			return nil, nil, fmt.Errorf("run: %w", err)
		}
		r.log = events
		if sc, first, err = replay(events); err != nil {
			return nil, nil, fmt.Errorf("run: %s: %w", r.fromLog, err)
		}
	}
	if r.press != "" {
		keys, err := ozmltest.Parse("--press", "press "+r.press, nil)
		if err != nil {
			return nil, nil, usagef("run: --press %q: want KEYS@TIME, such as 1@2s,#@5s", r.press)
		}
		sc.Acts = append(sc.Acts, keys.Acts...)
	}
	if r.hangup < 0 {
		return nil, nil, usagef("run: --hangup-after %v: want a time to come", r.hangup)
	}
	if r.hangup > 0 {
		sc.Acts = append(sc.Acts, ozmltest.Act{At: r.hangup, Hangup: true})
	}
	i := &sc.Info
	if r.log == nil { // of a log it is the call's, which scripts may say
		i.ID = "paper"
	}
	i.Started, sc.Show = paperTime, false // the line of the call comes before the fetch
	i.Caller, i.Dialed = cmp.Or(i.Caller, "1001"), cmp.Or(i.Dialed, "9000")
	i.Direction, i.Extension = cmp.Or(i.Direction, "Inbound"), cmp.Or(i.Extension, i.Dialed)
	return sc, first, nil
}

// incoming are the fields of --field.
func (r *run) incoming() (url.Values, error) {
	v := url.Values{}
	for _, f := range r.fields {
		name, value, ok := strings.Cut(f, "=")
		if !ok || name == "" {
			return nil, usagef("run: --field %q: want NAME=VALUE", f)
		}
		v.Add(name, value)
	}
	return v, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// A tape takes the events of the call and of its web requests, prints them, and
// knows whether anything was wrong.
type tape struct {
	print func(trace.Event)
	ended func() error

	mu   sync.Mutex // web requests have goroutines of their own
	last time.Time
	seq  int
	no   bool
	why  []string // of no, for --junit
	keep bool     // all
	all  []trace.Event
}

func newTape(w io.Writer, asJSON bool) *tape {
	if asJSON {
		var failed error
		return &tape{
			print: func(e trace.Event) {
				if err := jsonLine(w, e); err != nil && failed == nil {
					failed = err
				}
			},
			ended: func() error { return failed },
		}
	}
	p := trace.NewPrinter(w)
	return &tape{print: p.Emit, ended: p.Flush}
}

// Emit stamps what the web side tells, whose time on paper is that of the
// command before it.
func (t *tape) Emit(e trace.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.T.IsZero() {
		e.T = t.last
	}
	t.last = e.T
	t.seq++
	e.Seq, e.Call = t.seq, "paper"
	if wrong(e) {
		t.no, t.why = true, append(t.why, badLine(e))
	}
	if t.keep {
		t.all = append(t.all, e)
	}
	t.print(e)
}

// wrong tells whether an event makes the exit status 1.
func wrong(e trace.Event) bool {
	switch e.Type {
	case trace.ScriptRefused, trace.Error, trace.CommandFail, trace.RecordFail, trace.NotifyFail:
		return true
	case trace.ScriptFetch:
		return !(e.Status >= 200 && e.Status <= 399)
	case trace.ScriptWarning: // a warning while a call runs, an error to vet
		return e.Code == ozml.CodeUnknownCommand || e.Code == ozml.CodeUnknownParam
	}
	return false
}

func (t *tape) flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended()
}

func (t *tape) bad() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.no
}
