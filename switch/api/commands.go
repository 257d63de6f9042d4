package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/trace"
)

// Commands is the legacy HTTP API, at /api and at / with a command (decisions
// 11): GET and form POST, names in any letter case, HTTP 200 whatever happens.
type Commands struct {
	access *Access
	c      CommandsConfig
	work   sync.WaitGroup
	quit   chan struct{}
	once   sync.Once
}

// CommandsConfig is what Commands needs.
type CommandsConfig struct {
	Table   ozml.Table                                   // what it offers: the commands of Setting API
	World   func(ctx context.Context, u User) ozml.World // where the request of a user runs; Call is nil
	Body    int64                                        // most bytes of a form; 0 = 1 MiB
	Patient time.Duration                                // how long a client waits for an answer; 0 = 10 s
	Log     *slog.Logger                                 // nil = slog.Default()
	CallLog func(call string) trace.Sink                 // where the faults of commands on a call are told, too; nil, or gives nil = nowhere
}

// A Coder is an error with a code of the API of its own; Args fill its message.
// A member of the World returns one for what package ozml has no error for:
// 401 with the number of the extension.
type Coder interface {
	error
	APICode() (code int, args []string)
}

// Unavailable says that an API extension cannot be used: code 401.
type Unavailable struct{ Extension string }

func (u *Unavailable) Error() string {
	return fmt.Sprintf(messages[codeNoExtension], u.Extension)
}

// APICode implements Coder.
func (u *Unavailable) APICode() (int, []string) { return codeNoExtension, []string{u.Extension} }

// NewCommands makes the handler. Close it before the World ends.
func NewCommands(a *Access, c CommandsConfig) *Commands {
	if c.Body <= 0 {
		c.Body = 1 << 20
	}
	if c.Patient <= 0 {
		c.Patient = 10 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Commands{access: a, c: c, quit: make(chan struct{})}
}

// Close ends the commands that still run and waits for them.
func (h *Commands) Close() {
	h.once.Do(func() { close(h.quit) })
	h.work.Wait()
}

// IsCommand tells whether a request to / is one for Commands and not for the
// console: it is a POST, or its query has a command.
func IsCommand(r *http.Request) bool {
	if r.Method == http.MethodPost {
		return true
	}
	q, _ := url.ParseQuery(r.URL.RawQuery)
	for name := range q {
		if strings.EqualFold(name, "command") {
			return true
		}
	}
	return false
}

// ServeHTTP implements http.Handler.
func (h *Commands) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.access.cors(w, r) {
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "GET or POST, please", http.StatusMethodNotAllowed)
		return
	}
	h.serve(w, r).write(w)
}

// serve does the checks in their order (decisions 11): address, credentials,
// rights, command, parameters.
func (h *Commands) serve(w http.ResponseWriter, r *http.Request) answer {
	if !h.access.admits(h.access.address(r)) {
		return say(codeForbiddenPlace)
	}
	p, bad := h.params(w, r)
	u, ambient, refused := h.user(r, p)
	if refused != nil {
		return *refused
	}
	if bad != nil {
		return say(codeParse, bad.Error())
	}
	name := p.take("command")
	if name == "" {
		return say(codeParse, "the parameter command is missing")
	}
	c := h.c.Table.Lookup(name)
	switch {
	case c == nil:
		return say(codeNoCommand, name)
	case c.In&ozml.API == 0:
		return say(codeInappropriate, c.Name)
	case ambient && unsure(r) && !looks(c):
		return say(codeForbiddenPlace)
	}
	return h.run(r.Context(), u, c, p)
}

// user checks the credentials, of the parameters or of Basic; ambient tells that
// there were none but what a browser adds by itself.
func (h *Commands) user(r *http.Request, p params) (u User, ambient bool, refused *answer) {
	no := func(code int) (User, bool, *answer) { a := say(code); return User{}, false, &a }
	name, password := p.take("username"), p.take("password")
	if ambient = name == "" && password == ""; ambient {
		if h.access.foreign(r) {
			return no(codeForbiddenPlace)
		}
		var given bool
		if name, password, given = r.BasicAuth(); !given {
			if h.access.Off {
				return User{API: true, Admin: true}, true, nil
			}
			return no(codeAuthRequired)
		}
	}
	u, err := h.access.user(r.Context(), h.access.address(r), name, password)
	switch {
	case err != nil && h.access.Off:
		return User{API: true, Admin: true}, ambient, nil
	case err != nil:
		return no(codeAuthFailed)
	case !u.API:
		return no(codeForbiddenUser)
	}
	return u, ambient, nil
}

