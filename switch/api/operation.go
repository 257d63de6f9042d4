package api

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// A right is what a user needs for an operation.
type right uint8

const (
	anybody right = iota // looks for himself
	member               // of the API or the console
	admin
)

// An operation is one route of V1: what the document at /v1/openapi.json tells of
// it, and who may use it.
type operation struct {
	id           string // by which generated clients call it
	method, path string
	who          right
	scope        Scope // that a token needs; "" = no token is enough
	says         string

	body       int64 // most bytes of its body; 0 = smallBody
	status     int   // of an answer that is good; 0 = 200, or 204 without one
	mayBeEmpty bool  // a request without a body is one with {}

	once  bool // an Idempotency-Key counts (RFC draft idempotency-key-header)
	gives []gift
	shape func(*huma.Operation, huma.Registry) // changes what the types say, "" = nothing
	add   func(v *V1, to huma.API, o huma.Operation)
}

// A gift is what an operation answers with that is no JSON of a type.
type gift struct{ mediaType, says string }

// typed makes an operation of a function from one type to another. Tags of the
// fields say where they stand, and the types are checked and described by them.
func typed[I, O any](id, method, path string, who right, scope Scope, says string, do func(context.Context, *I) (*O, error)) operation {
	return operation{
		id: id, method: method, path: path, who: who, scope: scope, says: says,
		add: func(v *V1, to huma.API, o huma.Operation) {
			huma.Register(to, o, func(ctx context.Context, in *I) (*O, error) {
				turnOf(ctx).begun = true
				out, err := do(ctx, in)
				if err != nil {
					return nil, v.problem(ctx, err)
				}
				return out, nil
			})
		},
	}
}

// The changes that a line of the table makes to an operation.

func (o operation) most(bytes int64) operation { o.body = bytes; return o }
func (o operation) created() operation         { o.status = http.StatusCreated; return o }

// acts makes it one that is not to happen twice.
func (o operation) acts() operation { o.once = true; return o }

func (o operation) as(mediaType, says string) operation {
	o.gives = append(o.gives[:len(o.gives):len(o.gives)], gift{mediaType, says})
	return o
}

func (o operation) shaped(f func(*huma.Operation, huma.Registry)) operation { o.shape = f; return o }

// one is what an operation answers with.
type one[T any] struct{ Body T }

func give[T any](v T) (*one[T], error) { return &one[T]{v}, nil }

// nothing is an input or an answer without fields.
type nothing struct{}

// A turn is one request on its way.
type turn struct {
	w     http.ResponseWriter
	r     *http.Request
	begun bool // its operation was begun: what is said now is not about its form
}

type turnKey struct{}

func turnOf(ctx context.Context) *turn {
	t, _ := ctx.Value(turnKey{}).(*turn)
	if t == nil {
		return &turn{}
	}
	return t
}

// streamed is an answer that is written piece by piece.
func streamed(write func(w http.ResponseWriter, r *http.Request)) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		r, w := humago.Unwrap(c)
		write(w, r)
	}}, nil
}

// spoken puts what package huma says into our words and statuses: 400 for all
// that is wrong with the form of a request.
type spoken struct{ humaContext }

type humaContext huma.Context // by another name: a Context has a method Context

// Unwrap lets package humago find its own.
func (s *spoken) Unwrap() huma.Context { return s.humaContext }

// SetStatus implements huma.Context.
func (s *spoken) SetStatus(status int) {
	t := turnOf(s.Context())
	if !t.begun {
		status = ofForm(status)
	}
	// Not every writer can: a test's, or HTTP/1.0's.
	_ = http.NewResponseController(t.w).SetWriteDeadline(time.Now().Add(readTime))
	s.humaContext.SetStatus(status)
}

// ofForm is the status of a request whose form package huma has refused.
func ofForm(status int) int {
	switch status {
	case http.StatusUnprocessableEntity, http.StatusRequestTimeout, http.StatusInternalServerError:
		return http.StatusBadRequest
	}
	return status
}

