package script

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/media/recorder"
	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/ozml/trace"
	"ozswitch/switch/bridge"
	"ozswitch/switch/call"
	"ozswitch/switch/exchange"
	"ozswitch/switch/notify"
)

// A Task says what runs on a call and whom to tell; it is exchange.Info.Task.
// One of URL, File, Text and States is set.
type Task struct {
	URL      string       // the web app: gets IncomingCall or CallConnected
	File     string       // a script file
	Text     string       // OzML itself (ResponseOzML)
	States   *ozml.States // commands for each state of the call (Request)
	alarm    *reporting   // instead of all these: an alarm that the call sends
	Operator []string     // URLs that count as the operator's (decisions 9)

	FallbackURL, FallbackScript string
	ErrorURL                    string // gets Error
	FinishedURL                 string // gets CallCompleted

	RecordChannels int  // 0 and 1: mixed; 2: caller left, switch right
	Sensitive      bool // keys are never written down (decisions 5.8)

	Vars   map[string]string                     // predefined, beside those of every call
	Arrays func(name string) ([]ozml.Item, bool) // likewise; see ozml.Options
}

// Config is what a Runner needs; only Slog and the functions may be nil.
type Config struct {
	Bridge   *bridge.Bridge
	Voice    Voice
	Recorder *recorder.Recorder
	Prompts  Prompts
	Web      *notify.Client
	Events   trace.Sink // for what belongs to a call that is over
	Table    ozml.Table
	Exchange *exchange.Exchange
	// Target says where a number is reached by a call of an extension ("" = the
	// first that there is), and what of that extension goes with it.
	Target func(to, extension string) (Target, error)
	// Route rings a number by the dial plan and connects a party of the call with
	// it. The error is Stated, an *exchange.AskError, a *Handover, or the cause of
	// ctx. Without it nothing is found.
	Route func(ctx context.Context, l *exchange.Line, d Divert) error
	// Header tells whether scripts may add a header of that name to an INVITE; nil =
	// none.
	Header func(name string) bool
	// Confer puts the caller of a script into a conference, Enqueue into a call queue;
	// see ozml.Conferee and ozml.Queuer. Nil = there are none.
	Confer   func(ctx context.Context, l *exchange.Line, c ozml.Call, o ozml.Conference) (how string, err error)
	Enqueue  func(ctx context.Context, l *exchange.Line, c ozml.Call, o ozml.Queueing) (how string, err error)
	Files    ozml.Files
	Messages ozml.Messages // nil = none are sent
	// Of is what an extension gives to scripts that have no call; nil = nothing.
	Of     func(extension string) Task
	Limits ozml.Limits
	Clips  int64 // bytes of encoded prompts that are kept; 0 = 64 MiB

	RecordURL func(name string) string // an http URL for a file below recordings/
	Room      func() error             // nil error: a recording may begin (min_free)

	Recording func(delta int)   // recordings_active
	Recorded  func(bytes int64) // recording_bytes_total
	Panicked  func(where string)
	Slog      *slog.Logger
}

// A Runner makes the script of each call.
type Runner struct {
	c     Config
	clips *clips
	bound atomic.Pointer[ozml.Limits]
	wg    sync.WaitGroup // scripts and what they left behind

	mu    sync.Mutex
	lives map[call.ID]*live // calls that somebody of ours acts on; see on
}

// New gives a Runner.
func New(c Config) *Runner {
	if c.Clips == 0 {
		c.Clips = 64 << 20
	}
	if c.Slog == nil {
		c.Slog = slog.New(slog.DiscardHandler)
	}
	r := &Runner{c: c, clips: newClips(c.Clips), lives: map[call.ID]*live{}}
	r.SetLimits(c.Limits)
	return r
}

// SetLimits replaces Config.Limits for scripts that begin from now on.
func (r *Runner) SetLimits(l ozml.Limits) { r.bound.Store(&l) }

func (r *Runner) limits() ozml.Limits { return *r.bound.Load() }

// Wait returns when no script and no RecordCompleted is under way. The switch ends: mp3 files that are not made within a
// few seconds are left to its next start.
func (r *Runner) Wait() {
	late := time.AfterFunc(hold, r.c.Recorder.Postpone)
	defer late.Stop()
	r.wg.Wait()
}