// looks tells whether a command changes nothing: whoever makes a browser send it
// sees no answer.
func looks(c *ozml.Command) bool {
	return strings.HasPrefix(c.Name, "List") || strings.HasPrefix(c.Name, "Get")
}

// params are those of a request, without empty ones, by lower-case name.
type params map[string]ozml.Value

// take gives a parameter and removes it; "" when there is none.
func (p params) take(name string) string {
	v := p[name].Value
	delete(p, name)
	return v
}

// values gives them in the order of their names.
func (p params) values() (all []ozml.Value) {
	for _, key := range slices.Sorted(maps.Keys(p)) {
		all = append(all, p[key])
	}
	return all
}

// maxParams bounds a request: no command has a tenth of it.
const maxParams = 200

// params reads the query, then the form over it. What could be read is there
// even with an error, for the credentials are looked at first.
func (h *Commands) params(w http.ResponseWriter, r *http.Request) (params, error) {
	p := params{}
	err := p.add(r.URL.RawQuery)
	if r.Method != http.MethodPost {
		return p, err
	}
	if t, _, merr := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Header.Get("Content-Type") != "" &&
		(merr != nil || t != "application/x-www-form-urlencoded") {
		return p, errors.Join(err, fmt.Errorf("the content type %q is not application/x-www-form-urlencoded", r.Header.Get("Content-Type")))
	}
	body, berr := io.ReadAll(http.MaxBytesReader(w, r.Body, h.c.Body))
	if _, ok := errors.AsType[*http.MaxBytesError](berr); ok {
		return p, errors.Join(err, fmt.Errorf("the form is larger than %d bytes", h.c.Body))
	} else if berr != nil {
		return p, errors.Join(err, errors.New("the form was cut short"))
	}
	return p, errors.Join(err, p.add(string(body)))
}

// add takes the values of a query string. Of several with one name the first
// that is not empty counts.
func (p params) add(query string) error {
	values, err := url.ParseQuery(query)
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		key := strings.ToLower(name)
		for _, v := range values[name] {
			if v != "" && !seen[key] {
				seen[key] = true
				p[key] = ozml.Value{Name: name, Value: v}
			}
		}
	}
	if len(p) > maxParams {
		clear(p)
		return fmt.Errorf("more than %d parameters", maxParams)
	}
	return err
}

// run runs the script of one command.
func (h *Commands) run(from context.Context, u User, c *ozml.Command, p params) answer {
	f := ozml.OneCommand(c.Name, p.values())
	var bad answer
	if c.Admin && !u.Admin {
		return say(codeForbiddenUser)
	}
	for _, d := range h.c.Table.Check(f, ozml.API) {
		if d.Code != ozml.CodeBadParam || d.Severity != ozml.Error {
			continue
		}
		if bad.code == 0 {
			bad = say(codeBadParam, d.Param, c.Name)
			h.tell(p, trace.Event{Type: trace.Error, Name: c.Name, Code: d.Code, Text: d.Msg, Hint: d.Hint})
		}
		bad.mistakes = append(bad.mistakes, mistakeOf(d))
	}
	if bad.code != 0 {
		return bad
	}

	ctx, cancel := context.WithCancelCause(context.WithoutCancel(from))
	late := time.AfterFunc(h.c.Patient, func() { cancel(errLate) })
	done := make(chan answer, 2) // accepted, ended
	ok := say(codeOK)
	world := h.c.World(ctx, u)
	own := world.Trace
	world.Trace = trace.SinkFunc(func(e trace.Event) {
		if own != nil {
			own.Emit(e)
		}
		h.tell(p, e)
	})
	o := ozml.Options{
		Setting: ozml.API,
		Reply:   func(v any) { ok.payload = v },
		Accepted: func() {
			late.Stop()
			done <- ok
		},
	}
	h.work.Add(2)
	ended := make(chan struct{})
	go func() { // the end of the switch is the end of its commands
		defer h.work.Done()
		select {
		case <-h.quit:
			cancel(context.Canceled)
		case <-ended:
		}
	}()
	go func() {
		defer h.work.Done()
		defer close(ended)
		defer cancel(nil)
		defer late.Stop()
		defer func() {
			if v := recover(); v != nil {
				h.c.Log.Error("api: bug", "command", c.Name, "panic", v, "stack", string(debug.Stack()))
				done <- say(codeParse, "internal error")
			}
		}()
		if err := ozml.Do(ctx, world, h.c.Table, f, o); err != nil {
			done <- h.failure(err, context.Cause(ctx), c, p)
			return
		}
		done <- ok
	}()
	return <-done
}

