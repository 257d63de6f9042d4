package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/extension"
	"ozswitch/switch/store"
)

// V1 is the JSON API below /v1, for programs and for the pages of the console
// (ADR 0011, 0016). operations.go lists what it offers.
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

	Once *Once // the answers of requests with an Idempotency-Key; nil = none are kept

	openapi  *huma.OpenAPI
	document []byte // openapi as JSON

	runs   gate // bounds runs on paper
	sounds gate // bounds the making of sounds and exports
}

// given answers with what a part of the switch tells of itself.
func given(tell *func() any) func(context.Context, *nothing) (*one[any], error) {
	return func(context.Context, *nothing) (*one[any], error) {
		if *tell == nil {
			return give[any]([]any{})
		}
		return give((*tell)())
	}
}

// givenType says what given answers with, if it is known.
func givenType(tell func() any) func(*huma.Operation, huma.Registry) {
	return func(o *huma.Operation, reg huma.Registry) {
		s := &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{}}
		if tell != nil {
			s = reg.Schema(reflect.TypeOf(tell()), true, "")
		}
		o.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: s}}}
	}
}

// readTime bounds a client that is slow to send or take.
const readTime = 20 * time.Second

// problem makes an error one that can be answered with.
func (v *V1) problem(ctx context.Context, err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.fill()
	}
	if no, refused := errors.AsType[*Refusal](err); refused {
		return (&problem{Status: no.Status, Detail: no.Why}).fill()
	}
	if r := turnOf(ctx).r; r != nil {
		v.log().Warn("api: request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	return (&problem{Status: http.StatusInternalServerError, Detail: err.Error()}).fill()
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