// For gives the script of a call; its Info.Task is a Task.
func (r *Runner) For(l *exchange.Line) exchange.Script {
	t, _ := l.Info().Task.(Task)
	s := r.running(l, t)
	if a := t.alarm; a != nil {
		a.sink, a.tell = l.Sink(), s.live.web.Report
		s.serves = func(ctx context.Context, _ ozml.Call) error { return a.send(ctx, s.live) }
	}
	return s
}

func (r *Runner) running(l *exchange.Line, t Task) *running {
	s := &running{r: r, line: l, task: t, live: newLive(r, l, t)}
	s.live.script = s
	s.scope.begin()
	r.own(s.live)
	return s
}

// web is the web as the call sees it.
func (r *Runner) web(i ozml.CallInfo, t Task, sink trace.Sink) *notify.CallWeb {
	return r.c.Web.ForCall(notify.CallContext{
		Info: i, FallbackURL: t.FallbackURL, FallbackScript: t.FallbackScript, ErrorURL: t.ErrorURL,
		Operator: t.Operator, Sensitive: t.Sensitive, Sink: sink,
	})
}

// guard is the recover boundary of a job that belongs to a call.
func (r *Runner) guard(sink trace.Sink, where string) {
	v := recover()
	if v == nil {
		return
	}
	r.c.Slog.Error("panic in "+where, "panic", v, "stack", string(debug.Stack()))
	sink.Emit(trace.Event{Type: trace.Error, Code: trace.CodeBug, Text: fmt.Sprintf("a fault of the switch: %v", v)})
	if r.c.Panicked != nil {
		r.c.Panicked(where)
	}
}

// running is the script of one call.
type running struct {
	r     *Runner
	line  *exchange.Line
	task  Task
	live  *live
	scope scope
	left  atomic.Bool // the caller was handed on: this script is on the call no more

	mu     sync.Mutex
	over   bool                                   // the call has ended, and we have been told
	next   exchange.Script                        // to whom the caller was handed on, when it was a script
	serves func(context.Context, ozml.Call) error // in place of a document; see Serve
}

// A scope is the context of what runs on a call now. Takeover ends it and a
// new one begins; the call's end ends it for good.
type scope struct {
	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelCauseFunc
	over   bool
}

// begin gives the context of what runs next.
func (s *scope) begin() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	if s.over {
		s.cancel(ozml.ErrGone)
	}
	return s.ctx
}

// now is the running context.
func (s *scope) now() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx
}

// end ends what runs, and unless it is taken over also what would follow.
func (s *scope) end(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := cause.(*ozml.Takeover); !taken {
		s.over = true
	}
	s.cancel(cause)
}

// Start implements exchange.Script.
func (s *running) Start(connected bool) {
	s.r.wg.Go(func() {
		defer func() {
			if next := s.successor(); next != nil {
				next.Start(false) // it posts ScriptEnded
			} else {
				s.line.Post(call.ScriptEnded{})
			}
		}()
		defer s.r.guard(s.line.Sink(), "script")
		s.run(connected)
		if s.successor() == nil {
			s.live.saved() // all of a recording is told before the call is over
		}
	})
}

