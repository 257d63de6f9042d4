package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/export"
	"ozswitch/switch/extension"
	"ozswitch/switch/store"
)

// V1 is the JSON API below /v1, for programs and for the pages of the console
// (ADR 0011). doc.go lists its routes.
type V1 struct {
	Access   *Access
	Sessions *Sessions
	Log      *eventlog.Log
	Slog     *slog.Logger         // nil = slog.Default()
	Describe func(u User) Session // what a page needs to know of the switch and its user

	Calls     *Calls // the calls that are up and those that are over
	Events    *Events
	Line      func(id string) (store.Call, bool) // a call that is up, as its row would be
	Sensitive func(extension string) bool        // whether keys are never written down
	Press     func(ctx context.Context, id, keys string) error
	Console   func(id string) // a page is about to hang the call up; may be nil
	Tokens    *Tokens
	Root      *os.Root // of the recordings
	Commands  *Commands

	Table    ozml.Table
	Document syntax.Limits // of a script
	Limits   ozml.Limits   // of a run on paper
	Scripts  Scripts
	Fetch    func(ctx context.Context, u User, url, number string) Fetched

	Numbers   func() []Number
	Queues    func() any                                 // what /v1/queues gives; an array
	Rooms     func() any                                 // of /v1/conferences
	SetNumber func(number string, to NumberChange) error // may return a *Refusal
	// ChangeSettings changes those of a phone; it may return a *Refusal.
	ChangeSettings func(number string, change extension.Change) error

	Lines  func() []Line // the outside ones; nil = there are none
	Status func() Status // without its sentence and checks
	Checks []Check

	runs   gate // bounds runs on paper
	sounds gate // bounds the making of sounds and exports
}

// A right is what a user needs for a route.
type right uint8

const (
	anybody right = iota // looks for himself
	member               // of the API or the console
	admin
)

// A route is one line of the table in doc.go.
type route struct {
	method, path string
	who          right
	do           func(w http.ResponseWriter, r *http.Request) (any, error)
}

// routes lists all of V1.
func (v *V1) routes() []route {
	return []route{
		{"POST", "/v1/session", anybody, v.postSession},
		{"GET", "/v1/session", member, v.getSession},
		{"DELETE", "/v1/session", anybody, v.deleteSession},
		{"GET", "/v1/events", member, handler(v.Events)},
		{"GET", "/v1/calls", member, handler(v.Calls)},
		{"POST", "/v1/calls", member, v.postCall},
		{"GET", "/v1/calls/{id}", member, v.getCall},
		{"GET", "/v1/calls/{id}/events", member, handler(v.Events)},
		{"GET", "/v1/calls/{id}/log", member, v.getLog},
		{"GET", "/v1/calls/{id}/documents", member, v.getDocument},
		{"GET", "/v1/calls/{id}/peaks", member, v.getPeaks},
		{"GET", "/v1/calls/{id}/sound.wav", member, v.getSound},
		{"GET", "/v1/calls/{id}/export.json", member, v.getExport("json", "application/json", export.JSON)},
		{"GET", "/v1/calls/{id}/export.pcap", member, v.getExport("pcap", "application/vnd.tcpdump.pcap", export.PCAP)},
		{"GET", "/v1/calls/{id}/export.mmd", member, v.getExport("mmd", "text/vnd.mermaid; charset=utf-8", export.Mermaid)},
		{"GET", "/v1/calls/{id}/export.zip", member, v.getExport("zip", "application/zip", export.Zip)},
		{"POST", "/v1/calls/{id}/hangup", member, v.postHangup},
		{"POST", "/v1/calls/{id}/keys", member, v.postKeys},
		{"GET", "/v1/scripts", member, v.getScripts},
		{"GET", "/v1/scripts/{name}", member, v.getScript},
		{"PUT", "/v1/scripts/{name}", admin, v.putScript},
		{"DELETE", "/v1/scripts/{name}", admin, v.deleteScript},
		{"POST", "/v1/lint", member, v.postLint},
		{"POST", "/v1/run", member, v.postRun},
		{"GET", "/v1/commands", member, v.getCommands},
		{"POST", "/v1/fetch", admin, v.postFetch},
		{"GET", "/v1/extensions", member, v.getNumbers},
		{"GET", "/v1/extensions/{number}", member, v.getNumber},
		{"PUT", "/v1/extensions/{number}", admin, v.putNumber},
		{"PATCH", "/v1/extensions/{number}", member, v.patchNumber},
		{"GET", "/v1/queues", member, v.given(&v.Queues)},
		{"GET", "/v1/conferences", member, v.given(&v.Rooms)},
		{"GET", "/v1/lines", member, v.getLines},
		{"GET", "/v1/status", member, v.getStatus},
		{"GET", "/v1/samples", member, v.getSamples},
	}
}

