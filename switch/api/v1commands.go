package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"ozswitch/ozml"
)

// commandOperations makes an operation of each command that the HTTP API has. All
// that is said of it comes from the table.
func (v *V1) commandOperations() (all []operation) {
	for _, c := range v.Table.Commands() {
		if c.In&ozml.API == 0 {
			continue
		}
		o := typed("command"+c.Name, "POST", commandsPath+c.Name, member, commandScope(c.Name), c.Title,
			func(ctx context.Context, in *struct {
				Body map[string]json.RawMessage
			}) (*one[any], error) {
				return v.command(ctx, c, in.Body)
			})
		o.mayBeEmpty = true
		// An answer that is a secret is not to lie in the store for a day.
		o.once = replyType(c.Name) != reflect.TypeFor[securityTokenReply]()
		all = append(all, o.shaped(func(h *huma.Operation, reg huma.Registry) {
			h.Description = c.Doc
			h.SkipValidateBody = true // the table does, and in the words of the language
			h.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: commandSchema(c)}}}
			h.Responses["200"] = &huma.Response{Description: "It was carried out", Content: map[string]*huma.MediaType{
				"application/json": {Schema: reg.Schema(replyType(c.Name), true, "")},
			}}
		}))
	}
	return all
}

const commandsPath = "/v1/commands/"

// noCommand answers what is no command of this API.
func (v *V1) noCommand(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("command")
	p := say(codeNoCommand, name).problem()
	if c := v.Table.Lookup(name); c != nil && c.In&ozml.API == 0 {
		p = say(codeInappropriate, c.Name).problem()
	} else if c != nil {
		p.Detail += ": it is POST " + commandsPath + c.Name
	}
	p.Status = http.StatusNotFound
	p.write(w)
}

// command carries a command out, as a request to /api does (Commands.run).
func (v *V1) command(ctx context.Context, c *ozml.Command, body map[string]json.RawMessage) (*one[any], error) {
	u := UserOf(ctx)
	if !u.API {
		return nil, say(codeForbiddenUser).problem()
	}
	p := params{}
	for name, raw := range body {
		text, why := textOf(raw)
		if why != "" {
			return nil, wrongParam(c, Mistake{"body." + name, why}, name)
		}
		if text == "" {
			continue
		}
		key := strings.ToLower(name)
		if before, twice := p[key]; twice {
			return nil, wrongParam(c, Mistake{"body." + name, "it is the same as " + before.Name}, name)
		}
		p[key] = ozml.Value{Name: name, Value: text}
	}
	if len(p) > maxParams {
		return nil, say(codeParse, fmt.Sprintf("more than %d parameters", maxParams)).problem()
	}
	// The legacy API passes over what it does not know, for its clients do send
	// such things; here it is a slip of the pen.
	for _, d := range v.Table.Check(ozml.OneCommand(c.Name, p.values()), ozml.API) {
		if d.Code == ozml.CodeUnknownParam {
			m := mistakeOf(d)
			return nil, wrongParam(c, m, strings.TrimPrefix(m.Location, "body."))
		}
	}
	a := v.Commands.run(ctx, u, c, p)
	if a.code != codeOK {
		return nil, a.problem()
	}
	return give(replyOf(a))
}

// wrongParam is code 302 for what the legacy API cannot be sent.
func wrongParam(c *ozml.Command, m Mistake, name string) error {
	a := say(codeBadParam, name, c.Name)
	a.mistakes = []Mistake{m}
	return a.problem()
}

// textOf gives the text of a parameter, as the legacy API would be sent it.
func textOf(raw json.RawMessage) (text, why string) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", ""
	case raw[0] == '"':
		if err := json.Unmarshal(raw, &text); err != nil {
			return "", err.Error()
		}
		return text, ""
	case raw[0] == '{' || raw[0] == '[':
		return "", "want a text, a number, or true or false"
	}
	return string(raw), "" // a number, true or false, letter by letter
}

// commandSchema says what a command takes, as it declares it.
func commandSchema(c *ozml.Command) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
	for _, p := range c.Params() {
		if p.Kind == "fields" { // recipient0, recipient1 ...
			s.AdditionalProperties = &huma.Schema{Type: huma.TypeString, Description: p.Usage}
		}
		if p.Name == "" || p.Refused != "" || p.Only != 0 && p.Only&ozml.API == 0 {
			continue
		}
		one := paramSchema(p)
		if one == nil {
			continue
		}
		s.Properties[p.Name] = one
		if p.Required || p.MustIn&ozml.API != 0 {
			s.Required = append(s.Required, p.Name)
		}
	}
	return s
}

// paramSchema says what a parameter takes; nil for what cannot be a parameter of
// a request.
func paramSchema(p ozml.Param) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Description: p.Usage}
	zero := 0.0
	switch p.Kind {
	case "commands", "elements", "fields":
		return nil
	case "number":
		s.Type, s.Minimum = huma.TypeInteger, &zero
	case "seconds":
		s.Type, s.Minimum = huma.TypeNumber, &zero
	case "true or false":
		s.Type = huma.TypeBoolean
	case "URL":
		s.Format = "uri"
	case "keys":
		s.Pattern = "^[0-9*#A-Da-d]*$"
	}
	if p.Max > 0 { // more is not refused: the table takes this instead
		s.Description += fmt.Sprintf(" (at most %g counts)", p.Max)
	}
	if p.Length > 0 {
		s.MaxLength = &p.Length
	}
	if !p.Lenient {
		for _, v := range p.Values {
			s.Enum = append(s.Enum, v)
		}
	} else if len(p.Values) > 0 {
		s.Description += " (" + strings.Join(p.Values, ", ") + ")"
	}
	if p.Default != "" {
		s.Default = defaultOf(s.Type, p.Default)
	}
	return s
}

// defaultOf gives a default as a value of its kind.
func defaultOf(kind, text string) any {
	if kind == huma.TypeString {
		return text
	}
	var v any
	if err := json.Unmarshal([]byte(strings.ToLower(text)), &v); err != nil {
		return nil // "until the caller leaves": no value of that kind
	}
	return v
}

// replyType is what a command answers with.
func replyType(command string) reflect.Type {
	if r, ok := replies[command]; ok {
		return r
	}
	return reflect.TypeFor[Reply]()
}