// successor is the script that the caller was handed on to; nil = none.
func (s *running) successor() exchange.Script {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// hand gives the call to another script, which starts when this one has ended
// and hears of everything from now on; false when the call was over before that.
func (s *running) hand(make func() exchange.Script) bool {
	next := make()
	s.mu.Lock()
	over := s.over
	if !over {
		s.next = next
	}
	s.mu.Unlock()
	if !over {
		s.leave()
	}
	return !over
}

// leave ends the script, but not the call.
func (s *running) leave() {
	s.left.Store(true)
	if s.task.States != nil {
		s.r.state(s.line, s.task, "Transferred")
	}
	s.live.takeover(nil)
	s.live.stopRecord("transferred")
	s.scope.end(&ozml.Ended{Reason: "transferred"})
}

// Over implements exchange.Script.
func (s *running) Over(at time.Time) {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.live.closed(at)
}

// Stop implements exchange.Script. A script whose caller was handed on has
// nothing more to do with the call, which goes on.
func (s *running) Stop(r call.Result) {
	if r == call.Transferred && s.line.Status().State != call.Completed {
		s.leave()
		return
	}
	s.scope.end(ozml.ErrGone)
}

// Key implements exchange.Script.
func (s *running) Key(k byte) {
	s.live.press(ozml.Key(k), ozml.KeyInfo)
}

// run gets the call's first document and runs it to the end of the call.
func (s *running) run(connected bool) {
	ctx := s.scope.now()
	if s.serves != nil {
		s.serve(ctx, connected)
		return
	}
	web := s.live.web
	if connected {
		if err := s.live.listen(ctx); err != nil {
			return
		}
	}
	f, err := s.document(ctx, web, connected)
	if err != nil {
		return // the ladder has said why; ScriptEnded hangs up
	}
	s.live.takeover(func(t *ozml.Takeover) { s.scope.end(t) })
	defer s.live.takeover(nil)
	if s.left.Load() {
		s.live.takeover(nil)
	}
	ozml.Run(ctx, s.world(web), s.r.c.Table, f, ozml.Options{
		Vars: s.vars(), Arrays: s.task.Arrays, Ringing: !connected, ErrorURL: s.task.ErrorURL, Sensitive: s.task.Sensitive, Renew: s.scope.begin,
	})
}

func (s *running) world(web *notify.CallWeb) ozml.World {
	return s.r.world(s.live, web, s.line.Sink())
}

// world is where commands of web apps run; on is nil when there is no call.
func (r *Runner) world(on ozml.Call, web *notify.CallWeb, sink trace.Sink) ozml.World {
	return ozml.World{
		Call: on, Calls: r.Calls(call.ByScript, false), Web: web, Files: r.c.Files, Messages: r.c.Messages,
		Trace: sink, Limits: r.limits(),
	}
}

// document asks, reads or parses what runs first.
func (s *running) document(ctx context.Context, web *notify.CallWeb, connected bool) (*syntax.File, error) {
	n := ozml.Notification{Name: "IncomingCall", URL: s.task.URL, Fields: url.Values{}}
	for _, h := range s.line.Info().Headers {
		n.Fields.Set(ozml.SIPHeaderField(h.Name), h.Value)
	}
	if connected {
		n.Name = "CallConnected"
	}
	switch {
	case s.task.States != nil:
		return s.task.States.Script(), nil
	case s.task.Text != "":
		return s.inline(web)
	case s.task.URL == "":
		return web.Script(ctx, s.task.File, n)
	}
	return web.First(ctx, n)
}

// vars are the predefined variables beside those of every call: the task's, and
// the headers of the INVITE that scripts may see.
func (s *running) vars() map[string]string {
	headers := s.line.Info().Headers
	if len(headers) == 0 {
		return s.task.vars()
	}
	all := map[string]string{}
	for _, h := range headers {
		all[ozml.SIPHeaderVar(h.Name)] = h.Value
	}
	maps.Copy(all, s.task.vars())
	return all
}

// inline reads the OzML that came with the command that made this call.
func (s *running) inline(web *notify.CallWeb) (*syntax.File, error) {
	f, err := syntax.ParseWith(syntax.Options{
		Name: "ResponseOzML", IsCommand: func(n string) bool { return s.r.c.Table.Lookup(n) != nil },
	}, []byte(s.task.Text))
	if e, ok := errors.AsType[*syntax.Error](err); ok {
		s.line.Sink().Emit(trace.Event{Type: trace.ScriptRefused, Doc: e.File, Line: e.Pos.Line, Col: e.Pos.Column, Code: e.Code, Text: e.Msg, Hint: e.Hint, Body: e.Line})
		web.Error(ozml.Place{}, &ozml.FetchError{URL: e.File, Code: e.Code, Pos: e.Pos, Msg: e.Msg, Hint: e.Hint, Err: e})
	}
	return f, err
}

// callless runs the commands of an answer that came after the call.
func (r *Runner) callless(i ozml.CallInfo, t Task, web *notify.CallWeb, sink trace.Sink, f *syntax.File) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ozml.Run(ctx, r.world(nil, web, sink), r.c.Table, f, ozml.Options{Vars: t.vars(), Info: i, ErrorURL: t.ErrorURL, Sensitive: t.Sensitive})
}