// tell puts a fault of a command into the log of the call that it was to act on,
// where who looks for what became of the call looks.
func (h *Commands) tell(p params, e trace.Event) {
	if h.c.CallLog == nil || e.Type != trace.Error && e.Type != trace.CommandFail {
		return
	}
	e.Doc, e.Line, e.Col = "HTTP API", 0, 0
	for _, name := range []string{"callid", "transferredcallid", "tranferredcallid", "targetcallid"} {
		if id := p[name].Value; id != "" {
			if log := h.c.CallLog(id); log != nil {
				log.Emit(e)
				return
			}
		}
	}
}

// mistakeOf says what a remark of the table says of a request.
func mistakeOf(d ozml.Diagnostic) Mistake {
	m := Mistake{Location: "body", Message: d.Msg}
	if d.Param != "" {
		m.Location += "." + d.Param
	}
	if d.Hint != "" {
		m.Message += ": " + d.Hint
	}
	return m
}

var errLate = errors.New("api: no outcome in time")

// dialedBy is the number that a command calls; ok is false for one that makes no
// call.
func dialedBy(c *ozml.Command, p params) (number string, ok bool) {
	switch c.Name {
	case "Call":
		return p["dialed"].Value + p["dialled"].Value, true
	case "CallSetup":
		return p["caller"].Value, true
	case "Request":
		return p["dialedaddress"].Value, true
	case "SendAlarmNotification":
		return p["phonenumber"].Value + p["phone number"].Value, true
	}
	return "", false
}

// failure finds the code of an error (http-api.md A4).
func (h *Commands) failure(err, cause error, c *ozml.Command, p params) answer {
	if ce, ok := errors.AsType[*ozml.CallError](err); ok {
		return say(codeNotConnected, ce.To, ce.State)
	}
	if a, ok := configFailure(err); ok {
		return a
	}
	var coded Coder
	if errors.As(err, &coded) {
		code, args := coded.APICode()
		if tmpl, known := messages[code]; known && strings.Count(tmpl, "%s") == len(args) {
			fill := make([]any, len(args))
			for i, a := range args {
				fill[i] = a
			}
			return say(code, fill...)
		}
	}
	if pe, ok := errors.AsType[*ozml.ParamError](err); ok {
		return say(codeBadParam, pe.Param, pe.Command)
	}
	if id, ok := ozml.CallOf(err); ok {
		return say(codeNoCall, id)
	}
	if errors.Is(err, ozml.ErrNoCall) || errors.Is(err, ozml.ErrGone) {
		return say(codeNoCall, p["callid"].Value)
	}
	if f, ok := errors.AsType[*ozml.Fault](err); ok && strings.HasPrefix(f.Code, "OZ10") { // ResponseOzML
		return say(codeParse, f.Msg)
	}
	if dialed, calls := dialedBy(c, p); calls {
		state := "Error"
		if errors.Is(err, errLate) || errors.Is(cause, errLate) {
			state = "NoAnswer"
		}
		return say(codeNotConnected, dialed, state)
	}
	if f, ok := errors.AsType[*ozml.Fault](err); ok && f.Code == ozml.CodeNotHere {
		return say(codeInappropriate, c.Name)
	}
	h.c.Log.Warn("api: command failed", "command", c.Name, "err", err)
	return say(codeParse, err.Error())
}