// inOurWords is a huma.Transformer: what huma says of a form becomes a problem.
// The values that were sent are left out, for one may be a password.
func inOurWords(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := &problem{Status: ofForm(e.Status), Detail: e.Detail}
	for _, d := range e.Errors {
		p.Errors = append(p.Errors, Mistake{Location: d.Location, Message: d.Message})
	}
	if len(p.Errors) > 0 {
		first := p.Errors[0]
		p.Detail = "the request is not what is wanted here: " + strings.TrimPrefix(first.Location+": "+first.Message, ": ")
	}
	return p.fill(), nil
}

// routed puts what package huma mounts behind the checks of an operation. It is a
// humago.Mux.
type routed struct {
	*http.ServeMux
	v   *V1
	ops map[string]operation // by pattern
}

// HandleFunc implements humago.Mux.
func (m *routed) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	o, ok := m.ops[pattern]
	if !ok {
		panic("api: package huma mounts " + pattern + ", which is no operation") // a programming error
	}
	m.Handle(pattern, m.v.checked(o, http.HandlerFunc(h)))
}

// checked lets those requests through to an operation that may use it.
func (v *V1) checked(o operation, do http.Handler) http.Handler {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.who == admin && !UserOf(r.Context()).Admin {
			(&problem{Status: http.StatusForbidden, Code: codeForbiddenUser, Detail: "this needs a user with admin: true"}).write(w)
			return
		}
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("X-Content-Type-Options", "nosniff")
		if changes(r) {
			// Not every writer can: a test's, or HTTP/1.0's.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readTime))
			if o.mayBeEmpty && (r.Body == nil || r.ContentLength == 0) {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), 2
				r.Header.Set("Content-Type", "application/json")
			}
			if p := isJSON(r); p != nil {
				p.write(w)
				return
			}
		}
		if o.once && r.Header.Get(onceHeader) != "" {
			v.Once.serve(w, r, o.largest(), func(w http.ResponseWriter, r *http.Request) bool { return take(w, r, do) })
			return
		}
		take(w, r, do)
	})
	if o.who == anybody {
		return h
	}
	return v.Access.guard(o.scope, h)
}

// take runs an operation and tells whether its form was good, so that it began.
func take(w http.ResponseWriter, r *http.Request, do http.Handler) (begun bool) {
	t := &turn{w: w}
	t.r = r.WithContext(context.WithValue(r.Context(), turnKey{}, t))
	do.ServeHTTP(w, t.r)
	return t.begun
}

// isJSON refuses a body of another kind. Our own pages need not say what theirs is.
func isJSON(r *http.Request) *problem {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil
	}
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if (err != nil || t != "application/json") && r.Header.Get(ownHeader) == "" {
		return &problem{Status: http.StatusUnsupportedMediaType, Detail: "want Content-Type: application/json"}
	}
	r.Header.Set("Content-Type", "application/json")
	return nil
}

// Mount wires the operations.
func (v *V1) Mount(mux *http.ServeMux) {
	m := &routed{ServeMux: mux, v: v, ops: map[string]operation{}}
	if v.Once == nil {
		v.Once = &Once{}
	}
	all := v.operations()
	methods := map[string][]string{}
	for _, o := range all {
		m.ops[o.method+" "+o.path] = o
		methods[o.path] = append(methods[o.path], o.method)
	}
	v.describe(m, all)
	// Other methods, and the question of a page of another origin beforehand.
	for path, allow := range methods {
		mux.Handle(path, v.Access.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			(&problem{Status: http.StatusMethodNotAllowed, Detail: "want " + strings.Join(allow, " or ")}).write(w)
		})))
	}
	mux.Handle(commandsPath+"{command}", v.Access.Guard(http.HandlerFunc(v.noCommand)))
	mux.HandleFunc("/v1/", NotFound)
}

// A Mistake is one thing that is wrong with a request.
type Mistake struct {
	Location string `json:"location,omitempty" doc:"where: body.to, query.rows, path.id"`
	Message  string `json:"message" doc:"what is wrong with it"`
}

func (m Mistake) String() string { return fmt.Sprintf("%s: %s", m.Location, m.Message) }
