package api

import (
	"context"
	"encoding/json"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"ozswitch/switch/extension"
)

// describe mounts all operations by package huma, and keeps the document that
// comes of it (OpenAPI 3.1).
func (v *V1) describe(m *routed, all []operation) {
	reg := huma.NewMapRegistry("#/components/schemas/", schemaName)
	reg.RegisterTypeAlias(reflect.TypeFor[extension.Settings](), reflect.TypeFor[extension.SettingsJSON]())
	to := humago.New(m, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "ozswitch", Version: "1", License: &huma.License{Name: "MIT", Identifier: "MIT"},
				Description: "The JSON API of the switch. What fails is told by application/problem+json (RFC 9457), with the code of the legacy API where it has one.",
			},
			Servers:    []*huma.Server{{URL: "/"}},
			Components: &huma.Components{Schemas: reg, SecuritySchemes: securitySchemes()},
			Tags:       tags,
		},
		Formats: huma.DefaultFormats, DefaultFormat: "application/json",
		Transformers: []huma.Transformer{inOurWords}, // and not those that write $schema into bodies
	})
	to.UseMiddleware(func(c huma.Context, next func(huma.Context)) { next(&spoken{c}) })
	wrong := &huma.Response{Description: "What went wrong", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: reg.Schema(reflect.TypeFor[problem](), true, "")},
	}}
	for _, o := range all {
		h := huma.Operation{
			OperationID: o.id, Method: o.method, Path: o.path, Summary: o.says, Tags: []string{tagOf(o.path)}, DefaultStatus: o.status,
			MaxBodyBytes: o.largest() + 1, BodyReadTimeout: readTime, Security: security(o),
			Responses: map[string]*huma.Response{"4XX": wrong, "default": wrong},
		}
		if o.once {
			h.Parameters = append(h.Parameters, onceParam())
		}
		if len(o.gives) > 0 {
			good := &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{}}
			for _, g := range o.gives {
				good.Description, good.Content[g.mediaType] = g.says, &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
				if strings.HasPrefix(g.mediaType, "text/") {
					good.Content[g.mediaType].Schema.Format = ""
				}
			}
			h.Responses[strconv.Itoa(max(o.status, http.StatusOK))] = good
		}
		if o.shape != nil {
			o.shape(&h, reg)
		}
		o.add(v, to, h)
	}
	v.openapi = to.OpenAPI()
	polish(v.openapi)
	v.document, _ = json.Marshal(v.openapi) // of what was just made by types: it can be written
}

// smallBody is enough for a body that is no script.
const smallBody = 64 << 10

// largest is how many bytes its body may have.
func (o operation) largest() int64 { return max(o.body, smallBody) }

// polish says of the schemas what types cannot: lists are never null, answers may
// have more fields one day, and huma's own words have done their work.
func polish(doc *huma.OpenAPI) {
	all := doc.Components.Schemas.Map()
	// Which huma always adds; nothing is one.
	delete(all, "HumaErrorModel")
	delete(all, "HumaErrorDetail")
	asked := map[string]bool{}
	for _, at := range doc.Paths {
		for _, o := range []*huma.Operation{at.Get, at.Post, at.Put, at.Patch, at.Delete} {
			if o != nil && o.RequestBody != nil {
				for _, m := range o.RequestBody.Content {
					reach(m.Schema, all, asked)
				}
			}
		}
	}
	for name, s := range all {
		plain31(s)
		if s.AdditionalProperties == false && !asked[name] {
			s.AdditionalProperties = nil
		}
	}
}

// reach notes the names of the schemas that one leads to.
func reach(s *huma.Schema, all map[string]*huma.Schema, seen map[string]bool) {
	if s == nil {
		return
	}
	if name := path.Base(s.Ref); s.Ref != "" && !seen[name] {
		seen[name] = true
		reach(all[name], all, seen)
	}
	reach(s.Items, all, seen)
	for _, p := range s.Properties {
		reach(p, all, seen)
	}
}

// plain31 takes back that lists may be null, for ours are empty, and the word
// patternDescription, which no other tool knows.
func plain31(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
		plain31(s.Items)
	}
	s.PatternDescription = ""
	for _, p := range s.Properties {
		plain31(p)
	}
}

// orNull makes a property of an object one that may be null. (Of objects, huma
// says so only of scalars.)
func orNull(s *huma.Schema, name string) {
	if p := s.Properties[name]; p != nil && p.Ref != "" {
		s.Properties[name] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: p.Description}
	}
}

// schemaName names the schema of a type: those of other packages begin with the
// package's name.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if p := path.Base(t.PkgPath()); t.Name() != "" && p != "api" && p != "." {
		r := []rune(strings.TrimPrefix(p, "v2"))
		if p == "v2" {
			r = []rune("huma")
		}
		r[0] = unicode.ToUpper(r[0])
		name = string(r) + name
	}
	return name
}

const (
	byBasic   = "basic"
	byCookies = "session"
	byToken   = "token"
)

func securitySchemes() map[string]*huma.SecurityScheme {
	var b strings.Builder
	b.WriteString("A token of POST /v1/tokens. It can never do more than its user, and of that what its scopes name:\n")
	for _, s := range scopes {
		b.WriteString("\n* `" + string(s.Scope) + "`: " + s.Says)
	}
	return map[string]*huma.SecurityScheme{
		byBasic:   {Type: "http", Scheme: "basic", Description: "Name and password of a user with `api: true` or `admin: true`"},
		byCookies: {Type: "apiKey", In: "cookie", Name: cookieName, Description: "A session of POST /v1/session. What changes something then needs the header " + ownHeader + ": 1"},
		byToken:   {Type: "http", Scheme: "bearer", Description: b.String()},
	}
}

// security says by what one may come in, and with which scope by a token.
func security(o operation) []map[string][]string {
	if o.who == anybody {
		return []map[string][]string{{}}
	}
	ways := []map[string][]string{{byBasic: {}}, {byCookies: {}}}
	if o.scope != "" {
		ways = append(ways, map[string][]string{byToken: {string(o.scope)}})
	}
	return ways
}

// tags are the chapters of the document.
var tags = []*huma.Tag{
	{Name: "session", Description: "Who is signed in by a browser"},
	{Name: "tokens", Description: "Tokens by which programs come in"},
	{Name: "events", Description: "What happens, while it happens"},
	{Name: "calls", Description: "Calls that are up and calls that are over"},
	{Name: "commands", Description: "The commands of the language, each as a request"},
	{Name: "scripts", Description: "Scripts, and what helps who writes them"},
	{Name: "extensions", Description: "Numbers, telephones, queues, conferences and lines"},
	{Name: "status", Description: "How the switch is, and this document"},
}

func tagOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
	if slices.ContainsFunc(tags, func(t *huma.Tag) bool { return t.Name == first }) {
		return first
	}
	switch first {
	case "lint", "run", "fetch", "samples":
		return "scripts"
	case "queues", "conferences", "lines":
		return "extensions"
	}
	return "status"
}

// getOpenAPI gives the document.
func (v *V1) getOpenAPI(ctx context.Context, _ *nothing) (*huma.StreamResponse, error) {
	if p := v.Access.outside(turnOf(ctx).r); p != nil {
		return nil, p
	}
	return streamed(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(v.document)
	})
}
