package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"ozswitch/switch/eventlog"
)

// V1 is the JSON API below /v1, for programs and for the pages of the console
// (ADR 0011). doc.go lists its routes.
type V1 struct {
	Access   *Access
	Sessions *Sessions
	Log      *eventlog.Log
	Slog     *slog.Logger             // nil = slog.Default()
	Describe func(u User) (s Session) // what a page needs to know of the switch and its user
	Calls    *Calls                   // the calls that are up and those that are over
	Events   *Events

	work sync.WaitGroup
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
		{"GET", "/v1/calls/{id}/events", member, handler(v.Events)},
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

// Wait returns when what requests have begun in the background has ended.
func (v *V1) Wait() { v.work.Wait() }

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
		json.NewEncoder(w).Encode(body)
	})
}

// fail answers with a problem.
func (v *V1) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		log := v.Slog
		if log == nil {
			log = slog.Default()
		}
		log.Warn("api: request failed", "method", r.Method, "path", r.URL.Path, "err", err)
		p = &problem{Status: http.StatusInternalServerError, Detail: err.Error()}
	}
	p.write(w)
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