// given answers with what a part of the switch tells of itself.
func (v *V1) given(tell *func() any) func(http.ResponseWriter, *http.Request) (any, error) {
	return func(http.ResponseWriter, *http.Request) (any, error) {
		if *tell == nil {
			return []any{}, nil
		}
		return (*tell)(), nil
	}
}

// Mount wires the routes.
func (v *V1) Mount(mux *http.ServeMux) {
	methods := map[string][]string{}
	for _, one := range v.routes() {
		h := v.handle(one)
		if one.who != anybody {
			h = v.Access.Guard(h)
		}
		mux.Handle(one.method+" "+one.path, h)
		methods[one.path] = append(methods[one.path], one.method)
	}
	// Other methods, and the question of a page of another origin beforehand.
	for path, allow := range methods {
		mux.Handle(path, v.Access.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			(&problem{Status: http.StatusMethodNotAllowed, Detail: "want " + strings.Join(allow, " or ")}).write(w)
		})))
	}
	mux.HandleFunc("/v1/", NotFound)
}

// handler makes a route of what writes its answer itself.
func handler(h http.Handler) func(http.ResponseWriter, *http.Request) (any, error) {
	return func(w http.ResponseWriter, r *http.Request) (any, error) {
		h.ServeHTTP(w, r)
		return written{}, nil
	}
}

// written is the answer of a route that has written it itself.
type written struct{}

// created is an answer of status 201.
type created struct{ body any }

// readTime and writeTime bound a client that is slow to send or take.
const readTime = 20 * time.Second

// handle runs a route: its value is the answer as JSON, nil is 204, an error a
// problem.
func (v *V1) handle(one route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if one.who == admin && !UserOf(r.Context()).Admin {
			(&problem{Status: http.StatusForbidden, Code: codeForbiddenUser, Detail: "this needs a user with admin: true"}).write(w)
			return
		}
		if r.Method != http.MethodGet {
			// Not every writer can: a test's, or HTTP/1.0's.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime))
		}
		body, err := one.do(w, r)
		if err != nil {
			v.fail(w, r, err)
			return
		}
		status := http.StatusOK
		switch b := body.(type) {
		case written:
			return
		case nil:
			w.Header().Set("Cache-Control", "no-store")
			w.WriteHeader(http.StatusNoContent)
			return
		case created:
			status, body = http.StatusCreated, b.body
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(readTime))
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false) // a script in it can be read
		e.Encode(body)
	})
}

// fail answers with a problem.
func (v *V1) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, ok := errors.AsType[*problem](err)
	if no, refused := errors.AsType[*Refusal](err); refused {
		p, ok = &problem{Status: no.Status, Detail: no.Why}, true
	}
	if !ok {
		v.log().Warn("api: request failed", "method", r.Method, "path", r.URL.Path, "err", err)
		p = &problem{Status: http.StatusInternalServerError, Detail: err.Error()}
	}
	p.write(w)
}

func (v *V1) log() *slog.Logger {
	if v.Slog == nil {
		return slog.Default()
	}
	return v.Slog
}

// Error makes a problem an error.
func (p *problem) Error() string { return fmt.Sprintf("%d: %s", p.Status, p.Detail) }

func badRequest(format string, args ...any) error {
	return &problem{Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &problem{Status: http.StatusNotFound, Detail: fmt.Sprintf(format, args...)}
}

func noCall(id string) error {
	return &problem{Status: http.StatusNotFound, Code: codeNoCall, Detail: fmt.Sprintf(messages[codeNoCall], id)}
}

// smallBody is enough for a body that is no script.
const smallBody = 64 << 10

// read reads the JSON of a request into v, strictly.
func read(w http.ResponseWriter, r *http.Request, most int64, v any) error {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); (err != nil || t != "application/json") && r.Header.Get(ownHeader) == "" {
		return &problem{Status: http.StatusUnsupportedMediaType, Detail: "want Content-Type: application/json"}
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, most))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one value")
		}
	}
	if big, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body is larger than %d bytes", big.Limit)}
	}
	if err != nil {
		return badRequest("the body is not the JSON that is wanted here: %v", err)
	}
	return nil
}
